"""A turn as Anthropic's Messages stream it."""

from collections.abc import Iterator
from typing import Any

from tests.upstreams.speech.turn import (
    INPUT_TOKENS,
    MODEL,
    OUTPUT_TOKENS,
    THINKING_TOKENS,
    Turn,
    named_event,
    pieces,
)

Block = tuple[dict[str, Any], list[dict[str, Any]]]


def stream(turn: Turn, number: int) -> Iterator[bytes]:
    """The events of the answer with this number."""
    usage: dict[str, Any] = {
        "input_tokens": INPUT_TOKENS,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": 1,
    }
    message: dict[str, Any] = {"id": f"msg_{number}", "type": "message", "role": "assistant"}
    message |= {"model": MODEL, "content": [], "stop_reason": None, "stop_sequence": None}
    yield named_event("message_start", {"message": {**message, "usage": usage}})
    yield named_event("ping", {})
    for index, (begun, deltas) in enumerate(_blocks(turn, number)):
        yield named_event("content_block_start", {"index": index, "content_block": begun})
        for delta in deltas:
            yield named_event("content_block_delta", {"index": index, "delta": delta})
        yield named_event("content_block_stop", {"index": index})
    ended = {"stop_reason": "tool_use" if turn.calls else "end_turn", "stop_sequence": None}
    details = {"thinking_tokens": THINKING_TOKENS if turn.thinking else 0}
    last = usage | {"output_tokens": OUTPUT_TOKENS, "output_tokens_details": details}
    yield named_event("message_delta", {"delta": ended, "usage": last})
    yield named_event("message_stop", {})


def _blocks(turn: Turn, number: int) -> Iterator[Block]:
    if turn.thinking:
        thoughts = [{"type": "thinking_delta", "thinking": each} for each in pieces(turn.thinking)]
        proof = {"type": "signature_delta", "signature": turn.signature}
        yield {"type": "thinking", "thinking": "", "signature": ""}, [*thoughts, proof]
    if turn.text:
        yield (
            {"type": "text", "text": ""},
            [{"type": "text_delta", "text": each} for each in pieces(turn.text)],
        )
    for index, call in enumerate(turn.calls):
        begun = {"type": "tool_use", "id": f"toolu_{number}_{index}", "name": call.flat_name, "input": {}}
        parts = ["", *pieces(call.json)]
        yield begun, [{"type": "input_json_delta", "partial_json": each} for each in parts]
