"""Each recorded conversation through each upstream: taken or refused, but never lost in silence."""

from typing import Any

import pytest

from tests.e2e.dialects import table
from tests.e2e.dialects.conftest import Dialects
from tests.gateway_process import JSON_TYPE, MASTER_KEY
from tests.raw_http import Response
from tests.upstreams.vendors import fixtures

CONVERSATIONS = fixtures.conversations()
CASES = [
    (name, surface, wire)
    for name, each in CONVERSATIONS.items()
    for surface in table.SURFACES
    if surface in each
    for wire in table.WIRES
]
DROPPED = "x-llmgw-dropped"
PATHS = {
    "openai_chat": "/v1/chat/completions",
    "openai_responses": "/v1/responses",
    "anthropic_messages": "/v1/messages",
}
# What in a request has no place in an upstream's dialect: each of them has to be named, or refused.
PENALTIES = {"presence_penalty", "frequency_penalty"}
NO_LOSS = ("standard_only",)
# Whose strict schema is held by nothing but a forced tool there: the recorded text is no answer to it.
UNFIT = {("json_schema_with_tools", "cohere_chat")}
SETTINGS_LOST: dict[str, set[str]] = {
    "openai_chat": set(),
    "openai_responses": {"top_k", "stop", "seed", "n", "logit_bias", *PENALTIES},
    "anthropic_messages": {"seed", "n", "logit_bias", "logprobs", "metadata", *PENALTIES},
    "gemini_generate": {"logit_bias", "parallel_calls_off"},
    "bedrock_converse": {"seed", "n", "logit_bias", "logprobs", *PENALTIES},
    "cohere_chat": {"n", "logit_bias", "service_tier", "parallel_calls_off"},
}
BLOCKS_LOST: dict[str, set[str]] = {
    "openai_chat": {"redacted_thinking", "file by url"},
    "openai_responses": {"audio"},
    "anthropic_messages": {"audio"},
    "gemini_generate": {"redacted_thinking"},
    "bedrock_converse": {"image by url", "file by url"},
    "cohere_chat": {"audio", "file", "file by url", "redacted_thinking"},
}


def send(dialects: Dialects, name: str, surface: str, wire: str) -> Response:
    conversation = CONVERSATIONS[name]
    body: dict[str, Any] = {**conversation[surface]}
    stream = body.get("stream", False)
    if surface == "gemini_generate":
        path = f"/v1beta/models/{wire}:generateContent"
    else:
        path = PATHS[surface]
        body["model"] = wire
    headers = [JSON_TYPE, *conversation.get("headers", {}).get(surface, {}).items()]
    response = dialects.gateway.post(path, body, MASTER_KEY, headers)
    assert not stream or response.status != 200 or b"data: " in response.body
    return response


def lost(name: str, wire: str) -> set[str]:
    """What of a conversation the upstream's dialect cannot carry."""
    chat = CONVERSATIONS[name]["chat"]
    settings = {key for key, value in chat.get("settings", {}).items() if value not in NO_LOSS}
    if "refused" in CONVERSATIONS[name]:
        settings.add("out of range")
    if chat.get("parallel_calls") is False:
        settings.add("parallel_calls_off")
    kinds = {kind for turn in chat["turns"] for block in turn["blocks"] for kind in kinds_of(block)}
    return (settings & (SETTINGS_LOST[wire] | {"out of range"})) | (kinds & BLOCKS_LOST[wire])


def kinds_of(block: dict[str, Any]) -> set[str]:
    kinds = set(block)
    for kind in ("image", "file"):
        if kind in block and "url" in block[kind]:
            kinds = (kinds - {kind}) | {f"{kind} by url"}
    return kinds


@pytest.mark.parametrize(("name", "surface", "wire"), CASES)
def test_a_conversation_is_taken_or_refused_in_plain_words(
    dialects: Dialects, name: str, surface: str, wire: str
) -> None:
    response = send(dialects, name, surface, wire)

    wrong = "refused" in CONVERSATIONS[name]
    if response.status == 400 and (wrong or (surface == wire and name == "unknown_field")):
        dialects.refused()  # what a client says wrong may be the upstream's to refuse
        return
    assert not (wrong and surface == wire), "the upstream took what it must refuse"
    if (name, wire) in UNFIT and response.status == 502:
        assert b"does not fit the client's schema" in response.body
        return
    assert response.status in {200, 400}, response.body
    losses = lost(name, wire)
    if surface != wire and losses and response.status == 200:
        assert response.header(DROPPED), f"lost in silence: {losses}"
    assert response.status == 200 or losses, response.body


def test_beta_headers_reach_the_vendor_whose_they_are(dialects: Dialects) -> None:
    send(dialects, "claude_code_turn", "anthropic_messages", "anthropic_messages")

    headers = CONVERSATIONS["claude_code_turn"]["headers"]["anthropic_messages"]
    request = dialects.upstreams["anthropic_messages"].only_request()
    assert request.header("anthropic-beta") == headers["anthropic-beta"]
    assert request.header("anthropic-version") == headers["anthropic-version"]


@pytest.mark.parametrize("wire", [each for each in table.WIRES if each != "anthropic_messages"])
def test_beta_headers_reach_nobody_else(dialects: Dialects, wire: str) -> None:
    send(dialects, "claude_code_turn", "anthropic_messages", wire)

    for request in dialects.upstreams[wire].requests:
        assert request.header("anthropic-beta") is None
