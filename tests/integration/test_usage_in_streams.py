"""The gateway asks every stream for its usage, and hides what the client did not ask for."""

import json

import pytest

from tests.gateway_process import GatewayProcess, wait_until
from tests.upstreams import replies
from tests.upstreams.scripted import ScriptedUpstream

NOT_ASKED = {
    "no options": b"",
    "null options": b',"stream_options":null',
    "empty options": b',"stream_options":{}',
    "another option": b',"stream_options":{"include_obfuscation":false}',
    "explicitly not": b',"stream_options":{"include_usage":false}',
}


def streaming_body(options: bytes, model: bytes = b"plain") -> bytes:
    return b'{ "model":"' + model + b'","messages":[],"x":[1.50],"stream":true' + options + b" }"


@pytest.mark.parametrize("name", NOT_ASKED)
def test_a_client_that_did_not_ask_gets_the_bytes_it_would_have_had(
    gateway: GatewayProcess, upstream: ScriptedUpstream, name: str
) -> None:
    response = gateway.post("/v1/chat/completions", streaming_body(NOT_ASKED[name]))

    assert upstream.only_request().json()["stream_options"]["include_usage"] is True
    assert response.body == b"".join(replies.chat_events())


def test_other_stream_options_are_kept(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    gateway.post("/v1/chat/completions", streaming_body(NOT_ASKED["another option"]))

    options = upstream.only_request().json()["stream_options"]
    assert options == {"include_obfuscation": False, "include_usage": True}


def test_asking_adds_one_piece_to_the_request_and_changes_nothing_else(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    gateway.post("/v1/chat/completions", streaming_body(b""))

    sent = upstream.only_request().body
    before = streaming_body(b"", model=b"routed")
    added = len(sent) - len(before)
    assert json.loads(sent) == json.loads(before) | {"stream_options": {"include_usage": True}}
    assert any(sent[:at] + sent[at + added :] == before for at in range(len(sent)))


def test_a_client_that_asked_gets_the_usage_and_its_request_is_not_changed(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    options = b',"stream_options": {"include_usage": true}'

    response = gateway.post("/v1/chat/completions", streaming_body(options))

    assert upstream.only_request().body == streaming_body(options, model=b"routed")
    assert replies.USAGE_EVENT + replies.DONE in response.body


def test_a_request_that_does_not_stream_is_not_asked_for_usage(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    body = b'{"model":"plain","messages":[],"stream":false}'

    gateway.post("/v1/chat/completions", body)

    assert upstream.only_request().body == body.replace(b'"plain"', b'"routed"')


@pytest.mark.parametrize("asked", [False, True], ids=["not asked", "asked"])
def test_the_empty_usage_that_asking_brings_is_taken_out_with_it(
    gateway: GatewayProcess, upstream: ScriptedUpstream, asked: bool
) -> None:
    plain = replies.chat_events()
    chunks = [event.replace(b',"choices"', b',"usage":null,"choices"') for event in plain[:-1]]
    sent = b"".join([*chunks, replies.USAGE_EVENT, replies.DONE])
    upstream.then(replies.stream([sent]))

    response = gateway.chat("plain", stream=True, stream_options={"include_usage": asked})

    assert b'"usage":null' in sent
    assert response.body == (sent if asked else b"".join(plain))


def test_usage_that_comes_with_a_choice_is_not_taken_out(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    usage = b'"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}\n\n'
    finish = replies.FINISH_EVENT.replace(b"}\n\n", b"," + usage)
    events = [*replies.chat_events()[:3], finish, replies.DONE]
    upstream.then(replies.stream(events))

    response = gateway.post("/v1/chat/completions", streaming_body(b""))

    assert response.body == b"".join(events)


def test_usage_of_a_stream_is_counted_though_the_client_never_saw_it(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    before = tokens(gateway)

    gateway.post("/v1/chat/completions", streaming_body(b""))

    expected = {"input": before["input"] + 7, "output": before["output"] + 3}
    wait_until(lambda: tokens(gateway) == expected, "the tokens are counted", timeout=10)


def test_usage_of_a_plain_reply_is_counted(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    before = tokens(gateway)

    gateway.chat("plain")

    expected = {"input": before["input"] + 7, "output": before["output"] + 4}
    wait_until(lambda: tokens(gateway) == expected, "the tokens are counted", timeout=10)


def test_usage_of_a_large_reply_is_counted(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    vector = b",".join([b"-0.01234567890123"] * 60_000)
    usage = b'"usage":{"prompt_tokens":123,"total_tokens":123}'
    body = b'{"object":"list","data":[{"index":0,"embedding":[' + vector + b"]}]," + usage + b"}"
    upstream.then(replies.reply(body))
    before = tokens(gateway)

    response = gateway.post("/v1/embeddings", {"model": "plain", "input": "text"})

    assert response.body == body
    expected = before["input"] + 123
    wait_until(lambda: tokens(gateway)["input"] == expected, "the tokens are counted", timeout=10)


def tokens(gateway: GatewayProcess) -> dict[str, float]:
    """`llmgw_tokens_total` by type, summed over all other labels."""
    samples = [(name, value) for name, value in gateway.metrics().items() if "llmgw_tokens_total" in name]
    return {
        kind: sum(value for name, value in samples if f'type="{kind}"' in name)
        for kind in ("input", "output")
    }
