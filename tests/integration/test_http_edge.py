"""Requests that are not quite HTTP are refused at the edge, seen over raw sockets."""

import pytest

from tests.gateway_process import MASTER_KEY, GatewayProcess, post_bytes
from tests.raw_http import RawClient, exchange, request_bytes
from tests.upstreams import replies
from tests.upstreams.scripted import ScriptedUpstream

BODY = b'{"model":"plain","messages":[]}'
AUTHORIZATION = b"Authorization: Bearer " + MASTER_KEY.encode() + b"\r\n"
TYPE = b"Content-Type: application/json\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
LINE = b"POST /v1/chat/completions HTTP/1.1\r\n"
HOST = b"Host: gateway\r\n"


def request(
    line: bytes = LINE, host: bytes = HOST, extra: bytes = b"", framing: bytes = LENGTH, body: bytes = BODY
) -> bytes:
    return line + host + AUTHORIZATION + TYPE + extra + framing + b"\r\n" + body


CHUNKED_BODY = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
TE_CHUNKED = b"Transfer-Encoding: chunked\r\n"

REFUSED_WITH_400 = {
    "two hosts": request(extra=b"Host: other\r\n"),
    "no host": request(host=b""),
    "a host with a slash": request(host=b"Host: gateway/admin\r\n"),
    "a host with a question mark": request(host=b"Host: gateway?x\r\n"),
    "a host with a hash": request(host=b"Host: gateway#x\r\n"),
    "a host with an at": request(host=b"Host: user@gateway\r\n"),
    "a host with a space": request(host=b"Host: gate way\r\n"),
    "two equal authorizations": request(extra=AUTHORIZATION),
    "two different authorizations": request(extra=b"Authorization: Bearer other\r\n"),
    "two different ways to show a key": request(extra=b"x-api-key: some-other-key-0123456\r\n"),
    "one header with two different keys": request(
        extra=b"x-api-key: one-key\r\nx-api-key: another\r\n"
    ).replace(AUTHORIZATION, b""),
    "bare line feeds": request().replace(b"\r\n", b"\n"),
    "one bare line feed": request(extra=b"X-A: b\n"),
    "a bare carriage return": request(extra=b"X-A: b\rX-B: c\r\n"),
    "a length and chunks": request(framing=LENGTH + TE_CHUNKED, body=CHUNKED_BODY),
    "chunks and a length": request(framing=TE_CHUNKED + LENGTH, body=CHUNKED_BODY),
    "transfer-encoding identity": request(framing=b"Transfer-Encoding: identity\r\n"),
    "identity, chunked": request(framing=b"Transfer-Encoding: identity, chunked\r\n", body=CHUNKED_BODY),
    "xchunked": request(framing=b"Transfer-Encoding: xchunked\r\n", body=CHUNKED_BODY),
    "chunked twice": request(framing=TE_CHUNKED * 2, body=CHUNKED_BODY),
    "gzip, chunked": request(framing=b"Transfer-Encoding: gzip, chunked\r\n", body=CHUNKED_BODY),
    "chunks in HTTP/1.0": request(line=LINE.replace(b"1.1", b"1.0"), framing=TE_CHUNKED, body=CHUNKED_BODY),
    "two different lengths": request(framing=LENGTH + b"Content-Length: 3\r\n"),
    "a list of lengths": request(framing=b"Content-Length: %d, %d\r\n" % (len(BODY), len(BODY))),
    "a length with a plus": request(framing=b"Content-Length: +%d\r\n" % len(BODY)),
    "a negative length": request(framing=b"Content-Length: -1\r\n"),
    "a length in hexadecimal": request(framing=b"Content-Length: 0x1f\r\n"),
    "a length beyond 64 bits": request(framing=b"Content-Length: 18446744073709551617\r\n"),
    "an absolute target": request(line=b"POST http://other/v1/chat/completions HTTP/1.1\r\n"),
    "a target without a slash": request(line=b"POST v1/chat/completions HTTP/1.1\r\n"),
    "a space before a colon": request(extra=b"X-A : b\r\n"),
    "a space before the length's colon": request(framing=LENGTH.replace(b":", b" :")),
    "a folded line": request(extra=b"X-A: b\r\n folded\r\n"),
    "a first line that is folded": request(host=b" Host: gateway\r\n"),
    "a zero byte in a value": request(extra=b"X-A: b\0c\r\n"),
    "a zero byte in a name": request(extra=b"X\0A: b\r\n"),
    "a zero byte in the target": request(line=b"POST /v1/chat\0/completions HTTP/1.1\r\n"),
    "an empty header name": request(extra=b": b\r\n"),
    "a line without a colon": request(extra=b"nonsense\r\n"),
    "a chunk size with a prefix": request(framing=TE_CHUNKED, body=b"0x3\r\nabc\r\n0\r\n\r\n"),
    "a chunk size that is no number": request(framing=TE_CHUNKED, body=b"zz\r\nabc\r\n0\r\n\r\n"),
    "a chunk size that overflows": request(framing=TE_CHUNKED, body=b"f" * 17 + b"\r\nabc\r\n0\r\n\r\n"),
    "a chunk without its line end": request(framing=TE_CHUNKED, body=b"3\r\nabcd\r\n0\r\n\r\n"),
    "a chunk extension without end": request(framing=TE_CHUNKED, body=b"3;" + b"a" * 60_000 + b"\r\nabc"),
    "not HTTP at all": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
}


