"""Realtime sessions: what does not pass, or ends them at once."""

import pytest
from websockets.frames import Frame, Opcode
from websockets.sync.server import ServerConnection

from tests.conftest import StartGateway
from tests.gateway_process import GatewayProcess
from tests.integration.realtime.client import (
    LARGEST,
    MODEL,
    ROUTED,
    UPDATE,
    close_of,
    event,
    raw_session,
    realtime_config,
    send,
    session,
)
from tests.upstreams.realtime import RealtimeUpstream, Session, running


def test_a_session_keeps_its_model(gateway: GatewayProcess, server: RealtimeUpstream) -> None:
    with session(gateway) as client:
        event(client)
        send(client, {**UPDATE, "event_id": "mine", "session": {"model": "other"}})
        refused = event(client)
        send(client, UPDATE)
        assert event(client)["type"] == "session.updated"

    error = refused["error"]
    assert (refused["type"], error["code"], error["event_id"]) == ("error", "permission_denied", "mine")
    assert server.next_session().next_event() == UPDATE


def test_the_sessions_own_model_goes_upstream_by_the_name_it_has_there(
    gateway: GatewayProcess, server: RealtimeUpstream
) -> None:
    with session(gateway) as client:
        event(client)
        send(client, {"type": "session.update", "session": {"model": MODEL, "instructions": "Hi"}})
        assert event(client)["session"] == {"model": ROUTED, "instructions": "Hi"}


def test_a_key_of_few_models_may_not_have_another_listen(
    gateway: GatewayProcess, server: RealtimeUpstream
) -> None:
    listening = {"audio": {"input": {"transcription": {"model": "whisper-1"}}}}
    with session(gateway) as client:
        event(client)
        send(client, {"type": "session.update", "session": listening})
        assert event(client)["error"]["param"] == "transcription.model"


@pytest.mark.parametrize("junk", ["", "[]", '{"session":{},"session":{"model":"other"}}', "nonsense"])
def test_what_is_no_event_does_not_go_on(
    gateway: GatewayProcess, server: RealtimeUpstream, junk: str
) -> None:
    with session(gateway) as client:
        event(client)
        client.send(junk)
        assert event(client)["error"]["code"] == "invalid_request"


def test_a_message_that_is_too_large_ends_the_session(
    gateway: GatewayProcess, server: RealtimeUpstream
) -> None:
    with session(gateway) as client:
        client.send("x" * (LARGEST + 1))
        assert close_of(client)[0] == 1009
    assert server.next_session().wait_for_end() == 1009


def test_parts_that_are_too_large_together_end_the_session(
    gateway: GatewayProcess, server: RealtimeUpstream
) -> None:
    with raw_session(gateway) as client:
        client.read_until(b"session.created")
        part = b"x" * (LARGEST // 2)
        client.send(Frame(Opcode.TEXT, part, fin=False).serialize(mask=True))
        for _ in range(2):
            client.send(Frame(Opcode.CONT, part, fin=False).serialize(mask=True))
        client.read_until(b"\x03\xf1A message is larger than allowed.")


def test_an_upstreams_message_that_is_too_large_ends_the_session(start_gateway: StartGateway) -> None:
    def shout(connection: ServerConnection, seen: Session) -> None:
        connection.send("x" * (LARGEST + 1))

    with running(shout) as upstream:
        gateway = start_gateway(realtime_config(upstream.base_url))
        with session(gateway) as client:
            assert close_of(client)[0] == 1009
        assert upstream.next_session().wait_for_end() == 1009


def test_bytes_are_no_events(gateway: GatewayProcess, server: RealtimeUpstream) -> None:
    with session(gateway) as client:
        client.send(b"\x00")
        assert close_of(client)[0] == 1003


def test_a_frame_without_a_mask_breaks_the_protocol(
    gateway: GatewayProcess, server: RealtimeUpstream
) -> None:
    with raw_session(gateway) as client:
        client.send(Frame(Opcode.TEXT, b"{}").serialize(mask=False))
        client.read_until(b"\x03\xea")
    assert server.next_session().wait_for_end() == 1001
