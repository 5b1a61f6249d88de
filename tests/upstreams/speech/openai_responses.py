"""A turn as OpenAI's Responses API streams it."""

from collections.abc import Iterator
from typing import Any

from tests.upstreams.speech.turn import (
    CREATED,
    INPUT_TOKENS,
    MODEL,
    OUTPUT_TOKENS,
    THINKING_TOKENS,
    Call,
    Turn,
    named_event,
    pieces,
)

Step = tuple[str, dict[str, Any]]
Item = tuple[dict[str, Any], dict[str, Any], list[Step]]


def stream(turn: Turn, number: int) -> Iterator[bytes]:
    """The events of the answer with this number."""
    for sequence, (name, data) in enumerate(_steps(turn, number)):
        yield named_event(f"response.{name}", {"sequence_number": sequence, **data})


def _steps(turn: Turn, number: int) -> Iterator[Step]:
    response: dict[str, Any] = {"id": f"resp_{number}", "object": "response", "created_at": CREATED}
    response |= {"model": MODEL, "status": "in_progress", "output": [], "usage": None, "error": None}
    response |= {"incomplete_details": None, "instructions": None, "metadata": {}, "tools": []}
    response |= {"parallel_tool_calls": True, "tool_choice": "auto", "temperature": 1.0, "top_p": 1.0}
    yield "created", {"response": response}
    yield "in_progress", {"response": response}
    output = []
    for index, (empty, full, steps) in enumerate(_items(turn, number)):
        yield "output_item.added", {"output_index": index, "item": empty}
        for name, data in steps:
            yield name, {"output_index": index, "item_id": full["id"], **data}
        yield "output_item.done", {"output_index": index, "item": full}
        output.append(full)
    ended = {"status": "completed", "output": output, "usage": _usage(turn)}
    yield "completed", {"response": response | ended}


def _items(turn: Turn, number: int) -> Iterator[Item]:
    """Each item as it begins, as it ends, and what happens between."""
    if turn.thinking:
        yield _reasoning(turn, number)
    if turn.text:
        yield _message(turn, number)
    for index, call in enumerate(turn.calls):
        yield (_custom_call if isinstance(call.arguments, str) else _call)(call, f"{number}_{index}")


def _reasoning(turn: Turn, number: int) -> Item:
    item = {"id": f"rs_{number}", "type": "reasoning"}
    part = {"type": "summary_text", "text": turn.thinking}
    at = {"summary_index": 0}
    steps: list[Step] = [("reasoning_summary_part.added", {**at, "part": {**part, "text": ""}})]
    steps += [("reasoning_summary_text.delta", {**at, "delta": each}) for each in pieces(turn.thinking)]
    steps.append(("reasoning_summary_text.done", {**at, "text": turn.thinking}))
    steps.append(("reasoning_summary_part.done", {**at, "part": part}))
    return {**item, "summary": []}, {**item, "summary": [part], "encrypted_content": turn.signature}, steps


def _message(turn: Turn, number: int) -> Item:
    item = {"id": f"msg_{number}", "type": "message", "role": "assistant"}
    part = {"type": "output_text", "text": turn.text, "annotations": [], "logprobs": []}
    at = {"content_index": 0}
    steps: list[Step] = [("content_part.added", {**at, "part": {**part, "text": ""}})]
    steps += [("output_text.delta", {**at, "delta": each, "logprobs": []}) for each in pieces(turn.text)]
    steps.append(("output_text.done", {**at, "text": turn.text, "logprobs": []}))
    steps.append(("content_part.done", {**at, "part": part}))
    empty = {**item, "status": "in_progress", "content": []}
    return empty, {**item, "status": "completed", "content": [part]}, steps


def _call(call: Call, key: str) -> Item:
    item = {"id": f"fc_{key}", "type": "function_call", "call_id": f"call_{key}", **_named(call)}
    steps: list[Step] = [("function_call_arguments.delta", {"delta": each}) for each in pieces(call.json)]
    steps.append(("function_call_arguments.done", {"arguments": call.json}))
    empty = {**item, "status": "in_progress", "arguments": ""}
    return empty, {**item, "status": "completed", "arguments": call.json}, steps


def _named(call: Call) -> dict[str, str]:
    group = {} if call.namespace is None else {"namespace": call.namespace}
    return {"name": call.name, **group}


def _custom_call(call: Call, key: str) -> Item:
    text = str(call.arguments)
    item = {"id": f"ctc_{key}", "type": "custom_tool_call", "call_id": f"call_{key}", **_named(call)}
    steps: list[Step] = [("custom_tool_call_input.delta", {"delta": each}) for each in pieces(text)]
    steps.append(("custom_tool_call_input.done", {"input": text}))
    empty = {**item, "status": "in_progress", "input": ""}
    return empty, {**item, "status": "completed", "input": text}, steps


def _usage(turn: Turn) -> dict[str, Any]:
    return {
        "input_tokens": INPUT_TOKENS,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": OUTPUT_TOKENS,
        "output_tokens_details": {"reasoning_tokens": THINKING_TOKENS if turn.thinking else 0},
        "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
    }
