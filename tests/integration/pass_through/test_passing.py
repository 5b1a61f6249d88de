"""What passes: any method, path, body and reply, with the gateway's credential in the client's place."""

import json

import pytest

from tests.gateway_process import MASTER_KEY, GatewayProcess, authorization, wait_until
from tests.integration.pass_through.asking import JSON, send
from tests.integration.pass_through.conftest import CREDENTIAL, OPEN_KEY, SLOW_KEY, THRIFTY_KEY
from tests.raw_http import request_bytes
from tests.upstreams import replies
from tests.upstreams.scripted import Exchange, ScriptedUpstream
from tests.upstreams.vendors.sigv4 import signature_problem

BINARY = bytes(range(256)) * 4000
MESSAGE = {"model": "claude-haiku-4-5", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}


# ── requests ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_method_path_query_and_body_arrive_as_they_are(
    gateway: GatewayProcess, upstream: ScriptedUpstream, method: str
) -> None:
    body = b'{ "model":"m",\n "x": [1.50, 1e3] }'
    response = send(gateway, method, "/vendor/v1/fine_tuning/jobs?after=a%2Fb&limit=2", body, [JSON])

    assert (response.status, response.body) == (200, b'{"ok":true}')
    request = upstream.only_request()
    assert request.line == f"{method} /v1/fine_tuning/jobs?after=a%2Fb&limit=2 HTTP/1.1"
    assert (request.body, request.header("content-type")) == (body, "application/json")
    assert request.header("authorization") == f"Bearer {CREDENTIAL}"


