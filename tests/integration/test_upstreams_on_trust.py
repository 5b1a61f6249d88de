"""What an upstream says is not taken on trust: not its framing, not its failures, not its headers."""

import pytest

from tests.conftest import StartGateway, deployment, gateway_config
from tests.gateway_process import GatewayProcess, chat_body, post_bytes
from tests.raw_http import request_bytes
from tests.upstreams import faults, replies
from tests.upstreams.scripted import Script, ScriptedUpstream

LARGE = b'{"object":"list","data":"' + b"x" * 400_000 + b'"}'
FILTERED = [
    replies.delta_event("word"),
    replies.FINISH_EVENT.replace(b'"stop"', b'"content_filter"'),
    replies.DONE,
]


def test_a_stream_is_over_with_its_last_event_though_the_connection_stays_open(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    upstream.then(faults.stalled_stream(replies.chat_events()))

    response = gateway.chat("plain", stream=True)

    assert response.complete
    assert response.body == b"".join(replies.chat_events())


def test_a_length_beside_chunks_does_not_frame_the_clients_reply(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    upstream.then(replies.reply(LARGE, headers=[("content-length", "10")], framing="chunked"))

    with gateway.connect() as client:
        client.send(post_bytes("/v1/embeddings", {"model": "plain", "input": "x"}))
        first = client.read_response()
        client.send(post_bytes("/v1/chat/completions", chat_body("plain")))
        second = client.read_response()

    assert first.body == LARGE
    assert second.body == replies.CHAT_BODY


def test_the_operators_organisation_is_not_shown_to_clients(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    told = [("openai-organization", "org-secret"), ("openai-project", "p"), ("openai-version", "2020-10-01")]
    upstream.then(replies.reply(headers=told))

    response = gateway.chat("plain")

    assert response.header("openai-version") == "2020-10-01"
    assert not {"openai-organization", "openai-project"} & {name for name, _ in response.headers}


def test_a_web_page_as_refusal_becomes_an_error_in_the_clients_dialect(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    upstream.then(replies.reply(faults.HTML_PAGE, 404, "text/html"))

    response = gateway.chat("plain")

    assert response.header("content-type") == "application/json"
    assert response.error()["code"] == "upstream_rejected"


def test_an_idempotency_key_stays_with_the_gateway(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    headers = [("Content-Type", "application/json"), ("Idempotency-Key", "1")]
    gateway.post("/v1/chat/completions", chat_body("plain"), headers=headers)

    assert upstream.only_request().header("idempotency-key") is None


def test_a_response_may_end_with_an_event_of_any_size(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    usage = b'"usage":{"input_tokens":3,"output_tokens":2,"total_tokens":5}'
    last = b'data: {"type":"response.completed","response":{"output":"%s",%s}}\n\n' % (b"x" * 300_000, usage)
    events = [
        b'event: response.created\ndata: {"type":"response.created"}\n\n',
        b"event: response.completed\n" + last,
    ]
    upstream.then(replies.stream(events))

    response = gateway.post("/v1/responses", {"model": "plain", "input": "hi", "stream": True})

    assert response.body == b"".join(events)


@pytest.mark.parametrize(
    ("path", "script"),
    [
        ("/v1/chat/completions", replies.stream(FILTERED)),
        ("/v1/responses", replies.reply(b'{"object":"response","status":"failed","output":[]}')),
        ("/v1/responses", replies.stream([b'event: response.failed\ndata: {"type":"response.failed"}\n\n'])),
    ],
)
def test_an_answer_that_failed_or_was_filtered_is_not_given_again(
    start_gateway: StartGateway, upstream: ScriptedUpstream, path: str, script: Script
) -> None:
    gateway = start_gateway(gateway_config(deployment("plain", upstream.base_url), cache={"ttl": 60}))
    upstream.always(script)
    body = {"model": "plain", "input": "hi", "stream": True, "messages": [], "store": False}

    states = [gateway.post(path, body).header("x-llmgw-cache") for _ in range(2)]

    assert states == ["miss", "miss"]


def test_a_deployment_whose_streams_break_is_sent_to_rest(
    start_gateway: StartGateway, upstream: ScriptedUpstream, other_upstream: ScriptedUpstream
) -> None:
    config = gateway_config(
        deployment("main", upstream.base_url),
        deployment("reserve", other_upstream.base_url),
        router_settings={"allowed_fails": 1, "cooldown_time": 600, "fallbacks": [{"main": ["reserve"]}]},
    )
    gateway = start_gateway(config)
    upstream.always(faults.cut_stream(replies.chat_events()[:1], how="reset"))

    gateway.chat("main", stream=True)

    assert gateway.chat("main").status == 200
    assert len(other_upstream.requests) == 1


def test_a_refused_head_request_gets_no_body(gateway: GatewayProcess) -> None:
    with gateway.connect() as client:
        client.send(request_bytes("HEAD", "/healthz", [("Content-Length", "99999999999")]))
        response = client.read_response(with_body=False)

        assert (response.status, response.header("connection")) == (413, "close")
        assert client.closed_by_peer()


def test_a_body_for_the_control_plane_is_not_read_before_anybody_is_known(gateway: GatewayProcess) -> None:
    with gateway.connect() as client:
        client.send(request_bytes("POST", "/v1/nothing", [("Content-Length", "900000")]))
        response = client.read_response()

    assert response.status == 413
