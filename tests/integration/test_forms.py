"""Forms with files: passed on as they come, with the routed model in them and nothing else changed."""

import time

import pytest

from tests.conftest import APP_KEY, StartGateway, deployment, gateway_config
from tests.forms import Part, field, file, form, form_type, part_head, parts_of
from tests.gateway_process import MASTER_KEY, GatewayProcess, authorization, wait_until
from tests.raw_http import request_bytes
from tests.upstreams import faults, replies
from tests.upstreams.scripted import Exchange, Request, Script, ScriptedUpstream

PATH = "/v1/audio/transcriptions"
TRANSCRIPT = (
    b'{"text":"hello","usage":{"type":"tokens","input_tokens":14,"output_tokens":2,"total_tokens":16}}'
)
MEGABYTE = 1_000_000
SOUND = bytes(range(256)) * 1000
FIELDS: list[Part] = [field("model", "plain"), field("response_format", "json"), file(SOUND)]


@pytest.fixture(autouse=True)
def answers_with_a_transcript(upstream: ScriptedUpstream) -> None:
    upstream.always(replies.reply(TRANSCRIPT))


def request_head(length: int | None, path: str = PATH, key: str = MASTER_KEY) -> bytes:
    framing = ("Transfer-Encoding", "chunked") if length is None else ("Content-Length", str(length))
    return request_bytes("POST", path, [*authorization(key), form_type(), framing])


def sent_parts(request: Request) -> list[Part]:
    return parts_of(request.body, request.header("content-type") or "")


def routed(parts: list[Part], model: str = "routed") -> list[Part]:
    return [field("model", model) if part[0] == "model" else part for part in parts]


# ── what arrives ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", [PATH, "/audio/translations", "/v1/images/edits"])
@pytest.mark.parametrize("order", [FIELDS, FIELDS[::-1]], ids=["model first", "model last"])
def test_only_the_model_is_changed(
    gateway: GatewayProcess, upstream: ScriptedUpstream, path: str, order: list[Part]
) -> None:
    body = form(order)

    response = gateway.post(path, body, headers=[form_type()])

    assert (response.status, response.body) == (200, TRANSCRIPT)
    request = upstream.only_request()
    assert request.path == "/v1" + path.removeprefix("/v1")
    assert request.body == body.replace(b"plain", b"routed")
    assert request.header("content-type") == form_type()[1]
    assert request.header("content-length") == str(len(body) + 1)
    assert request.header("authorization") == "Bearer upstream-credential"


