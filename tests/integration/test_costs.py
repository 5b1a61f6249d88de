"""What a reply cost: in its head, in the metrics, and what happens where nobody knows."""

import json
from typing import Any

import pytest

from tests.conftest import StartGateway, deployment, gateway_config
from tests.gateway_process import GatewayProcess, chat_body, wait_until
from tests.upstreams import replies
from tests.upstreams.scripted import ScriptedUpstream

COST, STATUS = "x-llmgw-response-cost", "x-llmgw-price-status"
LABELS = '{endpoint="chat_completions",model="priced",provider="openai",key_alias="master"}'


FREE = {"input_cost_per_token": 0.0, "output_cost_per_token": 0.0}
PAID = {
    "input_cost_per_token": 2.5e-6,
    "output_cost_per_token": 1e-5,
    "cache_read_input_token_cost": 1.25e-6,
}


def models(base_url: str) -> list[dict[str, Any]]:
    """Models of known and of unknown price."""
    return [
        {**deployment("priced", base_url), "model_info": PAID},
        {**deployment("free", base_url), "model_info": FREE},
        deployment("unknown", base_url),
        deployment("gpt-5", base_url, "openai/gpt-5"),
    ]


def body(usage: dict[str, Any] | None, **fields: Any) -> bytes:
    """A chat's reply with this usage."""
    reply = json.loads(replies.CHAT_BODY)
    return json.dumps({**reply, "usage": usage, **fields}).encode()


USAGE = {
    **{"prompt_tokens": 2006, "completion_tokens": 300, "total_tokens": 2306},
    "prompt_tokens_details": {"cached_tokens": 1920},
}


@pytest.fixture
def paying(start_gateway: StartGateway, upstream: ScriptedUpstream) -> GatewayProcess:
    """A gateway in front of models of known and of unknown price."""
    return start_gateway(gateway_config(*models(upstream.base_url)))


def told(gateway: GatewayProcess, model: str, **fields: Any) -> tuple[str | None, str | None]:
    """What the head of a chat's reply says of its cost."""
    response = gateway.chat(model, **fields)
    assert response.status == 200, response.body
    return response.header(COST), response.header(STATUS)


def test_a_whole_reply_says_what_it_cost(paying: GatewayProcess, upstream: ScriptedUpstream) -> None:
    upstream.then(replies.reply(body(USAGE)))

    # 86 * 2500 + 1920 * 1250 + 300 * 10000 nano-dollars
    assert told(paying, "priced") == ("0.005615", "priced")


def test_the_metrics_add_up_what_replies_cost(paying: GatewayProcess, upstream: ScriptedUpstream) -> None:
    upstream.always(replies.reply(body(USAGE)))
    for _ in range(3):
        told(paying, "priced")

    name = f"llmgw_cost_usd_total{LABELS}"
    wait_until(lambda: paying.metrics().get(name) == pytest.approx(0.016845), "the metrics show the cost")
    assert paying.metrics()['llmgw_costs_total{status="priced"}'] == 3


def test_the_tier_that_served_it_has_its_own_price(
    paying: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    usage = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
    upstream.then(
        replies.reply(body(usage, service_tier="default")), replies.reply(body(usage, service_tier="flex"))
    )

    assert told(paying, "gpt-5") == ("0.00225", "priced")
    assert told(paying, "gpt-5") == ("0.001125", "priced")


def test_free_is_not_unpriced(paying: GatewayProcess, upstream: ScriptedUpstream) -> None:
    upstream.always(replies.reply(body(USAGE)))

    assert told(paying, "free") == ("0", "free")
    assert told(paying, "unknown") == (None, "unpriced")


def test_what_nobody_counted_is_an_estimate(paying: GatewayProcess, upstream: ScriptedUpstream) -> None:
    upstream.then(replies.reply(body(None)))

    cost, status = told(paying, "priced")

    assert float(cost or 0) > 0
    assert status == "estimated"


def test_a_stream_is_counted_in_the_metrics(paying: GatewayProcess, upstream: ScriptedUpstream) -> None:
    assert told(paying, "priced", stream=True) == (None, None)

    # 7 * 2500 + 3 * 10000 nano-dollars
    name = f"llmgw_cost_usd_total{LABELS}"
    wait_until(lambda: paying.metrics().get(name) == pytest.approx(4.75e-5), "the metrics show the cost")


def test_a_failure_costs_nothing(paying: GatewayProcess, upstream: ScriptedUpstream) -> None:
    upstream.then(replies.failing(400))

    response = paying.chat("priced")

    assert (response.status, response.header(COST)) == (400, None)
    assert not any(name.startswith("llmgw_cost_usd_total") for name in paying.metrics())


def test_the_mock_is_free(start_gateway: StartGateway) -> None:
    gateway = start_gateway(gateway_config({"model_name": "echo", "litellm_params": {"model": "mock/echo"}}))

    assert told(gateway, "echo") == ("0", "free")


def test_a_model_of_unknown_price_can_be_blocked(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    gateway = start_gateway(gateway_config(*models(upstream.base_url), pricing={"unknown": "block"}))

    response = gateway.chat("unknown")

    assert response.status == 400
    assert response.json()["error"]["code"] == "model_not_priced"
    assert not upstream.requests
    assert gateway.chat("free").status == gateway.chat("priced").status == 200


def test_a_blocked_model_leads_to_its_fallback(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    config = gateway_config(
        *models(upstream.base_url),
        pricing={"unknown": "block"},
        router_settings={"fallbacks": [{"unknown": ["priced"]}]},
    )

    assert told(start_gateway(config), "unknown")[1] == "priced"


def test_a_model_of_unknown_price_can_be_charged_at_a_ceiling(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    pricing = {"unknown": "ceiling", "ceiling": {"input": 6e-5, "output": 2.5e-4}}
    gateway = start_gateway(gateway_config(*models(upstream.base_url), pricing=pricing))
    upstream.then(replies.reply(body(USAGE)))

    # 2006 * 60000 + 300 * 250000 nano-dollars
    assert told(gateway, "unknown") == ("0.19536", "ceiling")


def test_a_translated_reply_costs_what_its_provider_says(
    paying: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    upstream.then(replies.reply(body(USAGE)))
    asked = {"model": "priced", "max_tokens": 400, "messages": chat_body("priced")["messages"]}

    response = paying.post("/v1/messages", json.dumps(asked).encode())

    assert (response.header(COST), response.header(STATUS)) == ("0.005615", "priced")
