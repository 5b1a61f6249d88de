"""Images, speech and rankings: passed as they come, counted as far as their providers tell."""

import json
from typing import Any

import pytest

from tests.conftest import StartGateway, deployment, gateway_config
from tests.gateway_process import GatewayProcess, post_bytes, wait_until
from tests.upstreams import replies
from tests.upstreams.scripted import Exchange, Gate, Script, ScriptedUpstream

IMAGES = "/v1/images/generations"
SPEECH = "/v1/audio/speech"
SOUND = bytes(range(256)) * 400
IMAGE_USAGE = {"input_tokens": 7, "output_tokens": 1056, "total_tokens": 1063}


def image_event(kind: str, size: int, **more: Any) -> bytes:
    data = {"type": kind, "b64_json": "A" * size, **more}
    return f"event: {kind}\ndata: {json.dumps(data)}\n\n".encode()


PARTIAL = image_event("image_generation.partial_image", 100_000, partial_image_index=0)
COMPLETED = image_event("image_generation.completed", 300_000, usage=IMAGE_USAGE)


def sound(gate: Gate | None = None, content_type: str = "audio/mpeg") -> Script:
    """Speech in two chunks; the second waits at the gate."""

    async def script(exchange: Exchange) -> None:
        await exchange.read_body()
        fields = [("content-type", content_type), ("transfer-encoding", "chunked")]
        await exchange.send(replies.head(200, fields) + replies.chunk(SOUND[:1000]))
        if gate is not None:
            await gate.wait()
        await exchange.send(replies.chunk(SOUND[1000:]) + b"0\r\n\r\n")

    return script


@pytest.fixture
def ranking_gateway(start_gateway: StartGateway, upstream: ScriptedUpstream) -> GatewayProcess:
    return start_gateway(gateway_config(deployment("ranker", upstream.base_url, "vllm/routed"), cache={}))


def tokens(gateway: GatewayProcess, endpoint: str, kind: str) -> float:
    """What `/metrics` says of an endpoint's tokens."""
    samples = gateway.metrics().items()
    wanted = ("llmgw_tokens_total", f'endpoint="{endpoint}"', f'type="{kind}"')
    return sum(value for name, value in samples if all(part in name for part in wanted))


# ── images ──────────────────────────────────────────────────────────────────────────────────────


