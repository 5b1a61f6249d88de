"""Realtime sessions: what passes."""

import json
import socket

from websockets.sync.server import ServerConnection

from tests.conftest import StartGateway
from tests.gateway_process import GatewayProcess
from tests.integration.realtime.client import (
    UPDATE,
    close_of,
    event,
    raw_session,
    realtime_config,
    send,
    session,
    text,
)
from tests.upstreams.realtime import RealtimeUpstream, Session, running


def test_a_frame_may_come_byte_by_byte(gateway: GatewayProcess, server: RealtimeUpstream) -> None:
    with raw_session(gateway) as client:
        client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in text(UPDATE):
            client.send(bytes([byte]))
        assert server.next_session().next_event() == UPDATE


def test_a_message_in_parts_arrives_whole_with_pings_between_them(
    gateway: GatewayProcess, server: RealtimeUpstream
) -> None:
    whole = json.dumps(UPDATE)
    with session(gateway) as client:
        assert event(client)["type"] == "session.created"
        client.send(iter(whole))
        assert client.ping(b"there?").wait(20)
        assert event(client)["type"] == "session.updated"
    assert server.next_session().next_event() == UPDATE


def test_an_upstreams_message_in_parts_arrives_whole(
    start_gateway: StartGateway,
) -> None:
    def speak(connection: ServerConnection, seen: Session) -> None:
        connection.send(iter('{"type":"session.created"}'))

    with running(speak) as upstream:
        gateway = start_gateway(realtime_config(upstream.base_url))
        with session(gateway) as client:
            assert event(client) == {"type": "session.created"}


def test_a_close_passes_with_its_code_and_reason_both_ways(
    gateway: GatewayProcess, server: RealtimeUpstream, start_gateway: StartGateway
) -> None:
    with session(gateway) as client:
        client.close(4001, "enough")
    assert server.next_session().wait_for_end() == 4001

    def leave(connection: ServerConnection, seen: Session) -> None:
        connection.close(4002, "session expired")

    with running(leave) as upstream:
        other = start_gateway(realtime_config(upstream.base_url))
        with session(other) as client:
            assert close_of(client) == (4002, "session expired")


def test_a_large_message_passes_while_the_other_side_speaks(
    start_gateway: StartGateway,
) -> None:
    size = 4_000_000

    def flood(connection: ServerConnection, seen: Session) -> None:
        for _ in range(4):
            connection.send("x" * size)

    with running(flood) as upstream:
        limits = {"realtime": {"max_message_bytes": 2 * size}}
        gateway = start_gateway(realtime_config(upstream.base_url, server=limits))
        with session(gateway) as client:
            send(client, {"type": "input_audio_buffer.append", "audio": "A" * size})
            assert [len(client.recv(timeout=20)) for _ in range(4)] == [size] * 4
        assert len(upstream.next_session().heard.get(timeout=20)) > size