def answer_or_close(client: RawClient) -> int | None:
    """The status of the gateway's reply, or None if it closes without one."""
    try:
        return client.read_head().status
    except ConnectionError:
        return None


@pytest.mark.parametrize("name", REFUSED_WITH_400)
def test_a_malformed_request_is_refused_and_its_connection_closed(
    gateway: GatewayProcess, upstream: ScriptedUpstream, name: str
) -> None:
    with gateway.connect() as client:
        client.send(REFUSED_WITH_400[name])
        response = client.read_response()
        closed = client.closed_by_peer()

    assert response.status == 400
    assert response.error()["type"] == "invalid_request_error"
    assert closed
    assert not upstream.requests
    assert gateway.chat("plain").status == 200


def test_a_refusal_of_a_malformed_request_has_an_id_of_its_own(gateway: GatewayProcess) -> None:
    refusals = [exchange(gateway.port, REFUSED_WITH_400["two hosts"]) for _ in range(5)]

    assert len({each.header("x-request-id") for each in refusals}) == 5


@pytest.mark.parametrize(
    "name",
    ["two hosts", "a length and chunks", "two different lengths", "one bare line feed", "a folded line"],
)
def test_nothing_smuggled_behind_a_malformed_request_is_served(
    gateway: GatewayProcess, upstream: ScriptedUpstream, name: str
) -> None:
    with gateway.connect() as client:
        client.send(REFUSED_WITH_400[name] + request())
        assert answer_or_close(client) in {400, None}

    assert gateway.chat("plain").status == 200
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("size", [64_000, 500_000])
def test_a_huge_header_is_refused_with_431(
    gateway: GatewayProcess, upstream: ScriptedUpstream, size: int
) -> None:
    with gateway.connect() as client:
        client.send(request(extra=b"X-Large: " + b"a" * size + b"\r\n"))
        response = client.read_response()

    assert (response.status, response.error()["type"]) == (431, "invalid_request_error")
    assert not upstream.requests
    assert gateway.chat("plain").status == 200


