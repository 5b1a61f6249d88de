"""What a client has to see of an upstream's answer, given what the two dialects can say."""

from typing import Any

from tests.clients import meaning
from tests.clients.base import Outcome
from tests.upstreams.vendors import fixtures

# Which of the finer counts a format tells of its usage; the others are nought.
FINER = ("cached", "cache_write", "reasoning")
TELLS = {
    "openai_chat": {"cached", "cache_write", "reasoning"},
    "openai_responses": {"cached", "cache_write", "reasoning"},
    "anthropic_messages": {"cached", "cache_write", "reasoning"},
    "gemini_generate": {"cached", "reasoning"},
    "bedrock_converse": {"cached", "cache_write"},
    "cohere_chat": {"cached"},
}
# Cohere counts tokens twice: as billed (what scenarios.json says), and with its own prompt around them.
COHERE_EXTRA = {"input": 60, "output": 2}
# What Gemini may leave out, its own clients do without.
WITHOUT_IDS = {"calls_without_ids"}
COHERE_PLAN = "I will look it up."
# Formats that tell which stop sequence it was.
TELLS_SEQUENCE = {"anthropic_messages", "bedrock_converse"}
# A refusal has a place in OpenAI's dialects only; elsewhere its words are text, and the end may say so.
REFUSED = {
    "openai_chat": {"stop", "content_filter"},
    "openai_responses": {"completed", "content_filter"},
    "anthropic_messages": {"end_turn", "refusal"},
    "gemini_generate": {"STOP", "SAFETY", "PROHIBITED_CONTENT", "OTHER"},
}
FILTERED = {"gemini_generate": {"SAFETY", "PROHIBITED_CONTENT", "BLOCKLIST", "OTHER"}}


def check(outcome: Outcome, surface: str, wire: str, scenario: str) -> None:
    """Fail unless the client saw what the upstream said."""
    said = fixtures.meaning(scenario)
    assert outcome.finish in _ends(surface, wire, said)
    _check_text(outcome, wire, said)
    assert outcome.thinking == said.get("thinking", "")
    if "redacted_thinking" in said and surface in {"anthropic_messages", "openai_responses"}:
        assert outcome.redacted_thinking, "sealed thoughts are handed on, for the next turn"
    _check_calls(outcome, said, with_ids=scenario not in WITHOUT_IDS or surface != wire)
    if surface == "anthropic_messages" and "stop_sequence" in said and wire in TELLS_SEQUENCE:
        assert outcome.stop_sequence == said["stop_sequence"]
    if scenario == "logprobs":
        assert outcome.logprob == -0.125
    _check_usage(outcome, wire, said)


def _ends(surface: str, wire: str, said: dict[str, Any]) -> set[str]:
    if said["finish"] == "refusal":
        return REFUSED[surface]
    if said["finish"] == "content_filter":
        return FILTERED.get(surface, {meaning.finish(surface, said)})
    ends = {meaning.finish(surface, said)}
    if "stop_sequence" in said and wire not in TELLS_SEQUENCE:
        plain = {name: each for name, each in said.items() if name != "stop_sequence"}
        ends.add(meaning.finish(surface, plain))
    return ends


def _check_text(outcome: Outcome, wire: str, said: dict[str, Any]) -> None:
    if "choices" in said:
        assert outcome.choices == said["choices"]
    elif "refusal" in said:
        assert said["refusal"] in (outcome.refusal, outcome.text)
    elif wire == "cohere_chat" and "calls" in said and not said["text"]:
        assert outcome.text in {"", COHERE_PLAN}
    else:
        assert outcome.text == said["text"]


def _check_calls(outcome: Outcome, said: dict[str, Any], *, with_ids: bool) -> None:
    ids = [each.id for each in outcome.calls]
    if with_ids:
        assert all(ids), "every call has an id"
        assert len(set(ids)) == len(ids), "and no two the same"
    if said["finish"] == "length":
        return  # what is shown of cut arguments is up to the SDK
    calls = [{"name": each.name, "arguments": each.arguments} for each in outcome.calls]
    assert calls == said.get("calls", [])


def _check_usage(outcome: Outcome, wire: str, said: dict[str, Any]) -> None:
    expected = said["usage"]
    for name in ("input", "output"):
        extra = COHERE_EXTRA[name] if wire == "cohere_chat" else 0
        assert outcome.usage[name] in {expected[name], expected[name] + extra}, name
    for name in FINER:
        if name in outcome.usage:
            told = expected.get(name, 0) if name in TELLS[wire] else 0
            assert outcome.usage[name] == told, name
