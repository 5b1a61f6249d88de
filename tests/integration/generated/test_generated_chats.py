"""Whatever a client says, in whatever dialect: an answer or a refusal in that dialect, and never a fault."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings

from tests.conftest import KEYS_ENVIRONMENT, gateway_config
from tests.e2e.dialects.conftest import VENDORS, entry
from tests.gateway_process import MASTER_KEY, GatewayProcess
from tests.integration.generated.chats import CHATS, WRITERS, Chat, Turn
from tests.raw_http import Response
from tests.upstreams.vendors.vendor import VendorUpstream

ECHO = "echo"
GROUPS = (ECHO, *VENDORS)
ANSWERS = {
    "openai_chat": "choices",
    "openai_responses": "output",
    "anthropic_messages": "content",
    "gemini_generate": "candidates",
}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """In front of the mock, which takes everything, and of an upstream of each vendor, which does not."""
    with ExitStack() as running:
        upstreams = {wire: running.enter_context(VendorUpstream(each)) for wire, each in VENDORS.items()}
        echo = {"model_name": ECHO, "litellm_params": {"model": "mock/echo"}}
        entries = [entry(wire, each) for wire, each in upstreams.items()]
        config = gateway_config(echo, *entries, keys=[])
        home = tmp_path_factory.mktemp("generated")
        yield running.enter_context(GatewayProcess(home, config, env=KEYS_ENVIRONMENT))


def ask(gateway: GatewayProcess, surface: str, group: str, chat: Chat) -> Response:
    body = WRITERS[surface](chat)
    if surface != "gemini_generate":
        body["model"] = group
    method = "streamGenerateContent?alt=sse" if chat.stream else "generateContent"
    path = {
        "openai_chat": "/v1/chat/completions",
        "openai_responses": "/v1/responses",
        "anthropic_messages": "/v1/messages",
        "gemini_generate": f"/v1beta/models/{group}:{method}",
    }[surface]
    return gateway.post(path, json.dumps(body, ensure_ascii=False).encode(), MASTER_KEY)


def assert_refused_in(surface: str, refusal: Any) -> None:
    error = refusal["error"]
    assert isinstance(error["message"], str)
    if surface == "anthropic_messages":
        assert refusal["type"] == "error" and isinstance(error["type"], str)
    elif surface == "gemini_generate":
        assert isinstance(error["code"], int) and isinstance(error["status"], str)
    else:
        assert isinstance(error["type"], str) and "code" in error


def assert_in_order(surface: str, response: Response, *, stream: bool) -> None:
    if response.status != 200:
        assert 400 <= response.status < 500, response.body
        assert_refused_in(surface, response.json())
    elif not stream:
        assert ANSWERS[surface] in response.json()
    else:
        events = [line for line in response.body.split(b"\n") if line.startswith(b"data: ")]
        data = [line.removeprefix(b"data: ") for line in events]
        assert all(json.loads(each) for each in data if each != b"[DONE]")
        assert data and response.body.endswith((b"\n\n", b"\r\n\r\n"))


@settings(
    max_examples=150,
    derandomize=True,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)
@example(Chat("", [], "", [], {}, stream=False))
@example(Chat(None, [Turn("", "The user said nothing.", [])], "", [], {}, stream=False))
@given(CHATS)
def test_a_chat_of_any_content_is_answered_or_refused_in_its_dialect(
    gateway: GatewayProcess, chat: Chat
) -> None:
    for surface in WRITERS:
        for group in GROUPS:
            response = ask(gateway, surface, group, chat)
            try:
                assert_in_order(surface, response, stream=chat.stream)
            except Exception as error:
                raise AssertionError(f"{surface} to {group}: {response.status} {response.body!r}") from error
