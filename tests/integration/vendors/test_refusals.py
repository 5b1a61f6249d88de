"""What the vendors refuse, the upstreams refuse: one broken request for each rule."""

import copy
from typing import Any

import pytest

from tests.integration.vendors.conftest import Direct
from tests.integration.vendors.test_conversations import CONVERSATIONS, post

REMOVED = object()
# Vendor, conversation, path to what is changed, what it becomes (or that it goes), and words of the refusal.
Change = tuple[str, str, tuple[str | int, ...], Any, str]
CHANGES: list[Change] = [
    ("openai_chat", "hello", ("messages", 0, "role"), "wizard", "messages[0].role"),
    ("openai_chat", "hello", ("messages",), REMOVED, "Missing required parameter"),
    ("openai_chat", "hello", ("top_k",), 40, "Unknown parameter: 'top_k'"),
    ("openai_chat", "hello", ("temperature",), 2.1, "temperature"),
    ("openai_chat", "tool_round_trip", ("messages", 2, "tool_call_id"), "call_9", "preceding message"),
    ("openai_chat", "parallel_round_trip", ("messages", 3), REMOVED, "did not have response messages"),
    ("openai_chat", "image_inline", ("messages", 0, "content", 1, "image_url", "url"), "x", "data URL"),
    ("openai_chat", "one_tool", ("tools", 0, "name"), "get_weather", "Unknown parameter"),
    ("openai_chat", "tool_choice_any", ("tools",), REMOVED, "only allowed when 'tools'"),
    ("openai_chat", "strict_tool", ("tools", 0, "function", "parameters", "required"), [], "required"),
    ("openai_chat", "logprobs", ("logprobs",), REMOVED, "requires 'logprobs'"),
    ("openai_responses", "hello", ("messages",), [], "Unknown parameter: 'messages'"),
    ("openai_responses", "hello", ("max_output_tokens",), 15, "greater than or equal to 16"),
    ("openai_responses", "tool_round_trip", ("input", 1), REMOVED, "No tool call found"),
    ("openai_responses", "tool_round_trip", ("input", 2), REMOVED, "No tool output found"),
    ("openai_responses", "one_tool", ("tools", 0, "function"), {}, "Unknown parameter"),
    ("openai_responses", "thinking_replayed", ("input", 1, "encrypted_content"), "bm8=", "verified"),
    ("openai_responses", "image_inline", ("input", 0, "content", 1, "type"), "image_url", "input_image"),
    ("anthropic_messages", "hello", ("max_tokens",), REMOVED, "max_tokens: Field required"),
    ("anthropic_messages", "hello", ("messages", 0, "role"), "system", "top-level `system`"),
    ("anthropic_messages", "hello", ("messages", 0, "content"), "", "must be non-empty"),
    ("anthropic_messages", "hello", ("n",), 2, "n: Extra inputs are not permitted"),
    ("anthropic_messages", "hello", ("temperature",), 1.2, "less than or equal to 1"),
    ("anthropic_messages", "tool_round_trip", ("messages", 2), REMOVED, "without `tool_result` blocks"),
    ("anthropic_messages", "tool_round_trip", ("messages", 1), REMOVED, "unexpected `tool_use_id`"),
    ("anthropic_messages", "tool_round_trip", ("tools",), REMOVED, "must define tools"),
    (
        "anthropic_messages",
        "thinking_replayed",
        ("messages", 1, "content", 0, "signature"),
        "bm8=",
        "signature",
    ),
    (
        "anthropic_messages",
        "thinking_replayed",
        ("messages", 1, "content", 0),
        REMOVED,
        "Expected `thinking`",
    ),
    ("anthropic_messages", "thinking_budget", ("max_tokens",), 2048, "must be greater"),
    ("anthropic_messages", "thinking_budget", ("temperature",), 0.5, "only be set to 1"),
    ("anthropic_messages", "one_tool", ("tools", 0, "input_schema", "type"), REMOVED, "'object'"),
    ("gemini_generate", "hello", ("contents", 0, "role"), "assistant", "contents.0.role"),
    ("gemini_generate", "hello", ("n",), 5, 'Unknown name "n"'),
    ("gemini_generate", "hello", ("contents", 0, "parts", 0, "text"), "", "one initialized field"),
    (
        "gemini_generate",
        "parallel_round_trip",
        ("contents", 2, "parts", 1),
        REMOVED,
        "is equal to the number",
    ),
    (
        "gemini_generate",
        "thinking_replayed",
        ("contents", 1, "parts", 1, "thoughtSignature"),
        "bm8=",
        "not valid",
    ),
    (
        "gemini_generate",
        "gemini_older_spelling",
        ("tools", 0, "function_declarations", 0, "parameters", "additionalProperties"),
        False,
        "Unknown name",
    ),
    ("gemini_generate", "json_schema_strict", ("generationConfig", "responseMimeType"), REMOVED, "mime_type"),
    ("gemini_generate", "tool_choice_named", ("tools",), REMOVED, "subset of the declared"),
]


def changed(request: Any, path: tuple[str | int, ...], value: Any) -> Any:
    request = copy.deepcopy(request)
    at = request
    for each in path[:-1]:
        at = at[each]
    if value is REMOVED:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return request


@pytest.mark.parametrize("change", CHANGES, ids=lambda it: f"{it[0]}-{it[1]}-{'.'.join(map(str, it[2]))}")
def test_a_wrong_request_is_refused(directs: dict[str, Direct], change: Change) -> None:
    wire, name, path, value, words = change
    request = changed(CONVERSATIONS[name][wire], path, value)

    reply = post(directs[wire], request)

    assert reply.status_code == 400, reply.text
    assert words in message_of(reply.json()), reply.text


def message_of(body: Any) -> str:
    return str(body["error"]["message"])


@pytest.mark.parametrize("wire", ["openai_chat", "openai_responses", "anthropic_messages", "gemini_generate"])
def test_a_wrong_key_is_refused(directs: dict[str, Direct], wire: str) -> None:
    wrong = {"authorization": "Bearer wrong", "x-api-key": "wrong", "x-goog-api-key": "wrong"}

    reply = post(directs[wire], CONVERSATIONS["hello"][wire], wrong)

    assert reply.status_code == (400 if wire == "gemini_generate" else 401), reply.text


def test_anthropic_wants_to_know_its_version(directs: dict[str, Direct]) -> None:
    reply = post(
        directs["anthropic_messages"],
        CONVERSATIONS["hello"]["anthropic_messages"],
        {"anthropic-version": "yesterday"},
    )

    assert reply.status_code == 400
    assert "anthropic-version" in reply.text


def test_anthropics_newer_version_takes_no_sampling(directs: dict[str, Direct]) -> None:
    reply = post(
        directs["anthropic_messages"],
        CONVERSATIONS["sampling"]["anthropic_messages"],
        {"anthropic-version": "2026-10-21"},
    )

    assert reply.status_code == 400
    assert "temperature: Extra inputs are not permitted" in reply.text


@pytest.mark.parametrize(
    ("scenario", "needed"), [("image", "image"), ("parallel_tools", "tools"), ("json_schema", "schema")]
)
def test_a_scenario_wants_what_it_is_about(directs: dict[str, Direct], scenario: str, needed: str) -> None:
    request = {"model": "m", "messages": [{"role": "user", "content": f"[[scenario:{scenario}]]"}]}

    reply = post(directs["openai_chat"], request)

    assert reply.status_code == 400
    assert f"wants {needed}" in reply.text
