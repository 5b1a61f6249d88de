"""The tree of errors and its rendering."""

import json

import pytest

from llmgw.errors import (
    TABLE,
    GatewayError,
    InvalidRequest,
    RateLimited,
    encode_anthropic,
    encode_gemini,
    encode_openai,
)

ANTHROPIC = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
}
GEMINI = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    504: "DEADLINE_EXCEEDED",
}


def test_the_table_lists_every_class_once() -> None:
    assert set(TABLE) == set(GatewayError.__subclasses__())
    assert len(TABLE) == len(set(TABLE))


@pytest.mark.parametrize("kind", TABLE)
def test_every_class_renders_in_the_openai_dialect(kind: type[GatewayError]) -> None:
    body = json.loads(encode_openai(kind("what was wrong", param="model")))
    assert body == {
        "error": {"message": "what was wrong", "type": kind.type, "param": "model", "code": kind.code}
    }


@pytest.mark.parametrize("kind", TABLE)
def test_every_class_renders_in_anthropics_dialect(kind: type[GatewayError]) -> None:
    body = json.loads(encode_anthropic(kind("what was wrong")))
    told = ANTHROPIC.get(kind.status, "api_error" if kind.status >= 500 else "invalid_request_error")
    assert body == {"type": "error", "error": {"type": told, "message": "what was wrong"}}


@pytest.mark.parametrize("kind", TABLE)
def test_every_class_renders_in_geminis_dialect(kind: type[GatewayError]) -> None:
    body = json.loads(encode_gemini(kind("what was wrong")))
    status = GEMINI.get(kind.status, "UNAVAILABLE" if kind.status >= 500 else "INVALID_ARGUMENT")
    assert body == {"error": {"code": kind.status, "message": "what was wrong", "status": status}}


def test_all_four_fields_are_sent_even_without_a_parameter() -> None:
    assert json.loads(encode_openai(InvalidRequest("no")))["error"]["param"] is None


def test_an_error_carries_when_to_come_back() -> None:
    assert RateLimited("slow down", retry_after=1.5).retry_after == 1.5
