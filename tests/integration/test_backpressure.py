"""A slow reader slows its upstream down instead of filling the gateway's memory."""

import time

import pytest

from tests.conftest import StartGateway, deployment, gateway_config
from tests.gateway_process import GatewayProcess, chat_body, post_bytes, wait_until
from tests.upstreams import faults, replies
from tests.upstreams.scripted import Connection, ScriptedUpstream

PATH = "/v1/chat/completions"
MEGABYTE = 1_000_000
EVENT = replies.delta_event("x" * 60_000)
# What two socket pairs may hold on Linux (tcp_rmem and tcp_wmem at their largest), and some.
KERNEL_BUFFERS = 40 * MEGABYTE


@pytest.fixture
def patient_gateway(start_gateway: StartGateway, upstream: ScriptedUpstream) -> GatewayProcess:
    return start_gateway(
        gateway_config(deployment("plain", upstream.base_url), server={"write_timeout": 100})
    )


def wait_until_blocked(connection: Connection) -> None:
    """Wait until the upstream has not got rid of a byte between two looks."""

    def stands_still() -> bool:
        before = connection.sent
        time.sleep(0.5)  # standing still is nothing that could be awaited
        return connection.sent == before > 0

    wait_until(stands_still, "the upstream is blocked")


def test_a_reader_that_stops_blocks_the_upstream_and_costs_no_memory(
    patient_gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    patient_gateway.chat("plain", stream=True)
    before = patient_gateway.resident_bytes()
    upstream.forget()
    upstream.then(faults.endless_stream(EVENT))

    with patient_gateway.connect(receive_buffer=4096) as client:
        client.send(post_bytes(PATH, chat_body("plain", stream=True)))
        connection = upstream.wait_for_requests(1)[0].connection
        already = connection.sent
        wait_until_blocked(connection)
        blocked_at = connection.sent

        assert blocked_at - already < KERNEL_BUFFERS
        assert patient_gateway.resident_bytes() - before < 10 * MEGABYTE

        while connection.sent == blocked_at:
            client.read_until(b"\n\n")

    assert connection.peer_closed.wait(20)


def test_others_are_served_while_one_reader_is_stuck(
    patient_gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    upstream.then(faults.endless_stream(EVENT))

    with patient_gateway.connect(receive_buffer=4096) as client:
        client.send(post_bytes(PATH, chat_body("plain", stream=True)))
        wait_until_blocked(upstream.wait_for_requests(1)[0].connection)

        assert {patient_gateway.chat("plain").status for _ in range(20)} == {200}


def test_a_reader_that_never_reads_is_given_up(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    config = gateway_config(deployment("plain", upstream.base_url), server={"write_timeout": 1})
    gateway = start_gateway(config)
    upstream.then(faults.endless_stream(EVENT))

    with gateway.connect(receive_buffer=4096) as client:
        client.send(post_bytes(PATH, chat_body("plain", stream=True)))
        connection = upstream.wait_for_requests(1)[0].connection

        assert connection.peer_closed.wait(60)


def test_a_hundred_megabytes_pass_without_staying(
    patient_gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    patient_gateway.chat("plain", stream=True)
    before = patient_gateway.resident_bytes()
    count = 100 * MEGABYTE // len(EVENT)
    upstream.forget()
    upstream.then(replies.stream([*[EVENT] * count, *replies.chat_events()]))

    response = patient_gateway.chat("plain", stream=True)

    assert response.body == EVENT * count + b"".join(replies.chat_events())
    assert patient_gateway.resident_bytes() - before < 10 * MEGABYTE