def test_too_many_headers_are_refused_with_431(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    many = b"".join(b"X-%d: a\r\n" % number for number in range(2000))

    response = exchange(gateway.port, request(extra=many))

    assert response.status in {400, 431}
    assert not upstream.requests


@pytest.mark.parametrize(
    "path",
    [
        "/v1/%2e%2e/v1/chat/completions",
        "/v1/../v1/chat/completions",
        "//v1//chat/completions",
        "/v1/chat%2fcompletions",
        "/v1/chat/completions;x",
        "/v1/chat/completions%00",
        "/v1/chat/completions/extra",
        "/V1/Chat/Completions",
        "/v1/nothing",
    ],
)
def test_a_path_that_only_resembles_an_endpoint_is_not_found(
    gateway: GatewayProcess, upstream: ScriptedUpstream, path: str
) -> None:
    response = gateway.post(path, BODY)

    assert response.status in {400, 404}
    assert set(response.error()) == {"message", "type", "param", "code"}
    assert not upstream.requests


def test_a_query_does_not_change_the_endpoint(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    assert gateway.post("/v1/chat/completions?a=/v1/../x#y", BODY).status in {200, 400}
    assert gateway.post("/v1/chat/completions?api-version=1", BODY).status == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_another_method_is_refused_with_405(gateway: GatewayProcess, method: str) -> None:
    response = exchange(
        gateway.port,
        request_bytes(method, "/v1/chat/completions", [("Authorization", f"Bearer {MASTER_KEY}")]),
    )

    assert (response.status, response.error()["code"]) == (405, "method_not_allowed")
    assert response.header("allow") == "POST"


@pytest.mark.parametrize("line", [b"BREW /v1/models HTTP/1.1\r\n", b"GET /v1/models HTTP/3.7\r\n"])
def test_an_unknown_method_or_version_is_refused(gateway: GatewayProcess, line: bytes) -> None:
    with gateway.connect() as client:
        client.send(line + HOST + AUTHORIZATION + b"\r\n")
        assert answer_or_close(client) in {400, 405, 501, 505, None}

    assert gateway.get("/v1/models").status == 200


def test_the_preface_of_http2_is_refused(gateway: GatewayProcess) -> None:
    with gateway.connect() as client:
        client.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        assert answer_or_close(client) in {400, 405, 505, None}


# ── what is right, though rare ──────────────────────────────────────────────────────────────────


def test_a_client_that_expects_100_gets_it_before_it_sends(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    with gateway.connect() as client:
        client.send(request(extra=b"Expect: 100-continue\r\n", body=b""))
        assert client.read_head().status == 100
        client.send(BODY)
        assert client.read_response().body == replies.CHAT_BODY

    assert "expect" not in {name for name, _ in upstream.only_request().headers}


def test_a_client_that_expects_100_for_too_much_is_refused_before_it_sends(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    with gateway.connect() as client:
        client.send(
            request(extra=b"Expect: 100-continue\r\n", framing=b"Content-Length: 2000000\r\n", body=b"")
        )
        assert client.read_head().status == 413


def test_two_requests_in_one_packet_get_two_answers_in_order(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    upstream.then(replies.reply(b'{"n":1}'), replies.reply(b'{"n":2}'))

    with gateway.connect() as client:
        client.send(request() * 2)
        bodies = [client.read_response().body for _ in range(2)]

    assert bodies == [b'{"n":1}', b'{"n":2}']


def test_a_connection_is_kept_for_the_next_request(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    with gateway.connect() as client:
        for _ in range(3):
            client.send(request())
            assert client.read_response().status == 200


def test_a_connection_is_kept_after_an_error_that_leaves_it_in_step(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    with gateway.connect() as client:
        client.send(post_bytes("/v1/chat/completions", b"{}", key="wrong"))
        assert client.read_response().status == 401
        if not client_was_told_to_close(client):
            client.send(request())
            assert client.read_response().status == 200


def client_was_told_to_close(client: RawClient) -> bool:
    """True if the gateway has closed this connection after its reply."""
    client.sock.settimeout(0.2)
    try:
        return client.closed_by_peer()
    except TimeoutError:
        return False
    finally:
        client.sock.settimeout(30)


@pytest.mark.parametrize(
    "data",
    [request(extra=b"Connection: close\r\n"), request(line=LINE.replace(b"1.1", b"1.0"))],
    ids=["Connection: close", "HTTP/1.0"],
)
def test_a_client_that_wants_the_connection_closed_gets_it_closed(
    gateway: GatewayProcess, upstream: ScriptedUpstream, data: bytes
) -> None:
    with gateway.connect() as client:
        client.send(data)
        response = client.read_response()
        assert (response.status, response.body) == (200, replies.CHAT_BODY)
        assert client.closed_by_peer()


def test_an_http_1_0_client_never_gets_chunks(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    upstream.then(replies.reply(framing="chunked"))

    with gateway.connect() as client:
        client.send(request(line=LINE.replace(b"1.1", b"1.0")))
        response = client.read_response()

    assert response.header("transfer-encoding") is None
    assert response.body == replies.CHAT_BODY


def test_header_names_are_case_insensitive_and_values_are_trimmed(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    data = LINE + HOST + b"AUTHORIZATION:\t bearer " + MASTER_KEY.encode() + b" \t\r\n" + TYPE + LENGTH

    assert exchange(gateway.port, data + b"\r\n" + BODY).status == 200


def test_a_request_sent_byte_by_byte_is_served(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    data = request()

    with gateway.connect() as client:
        for position in range(len(data)):
            client.send(data[position : position + 1])
        assert client.read_response().status == 200


# ── slow and absent clients ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("beginning", [b"P", b"POST /v1/chat", LINE + HOST + b"X-A: "])
def test_a_head_that_never_ends_is_given_up(
    gateway: GatewayProcess, upstream: ScriptedUpstream, beginning: bytes
) -> None:
    with gateway.connect() as client:
        client.send(beginning)
        assert answer_or_close(client) in {408, None}

    assert not upstream.requests


def test_a_head_sent_drop_by_drop_is_given_up(gateway: GatewayProcess) -> None:
    with gateway.connect() as client:
        client.sock.settimeout(0.1)
        client.send(LINE + HOST)
        for _ in range(300):
            try:
                client.send(b"X-A: b\r\n")
                client.closed_by_peer()
            except TimeoutError:
                continue
            except ConnectionError:
                pass
            return
    pytest.fail("the gateway reads a head for half a minute")


@pytest.mark.parametrize(
    "framing, part",
    [(LENGTH, BODY[:10]), (TE_CHUNKED, b"5\r\nabc"), (TE_CHUNKED, CHUNKED_BODY[:-2])],
    ids=["length", "inside a chunk", "before the last line end"],
)
def test_a_body_that_never_ends_is_refused_with_408(
    gateway: GatewayProcess, upstream: ScriptedUpstream, framing: bytes, part: bytes
) -> None:
    with gateway.connect() as client:
        client.send(request(framing=framing, body=part))
        response = client.read_response()

    assert (response.status, response.error()["code"]) == (408, "request_timeout")
    assert not upstream.requests
    assert gateway.chat("plain").status == 200


def test_clients_that_leave_early_do_no_harm(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    data = request()
    for size in range(0, len(data), 7):
        with gateway.connect() as client:
            client.send(data[:size])

    assert gateway.chat("plain").status == 200
    assert len(upstream.requests) == 1