def test_a_get_has_no_body_and_says_nothing_of_one(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    assert send(gateway, "GET", "/anthropic/v1/models").status == 200
    request = upstream.only_request()
    assert (request.body, request.header("content-length"), request.header("content-type")) == (
        b"",
        None,
        None,
    )


@pytest.mark.parametrize(
    ("path", "header", "value"),
    [
        ("/anthropic/v1/messages", "x-api-key", CREDENTIAL),
        ("/gemini/v1beta/models/g:generateContent", "x-goog-api-key", CREDENTIAL),
        ("/azure/openai/deployments/d/chat/completions", "api-key", CREDENTIAL),
        ("/cohere/v2/chat", "authorization", f"Bearer {CREDENTIAL}"),
        ("/borrowed/v1/anything", "authorization", f"Bearer {CREDENTIAL}"),
    ],
)
def test_every_provider_is_shown_the_credential_in_its_own_way(
    gateway: GatewayProcess, upstream: ScriptedUpstream, path: str, header: str, value: str
) -> None:
    assert send(gateway, "POST", path, b"{}", [JSON]).status == 200
    request = upstream.only_request()
    assert request.header(header) == value
    assert OPEN_KEY.encode() not in request.raw + request.head


@pytest.mark.parametrize(
    "shown",
    [
        ("Authorization", f"Bearer {OPEN_KEY}"),
        ("x-api-key", OPEN_KEY),
        ("api-key", OPEN_KEY),
        ("x-goog-api-key", OPEN_KEY),
        ("x-litellm-api-key", OPEN_KEY),
    ],
    ids=lambda pair: pair[0],
)
def test_the_key_is_taken_from_wherever_clients_show_it_and_stays_here(
    gateway: GatewayProcess, upstream: ScriptedUpstream, shown: tuple[str, str]
) -> None:
    assert send(gateway, "POST", "/cohere/v2/chat", b"{}", [JSON, shown], key=None).status == 200
    request = upstream.only_request()
    assert OPEN_KEY.encode() not in request.head
    assert [value for name, value in request.headers if name == "authorization"] == [f"Bearer {CREDENTIAL}"]


def test_geminis_clients_may_show_the_key_in_the_query(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    path = f"/gemini/v1beta/models/g:streamGenerateContent?alt=sse&key={OPEN_KEY}"
    assert send(gateway, "POST", path, b"{}", [JSON], key=None).status == 200
    assert upstream.only_request().path == "/v1beta/models/g:streamGenerateContent?alt=sse"


def test_a_request_that_is_signed_is_signed_as_it_is_sent(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    path = "/bedrock/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A1%3Ainference-profile%2Feu.m/converse"
    trace = ("x-amzn-bedrock-trace", "ENABLED")
    assert send(gateway, "POST", path, b'{"messages":[]}', [JSON, trace]).status == 200
    request = upstream.only_request()
    problem = signature_problem(request, "AKIDEXAMPLE", "secret", "eu-west-1", "bedrock")
    assert problem is None
    assert request.path == path.removeprefix("/bedrock")
    assert request.header("x-amzn-bedrock-trace") == "ENABLED"


def test_a_base_path_and_more_headers_can_be_configured(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    assert send(gateway, "GET", "/based/v1/x", headers=[("x-special", "1")]).status == 200
    request = upstream.only_request()
    assert (request.path, request.header("x-special")) == ("/deep/down/v1/x", "1")


def test_a_large_binary_body_is_passed_on_as_it_comes(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    head = [*authorization(OPEN_KEY), ("Content-Type", "application/octet-stream")]
    half = len(BINARY) // 2
    with gateway.connect() as client:
        client.send(
            request_bytes("POST", "/vendor/v1/uploads", [*head, ("Content-Length", str(len(BINARY)))])
        )
        client.send(BINARY[:half])
        (connection,) = [upstream.wait_for_requests(1)[0].connection]
        wait_until(lambda: len(connection.received) >= half, "the first half has been passed on")
        client.send(BINARY[half:])
        assert client.read_response().status == 200

    assert upstream.only_request().body == BINARY


def test_a_form_in_chunks_arrives_in_chunks(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    kind = ("Content-Type", "multipart/form-data; boundary=b")
    form = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n\x00\xff\r\n--b--\r\n'
    head = [*authorization(OPEN_KEY), kind, ("Transfer-Encoding", "chunked")]
    with gateway.connect() as client:
        client.send(request_bytes("POST", "/anthropic/v1/files", head))
        for byte in (form[:20], form[20:]):
            client.send(replies.chunk(byte))
        client.send(b"0\r\n\r\n")
        assert client.read_response().status == 200

    request = upstream.only_request()
    assert (request.body, request.header("content-type")) == (form, kind[1])
    assert request.header("transfer-encoding") == "chunked"


# ── replies ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("status", [201, 400, 404, 409, 422, 429, 500, 503, 529])
def test_the_providers_own_answers_come_as_they_are(
    gateway: GatewayProcess, upstream: ScriptedUpstream, status: int
) -> None:
    body = b'{"type":"error","x":1.50}'
    upstream.then(replies.reply(body, status, headers=[("retry-after", "7"), ("x-should-retry", "true")]))

    response = send(gateway, "POST", "/anthropic/v1/messages", json.dumps(MESSAGE).encode(), [JSON])

    assert (response.status, response.body) == (status, body)
    assert (response.header("retry-after"), response.header("x-should-retry")) == ("7", "true")
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_binary_replies_come_whole(
    gateway: GatewayProcess, upstream: ScriptedUpstream, framing: replies.Framing
) -> None:
    upstream.then(replies.reply(BINARY, content_type="audio/mpeg", framing=framing))
    response = send(gateway, "GET", "/vendor/v1/files/f/content")
    assert (response.body, response.complete) == (BINARY, True)
    assert response.header("content-type") == "audio/mpeg"


def test_a_stream_is_passed_as_it_comes_byte_for_byte(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    gate = upstream.gate()
    pieces = [b"event: a\nda", b"ta: {}\n\n: comment\r\n\r\ndata: \xff\n\n"]
    upstream.then(replies.stream(pieces=pieces, gate=gate))
    with gateway.connect() as client:
        path = "/anthropic/v1/messages"
        client.send(
            request_bytes("POST", path, [*authorization(OPEN_KEY), JSON], json.dumps(MESSAGE).encode())
        )
        assert client.read_head().status == 200
        # Half an event comes at once: nothing is held back.
        assert client.read_chunk() == pieces[0]
        gate.open()
        assert client.read_chunk() == pieces[1]
        assert client.read_chunk() == b""


def test_a_head_request_has_the_length_and_no_body(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    async def only_head(exchange: Exchange) -> None:
        await exchange.read_body()
        await exchange.send(replies.head(200, [("content-length", "1234"), ("etag", '"e"')]))

    upstream.then(only_head)
    response = send(gateway, "HEAD", "/vendor/v1/files/f/content")
    assert (response.status, response.header("content-length"), response.header("etag")) == (
        200,
        "1234",
        '"e"',
    )


def test_a_reply_without_a_body_has_none(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    async def nothing(exchange: Exchange) -> None:
        await exchange.read_body()
        await exchange.send(replies.head(204, []))

    upstream.then(nothing)
    with gateway.connect() as client:
        client.send(request_bytes("DELETE", "/vendor/v1/files/f", authorization(OPEN_KEY)))
        response = client.read_response()
        assert (response.status, response.header("content-length")) == (204, None)
        client.send(request_bytes("GET", "/vendor/v1/files", authorization(OPEN_KEY)))
        assert client.read_response().body == b'{"ok":true}'


def test_a_stream_that_breaks_says_so_in_its_dialect(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    async def breaks(exchange: Exchange) -> None:
        await exchange.read_body()
        await exchange.send(replies.head(200, [*replies.STREAM_HEAD, ("transfer-encoding", "chunked")]))
        await exchange.send(replies.chunk(b"event: message_start\ndata: {"))
        exchange.close()

    upstream.then(breaks)
    response = send(gateway, "POST", "/anthropic/v1/messages", json.dumps(MESSAGE).encode(), [JSON])
    last = response.body.split(b"\n\n")[-2]
    assert last.startswith(b'event: error\ndata: {"type":"error"')


@pytest.mark.parametrize("promised", ["content-length: 100", "transfer-encoding: chunked"])
def test_a_reply_that_breaks_before_its_first_byte_is_an_error(
    gateway: GatewayProcess, upstream: ScriptedUpstream, promised: str
) -> None:
    async def breaks(exchange: Exchange) -> None:
        await exchange.read_body()
        name, value = promised.split(": ")
        await exchange.send(replies.head(200, [("content-type", "application/json"), (name, value)]))
        exchange.close()

    upstream.then(breaks)
    response = send(gateway, "GET", "/vendor/v1/files")
    assert (response.status, response.error()["code"]) == (502, "upstream_protocol")


def test_a_reply_that_breaks_midway_is_not_taken_for_whole(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    async def breaks(exchange: Exchange) -> None:
        await exchange.read_body()
        await exchange.send(replies.head(200, [("content-length", "100")]) + b"half")
        exchange.close()

    upstream.then(breaks)
    assert not send(gateway, "GET", "/vendor/v1/files/f/content").complete


def test_a_client_that_leaves_ends_the_request(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    gate = upstream.gate()
    upstream.then(replies.stream(gate=gate))
    with gateway.connect() as client:
        path = "/vendor/v1/other"
        client.send(request_bytes("POST", path, [*authorization(OPEN_KEY), JSON], b"{}"))
        client.read_head()
        client.read_chunk()
    assert upstream.only_request().connection.peer_closed.wait(10)


# ── limits, and what is counted ─────────────────────────────────────────────────────────────────


def test_requests_are_limited(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    first, second = (send(gateway, "GET", "/anthropic/v1/models", key=SLOW_KEY) for _ in range(2))
    assert (first.status, first.header("x-ratelimit-remaining-requests")) == (200, "0")
    assert second.status == 429
    assert second.json()["error"]["type"] == "rate_limit_error"
    assert len(upstream.requests) == 1


SAMPLES = [
    (
        "/anthropic/v1/messages",
        "application/json",
        [b'{"content":[],"usage":{"input_tokens":11,"output_tokens":5}}'],
    ),
    (
        "/anthropic/v1/messages",
        "text/event-stream",
        [
            b'event: message_start\ndata: {"message":{"usage":{"input_tokens":11}}}\n\n',
            b'event: message_delta\ndata: {"usage":{"output_tokens":5}}\n\nevent: message_stop\ndata: {}\n\n',
        ],
    ),
    (
        "/gemini/v1beta/models/g:generateContent",
        "application/json",
        [b'{"usageMetadata":{"promptTokenCount":11,"candidatesTokenCount":5}}'],
    ),
    (
        "/azure/openai/deployments/d/chat/completions",
        "application/json",
        [b'{"usage":{"prompt_tokens":11,"completion_tokens":5}}'],
    ),
    (
        "/azure/openai/deployments/d/chat/completions",
        "text/event-stream",
        [b'data: {"choices":[],"usage":{"prompt_tokens":11,"completion_tokens":5}}\n\n', replies.DONE],
    ),
    (
        "/bedrock/model/m/converse",
        "application/json",
        [
            b'{"output":{"message":{"role":"assistant","content":[{"text":"a"}]}},"stopReason":"end_turn",',
            b'"usage":{"inputTokens":11,"outputTokens":5,"totalTokens":16}}',
        ],
    ),
]


@pytest.mark.parametrize(("path", "kind", "pieces"), SAMPLES, ids=lambda value: str(value)[:40])
def test_tokens_are_counted_where_the_reply_tells_them(
    gateway: GatewayProcess, upstream: ScriptedUpstream, path: str, kind: str, pieces: list[bytes]
) -> None:
    name = path.split("/")[1]

    def tokens(way: str) -> float:
        samples = gateway.metrics().items()
        return sum(
            value
            for labels, value in samples
            if labels.startswith("llmgw_tokens_total{")
            and all(part in labels for part in (f'model="{name}"', 'endpoint="pass_through"', f'"{way}"'))
        )

    before = [tokens(way) for way in ("input", "output")]
    upstream.then(replies.reply(b"".join(pieces), content_type=kind, framing="chunked"))
    assert send(gateway, "POST", path, b'{"model":"m","messages":[]}', [JSON]).status == 200
    after = [tokens(way) for way in ("input", "output")]
    assert (after[0] - before[0], after[1] - before[1]) == (11, 5)


def test_bytes_are_counted_in_both_directions(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    names = [f'llmgw_pass_through_bytes_total{{direction="{way}"}}' for way in ("request", "reply")]
    before = gateway.metrics()
    upstream.then(replies.reply(BINARY))
    send(gateway, "POST", "/vendor/v1/uploads", b"12345", [("Content-Type", "text/plain")])
    after = gateway.metrics()
    assert [after[name] - before[name] for name in names] == [5, len(BINARY)]


def test_tokens_are_limited_by_what_replies_tell(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    upstream.then(replies.reply(b'{"usage":{"input_tokens":2000,"output_tokens":1}}'))
    body = json.dumps(MESSAGE).encode()
    assert send(gateway, "POST", "/anthropic/v1/messages", body, [JSON], key=THRIFTY_KEY).status == 200
    refused = send(gateway, "POST", "/anthropic/v1/messages", body, [JSON], key=THRIFTY_KEY)
    assert (refused.status, len(upstream.requests)) == (429, 1)


# ── our own paths, and a host that fails ────────────────────────────────────────────────────────


def test_own_paths_win_over_a_pass_through_of_the_same_beginning(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    upstream.always(replies.reply())
    response = gateway.post("/openai/v1/chat/completions", {"model": "plain", "messages": []})
    assert response.status == 200
    assert upstream.only_request().json()["model"] == "routed"
    upstream.forget()
    assert send(gateway, "GET", "/openai/v1/fine_tuning/jobs").status == 200
    assert upstream.only_request().path == "/v1/fine_tuning/jobs"


def test_what_is_not_configured_does_not_exist(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    for path in ("/mistral/v1/chat", "/anthropicx/v1/messages", "/anthropic", "/Anthropic/v1/messages"):
        assert send(gateway, "GET", path, key=MASTER_KEY).status == 404, path
    assert not upstream.requests


@pytest.mark.parametrize(
    ("path", "shape"),
    [
        ("/anthropic/v1/models", lambda body: body["type"] == "error"),
        ("/gemini/v1beta/files", lambda body: body["error"]["status"] == "INTERNAL"),
        ("/vendor/v1/files", lambda body: body["error"]["code"] == "upstream_unreachable"),
        ("/bedrock/model/m/x", lambda body: "message" in body),
    ],
)
def test_our_own_errors_are_in_the_providers_dialect(
    gateway: GatewayProcess, upstream: ScriptedUpstream, path: str, shape: object
) -> None:
    async def closes(exchange: Exchange) -> None:
        await exchange.read_body()
        exchange.reset()

    upstream.then(closes)
    response = send(gateway, "GET", path)
    assert response.status in (502, 503)
    assert callable(shape) and shape(response.json()), response.body


def test_failures_are_logged_without_what_was_sent(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    upstream.then(replies.reply(b'{"error":"bad key upstream-cr**"}', 401))
    response = send(gateway, "POST", "/cohere/v2/chat", b'{"secret-words":1}', [JSON])
    assert response.status == 502
    assert b"upstream-cr" not in response.body
    wait_until(lambda: "a request that was passed through failed" in gateway.log(), "it is logged")
    assert "secret-words" not in gateway.log() and CREDENTIAL not in gateway.log()


def test_a_connection_serves_one_request_after_the_other(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    with gateway.connect() as client:
        for _ in range(3):
            client.send(request_bytes("POST", "/vendor/v1/x", [*authorization(OPEN_KEY), JSON], b"{}"))
            assert client.read_response().body == b'{"ok":true}'
    assert len({id(request.connection) for request in upstream.requests}) == 1
