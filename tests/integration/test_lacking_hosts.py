"""Hosts that have not all of a dialect: they are asked once, and otherwise from then on."""

import json
from typing import Any

import pytest

from tests.conftest import StartGateway, deployment, gateway_config
from tests.gateway_process import GatewayProcess
from tests.raw_http import Response
from tests.upstreams.replies import answer_chat, failing, reply
from tests.upstreams.scripted import ScriptedUpstream

COUNTED = reply(b'{"input_tokens":17}')
LACKING = pytest.mark.parametrize("status", [404, 405, 501])


@pytest.fixture
def local_gateway(start_gateway: StartGateway, upstream: ScriptedUpstream) -> GatewayProcess:
    """In front of a llama.cpp server by its own name, and of one of which only the address is known."""
    config = gateway_config(
        deployment("local", upstream.base_url, "llamacpp/some"),
        deployment("other", upstream.base_url, "openai/some"),
    )
    return start_gateway(config)


def count(gateway: GatewayProcess) -> Response:
    body = {"model": "local", "messages": [{"role": "user", "content": "How many are these?"}]}
    return gateway.post("/v1/messages/count_tokens?beta=true", body)


def respond(gateway: GatewayProcess) -> dict[str, Any]:
    response = gateway.post("/v1/responses", {"model": "other", "input": "hello", "store": False})
    assert response.status == 200, response.body
    found: dict[str, Any] = json.loads(response.body)
    return found


def test_a_host_that_counts_is_asked(local_gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    upstream.then(COUNTED)

    response = count(local_gateway)

    assert json.loads(response.body) == {"input_tokens": 17}
    assert upstream.only_request().path == "/v1/messages/count_tokens"


@LACKING
def test_what_a_host_cannot_count_is_counted_here(
    local_gateway: GatewayProcess, upstream: ScriptedUpstream, status: int
) -> None:
    upstream.then(failing(status))

    response = count(local_gateway)

    assert response.status == 200
    assert json.loads(response.body)["input_tokens"] > 0
    assert response.header("x-llmgw-token-count") == "estimate"


def test_a_host_that_cannot_count_is_not_asked_again(
    local_gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    upstream.then(failing(404))
    count(local_gateway)

    assert count(local_gateway).status == 200
    upstream.only_request()


def test_what_a_host_refuses_to_count_is_the_clients_to_know(
    local_gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    upstream.then(failing(400))

    assert count(local_gateway).status == 400


@LACKING
def test_a_host_without_responses_is_asked_for_a_chat(
    local_gateway: GatewayProcess, upstream: ScriptedUpstream, status: int
) -> None:
    upstream.then(failing(status), answer_chat, answer_chat)

    assert [respond(local_gateway)["status"] for _ in range(2)] == ["completed"] * 2
    paths = [request.path for request in upstream.requests]
    assert paths == ["/v1/responses", "/v1/chat/completions", "/v1/chat/completions"]
