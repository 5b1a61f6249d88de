"""A turn as Cohere's chat streams it."""

from collections.abc import Iterator
from typing import Any

from tests.upstreams.speech.turn import INPUT_TOKENS, OUTPUT_TOKENS, Turn, named_event, pieces


def stream(turn: Turn, number: int) -> Iterator[bytes]:
    """The events of the answer with this number."""
    started = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    yield named_event("message-start", {"id": f"answer-{number}", "delta": {"message": started}})
    contents = [("thinking", turn.thinking), ("text", turn.text)]
    for index, (kind, words) in enumerate(each for each in contents if each[1]):
        yield named_event("content-start", {"index": index, **_content({"type": kind, kind: ""})})
        for piece in pieces(words):
            yield named_event("content-delta", {"index": index, **_content({kind: piece})})
        yield named_event("content-end", {"index": index})
    for index, call in enumerate(turn.calls):
        begun: dict[str, Any] = {"id": f"call_{number}_{index}", "type": "function"}
        begun |= {"function": {"name": call.flat_name, "arguments": ""}}
        yield named_event("tool-call-start", {"index": index, **_called(begun)})
        for piece in pieces(call.json):
            part = _called({"function": {"arguments": piece}})
            yield named_event("tool-call-delta", {"index": index, **part})
        yield named_event("tool-call-end", {"index": index})
    counted = {"input_tokens": INPUT_TOKENS, "output_tokens": OUTPUT_TOKENS}
    ended: dict[str, Any] = {"finish_reason": "TOOL_CALL" if turn.calls else "COMPLETE"}
    ended |= {"usage": {"billed_units": counted, "tokens": counted, "cached_tokens": 0}}
    yield named_event("message-end", {"delta": ended})
    yield b"data: [DONE]\n\n"


def _content(part: dict[str, Any]) -> dict[str, Any]:
    return {"delta": {"message": {"content": part}}}


def _called(part: dict[str, Any]) -> dict[str, Any]:
    return {"delta": {"message": {"tool_calls": part}}}
