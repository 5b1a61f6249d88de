"""SIGTERM: no new work, no cut stream, then a clean end."""

import signal

import pytest

from tests.conftest import StartGateway, deployment, gateway_config
from tests.gateway_process import chat_body, post_bytes
from tests.integration.load import NO_CONNECTION, WHOLE, Load
from tests.upstreams import faults, replies
from tests.upstreams.scripted import Exchange, ScriptedUpstream

PATH = "/v1/chat/completions"


@pytest.mark.parametrize("workers", [1, 2])
def test_an_open_stream_is_finished_before_the_process_ends(
    start_gateway: StartGateway, upstream: ScriptedUpstream, workers: int
) -> None:
    gateway = start_gateway(gateway_config(deployment("plain", upstream.base_url)), workers=workers)
    gate = upstream.gate()
    upstream.then(replies.stream(gate=gate))

    with gateway.connect() as client:
        client.send(post_bytes(PATH, chat_body("plain", stream=True)))
        client.read_until(replies.chat_events()[0])
        gateway.signal(signal.SIGTERM)
        gateway.wait_for_drain()
        assert gateway.running()
        gate.open()
        client.read_until(replies.DONE)

    assert gateway.wait() == 0


def test_no_answer_is_cut_when_a_busy_gateway_ends(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    gateway = start_gateway(gateway_config(deployment("plain", upstream.base_url)), workers=2)

    with Load(gateway) as load:
        load.wait_for_more(50)
        gateway.signal(signal.SIGTERM)
        assert gateway.wait() == 0

    assert set(load.outcomes) <= {WHOLE, NO_CONNECTION}


def test_an_answer_on_its_way_is_delivered_before_the_process_ends(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    gateway = start_gateway(gateway_config(deployment("plain", upstream.base_url)))
    gate = upstream.gate()

    async def answer_when_told(exchange: Exchange) -> None:
        await exchange.read_body()
        await gate.wait()
        await exchange.send(replies.message(replies.CHAT_BODY))

    upstream.then(answer_when_told)
    with gateway.connect() as client:
        client.send(post_bytes(PATH, chat_body("plain")))
        upstream.only_request()
        gateway.signal(signal.SIGTERM)
        gateway.wait_for_drain()
        gate.open()
        assert client.read_response().body == replies.CHAT_BODY

    assert gateway.wait() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_gateway_ends_at_once_and_leaves_no_process(
    start_gateway: StartGateway, upstream: ScriptedUpstream, number: signal.Signals
) -> None:
    gateway = start_gateway(gateway_config(deployment("plain", upstream.base_url)), workers=2)
    gateway.chat("plain")

    with gateway.connect() as idle:
        gateway.signal(number)
        assert gateway.wait() == 0
        assert idle.closed_by_peer()

    assert not gateway.worker_pids()


def test_a_stream_that_does_not_end_is_cut_when_the_drain_is_over(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    config = gateway_config(deployment("plain", upstream.base_url), server={"drain_timeout": 1})
    gateway = start_gateway(config)
    upstream.then(faults.endless_stream(replies.delta_event("word ")))

    with gateway.connect() as client:
        client.send(post_bytes(PATH, chat_body("plain", stream=True)))
        client.read_until(b"word ")
        gateway.signal(signal.SIGTERM)
        while not client.closed_by_peer():
            pass

    gateway.wait()
    assert upstream.requests[0].connection.peer_closed.wait(20)
