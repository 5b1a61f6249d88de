"""Errors of upstreams, in the client's own dialect: status, the SDK's class, words, and when to try again."""

from typing import Any

import pytest

from tests.clients.base import Ask
from tests.e2e.dialects import table
from tests.e2e.dialects.conftest import Dialects
from tests.upstreams.vendors import fixtures
from tests.upstreams.vendors.vendor import CREDENTIAL

ERRORS = [
    (surface, wire, path.stem)
    for surface in table.SURFACES
    for wire in table.WIRES
    for path in sorted((fixtures.ROOT / "errors" / wire).glob("*.json"))
]
# The statuses that a client may see for an upstream's. The gateway's credential is not the client's fault.
OURS = {401: {502}, 403: {502}, 408: {408, 504, 502}, 424: {502, 503}, 422: {400, 422}}
OVERLOADED = {500, 502, 503, 504, 529}
KEY_PROBLEMS = {"400_key", "403_key"}
# AWS names an error in a header, whatever its status.
NAMED = {"400_throttled": {429}, "400_quota": {429}}
WITH_RETRY_AFTER = ("openai_chat", "openai_responses", "anthropic_messages", "cohere_chat")
WORDS = {
    "openai_chat": {400: "invalid_request_error", 429: "rate_limit_error"},
    "openai_responses": {400: "invalid_request_error", 429: "rate_limit_error"},
    "anthropic_messages": {400: "invalid_request_error", 429: "rate_limit_error"},
    "gemini_generate": {400: "INVALID_ARGUMENT", 429: "RESOURCE_EXHAUSTED"},
}


def expected_statuses(name: str) -> set[int]:
    status = int(name.split("_", maxsplit=1)[0])
    if name in KEY_PROBLEMS:
        return {502, 400}
    if name in NAMED:
        return NAMED[name]
    return OVERLOADED - {500} if status in OVERLOADED else OURS.get(status, {status})


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(("surface", "wire", "name"), ERRORS)
def test_an_upstreams_error_has_the_clients_class(
    dialects: Dialects, surface: str, wire: str, name: str, streamed: bool
) -> None:
    client = dialects.client(surface, wire)
    send = client.stream if streamed else client.ask

    with pytest.raises(Exception) as caught:
        send(Ask(f"error_{name}"))

    status = status_of(caught.value)
    assert status in expected_statuses(name)
    default = client.errors[500] if status >= 500 else Exception
    assert isinstance(caught.value, client.errors.get(status, default))


def status_of(error: Any) -> int:
    """The HTTP status that an SDK's error tells."""
    return int(getattr(error, "status_code", None) or error.code)


def words_of(surface: str, error: Any) -> Any:
    """The word that the error's body has for its kind, in the surface's own place."""
    if surface == "gemini_generate":
        return error.status
    if surface == "anthropic_messages":
        assert error.body["type"] == "error"
        return error.body["error"]["type"]
    return error.type


@pytest.mark.parametrize("status", [400, 429])
@pytest.mark.parametrize(("surface", "wire"), table.PAIRS)
def test_an_error_has_the_body_of_the_clients_dialect(
    dialects: Dialects, surface: str, wire: str, status: int
) -> None:
    with pytest.raises(Exception) as caught:
        dialects.client(surface, wire).ask(Ask(f"error_{status}"))

    own = {"tokens", "requests"} if wire in {"openai_chat", "openai_responses"} else set()
    assert words_of(surface, caught.value) in {WORDS[surface][status], *own}


@pytest.mark.parametrize("name", ["400_key", "400_throttled", "400_quota"])
def test_an_error_of_awss_is_told_by_its_header(dialects: Dialects, name: str) -> None:
    with pytest.raises(Exception) as caught:
        dialects.client("openai_chat", "bedrock_converse").ask(Ask(f"error_{name}"))

    expected = (502, "upstream_credential") if name == "400_key" else (429, "upstream_rate_limited")
    assert (status_of(caught.value), getattr(caught.value, "code", None)) == expected


@pytest.mark.parametrize("wire", table.WIRES)
@pytest.mark.parametrize("surface", ["openai_chat", "openai_responses"])
def test_too_long_a_prompt_is_told_by_openais_code(dialects: Dialects, surface: str, wire: str) -> None:
    with pytest.raises(Exception) as caught:
        dialects.client(surface, wire).ask(Ask("error_400_context"))

    assert getattr(caught.value, "code", None) == "context_length_exceeded"


@pytest.mark.parametrize("wire", WITH_RETRY_AFTER)
@pytest.mark.parametrize("surface", table.SURFACES)
def test_the_wait_that_an_upstream_asks_for_reaches_the_client(
    dialects: Dialects, surface: str, wire: str
) -> None:
    with pytest.raises(Exception) as caught:
        dialects.client(surface, wire).ask(Ask("error_429"))

    response: Any = getattr(caught.value, "response", None)
    assert response.headers["retry-after"] == "7"


@pytest.mark.parametrize(("surface", "wire"), table.PAIRS)
def test_no_error_tells_the_upstreams_key(dialects: Dialects, surface: str, wire: str) -> None:
    name = "error_403" if wire == "bedrock_converse" else "error_401"
    with pytest.raises(Exception) as caught:
        dialects.client(surface, wire).ask(Ask(name))

    said = f"{caught.value} {getattr(caught.value, 'body', '')}"
    assert CREDENTIAL not in said
    assert "upstream***" not in said, "not even a masked one"
