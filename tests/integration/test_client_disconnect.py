"""When a client leaves, its upstream request ends at once, whatever stage it is in."""

import pytest

from tests.gateway_process import GatewayProcess, chat_body, post_bytes, wait_until
from tests.upstreams import faults, replies
from tests.upstreams.scripted import Exchange, ScriptedUpstream

PATH = "/v1/chat/completions"


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_leaving_before_the_answer_closes_the_upstream_connection(
    gateway: GatewayProcess, upstream: ScriptedUpstream, stream: bool
) -> None:
    upstream.then(faults.never_answer)

    with gateway.connect() as client:
        client.send(post_bytes(PATH, chat_body("plain", stream=stream)))
        request = upstream.only_request()

    assert request.connection.peer_closed.wait(10)


def test_leaving_in_the_middle_of_a_stream_closes_the_upstream_connection(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    upstream.then(faults.endless_stream(replies.delta_event("word ")))

    with gateway.connect() as client:
        client.send(post_bytes(PATH, chat_body("plain", stream=True)))
        client.read_until(replies.delta_event("word "))
        request = upstream.only_request()

    assert request.connection.peer_closed.wait(10)


def test_leaving_while_a_stream_is_silent_closes_the_upstream_connection(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    upstream.then(faults.stalled_stream(replies.chat_events()[:1]))

    with gateway.connect() as client:
        client.send(post_bytes(PATH, chat_body("plain", stream=True)))
        client.read_until(replies.chat_events()[0])
        request = upstream.only_request()

    assert request.connection.peer_closed.wait(10)


def test_a_half_closed_client_still_gets_its_answer_or_is_cancelled_cleanly(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    gate = upstream.gate()
    upstream.then(replies.stream(gate=gate))

    with gateway.connect() as client:
        client.send(post_bytes(PATH, chat_body("plain", stream=True)))
        client.read_until(replies.chat_events()[0])
        client.sock.shutdown(1)
        gate.open()
        while not client.closed_by_peer():
            pass

    assert gateway.chat("plain").status == 200


def test_a_client_that_left_is_not_retried_for(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    gate = upstream.gate()

    async def fail_when_told(exchange: Exchange) -> None:
        await exchange.read_body()
        await gate.wait()
        await exchange.send(replies.message(replies.error_body("late"), 500))

    upstream.then(fail_when_told)
    with gateway.connect() as client:
        client.send(post_bytes(PATH, chat_body("plain")))
        request = upstream.only_request()

    assert request.connection.peer_closed.wait(10)
    gate.open()
    assert gateway.chat("plain").status == 200
    assert len(upstream.requests) == 2


def test_clients_that_leave_cost_no_file_descriptors(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    gateway.chat("plain")
    before = gateway.open_files()
    for _ in range(30):
        upstream.then(faults.endless_stream(replies.delta_event("word ")))
        with gateway.connect() as client:
            client.send(post_bytes(PATH, chat_body("plain", stream=True)))
            client.read_until(b"word ")

    wait_until(lambda: gateway.open_files() <= before + 5, "the file descriptors are given back")
