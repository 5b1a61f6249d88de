"""What the vendors' SDKs read out of the recorded replies and streams is what `scenarios.json` says."""

from typing import Any

import pytest

from tests.clients import meaning
from tests.clients.base import SCHEMA, Ask, Later, Outcome
from tests.integration.vendors.conftest import VENDORS, Direct
from tests.integration.vendors.test_conversations import post
from tests.upstreams.vendors import fixtures

# What a format has no field for.
UNSIGNED = {"openai_chat", "cohere_chat"}
KNOWN = fixtures.scenarios()
# Answers to what was asked for in another way: after tool results, by a forced tool.
OTHERWISE = {"after_tools", "json_schema_by_tool"}
WHOLE = [
    (name, wire)
    for name, said in KNOWN["replies"].items()
    for wire in said["formats"]
    if name not in OTHERWISE
]
VARIANTS = [(name, wire) for name, said in KNOWN["variants"].items() for wire in said["formats"]]


def check(outcome: Outcome, wire: str, name: str) -> None:
    said = fixtures.meaning(name)
    assert outcome.finish == meaning.finish(wire, said)
    if "choices" in said:
        assert outcome.choices == said["choices"]
    elif not (wire == "cohere_chat" and "calls" in said and not said["text"]):
        assert outcome.text == said["text"]
    assert outcome.thinking == said.get("thinking", "")
    assert outcome.signature == (None if wire in UNSIGNED else said.get("signature"))
    assert outcome.redacted_thinking == said.get("redacted_thinking")
    assert outcome.refusal == said.get("refusal")
    assert plain_calls(outcome, said) == said.get("calls", [])
    expected = {**dict.fromkeys(("cached", "cache_write", "reasoning"), 0), **said["usage"]}
    assert outcome.usage == {key: expected[key] for key in outcome.usage}


def plain_calls(outcome: Outcome, said: dict[str, Any]) -> list[dict[str, Any]]:
    calls = [{"name": each.name, "arguments": each.arguments} for each in outcome.calls]
    cut = said["finish"] == "length" and calls
    if cut and isinstance(calls[0]["arguments"], dict):
        calls[0]["arguments"] = said["calls"][0]["arguments"]  # the SDK shows what it could parse of it
    return calls


@pytest.mark.parametrize(("name", "wire"), WHOLE)
def test_a_whole_reply_says_what_it_should(directs: dict[str, Direct], wire: str, name: str) -> None:
    check(directs[wire].client.ask(Ask(name)), wire, name)


@pytest.mark.parametrize(("name", "wire"), WHOLE + VARIANTS)
def test_a_stream_says_what_the_whole_reply_says(directs: dict[str, Direct], wire: str, name: str) -> None:
    check(directs[wire].client.stream(Ask(name)), wire, name)


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("wire", VENDORS)
def test_a_stream_may_be_cut_anywhere(directs: dict[str, Direct], wire: str, size: int) -> None:
    check(directs[wire].client.stream(Ask("parallel_tools", cut=size)), wire, "parallel_tools")


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("name", ["parallel_tools", "reasoning_tools", "text_and_tool"])
@pytest.mark.parametrize("wire", VENDORS)
def test_results_of_tools_bring_the_last_answer(
    directs: dict[str, Direct], wire: str, name: str, streamed: bool
) -> None:
    client, ask = directs[wire].client, Ask(name)
    send = client.stream if streamed else client.ask

    first = send(ask)
    last = send(ask, Later(ask, first, ["21 °C", "4 °C"][: len(first.calls)]))

    check(last, wire, "after_tools")


def test_json_may_be_asked_for_by_a_forced_tool(directs: dict[str, Direct]) -> None:
    for wire, request in FORCED.items():
        reply = post(directs[wire], request)

        assert reply.status_code == 200, reply.text
        assert '"extract"' in reply.text
        assert "2748109" in reply.text


MARK = "[[scenario:json_schema]]"
DECLARED = {"name": "extract", "parameters": SCHEMA}
FORCED = {
    "openai_chat": {
        "model": "m",
        "messages": [{"role": "user", "content": MARK}],
        "tools": [{"type": "function", "function": DECLARED}],
        "tool_choice": {"type": "function", "function": {"name": "extract"}},
    },
    "anthropic_messages": {
        "model": "m",
        "max_tokens": 99,
        "messages": [{"role": "user", "content": MARK}],
        "tools": [{"name": "extract", "input_schema": SCHEMA}],
        "tool_choice": {"type": "tool", "name": "extract"},
    },
}