def test_an_image_request_keeps_its_bytes_but_for_the_model(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    upstream.then(replies.reply(b'{"created":1,"data":[{"b64_json":"AAAA"}]}'))
    body = b'{"prompt":"a cat",  "model":"plain","n":1,"x_unknown":[1.50]}'

    response = gateway.post(IMAGES, body)

    assert response.json() == {"created": 1, "data": [{"b64_json": "AAAA"}]}
    request = upstream.only_request()
    assert request.line == "POST /v1/images/generations HTTP/1.1"
    assert request.body == body.replace(b'"plain"', b'"routed"')


def test_partial_images_pass_before_the_image_is_complete(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    gate = upstream.gate()
    upstream.then(replies.stream([PARTIAL, COMPLETED], gate=gate))

    with gateway.connect() as client:
        client.send(post_bytes(IMAGES, {"model": "plain", "prompt": "a cat", "stream": True}))
        client.read_head()
        first = b""
        while len(first) < len(PARTIAL):
            first += client.read_chunk()
        gate.open()
        rest = b""
        while chunk := client.read_chunk():
            rest += chunk

    assert (first, rest) == (PARTIAL, COMPLETED)


def test_the_tokens_of_an_image_stream_are_counted(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    gateway = start_gateway(gateway_config(deployment("plain", upstream.base_url)))
    upstream.then(replies.stream([PARTIAL, COMPLETED]))

    gateway.post(IMAGES, {"model": "plain", "prompt": "a cat", "stream": True})

    wait_until(lambda: tokens(gateway, "images_generations", "output") == 1056, "output is counted", 10)
    assert tokens(gateway, "images_generations", "input") == 7


def test_an_image_stream_that_is_cut_says_so(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    upstream.then(replies.stream([PARTIAL]))

    response = gateway.post(IMAGES, {"model": "plain", "prompt": "a cat", "stream": True})

    assert response.body.startswith(PARTIAL)
    last = json.loads(response.body.removeprefix(PARTIAL).removeprefix(b"data: "))
    assert last["error"]["code"] == "upstream_protocol"


def test_the_size_of_an_image_is_not_taken_for_tokens(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    gateway = start_gateway(gateway_config(deployment("plain", upstream.base_url)))
    image = json.dumps({"data": [{"b64_json": "A" * 100_000}]}).encode()
    upstream.then(replies.reply(image))

    assert gateway.post(IMAGES, {"model": "plain", "prompt": "a cat"}).body == image

    wait_until(lambda: tokens(gateway, "images_generations", "input") > 0, "input is counted", 10)
    assert tokens(gateway, "images_generations", "output") == 0


# ── speech ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("content_type", ["audio/mpeg", "application/octet-stream"])
def test_sound_passes_as_it_comes(
    gateway: GatewayProcess, upstream: ScriptedUpstream, content_type: str
) -> None:
    gate = upstream.gate()
    upstream.then(sound(gate, content_type))

    with gateway.connect() as client:
        client.send(post_bytes(SPEECH, {"model": "plain", "input": "Hello", "voice": "alloy"}))
        response = client.read_head()
        first = client.read_chunk()
        gate.open()
        rest = b""
        while chunk := client.read_chunk():
            rest += chunk

    assert (response.status, response.header("content-type")) == (200, content_type)
    assert first + rest == SOUND


def test_leaving_while_sound_plays_ends_the_upstream_request(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    upstream.then(sound(upstream.gate()))

    with gateway.connect() as client:
        client.send(post_bytes(SPEECH, {"model": "plain", "input": "Hello", "voice": "alloy"}))
        client.read_head()
        client.read_chunk()
        request = upstream.only_request()

    assert request.connection.peer_closed.wait(10)


def test_sound_that_breaks_off_does_not_look_whole(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    async def cut(exchange: Exchange) -> None:
        await exchange.read_body()
        fields = [("content-type", "audio/mpeg"), ("transfer-encoding", "chunked")]
        await exchange.send(replies.head(200, fields) + replies.chunk(SOUND))
        exchange.close()

    upstream.then(cut)

    response = gateway.post(SPEECH, {"model": "plain", "input": "Hello", "voice": "alloy"})

    assert (response.body, response.complete) == (SOUND, False)


def test_speech_is_retried_before_its_first_byte(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    router = {"num_retries": 1, "retry_after": 0.01}
    gateway = start_gateway(gateway_config(deployment("plain", upstream.base_url), router_settings=router))
    upstream.then(replies.failing(500), sound())

    response = gateway.post(SPEECH, {"model": "plain", "input": "Hello", "voice": "alloy"})

    assert (response.body, response.header("x-llmgw-attempts")) == (SOUND, "2")


# ── rankings ────────────────────────────────────────────────────────────────────────────────────

RANKING = b'{"id":"r","results":[{"index":1,"relevance_score":0.9}],"usage":{"total_tokens":15}}'
ASK = {"model": "ranker", "query": "red", "documents": ["blue", {"text": "red"}], "top_n": 1}


@pytest.mark.parametrize("path", ["/v1/rerank", "/v2/rerank", "/rerank"])
def test_a_ranking_is_served_at_every_path_that_clients_know(
    ranking_gateway: GatewayProcess, upstream: ScriptedUpstream, path: str
) -> None:
    upstream.then(replies.reply(RANKING))

    assert ranking_gateway.post(path, ASK).body == RANKING
    request = upstream.only_request()
    assert request.path == "/v1/rerank"
    assert request.json() == {**ASK, "model": "routed"}


def test_a_total_is_counted_as_input_where_nothing_else_is_said(
    ranking_gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    upstream.then(replies.reply(RANKING))

    ranking_gateway.post("/v1/rerank", ASK)

    wait_until(lambda: tokens(ranking_gateway, "rerank", "input") == 15, "input is counted", 10)
    assert tokens(ranking_gateway, "rerank", "output") == 0


def test_a_ranking_is_cached_and_an_image_is_not(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    gateway = start_gateway(
        gateway_config(
            deployment("ranker", upstream.base_url, "vllm/routed"),
            deployment("plain", upstream.base_url),
            cache={},
        )
    )
    upstream.always(replies.reply(RANKING))

    cached = [gateway.post("/v1/rerank", ASK).header("x-llmgw-cache") for _ in range(2)]
    drawn = [gateway.post(IMAGES, {"model": "plain", "prompt": "a cat"}) for _ in range(2)]

    assert cached == ["miss", "hit"]
    assert [each.header("x-llmgw-cache") for each in drawn] == ["bypass", "bypass"]


# ── who may, and what is served ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", [IMAGES, SPEECH, "/v1/rerank", "/v1/audio/transcriptions"])
def test_nobody_is_served_without_a_key(
    gateway: GatewayProcess, upstream: ScriptedUpstream, path: str
) -> None:
    response = gateway.post(path, {"model": "plain"}, key=None)

    assert (response.status, response.error()["code"]) == (401, "invalid_api_key")
    assert not upstream.requests


def test_a_deployment_that_does_not_serve_an_endpoint_says_so(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    response = gateway.post("/v1/rerank", {**ASK, "model": "plain"})

    assert (response.status, response.error()["code"]) == (400, "unsupported")
    assert not upstream.requests


@pytest.mark.parametrize("operation", ["images/generations", "audio/speech"])
def test_azure_clients_name_the_model_in_the_path(
    gateway: GatewayProcess, upstream: ScriptedUpstream, operation: str
) -> None:
    path = f"/openai/deployments/plain/{operation}?api-version=2024-10-21"

    assert gateway.post(path, {"prompt": "a cat", "input": "x"}).status == 200
    request = upstream.only_request()
    assert (request.path, request.json()["model"]) == (f"/v1/{operation}", "routed")
