"""A turn as Bedrock's ConverseStream streams it, in AWS's binary frames."""

from collections.abc import Iterator
from typing import Any

from tests.upstreams.speech.turn import INPUT_TOKENS, OUTPUT_TOKENS, Turn, pieces
from tests.upstreams.vendors.eventstream import encode_event


def stream(turn: Turn, number: int) -> Iterator[bytes]:
    """The frames of the answer with this number."""
    yield encode_event("messageStart", {"role": "assistant"})
    for index, (begun, deltas) in enumerate(_blocks(turn, number)):
        if begun:
            yield encode_event("contentBlockStart", {"contentBlockIndex": index, "start": begun})
        for delta in deltas:
            yield encode_event("contentBlockDelta", {"contentBlockIndex": index, "delta": delta})
        yield encode_event("contentBlockStop", {"contentBlockIndex": index})
    yield encode_event("messageStop", {"stopReason": "tool_use" if turn.calls else "end_turn"})
    usage = {"inputTokens": INPUT_TOKENS, "outputTokens": OUTPUT_TOKENS}
    usage["totalTokens"] = INPUT_TOKENS + OUTPUT_TOKENS
    yield encode_event("metadata", {"usage": usage, "metrics": {"latencyMs": 551}})


def _blocks(turn: Turn, number: int) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Each block's start, empty for what begins without one, and its deltas."""
    if turn.thinking:
        thoughts: list[dict[str, Any]] = [{"text": each} for each in pieces(turn.thinking)]
        thoughts.append({"signature": turn.signature})
        yield {}, [{"reasoningContent": each} for each in thoughts]
    if turn.text:
        yield {}, [{"text": each} for each in pieces(turn.text)]
    for index, call in enumerate(turn.calls):
        begun = {"toolUse": {"toolUseId": f"tooluse_{number}_{index}", "name": call.flat_name}}
        yield begun, [{"toolUse": {"input": each}} for each in pieces(call.json)]
