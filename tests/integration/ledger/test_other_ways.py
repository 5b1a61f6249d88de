"""Forms, realtime sessions and raw requests are written down like everything that may cost something."""

from typing import Any

import pytest

from tests.conftest import StartGateway
from tests.forms import field, file, form, form_type
from tests.gateway_process import MASTER_KEY, GatewayProcess, authorization, wait_until
from tests.integration.ledger.conftest import ENVIRONMENT, ledger_config, priced
from tests.integration.ledger.reading import INPUT, OUTPUT, PRICE, Ledger, end, ends, headers, says
from tests.integration.realtime.client import CREATE, MODEL, event, realtime_config, send, session
from tests.raw_http import request_bytes
from tests.upstreams import faults, replies
from tests.upstreams.realtime import RealtimeUpstream, running
from tests.upstreams.scripted import ScriptedUpstream

PATH = "/v1/audio/transcriptions"
TRANSCRIPT = (
    b'{"text":"hello","usage":{"type":"tokens","input_tokens":14,"output_tokens":2,"total_tokens":16}}'
)
FORM = form([field("model", "priced"), field("response_format", "json"), file(b"sound" * 1000)])


# ── forms ───────────────────────────────────────────────────────────────────────────────────────


def test_a_form_is_settled_by_what_its_reply_tells(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    upstream.then(replies.reply(TRANSCRIPT))
    gateway.post(PATH, FORM, headers=[form_type(), ("x-request-id", "form")])

    settle = end(gateway, "form")
    assert says(settle, "status", "how", "cost") == (200, "whole", 14 * INPUT + 2 * OUTPUT)
    ((reserve, _),) = Ledger.of(gateway).attempts("form")
    assert says(reserve, "endpoint", "model") == ("audio_transcriptions", "priced")


def test_a_form_that_is_retried_is_written_twice(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    upstream.then(replies.failing(500), replies.reply(TRANSCRIPT))
    gateway.post(PATH, FORM, headers=[form_type(), ("x-request-id", "form-again")])

    assert [each["t"] for each in ends(gateway, "form-again", 2)] == ["void", "settle"]


def test_a_form_whose_client_leaves_before_all_of_it_was_sent_costs_nothing(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    upstream.then(faults.never_answer)
    fields = [*authorization(MASTER_KEY), form_type(), ("x-request-id", "form-half")]
    head = request_bytes("POST", PATH, [*fields, ("Content-Length", str(len(FORM) + 10))])
    with gateway.connect() as client:
        client.send(head + FORM[:4000])
        upstream.wait_for_requests(1)

    assert says(end(gateway, "form-half"), "t", "why") == ("void", "not_sent")


# ── sessions ────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def server() -> Any:
    """An upstream that holds conversations."""
    with running() as upstream:
        yield upstream


def talk(client: Any, times: int) -> None:
    for _ in range(times):
        send(client, CREATE)
        while event(client)["type"] != "response.done":
            pass


def priced_sessions(base_url: str) -> dict[str, Any]:
    config = realtime_config(base_url)
    for entry in config["model_list"]:
        entry["model_info"] = {**PRICE, "cache_read_input_token_cost": 2.5e-6}
    return config


def test_a_session_is_one_attempt_with_the_sum_of_its_replies(
    start_gateway: StartGateway, server: RealtimeUpstream
) -> None:
    gateway = start_gateway(priced_sessions(server.base_url))
    with session(gateway) as client:
        talk(client, 2)

    settle = only_end(gateway)
    assert says(settle, "status", "how", "cost") == (101, "stream", 40 * INPUT + 20 * OUTPUT)
    assert settle["usage"] == {"input": 40, "output": 20, "cache_read": 8}
    (reserve,) = Ledger.of(gateway).reserves.values()
    assert says(reserve, "endpoint", "model", "key") == ("realtime", MODEL, "file:app")


def test_a_session_that_the_gateways_end_cuts_off_is_settled(
    start_gateway: StartGateway, server: RealtimeUpstream
) -> None:
    gateway = start_gateway(priced_sessions(server.base_url))
    with session(gateway) as client:
        talk(client, 1)
        gateway.stop()

    assert says(only_end(gateway), "how", "cost") == ("cut", 20 * INPUT + 10 * OUTPUT)


def only_end(gateway: GatewayProcess) -> dict[str, Any]:
    """How the only attempt of a gateway ended."""
    wait_until(lambda: bool(Ledger.of(gateway).ends), "the session is settled", timeout=20)
    (only,) = Ledger.of(gateway).ends.values()
    return only


# ── raw requests ────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def raw_gateway(start_gateway: StartGateway, upstream: ScriptedUpstream) -> GatewayProcess:
    """A gateway that passes requests through, and knows the price of one of the models there."""
    root = upstream.base_url.removesuffix("/v1")
    way = {
        "litellm_params": {"model": "openai/*", "api_base": root, "api_key": "upstream-credential"},
        "paths": ["/v1/"],
    }
    keys = [{"alias": "app", "key": "env:APP_KEY", "tpm_limit": 1_000_000}]
    config = ledger_config(upstream.base_url, upstream.base_url, pass_through={"raw": way}, keys=keys)
    config["model_list"].append(priced("wide", upstream.base_url))
    return start_gateway(config, env=ENVIRONMENT)


def pass_raw(gateway: GatewayProcess, request: str, model: str, key: str) -> int:
    body = {"model": model, "messages": [{"role": "user", "content": "hello"}]}
    return gateway.post("/raw/v1/chat/completions", body, key, headers(request)).status


def test_a_raw_request_has_the_price_of_its_model_if_that_is_known(raw_gateway: GatewayProcess) -> None:
    app = ENVIRONMENT["APP_KEY"]
    assert pass_raw(raw_gateway, "raw-known", "routed", app) == 200
    assert pass_raw(raw_gateway, "raw-unknown", "another", app) == 200

    known, unknown = end(raw_gateway, "raw-known"), end(raw_gateway, "raw-unknown")
    assert says(known, "how", "cost", "price") == ("whole", 7 * INPUT + 4 * OUTPUT, "priced")
    assert says(unknown, "how", "cost", "price") == ("whole", 0, "unpriced")
    assert unknown["usage"] == {"input": 7, "output": 4}


def test_a_raw_request_that_is_refused_costs_nothing(
    raw_gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    upstream.then(replies.failing(500))
    pass_raw(raw_gateway, "raw-refused", "routed", MASTER_KEY)

    assert says(end(raw_gateway, "raw-refused"), "t", "why", "status") == ("void", "refused", 500)


def test_a_raw_request_whose_client_leaves_may_have_cost_its_input(
    raw_gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    upstream.then(faults.never_answer)
    body = b'{"model":"routed","messages":[{"role":"user","content":"hello"}]}'
    fields = [*authorization(ENVIRONMENT["APP_KEY"]), *headers("raw-left")]
    with raw_gateway.connect() as client:
        client.send(request_bytes("POST", "/raw/v1/chat/completions", fields, body))
        upstream.only_request()

    settle = end(raw_gateway, "raw-left")
    assert says(settle, "how", "price") == ("client_gone", "estimated")
    assert settle["cost"] == settle["usage"]["input"] * INPUT > 0


def test_what_only_looks_something_up_is_not_written_down(
    raw_gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    raw_gateway.get("/raw/v1/models")
    pass_raw(raw_gateway, "raw-after", "routed", MASTER_KEY)

    end(raw_gateway, "raw-after")
    assert len(Ledger.of(raw_gateway).reserves) == 1
