"""Answers to a schema that nothing but a forced tool holds the model to."""

from typing import Any

from tests.e2e.dialects.conftest import Dialects
from tests.e2e.dialects.test_conversations import CONVERSATIONS, DROPPED, PATHS

# With tools beside the schema Cohere is given it as one more tool. What was recorded is no JSON.
CONVERSATION: dict[str, Any] = CONVERSATIONS["json_schema_with_tools"]["openai_chat"]


def asked(strict: bool) -> dict[str, Any]:
    schema = {**CONVERSATION["response_format"]["json_schema"], "strict": strict}
    return {
        **CONVERSATION,
        "model": "cohere_chat",
        "response_format": {"type": "json_schema", "json_schema": schema},
    }


def test_an_answer_that_does_not_fit_is_named(dialects: Dialects) -> None:
    reply = dialects.gateway.post(PATHS["openai_chat"], asked(strict=False))

    assert reply.status == 200
    assert "response_format (unmet)" in (reply.header(DROPPED) or "")


def test_one_that_has_to_fit_is_a_failure_of_the_upstream(dialects: Dialects) -> None:
    reply = dialects.gateway.post(PATHS["openai_chat"], asked(strict=True))

    assert reply.status == 502
    assert b'"code":"upstream_protocol"' in reply.body
