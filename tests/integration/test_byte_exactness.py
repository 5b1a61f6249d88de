"""What passes through keeps its bytes: only `model` changes on the way up, nothing on the way down."""

import json

import pytest

from tests.conftest import APP_KEY
from tests.gateway_process import JSON_TYPE, MASTER_KEY, GatewayProcess, authorization, post_bytes
from tests.raw_http import exchange, request_bytes
from tests.upstreams import replies
from tests.upstreams.scripted import ScriptedUpstream

# Each holds <MODEL> where the model's name stands.
REQUEST_BODIES = {
    "model first": b'{"model":"<MODEL>","messages":[]}',
    "model last": b'{"messages":[{"role":"user","content":"hi"}],"temperature":0.70,"model":"<MODEL>"}',
    "odd spacing": b' \t\r\n{ "messages" : [ ] ,\n\t"model" :  "<MODEL>" ,"n": 1 } \n',
    "odd numbers": b'{"seed":12345678901234567890,"top_p":1.0e-0,"temperature":-0.0,"model":"<MODEL>"}',
    "escapes": b'{"model":"<MODEL>","messages":[{"role":"user","content":"\\u00e9 \\/ \\ud83d\\ude00 \\n"}]}',
    "raw utf-8": '{"messages":[{"role":"user","content":"é 漢字 😀 \u2028"}],"model":"<MODEL>"}'.encode(),
    "unknown fields": b'{"x":{"model":"plain","stream":true},"model":"<MODEL>","tools":[{"model":"plain"}]}',
    "unusual key names": b'{"":0,"Model":"plain","model ":"plain","mod\\u0065l2":"plain","model":"<MODEL>"}',
}


@pytest.mark.parametrize("name", REQUEST_BODIES)
def test_only_the_models_name_changes_on_the_way_up(
    gateway: GatewayProcess, upstream: ScriptedUpstream, name: str
) -> None:
    template = REQUEST_BODIES[name]

    response = gateway.post("/v1/chat/completions", template.replace(b"<MODEL>", b"plain"))

    assert response.status == 200
    assert upstream.only_request().body == template.replace(b"<MODEL>", b"routed")


def test_an_escaped_model_name_is_understood(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    response = gateway.post("/v1/chat/completions", b'{"mod\\u0065l":"pl\\u0061in","messages":[]}')

    assert response.status == 200
    assert upstream.only_request().json() == {"model": "routed", "messages": []}


def test_a_chunked_request_arrives_with_the_same_bytes(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    body = REQUEST_BODIES["raw utf-8"].replace(b"<MODEL>", b"plain")
    head = request_bytes(
        "POST",
        "/v1/chat/completions",
        [*authorization(MASTER_KEY), JSON_TYPE, ("Transfer-Encoding", "chunked")],
    )
    chunks = b"".join(replies.chunk(body[i : i + 3]) for i in range(0, len(body), 3))

    response = exchange(gateway.port, head + chunks + b"0\r\n\r\n")

    assert response.status == 200
    assert upstream.only_request().body == body.replace(b'"plain"', b'"routed"')


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_a_reply_keeps_its_bytes(
    gateway: GatewayProcess, upstream: ScriptedUpstream, framing: replies.Framing
) -> None:
    upstream.then(replies.reply(framing=framing))

    response = gateway.chat("plain")

    assert response.body == replies.CHAT_BODY
    assert response.header("content-type") == "application/json"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1_000_000])
@pytest.mark.parametrize("asks_for_usage", [False, True], ids=["without usage", "with usage"])
def test_a_stream_keeps_its_bytes_however_it_is_cut_into_packets(
    gateway: GatewayProcess, upstream: ScriptedUpstream, size: int, asks_for_usage: bool
) -> None:
    events = replies.chat_events()
    whole = b"".join([*events[:-1], replies.USAGE_EVENT, replies.DONE])
    upstream.then(replies.stream(pieces=[whole[i : i + size] for i in range(0, len(whole), size)]))

    response = gateway.chat("plain", stream=True, stream_options={"include_usage": asks_for_usage})

    assert response.body == (whole if asks_for_usage else b"".join(events))


