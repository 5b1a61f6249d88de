"""Vertex AI through a whole gateway: its tokens by Google's own library, its bodies in Google's style."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import StartGateway, gateway_config
from tests.upstreams import replies
from tests.upstreams.clouds import Service, service_account
from tests.upstreams.scripted import Request, ScriptedUpstream

MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5",
    "content": [{"type": "text", "text": "hello"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 3, "output_tokens": 1},
}
ASKED = {"model": "claude", "max_tokens": 10, "messages": [{"role": "user", "content": "hello"}]}
MODELS = "/v1/projects/mine/locations/europe-west1/publishers/anthropic/models"

Send = Callable[[str, dict[str, Any]], Request]


@pytest.fixture
def send(start_gateway: StartGateway, upstream: ScriptedUpstream, service: Service, tmp_path: Path) -> Send:
    """Send a request through a gateway whose Claude is on Vertex AI; what arrived there."""
    pytest.importorskip("google.auth")
    token = {"access_token": "ya29.token", "expires_in": 3600, "token_type": "Bearer"}
    service.answers["/token"] = (200, json.dumps(token).encode())
    credentials = tmp_path / "credentials.json"
    credentials.write_text(json.dumps(service_account(f"{service.url}/token")))
    params = {
        "model": "vertex_ai/claude-sonnet-4-5@20250929",
        "api_base": upstream.base_url,
        "vertex_location": "europe-west1",
        "vertex_credentials": str(credentials),
    }
    gateway = start_gateway(gateway_config({"model_name": "claude", "litellm_params": params}))
    upstream.always(replies.reply(json.dumps(MESSAGE).encode()))

    def sent(path: str, body: dict[str, Any]) -> Request:
        response = gateway.post(path, body)
        assert response.status == 200, response.body
        return upstream.only_request()

    return sent


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/chat/completions"])
def test_claude_is_named_in_the_path_and_its_version_in_the_body(send: Send, path: str) -> None:
    request = send(path, ASKED)
    body = request.json()
    assert request.path == f"{MODELS}/claude-sonnet-4-5%4020250929:rawPredict"
    assert body["anthropic_version"] == "vertex-2023-10-16"
    assert "model" not in body


def test_the_token_of_a_service_account_is_shown(send: Send) -> None:
    assert send("/v1/messages", ASKED).header("authorization") == "Bearer ya29.token"


def test_tokens_are_counted_by_a_model_of_their_own_with_the_model_in_the_body(
    send: Send, upstream: ScriptedUpstream
) -> None:
    upstream.always(replies.reply(b'{"input_tokens": 3}'))
    body = {"model": "claude", "messages": ASKED["messages"]}
    request = send("/v1/messages/count_tokens", body)
    assert request.path == f"{MODELS}/count-tokens:rawPredict"
    assert request.json()["model"] == "claude-sonnet-4-5@20250929"
