"""A turn as OpenAI's chat completions stream it; thoughts as other hosts of the dialect show them."""

from collections.abc import Iterator
from typing import Any

from tests.upstreams.speech.turn import (
    CREATED,
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
    about = {
        "id": f"chatcmpl-{number}",
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": MODEL,
    }

    def event(delta: dict[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return plain_event({**about, "choices": [choice], "usage": None})

    yield event({"role": "assistant", "content": ""})
    for piece in pieces(turn.thinking):
        yield event({"reasoning_content": piece})
    for piece in pieces(turn.text):
        yield event({"content": piece})
    for index, call in enumerate(turn.calls):
        begun = {"id": f"call_{number}_{index}", "type": "function"}
        yield event(_called(index, begun | {"function": {"name": call.flat_name, "arguments": ""}}))
        for piece in pieces(call.json):
            yield event(_called(index, {"function": {"arguments": piece}}))
    yield event({}, "tool_calls" if turn.calls else "stop")
    yield plain_event({**about, "choices": [], "usage": _usage(turn)})
    yield b"data: [DONE]\n\n"


def _called(index: int, part: dict[str, Any]) -> dict[str, Any]:
    return {"tool_calls": [{"index": index, **part}]}


def _usage(turn: Turn) -> dict[str, Any]:
    return {
        "prompt_tokens": INPUT_TOKENS,
        "completion_tokens": OUTPUT_TOKENS,
        "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
        "completion_tokens_details": {"reasoning_tokens": THINKING_TOKENS if turn.thinking else 0},
    }