def test_a_form_in_chunks_is_sent_in_chunks(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    body = form(FIELDS)
    with gateway.connect() as client:
        client.send(request_head(None))
        for at in range(0, len(body), 5000):
            client.send(replies.chunk(body[at : at + 5000]))
        client.send(b"0\r\n\r\n")
        assert client.read_response().body == TRANSCRIPT

    request = upstream.only_request()
    assert request.header("transfer-encoding") == "chunked"
    assert sent_parts(request) == routed(FIELDS)


def test_a_form_that_comes_byte_by_byte_is_the_same(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    parts = [field("model", "plain"), file(b"\r\n--form-boundary\r\n-")]
    body = form(parts)
    with gateway.connect() as client:
        client.send(request_head(len(body)))
        for byte in body:
            client.send(bytes([byte]))
        assert client.read_response().status == 200

    assert sent_parts(upstream.only_request()) == routed(parts)


@pytest.mark.parametrize("with_model", [True, False], ids=["in the form too", "in the path alone"])
def test_azure_clients_name_the_model_in_the_path(
    gateway: GatewayProcess, upstream: ScriptedUpstream, with_model: bool
) -> None:
    parts = [file(SOUND)] + [field("model", "whatever")] * with_model
    path = "/openai/deployments/plain/audio/transcriptions?api-version=2024-10-21"

    assert gateway.post(path, form(parts), headers=[form_type()]).status == 200

    expected = routed(parts) if with_model else [field("model", "routed"), *parts]
    assert sent_parts(upstream.only_request()) == expected


def test_an_image_edit_may_be_json(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    body = {"model": "plain", "prompt": "a hat", "images": [{"image_url": "data:image/png;base64,AA"}]}

    assert gateway.post("/v1/images/edits", body).status == 200
    assert upstream.only_request().json() == {**body, "model": "routed"}


def test_a_form_that_waits_for_a_continue_gets_it(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    body = form(FIELDS)
    fields = [*authorization(MASTER_KEY), form_type(), ("Content-Length", str(len(body)))]
    with gateway.connect() as client:
        client.send(request_bytes("POST", PATH, [*fields, ("Expect", "100-continue")]))
        assert client.read_head().status == 100
        client.send(body)
        assert client.read_response().status == 200


def test_the_next_request_follows_on_the_same_connection(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    body = form(FIELDS)
    with gateway.connect() as client:
        for _ in range(3):
            client.send(request_head(len(body)) + body)
            assert client.read_response().body == TRANSCRIPT

    assert len(upstream.requests) == 3
    assert len({id(request.connection) for request in upstream.requests}) == 1


# ── as it comes ─────────────────────────────────────────────────────────────────────────────────


def test_a_file_is_passed_on_before_all_of_it_has_come(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    body = form(FIELDS)
    with gateway.connect() as client:
        client.send(request_head(len(body)) + body[:100_000])
        connection = upstream.wait_for_requests(1)[0].connection
        wait_until(lambda: len(connection.received) > 90_000, "the first part of the file has passed", 10)
        client.send(body[100_000:])
        assert client.read_response().status == 200

    assert sent_parts(upstream.only_request()) == routed(FIELDS)


def test_a_large_file_passes_without_staying(start_gateway: StartGateway, upstream: ScriptedUpstream) -> None:
    gateway = start_gateway(gateway_config(deployment("plain", upstream.base_url)))
    gateway.post(PATH, form(FIELDS), headers=[form_type()])
    before = gateway.resident_bytes()
    body = form([field("model", "plain"), file(bytes(60 * MEGABYTE))])
    upstream.forget()
    upstream.always(replies.reply(TRANSCRIPT))

    assert gateway.post(PATH, body, headers=[form_type()]).status == 200

    assert len(upstream.only_request().body) == len(body) + 1
    assert gateway.resident_bytes() - before < 10 * MEGABYTE


def test_an_upstream_that_does_not_read_holds_the_client_back(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    gateway = start_gateway(gateway_config(deployment("plain", upstream.base_url)))

    async def stop_reading(exchange: Exchange) -> None:
        exchange.connection.reading_allowed.clear()
        await exchange.wait_until_peer_closes()

    gateway.post(PATH, form(FIELDS), headers=[form_type()])
    upstream.then(stop_reading)
    before = gateway.resident_bytes()
    sent = 0
    with gateway.connect() as client:
        client.send(request_head(90 * MEGABYTE) + part_head("model", None) + b"plain\r\n")
        client.send(part_head("file", "sound.wav"))
        client.sock.settimeout(2)
        try:
            while sent < 80 * MEGABYTE:
                sent += client.sock.send(bytes(MEGABYTE))
        except TimeoutError:
            pass

    assert sent < 40 * MEGABYTE
    assert gateway.resident_bytes() - before < 10 * MEGABYTE


def test_an_upstream_that_refuses_early_is_not_sent_the_rest(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    refusal = replies.error_body("too large", "file_too_large")
    upstream.then(faults.before_body_is_read(replies.message(refusal, 413)))
    body = form(FIELDS)
    with gateway.connect() as client:
        client.send(request_head(50 * MEGABYTE) + body[:200_000])
        response = client.read_response()
        assert (response.status, response.body) == (413, refusal)
        client.send(body[200_000:])
        while not client.closed_by_peer():
            pass


# ── events ──────────────────────────────────────────────────────────────────────────────────────


def test_a_transcript_streams(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    events = [
        b'data: {"type":"transcript.text.delta","delta":"hel"}\n\n',
        b'data: {"type":"transcript.text.done","text":"hello","usage":{"input_tokens":3}}\n\n',
    ]
    gate = upstream.gate()
    upstream.then(replies.stream(events, gate=gate))
    body = form([field("model", "plain"), field("stream", "true"), file(SOUND)])

    with gateway.connect() as client:
        client.send(request_head(len(body)) + body)
        client.read_until(events[0])
        gate.open()
        client.read_until(events[1])


def test_a_transcript_may_be_plain_text(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    upstream.then(replies.reply(b"1\n00:00 --> 00:01\nhello", content_type="text/plain; charset=utf-8"))

    response = gateway.post(PATH, form(FIELDS), headers=[form_type()])

    assert response.body == b"1\n00:00 --> 00:01\nhello"
    assert response.header("content-type") == "text/plain; charset=utf-8"


# ── tokens, limits, permissions ─────────────────────────────────────────────────────────────────


def test_a_transcripts_tokens_are_counted(start_gateway: StartGateway, upstream: ScriptedUpstream) -> None:
    gateway = start_gateway(gateway_config(deployment("plain", upstream.base_url)))

    gateway.post(PATH, form(FIELDS), headers=[form_type()])

    def tokens(kind: str) -> float:
        wanted = ("llmgw_tokens_total", 'endpoint="audio_transcriptions"', f'type="{kind}"')
        return sum(v for k, v in gateway.metrics().items() if all(part in k for part in wanted))

    wait_until(lambda: (tokens("input"), tokens("output")) == (14, 2), "the tokens are counted", 10)


def test_a_form_takes_a_request_from_the_limit(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    key = {"alias": "app", "key": "env:APP_KEY", "rpm_limit": 1}
    gateway = start_gateway(gateway_config(deployment("plain", upstream.base_url), keys=[key]))

    first = gateway.post(PATH, form(FIELDS), APP_KEY, [form_type()])
    second = gateway.post(PATH, form(FIELDS), APP_KEY, [form_type()])

    assert (first.status, first.header("x-ratelimit-remaining-requests")) == (200, "0")
    assert (second.status, second.error()["code"]) == (429, "rate_limit_exceeded")


def test_a_key_may_not_use_the_model_of_another(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    body = form([field("model", "second"), file(SOUND)])

    response = gateway.post(PATH, body, APP_KEY, [form_type()])

    assert (response.status, response.error()["param"]) == (403, "model")
    assert not upstream.requests


def test_without_a_key_nothing_is_read(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    with gateway.connect() as client:
        client.send(request_head(50 * MEGABYTE, key="unknown-key-0123456789"))
        assert client.read_response().status == 401

    assert not upstream.requests


def test_personal_data_in_a_prompt_is_found_wherever_it_stands(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    config = gateway_config(deployment("plain", upstream.base_url), pii={"mode": "block"})
    gateway = start_gateway(config)
    parts = [field("model", "plain"), file(SOUND), field("prompt", "My IBAN is GB82 WEST 1234 5698 7654 32")]

    response = gateway.post(PATH, form(parts), headers=[form_type()])

    assert (response.status, response.error()["code"]) == (400, "content_filter")
    assert not upstream.requests


# ── size ────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def small_gateway(start_gateway: StartGateway, upstream: ScriptedUpstream) -> GatewayProcess:
    limits = {"max_upload_bytes": 2 * MEGABYTE, "max_held_bytes": 100_000}
    return start_gateway(gateway_config(deployment("plain", upstream.base_url), server=limits))


def test_a_form_over_its_limit_is_refused_from_its_length_alone(
    small_gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    with small_gateway.connect() as client:
        client.send(request_head(2 * MEGABYTE + 1))
        response = client.read_response()

    assert (response.status, response.error()["code"]) == (413, "request_too_large")
    assert not upstream.requests


def test_a_form_in_chunks_over_its_limit_is_cut_off(
    small_gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    with small_gateway.connect() as client:
        client.send(request_head(None) + replies.chunk(part_head("model", None) + b"plain\r\n"))
        client.send(replies.chunk(part_head("file", "sound.wav")))
        for _ in range(21):
            client.send(replies.chunk(bytes(100_000)))
        response = client.read_response()

    assert (response.status, response.error()["code"]) == (413, "request_too_large")
    request = upstream.wait_for_requests(1)[0]
    assert request.connection.peer_closed.wait(10)
    assert not request.complete.is_set()


def test_a_model_too_far_behind_is_refused(small_gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    response = small_gateway.post(PATH, form([file(SOUND), field("model", "plain")]), headers=[form_type()])

    assert (response.status, response.error()["param"]) == (413, "model")
    assert not upstream.requests


def test_a_model_that_the_path_names_lets_a_large_file_come_first(
    small_gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    path = "/openai/deployments/plain/audio/transcriptions"

    assert small_gateway.post(path, form([file(SOUND)]), headers=[form_type()]).status == 200
    assert sent_parts(upstream.only_request()) == [field("model", "routed"), file(SOUND)]


def test_a_second_model_behind_a_large_file_ends_the_request(
    small_gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    path = "/openai/deployments/plain/audio/transcriptions"
    body = form([file(SOUND), field("model", "another")])

    response = small_gateway.post(path, body, headers=[form_type()])

    assert (response.status, response.error()["param"]) == (400, "model")
    assert not upstream.wait_for_requests(1)[0].complete.is_set()


# ── retries ─────────────────────────────────────────────────────────────────────────────────────


def retrying(start_gateway: StartGateway, upstream: ScriptedUpstream, held: int) -> GatewayProcess:
    return start_gateway(
        gateway_config(
            deployment("plain", upstream.base_url),
            router_settings={"num_retries": 1, "retry_after": 0.01},
            server={"max_held_bytes": held},
        )
    )


@pytest.mark.parametrize("fault", [replies.failing(503), faults.reset_before_head], ids=["503", "reset"])
def test_a_form_that_is_held_is_sent_again(
    start_gateway: StartGateway, upstream: ScriptedUpstream, fault: Script
) -> None:
    gateway = retrying(start_gateway, upstream, held=MEGABYTE)
    upstream.then(fault)

    response = gateway.post(PATH, form(FIELDS), headers=[form_type()])

    assert (response.status, response.header("x-llmgw-attempts")) == (200, "2")
    assert [sent_parts(request) for request in upstream.requests] == [routed(FIELDS)] * 2


def test_a_form_that_failed_before_all_of_it_had_come_is_sent_again_whole(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    gateway = retrying(start_gateway, upstream, held=MEGABYTE)

    async def reset_at_once(exchange: Exchange) -> None:
        exchange.reset()

    upstream.then(reset_at_once)
    body = form(FIELDS)
    with gateway.connect() as client:
        client.send(request_head(len(body)) + body[:100_000])
        upstream.wait_for_requests(2)
        client.send(body[100_000:])
        assert client.read_response().status == 200

    assert upstream.requests[1].complete.wait(10)
    assert sent_parts(upstream.requests[1]) == routed(FIELDS)


def test_a_form_that_is_not_held_any_more_is_sent_once(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    gateway = retrying(start_gateway, upstream, held=50_000)
    upstream.then(replies.failing(503))

    response = gateway.post(PATH, form(FIELDS), headers=[form_type()])

    assert (response.status, response.header("x-llmgw-attempts")) == (503, "1")
    assert len(upstream.requests) == 1


def test_a_fallback_gets_the_form_too(
    start_gateway: StartGateway, upstream: ScriptedUpstream, other_upstream: ScriptedUpstream
) -> None:
    gateway = start_gateway(
        gateway_config(
            deployment("plain", upstream.base_url),
            deployment("spare", other_upstream.base_url, "openai/spare-model"),
            router_settings={"fallbacks": [{"plain": ["spare"]}]},
        )
    )
    upstream.then(replies.failing(500))
    other_upstream.then(replies.reply(TRANSCRIPT))

    assert gateway.post(PATH, form(FIELDS), headers=[form_type()]).body == TRANSCRIPT
    assert sent_parts(other_upstream.only_request()) == routed(FIELDS, "spare-model")


# ── clients that leave, and slow ones ───────────────────────────────────────────────────────────


@pytest.mark.parametrize("sent", [150, 100_000, None], ids=["in the fields", "in the file", "at the end"])
def test_a_client_that_leaves_ends_its_upload(
    gateway: GatewayProcess, upstream: ScriptedUpstream, sent: int | None
) -> None:
    upstream.then(faults.never_answer)
    body = form(FIELDS)
    with gateway.connect() as client:
        client.send(request_head(len(body)) + body[:sent])
        connection = upstream.wait_for_requests(1)[0].connection

    assert connection.peer_closed.wait(10)


def test_a_client_that_leaves_is_not_retried_for(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    gateway = retrying(start_gateway, upstream, held=MEGABYTE)
    upstream.then(faults.never_answer)
    body = form(FIELDS)
    with gateway.connect() as client:
        client.send(request_head(len(body)) + body)
        connection = upstream.wait_for_requests(1)[0].connection

    assert connection.peer_closed.wait(10)
    assert gateway.chat("plain").status == 200
    assert len(upstream.requests) == 2
    assert "an attempt failed" not in gateway.log()


def test_a_client_that_falls_silent_is_told(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    body = form(FIELDS)
    with gateway.connect() as client:
        client.send(request_head(len(body)) + body[:100_000])
        response = client.read_response()

    assert (response.status, response.error()["code"]) == (408, "request_timeout")
    assert upstream.wait_for_requests(1)[0].connection.peer_closed.wait(10)


def test_an_upstream_that_does_not_answer_is_given_up(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    upstream.then(faults.never_answer)
    body = form([field("model", "impatient"), file(SOUND)])

    started = time.monotonic()
    response = gateway.post(PATH, body, headers=[form_type()])

    assert (response.status, response.error()["code"]) == (504, "upstream_timeout")
    assert time.monotonic() - started < 10
