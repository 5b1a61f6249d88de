"""A stream that breaks ends with an error the client can see; one that does not break is not touched."""

import json
from typing import Any

import pytest

from tests.gateway_process import GatewayProcess
from tests.raw_http import Response
from tests.upstreams import faults, replies
from tests.upstreams.scripted import ScriptedUpstream

BEGINNING = replies.chat_events()[:2]
CUTS = ["reset", "close", "end"]


def final_error(response: Response) -> dict[str, Any]:
    """The error object of a stream's last event, which must be all there is of an end."""
    assert b"[DONE]" not in response.body
    last = response.body.rstrip(b"\n").rsplit(b"\n\n", 1)[-1]
    assert last.startswith(b"data: "), response.body[-300:]
    error: dict[str, Any] = json.loads(last.removeprefix(b"data: "))["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return error


@pytest.mark.parametrize("how", CUTS)
def test_a_stream_cut_after_its_first_events_ends_with_an_error_event(
    gateway: GatewayProcess, upstream: ScriptedUpstream, how: str
) -> None:
    upstream.then(faults.cut_stream(BEGINNING, how=how))

    response = gateway.chat("plain", stream=True)

    assert response.status == 200
    assert response.body.startswith(b"".join(BEGINNING))
    error = final_error(response)
    assert error["type"] == "api_error"
    assert (response.header("x-llmgw-deployment") or "?") in error["message"]


@pytest.mark.parametrize("how", CUTS)
def test_a_stream_cut_inside_an_event_ends_with_an_error_event_of_its_own(
    gateway: GatewayProcess, upstream: ScriptedUpstream, how: str
) -> None:
    upstream.then(faults.cut_stream([*BEGINNING, BEGINNING[0][:40]], how=how))

    response = gateway.chat("plain", stream=True)

    assert response.body.startswith(b"".join(BEGINNING))
    assert final_error(response)["type"] == "api_error"


@pytest.mark.parametrize("how", CUTS)
def test_a_stream_cut_before_its_first_event_is_an_error(
    gateway: GatewayProcess, upstream: ScriptedUpstream, how: str
) -> None:
    upstream.then(faults.cut_stream([], how=how))

    response = gateway.chat("plain", stream=True)

    if response.status == 200:
        assert final_error(response)["type"] == "api_error"
    else:
        assert (response.status, response.error()["type"]) == (502, "api_error")


def test_a_stream_that_stalls_ends_with_a_timeout_event(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    upstream.then(faults.stalled_stream(BEGINNING))

    response = gateway.chat("impatient", stream=True)

    assert response.body.startswith(b"".join(BEGINNING))
    assert final_error(response)["code"] == "upstream_timeout"
    assert upstream.only_request().connection.peer_closed.wait(20)


def test_an_error_event_from_upstream_is_passed_on_and_not_followed_by_done(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    event = b"data: " + replies.error_body("overloaded") + b"\n\n"
    upstream.then(faults.cut_stream([*BEGINNING, event], how="end"))

    response = gateway.chat("plain", stream=True)

    assert response.body.startswith(b"".join([*BEGINNING, event]))
    assert b"[DONE]" not in response.body


def test_a_provider_that_does_not_stream_is_passed_on_as_it_is(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    upstream.then(replies.reply())

    response = gateway.chat("plain", stream=True)

    assert (response.body, response.header("content-type")) == (replies.CHAT_BODY, "application/json")


def test_a_cut_stream_does_not_harm_the_next_one(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    upstream.then(faults.cut_stream(BEGINNING, how="reset"))
    gateway.chat("plain", stream=True)

    assert gateway.chat("plain", stream=True).body == b"".join(replies.chat_events())


def test_a_line_of_ten_megabytes_arrives_whole(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    events = faults.huge_line_events(10_000_000)
    upstream.then(replies.stream(events))

    assert gateway.chat("plain", stream=True).body == b"".join(events)


def test_bytes_that_are_not_utf8_are_passed_as_they_are(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    events = faults.invalid_utf8_events()
    upstream.then(replies.stream(events))

    assert gateway.chat("plain", stream=True).body == b"".join(events)


def test_done_inside_a_text_does_not_end_the_stream(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    events = [replies.delta_event("data: [DONE]\n\n"), *replies.chat_events()]
    upstream.then(replies.stream(events))

    assert gateway.chat("plain", stream=True).body == b"".join(events)


def test_comments_names_and_other_line_ends_are_passed_as_they_are(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    odd = [b": ping\n\n", b"event: chunk\r\nid: 7\r\nretry: 10\r\n" + BEGINNING[0].replace(b"\n", b"\r\n")]
    events = [*odd, *replies.chat_events()]
    upstream.then(replies.stream(events))

    assert gateway.chat("plain", stream=True).body == b"".join(events)