@pytest.mark.parametrize("framing", ["length", "close"])
def test_a_stream_keeps_its_bytes_in_every_framing(
    gateway: GatewayProcess, upstream: ScriptedUpstream, framing: replies.Framing
) -> None:
    upstream.then(replies.stream(framing=framing))

    response = gateway.chat("plain", stream=True)

    assert (response.body, response.complete) == (b"".join(replies.chat_events()), True)


def test_a_stream_is_passed_on_event_by_event(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    gate = upstream.gate()
    upstream.then(replies.stream(gate=gate))

    with gateway.connect() as client:
        client.send(post_bytes("/v1/chat/completions", {"model": "plain", "messages": [], "stream": True}))
        client.read_until(replies.chat_events()[0])
        gate.open()
        client.read_until(replies.DONE)


ENDPOINTS = ["chat/completions", "completions", "embeddings", "responses", "moderations"]


@pytest.mark.parametrize("prefix", ["/v1/", "/"])
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_every_endpoint_passes_bytes_to_its_own_path(
    gateway: GatewayProcess, upstream: ScriptedUpstream, prefix: str, endpoint: str
) -> None:
    body = b'{ "input":"text","x_unknown":[1.50],"model":"plain"}'

    response = gateway.post(prefix + endpoint, body)

    request = upstream.only_request()
    assert (response.status, response.body) == (200, replies.CHAT_BODY)
    assert request.line == f"POST /v1/{endpoint} HTTP/1.1"
    assert request.body == body.replace(b'"plain"', b'"routed"')


def test_a_responses_stream_needs_no_done(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    completed = {"type": "response.completed", "sequence_number": 1, "response": {"status": "completed"}}
    events = [
        b'event: response.created\ndata: {"type":"response.created","sequence_number":0}\n\n',
        b"event: response.completed\ndata: " + json.dumps(completed).encode() + b"\n\n",
    ]
    upstream.then(replies.stream(events))

    response = gateway.post("/v1/responses", {"model": "plain", "input": "hi", "stream": True})

    assert response.body == b"".join(events)


def test_a_responses_stream_is_not_asked_for_chat_usage(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    upstream.then(replies.stream([b'event: response.completed\ndata: {"type":"response.completed"}\n\n']))
    body = b'{"model":"plain","input":"hi","stream":true}'

    gateway.post("/v1/responses", body)

    assert upstream.only_request().body == body.replace(b'"plain"', b'"routed"')


def test_an_azure_style_request_takes_its_model_from_the_path(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    path = "/openai/deployments/plain/chat/completions?api-version=2024-10-21"

    response = gateway.post(path, b'{"messages":[]}', None, [JSON_TYPE, ("api-key", MASTER_KEY)])

    request = upstream.only_request()
    assert response.status == 200
    assert request.path == "/v1/chat/completions"
    assert request.json() == {"model": "routed", "messages": []}


def test_the_upstream_sees_its_own_credential_and_nothing_of_the_clients(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    private = [
        ("Cookie", "session=private"),
        ("X-Forwarded-For", "203.0.113.9"),
        ("OpenAI-Organization", "org-private"),
        ("Connection", "keep-alive, x-hop"),
        ("X-Hop", "private"),
    ]

    response = gateway.post(
        "/v1/chat/completions", {"model": "plain", "messages": []}, APP_KEY, [JSON_TYPE, *private]
    )

    request = upstream.only_request()
    assert response.status == 200
    assert request.header("authorization") == "Bearer upstream-credential"
    assert request.header("host") == f"127.0.0.1:{upstream.port}"
    assert APP_KEY.encode() not in request.raw
    assert not {"cookie", "x-forwarded-for", "openai-organization", "x-hop"} & {
        name for name, _ in request.headers
    }


def test_the_client_sees_no_header_that_is_only_the_upstreams(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    fields = [("set-cookie", "a=b"), ("location", "http://internal"), ("server", "internal/1.0")]
    upstream.then(replies.reply(headers=[*fields, ("x-injected", "caf\xe9")]))

    response = gateway.chat("plain")

    assert response.status == 200
    assert not {"set-cookie", "location"} & {name for name, _ in response.headers}
    assert response.header("server") != "internal/1.0"
