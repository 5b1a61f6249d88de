"""Each fault of an upstream becomes one honest answer, and the gateway goes on serving."""

import gzip

import pytest

from tests.gateway_process import GatewayProcess, chat_body
from tests.upstreams import faults, replies
from tests.upstreams.scripted import Script, ScriptedUpstream

BROKEN_BEFORE_THE_BODY: dict[str, Script] = {
    "reset before the head": faults.reset_before_head,
    "close before the head": faults.close_before_head,
    "half-close before the head": faults.half_close_before_head,
    "reset inside the head": faults.reset_inside_head,
    "garbage instead of HTTP": faults.garbage,
    "conflicting lengths": faults.conflicting_lengths,
    "a head of one megabyte": faults.huge_head,
    "switching protocols": faults.switching_protocols,
    "a redirect": faults.redirect,
    "an HTML page with status 200": faults.html_with_status_200,
}

BROKEN_INSIDE_THE_BODY: dict[str, Script] = {
    "close after the head": faults.close_after_head,
    "close inside the body": faults.close_mid_body,
    "reset inside the body": faults.reset_mid_body,
    "a length longer than the body": faults.longer_length_than_body,
    "a broken chunk size": faults.broken_chunk_size,
}

UNUSUAL_BUT_RIGHT: dict[str, Script] = {
    "with a length": replies.reply(),
    "chunked": replies.reply(framing="chunked"),
    "until close": replies.reply(framing="close"),
    "byte by byte": faults.dribbled(replies.message(replies.CHAT_BODY)),
    "after 100 and 103": faults.after_informational(replies.message(replies.CHAT_BODY)),
    "with chunk extensions and trailers": faults.with_trailers(),
}


def serves_again(gateway: GatewayProcess) -> bool:
    return gateway.chat("plain").status == 200


@pytest.mark.parametrize("fault", BROKEN_BEFORE_THE_BODY)
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_a_reply_that_is_no_reply_becomes_a_502(
    gateway: GatewayProcess, upstream: ScriptedUpstream, fault: str, stream: bool
) -> None:
    upstream.then(BROKEN_BEFORE_THE_BODY[fault])

    response = gateway.chat("plain", stream=stream)

    assert response.status == 502
    assert response.error()["code"] in {"upstream_unreachable", "upstream_protocol"}
    assert len(upstream.requests) == 1
    assert serves_again(gateway)


@pytest.mark.parametrize("fault", BROKEN_INSIDE_THE_BODY)
def test_a_cut_reply_is_never_passed_off_as_whole(
    gateway: GatewayProcess, upstream: ScriptedUpstream, fault: str
) -> None:
    upstream.then(BROKEN_INSIDE_THE_BODY[fault])

    response = gateway.chat("plain")

    assert response.status == 502 or not response.complete
    assert serves_again(gateway)


@pytest.mark.parametrize("fault", UNUSUAL_BUT_RIGHT)
def test_an_unusual_reply_arrives_whole(
    gateway: GatewayProcess, upstream: ScriptedUpstream, fault: str
) -> None:
    upstream.then(UNUSUAL_BUT_RIGHT[fault])

    response = gateway.chat("plain")

    assert (response.status, response.body, response.complete) == (200, replies.CHAT_BODY, True)
    assert serves_again(gateway)


def test_a_gzip_reply_arrives_readable(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    upstream.then(faults.gzipped())

    response = gateway.chat("plain")

    packed = response.header("content-encoding") == "gzip"
    assert (gzip.decompress(response.body) if packed else response.body) == replies.CHAT_BODY


def test_an_answer_given_before_the_body_is_read_reaches_the_client(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    refusal = replies.error_body("too long", "context_length_exceeded")
    upstream.then(
        faults.before_body_is_read(replies.message(refusal, 400, headers=[("connection", "close")]))
    )

    response = gateway.post("/v1/chat/completions", chat_body("plain", padding="x" * 900_000))

    assert (response.status, response.body) == (400, refusal)
    assert serves_again(gateway)


def test_an_address_nobody_listens_on_becomes_a_502(gateway: GatewayProcess) -> None:
    response = gateway.chat("nobody")

    assert (response.status, response.error()["code"]) == (502, "upstream_unreachable")


def test_a_connection_reset_on_accept_becomes_a_502(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    upstream.close_connections()
    upstream.reset_next_connections(1)

    response = gateway.chat("plain")

    assert (response.status, response.error()["type"]) == (502, "api_error")
    assert serves_again(gateway)


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_silence_becomes_a_504_and_the_connection_is_dropped(
    gateway: GatewayProcess, upstream: ScriptedUpstream, stream: bool
) -> None:
    upstream.then(faults.never_answer)

    response = gateway.chat("impatient", stream=stream)

    assert (response.status, response.error()["code"]) == (504, "upstream_timeout")
    assert upstream.only_request().connection.peer_closed.wait(20)


def test_a_body_that_never_comes_is_not_waited_for_forever(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    upstream.then(faults.stall_after_head)

    response = gateway.chat("impatient")

    assert response.status == 504 or not response.complete
    assert upstream.only_request().connection.peer_closed.wait(20)


@pytest.mark.parametrize("status", [400, 404, 409, 422])
def test_a_rejection_is_passed_on_as_sent(
    gateway: GatewayProcess, upstream: ScriptedUpstream, status: int
) -> None:
    upstream.then(replies.failing(status))

    response = gateway.chat("plain")

    assert (response.status, response.body) == (status, replies.error_body(f"scripted {status}"))


def test_a_long_rejection_is_passed_on_whole(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    refusal = replies.error_body("x" * 300_000)
    upstream.then(replies.reply(refusal, 400))

    response = gateway.chat("plain")

    assert (response.status, response.body) == (400, refusal)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_credential_is_the_gateways_fault(
    gateway: GatewayProcess, upstream: ScriptedUpstream, status: int
) -> None:
    upstream.then(replies.failing(status))

    response = gateway.chat("plain")

    assert (response.status, response.error()["code"]) == (502, "upstream_credential")


@pytest.mark.parametrize("status", [500, 502, 503, 504, 529])
def test_a_failing_upstream_becomes_a_server_error_in_our_words(
    gateway: GatewayProcess, upstream: ScriptedUpstream, status: int
) -> None:
    upstream.then(replies.failing(status))

    response = gateway.chat("plain")

    assert response.status in {502, 503, 504}
    assert response.error()["type"] == "api_error"


def test_an_html_error_page_never_reaches_the_client(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    upstream.then(faults.html_with_status_502)

    response = gateway.chat("plain")

    assert response.status in {502, 503}
    assert response.error()["type"] == "api_error"
    assert b"<html>" not in response.body


def test_a_rate_limited_upstream_tells_the_client_when_to_come_back(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    upstream.then(replies.failing(429, [("retry-after", "7")]))

    response = gateway.chat("plain")

    assert (response.status, response.error()["code"]) == (429, "upstream_rate_limited")
    assert response.header("retry-after") == "7"


def test_a_connection_closed_while_idle_is_not_used_again(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    assert gateway.chat("plain").status == 200
    upstream.close_connections()

    assert gateway.chat("plain").status == 200


def test_faults_leave_no_file_descriptors_behind(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    for script in BROKEN_BEFORE_THE_BODY.values():
        upstream.then(script)
        gateway.chat("plain")
    before = gateway.open_files()

    for _ in range(10):
        for script in BROKEN_BEFORE_THE_BODY.values():
            upstream.then(script)
            gateway.chat("plain")

    assert gateway.open_files() <= before + 5
