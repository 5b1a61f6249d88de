"""Answers to a schema that nothing but a forced tool holds the model to."""

import json
from typing import Any

import pytest

from tests.e2e.dialects.conftest import Dialects
from tests.e2e.dialects.test_conversations import CONVERSATIONS, DROPPED, PATHS
from tests.gateway_process import JSON_TYPE, MASTER_KEY
from tests.raw_http import Response

# With tools beside the schema Cohere is given it as one more tool. What was recorded is no JSON.
CONVERSATION: dict[str, Any] = CONVERSATIONS["json_schema_with_tools"]
STREAMS = {**PATHS, "gemini_generate": "/v1beta/models/cohere_chat:streamGenerateContent?alt=sse"}
STRICT = [JSON_TYPE, ("x-llmgw-strict", "true")]


def asked(strict: bool, **more: Any) -> dict[str, Any]:
    chat = CONVERSATION["openai_chat"]
    schema = {**chat["response_format"]["json_schema"], "strict": strict}
    return {
        **chat,
        "model": "cohere_chat",
        "response_format": {"type": "json_schema", "json_schema": schema},
        **more,
    }


def stream(dialects: Dialects, surface: str, headers: list[tuple[str, str]]) -> Response:
    body = dict(CONVERSATION[surface])
    if surface == "openai_chat":
        body = asked(strict=False)
    if surface == "openai_responses":
        body["text"] = {"format": {**body["text"]["format"], "strict": False}}
    if surface != "gemini_generate":
        body |= {"model": "cohere_chat", "stream": True}
    reply = dialects.gateway.post(STREAMS[surface], body, MASTER_KEY, headers)
    assert reply.status == 200, reply.body
    return reply


def events(reply: Response) -> list[dict[str, Any]]:
    lines = [line.removeprefix(b"data: ") for line in reply.body.split(b"\n") if line.startswith(b"data: ")]
    return [json.loads(line) for line in lines if line.strip() != b"[DONE]"]


def test_an_answer_that_does_not_fit_is_named(dialects: Dialects) -> None:
    reply = dialects.gateway.post(PATHS["openai_chat"], asked(strict=False))

    assert reply.status == 200
    assert "response_format (unmet)" in (reply.header(DROPPED) or "")


@pytest.mark.parametrize(("strict", "headers"), [(True, [JSON_TYPE]), (False, STRICT)])
def test_one_that_has_to_fit_is_a_failure_of_the_upstream(
    dialects: Dialects, strict: bool, headers: list[tuple[str, str]]
) -> None:
    reply = dialects.gateway.post(PATHS["openai_chat"], asked(strict), MASTER_KEY, headers)

    assert reply.status == 502
    assert b'"code":"upstream_protocol"' in reply.body


@pytest.mark.parametrize("surface", STREAMS)
def test_a_stream_names_at_its_end_what_does_not_fit(dialects: Dialects, surface: str) -> None:
    named: list[str] = []
    for each in events(stream(dialects, surface, [JSON_TYPE])):
        named += each.get("llmgw_dropped") or each.get("response", {}).get("llmgw_dropped") or []

    assert [name for name in named if name.endswith("(unmet)")] == [
        {
            "openai_chat": "response_format (unmet)",
            "openai_responses": "text.format (unmet)",
            "anthropic_messages": "output_config.format (unmet)",
            "gemini_generate": "generationConfig.responseJsonSchema (unmet)",
        }[surface]
    ]


@pytest.mark.parametrize("surface", STREAMS)
def test_a_stream_that_has_to_fit_ends_as_a_failure(dialects: Dialects, surface: str) -> None:
    reply = stream(dialects, surface, STRICT)

    assert "does not fit the schema" in json.dumps(events(reply)[-1])
    for end in (
        b"[DONE]",
        b'"finish_reason":"',
        b'"stop_reason":"',
        b'"finishReason"',
        b"response.completed",
    ):
        assert end not in reply.body
