"""Realtime sessions: how they end."""

import signal
import socket

import pytest
from websockets.sync.server import ServerConnection

from tests.conftest import StartGateway
from tests.gateway_process import GatewayProcess
from tests.integration.realtime.client import close_of, event, raw_session, realtime_config, session
from tests.upstreams.realtime import RealtimeUpstream, Session, running, say


def test_a_client_that_vanishes_ends_its_upstreams_session(
    gateway: GatewayProcess, server: RealtimeUpstream
) -> None:
    client = raw_session(gateway)
    client.read_until(b"session.created")
    seen = server.next_session()
    client.sock.close()

    assert seen.wait_for_end() == 1001


def test_an_upstream_that_vanishes_ends_its_clients_session(start_gateway: StartGateway) -> None:
    def vanish(connection: ServerConnection, seen: Session) -> None:
        say(connection, "session.created")
        connection.socket.shutdown(socket.SHUT_RDWR)

    with running(vanish) as upstream:
        gateway = start_gateway(realtime_config(upstream.base_url))
        with session(gateway) as client:
            assert close_of(client)[0] == 1011


@pytest.mark.parametrize(
    ("limit", "reason"),
    [("idle_timeout", "Nothing was said for too long."), ("max_duration", "lasted as long as it may")],
)
def test_time_ends_a_session_for_both_sides(
    start_gateway: StartGateway, server: RealtimeUpstream, limit: str, reason: str
) -> None:
    limits = {"realtime": {limit: 1}}
    gateway = start_gateway(realtime_config(server.base_url, server=limits))
    with session(gateway, ping_interval=0.2) as client:
        code, told = close_of(client)

    assert code == 1001
    assert reason in told
    assert server.next_session().wait_for_end() == 1001


def test_a_gateway_that_shuts_down_says_goodbye_to_both_sides(
    start_gateway: StartGateway, server: RealtimeUpstream
) -> None:
    gateway = start_gateway(realtime_config(server.base_url))
    with session(gateway) as client:
        event(client)
        gateway.signal(signal.SIGTERM)
        assert close_of(client) == (1001, "The gateway is shutting down.")

    assert server.next_session().wait_for_end() == 1001
    assert gateway.wait() == 0
