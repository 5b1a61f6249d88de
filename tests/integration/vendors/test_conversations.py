"""Each conversation is taken by the vendor in whose dialect it is written, or refused where it says so."""

from typing import Any

import httpx
import pytest

from tests.integration.vendors.conftest import MODEL, Direct
from tests.upstreams.vendors import fixtures
from tests.upstreams.vendors.vendor import CREDENTIAL

CONVERSATIONS = fixtures.conversations()
DIALECTS = ["openai_chat", "openai_responses", "anthropic_messages", "gemini_generate"]
CASES = [(name, wire) for name, each in CONVERSATIONS.items() for wire in DIALECTS if wire in each]
# What the file's own words say: no vendor knows the field.
UNKNOWN = "unknown_field"
PATHS = {
    "openai_chat": "/v1/chat/completions",
    "openai_responses": "/v1/responses",
    "anthropic_messages": "/v1/messages",
    "gemini_generate": f"/v1beta/models/{MODEL}:generateContent",
}
HEADERS = {
    "openai_chat": {"authorization": f"Bearer {CREDENTIAL}"},
    "openai_responses": {"authorization": f"Bearer {CREDENTIAL}"},
    "anthropic_messages": {"x-api-key": CREDENTIAL, "anthropic-version": "2023-06-01"},
    "gemini_generate": {"x-goog-api-key": CREDENTIAL},
}


def post(direct: Direct, body: Any, headers: dict[str, str] | None = None) -> httpx.Response:
    wire = direct.wire
    fields = {**HEADERS[wire], **(headers or {})}
    return httpx.post(direct.root + PATHS[wire], json=body, headers=fields, timeout=20)


@pytest.mark.parametrize(("name", "wire"), CASES)
def test_a_conversation_is_taken(directs: dict[str, Direct], name: str, wire: str) -> None:
    conversation = CONVERSATIONS[name]

    reply = post(directs[wire], conversation[wire], conversation.get("headers", {}).get(wire))

    refused = "refused" in conversation or name == UNKNOWN
    assert reply.status_code == (400 if refused else 200), reply.text


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_a_conversation_is_in_every_dialect_or_says_why_not(name: str) -> None:
    conversation = CONVERSATIONS[name]

    assert all((wire in conversation) != (wire in conversation["absent"]) for wire in DIALECTS)
    assert any(wire in conversation for wire in DIALECTS)
    assert conversation["about"].endswith(".")
