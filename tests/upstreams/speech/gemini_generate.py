"""A turn as Gemini's streamGenerateContent streams it."""

import json
from collections.abc import Iterator
from typing import Any

from tests.upstreams.speech.turn import (
    INPUT_TOKENS,
    MODEL,
    OUTPUT_TOKENS,
    THINKING_TOKENS,
    Turn,
    pieces,
    plain_event,
)


def stream(turn: Turn, number: int) -> Iterator[bytes]:
    """The events of the answer with this number."""
    parts = list(_parts(turn, number))
    for at, part in enumerate(parts):
        last = {"finishReason": "STOP"} if at == len(parts) - 1 else {}
        candidate = {"content": {"parts": [part], "role": "model"}, "index": 0, **last}
        about = {"usageMetadata": _usage(turn), "modelVersion": MODEL, "responseId": f"response-{number}"}
        yield plain_event({"candidates": [candidate], **about})


def _parts(turn: Turn, number: int) -> Iterator[dict[str, Any]]:
    for piece in pieces(turn.thinking):
        yield {"text": piece, "thought": True}
    for piece in pieces(turn.text):
        yield {"text": piece}
    for index, call in enumerate(turn.calls):
        said = {"id": f"call-{number}-{index}", "name": call.flat_name, "args": json.loads(call.json)}
        proof = {"thoughtSignature": turn.signature} if turn.thinking and index == 0 else {}
        yield {"functionCall": said, **proof}


def _usage(turn: Turn) -> dict[str, int]:
    thought = THINKING_TOKENS if turn.thinking else 0
    usage = {"promptTokenCount": INPUT_TOKENS, "candidatesTokenCount": OUTPUT_TOKENS - thought}
    if thought:
        usage["thoughtsTokenCount"] = thought
    return usage | {"totalTokenCount": INPUT_TOKENS + OUTPUT_TOKENS}
