"""The scripted upstream itself does what its scripts say, seen without a gateway."""

import pytest

from tests.raw_http import RawClient, Response, exchange, request_bytes
from tests.upstreams import faults, replies
from tests.upstreams.scripted import Script, ScriptedUpstream

CHAT_REQUEST = b'{"model":"m","messages":[]}'


def post(port: int, body: bytes = CHAT_REQUEST) -> Response:
    return exchange(port, request_bytes("POST", "/v1/chat/completions", [], body))


def test_a_request_is_kept_byte_for_byte(upstream: ScriptedUpstream) -> None:
    sent = request_bytes("POST", "/v1/chat/completions", [("X-Odd", "  a  b ")], CHAT_REQUEST)

    exchange(upstream.port, sent)

    assert upstream.only_request().raw == sent
    assert upstream.only_request().body == CHAT_REQUEST


def test_a_chunked_request_is_kept_raw_and_decoded(upstream: ScriptedUpstream) -> None:
    head = request_bytes("POST", "/v1/chat/completions", [("Transfer-Encoding", "chunked")])
    sent = head + b'5\r\n{"a":\r\n2\r\n1}\r\n0\r\n\r\n'

    exchange(upstream.port, sent)

    assert upstream.only_request().raw == sent
    assert upstream.only_request().json() == {"a": 1}


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_every_framing_carries_the_same_body(upstream: ScriptedUpstream, framing: replies.Framing) -> None:
    upstream.then(replies.reply(framing=framing))

    response = post(upstream.port)

    assert (response.body, response.complete) == (replies.CHAT_BODY, True)


def test_scripts_are_used_in_order_on_one_connection(upstream: ScriptedUpstream) -> None:
    upstream.then(replies.failing(500), replies.failing(429, [("retry-after", "1")]))
    request = request_bytes("POST", "/v1/chat/completions", [], CHAT_REQUEST)

    with RawClient(upstream.port) as client:
        client.send(request * 3)
        statuses = [client.read_response().status for _ in range(3)]

    assert statuses == [500, 429, 200]
    assert len({id(request.connection) for request in upstream.requests}) == 1


@pytest.mark.parametrize(
    "script",
    [
        faults.reset_before_head,
        faults.close_before_head,
        faults.half_close_before_head,
        faults.reset_inside_head,
    ],
)
def test_a_broken_connection_gives_no_reply(upstream: ScriptedUpstream, script: Script) -> None:
    upstream.then(script)

    with pytest.raises(ConnectionError):
        post(upstream.port)


@pytest.mark.parametrize(
    "script", [faults.close_mid_body, faults.reset_mid_body, faults.longer_length_than_body]
)
def test_a_cut_body_is_seen_as_cut(upstream: ScriptedUpstream, script: Script) -> None:
    upstream.then(script)

    assert not post(upstream.port).complete


def test_the_moment_the_peer_closes_is_known(upstream: ScriptedUpstream) -> None:
    upstream.then(faults.never_answer)

    with RawClient(upstream.port) as client:
        client.send(request_bytes("POST", "/v1/chat/completions", [], CHAT_REQUEST))
        connection = upstream.wait_for_requests(1)[0].connection
        assert not connection.peer_closed.is_set()

    assert connection.peer_closed.wait(20)


def test_an_endless_stream_stops_when_its_reader_goes(upstream: ScriptedUpstream) -> None:
    upstream.then(faults.endless_stream(replies.delta_event("x" * 10_000)))

    with RawClient(upstream.port) as client:
        client.send(request_bytes("POST", "/v1/chat/completions", [], CHAT_REQUEST))
        client.read_until(b"xxxx")
        connection = upstream.wait_for_requests(1)[0].connection

    assert connection.peer_closed.wait(20)


def test_usage_is_streamed_only_when_asked_for(upstream: ScriptedUpstream) -> None:
    plain = post(upstream.port, b'{"stream":true}')
    with_usage = post(upstream.port, b'{"stream":true,"stream_options":{"include_usage":true}}')

    assert replies.USAGE_EVENT not in plain.body
    assert with_usage.body == plain.body.replace(replies.DONE, replies.USAGE_EVENT + replies.DONE)
