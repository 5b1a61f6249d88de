"""A client that leaves: whatever the stage, what may have been charged is settled, and nothing else."""

import signal
import socket

from tests.conftest import StartGateway
from tests.gateway_process import GatewayProcess, wait_until
from tests.integration.ledger.conftest import ENVIRONMENT, ledger_config, priced
from tests.integration.ledger.reading import INPUT, OUTPUT, Ledger, ask, chat_bytes, end, says
from tests.upstreams import faults, replies
from tests.upstreams.scripted import Exchange, ScriptedUpstream


def test_leaving_before_there_is_a_connection_costs_nothing(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    config = ledger_config(upstream.base_url, upstream.base_url)
    # It takes connections and never says a word of TLS.
    with socket.create_server(("127.0.0.1", 0)) as mute:
        config["model_list"].append(priced("mute", f"https://127.0.0.1:{mute.getsockname()[1]}/v1"))
        gateway = start_gateway(config, env=ENVIRONMENT)
        with gateway.connect() as client:
            client.send(chat_bytes("left-early", "mute"))
            assert_reserved(gateway, "left-early")

        assert says(end(gateway, "left-early"), "t", "why") == ("void", "client_gone")


def assert_reserved(gateway: GatewayProcess, request: str) -> None:
    """The attempt is written down, and not ended."""
    wait_until(lambda: bool(Ledger.of(gateway).attempts(request)), f"a reserve of {request}", timeout=20)


def test_leaving_before_the_first_byte_may_have_cost_the_input(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    upstream.then(faults.never_answer)
    with gateway.connect() as client:
        client.send(chat_bytes("left-waiting", "priced"))
        upstream.only_request()

    settle = end(gateway, "left-waiting")
    assert says(settle, "status", "how", "price") == (499, "client_gone", "estimated")
    assert settle["cost"] == settle["usage"]["input"] * INPUT > 0


def test_leaving_midway_costs_what_has_come(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    upstream.then(faults.stalled_stream(replies.chat_events()[:2]))
    with gateway.connect() as client:
        client.send(chat_bytes("left-midway", "priced", stream=True))
        client.read_until(replies.chat_events()[1])

    settle = end(gateway, "left-midway")
    assert says(settle, "status", "how", "price") == (499, "client_gone", "estimated")
    assert settle["cost"] == settle["usage"]["input"] * INPUT + 2 * OUTPUT


def test_leaving_before_the_usage_is_told_costs_what_has_come(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    upstream.then(faults.stalled_stream(replies.chat_events()[:4]))
    with gateway.connect() as client:
        client.send(chat_bytes("left-late", "priced", stream=True))
        client.read_until(replies.FINISH_EVENT)

    settle = end(gateway, "left-late")
    assert says(settle, "how", "price") == ("client_gone", "estimated")
    assert settle["usage"]["output"] >= 3


def test_what_runs_when_the_gateway_ends_is_settled_as_always(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    gateway = start_gateway(ledger_config(upstream.base_url, upstream.base_url), env=ENVIRONMENT)
    gate = upstream.gate()

    async def answer_when_told(exchange: Exchange) -> None:
        await exchange.read_body()
        await gate.wait()
        await exchange.send(replies.message(replies.CHAT_BODY))

    upstream.then(answer_when_told)
    with gateway.connect() as client:
        client.send(chat_bytes("drained", "priced"))
        upstream.only_request()
        gateway.signal(signal.SIGTERM)
        gateway.wait_for_drain()
        gate.open()
        assert client.read_response().status == 200
    gateway.wait()

    assert says(end(gateway, "drained"), "how", "price") == ("whole", "priced")
    assert not Ledger.of(gateway).open()


def test_what_is_cut_off_when_the_gateway_ends_is_settled_by_what_came(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    config = ledger_config(upstream.base_url, upstream.base_url, server={"drain_timeout": 1})
    gateway = start_gateway(config, env=ENVIRONMENT)
    upstream.then(faults.stalled_stream(replies.chat_events()[:2]), faults.never_answer)

    with gateway.connect() as streaming, gateway.connect() as waiting:
        streaming.send(chat_bytes("cut-stream", "priced", stream=True))
        streaming.read_until(replies.chat_events()[1])
        waiting.send(chat_bytes("cut-waiting", "priced"))
        upstream.wait_for_requests(2)
        gateway.signal(signal.SIGTERM)
        gateway.wait()

    stream = end(gateway, "cut-stream")
    assert says(stream, "status", "how", "price") == (503, "cut", "estimated")
    assert stream["usage"]["output"] == 2
    assert says(end(gateway, "cut-waiting"), "status", "how") == (503, "cut")
    assert not Ledger.of(gateway).open()


def test_a_ledger_that_was_closed_is_gone_on_with_by_the_next_process(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    gateway = start_gateway(ledger_config(upstream.base_url, upstream.base_url), env=ENVIRONMENT)
    ask(gateway, "before")
    gateway.stop()
    gateway.start()
    ask(gateway, "after")

    assert end(gateway, "after")["cost"] == end(gateway, "before")["cost"]
