"""Limits and budgets over real sockets: exact over all workers, all or none, and nothing stays held."""

import asyncio
import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from tests.conftest import APP_KEY, StartGateway, deployment, gateway_config
from tests.gateway_process import GatewayProcess, chat_body, post_bytes, wait_until
from tests.integration.test_costs import USAGE, body
from tests.upstreams import faults, replies
from tests.upstreams.scripted import Exchange, Script, ScriptedUpstream

PATH = "/v1/chat/completions"
PRICES = {"input_cost_per_token": 2.5e-6, "output_cost_per_token": 1e-5}
HELD = {"max_tokens": 100}
"""Holds a little more than 0.001 dollars."""


def config(
    upstream: ScriptedUpstream, *, key: dict[str, Any] | None = None, **sections: Any
) -> dict[str, Any]:
    """A configuration with a dear and a cheap model, and one key with these rules."""
    plain = {**deployment("plain", upstream.base_url), "model_info": PRICES}
    cheap = {**deployment("cheap", upstream.base_url, "openai/cheap"), "model_info": PRICES}
    app = {"alias": "app", "key": "env:APP_KEY", **(key or {})}
    return gateway_config(plain, cheap, keys=[app], **sections)


def budget(**fields: Any) -> dict[str, Any]:
    """A key with one budget."""
    return {"budgets": [{"name": "all", "amount": "0.0015", "window": "total", **fields}]}


def limit(**fields: Any) -> dict[str, Any]:
    """A key with one limit."""
    return {"limits": [fields]}


def chat(gateway: GatewayProcess, model: str = "plain", **fields: Any) -> Any:
    """One chat of the key."""
    return gateway.chat(model, APP_KEY, **(HELD | fields))


def costing() -> Script:
    """A reply that costs 0.008015 dollars: 2006 tokens of input and 300 of output."""
    return replies.reply(body({**USAGE, "prompt_tokens_details": None}))


# ── budgets ─────────────────────────────────────────────────────────────────────────────────────


def test_of_twenty_requests_at_once_on_a_budget_of_one_exactly_one_passes(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    gateway = start_gateway(config(upstream, key=budget()), workers=4)
    gate = upstream.gate()

    async def held_back(exchange: Exchange) -> None:
        await gate.wait()
        await replies.answer_chat(exchange)

    upstream.always(held_back)
    with ThreadPoolExecutor(20) as pool:
        asked = [pool.submit(chat, gateway) for _ in range(20)]
        wait_until(lambda: sum(one.done() for one in asked) == 19, "all but one are refused")
        gate.open()

    assert Counter(one.result().status for one in asked) == {200: 1, 429: 19}
    assert len(upstream.requests) == 1


def test_a_spent_budget_refuses_and_says_whose_it_is(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    gateway = start_gateway(config(upstream, key=budget(window="month")))
    upstream.then(costing())
    assert chat(gateway).status == 200

    refused = chat(gateway)

    assert refused.status == 429
    assert refused.error() == {
        "message": "The key's budget of 0.0015 dollars a month does not cover this request.",
        "type": "insufficient_quota",
        "param": None,
        "code": "budget_exceeded",
    }
    assert refused.header("x-should-retry") == "false"
    assert int(refused.header("retry-after") or 0) > 0
    assert gateway.metrics()['llmgw_budget_requests_total{action="block"}'] == 1


def test_what_was_held_is_given_back_when_a_request_fails(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    gateway = start_gateway(config(upstream, key=budget()))
    upstream.then(*[replies.failing(400)] * 5, *[faults.reset_before_head] * 5)

    statuses = [chat(gateway).status for _ in range(10)]

    assert 429 not in statuses
    assert chat(gateway).status == 200


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_what_a_client_held_that_left_is_settled(
    start_gateway: StartGateway, upstream: ScriptedUpstream, stream: bool
) -> None:
    gateway = start_gateway(config(upstream, key=budget()))
    upstream.then(faults.never_answer)
    with gateway.connect() as client:
        client.send(post_bytes(PATH, chat_body("plain", stream=stream, **HELD), APP_KEY))
        upstream.only_request()
        assert chat(gateway).status == 429

    wait_until(lambda: chat(gateway).status == 200, "the budget is free again")


def test_a_model_that_costs_nothing_is_served_from_a_spent_budget(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    settings = config(upstream, key=budget())
    free = {"input_cost_per_token": 0.0, "output_cost_per_token": 0.0}
    settings["model_list"].append({**deployment("free", upstream.base_url), "model_info": free})
    gateway = start_gateway(settings)
    upstream.then(costing())
    chat(gateway)

    assert chat(gateway, "free").status == 200
    assert chat(gateway).status == 429


def test_a_budget_that_alerts_refuses_nothing_and_tells_each_threshold_once(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    rule = budget(amount=0.01, soft=[500], action="alert", window="day")
    gateway = start_gateway(config(upstream, key=rule), workers=2)
    upstream.always(costing())

    assert {chat(gateway).status for _ in range(10)} == {200}

    lines = [line for line in gateway.log().splitlines() if "a budget passed a threshold" in line]
    assert len(lines) == 2
    assert '"threshold":"50.0%"' in lines[0]
    assert '"threshold":"100.0%"' in lines[1]
    metrics = gateway.metrics()
    assert metrics['llmgw_budget_thresholds_total{threshold="soft"}'] == 1
    assert metrics['llmgw_budget_thresholds_total{threshold="amount"}'] == 1


def test_a_budget_that_throttles_slows_its_key_down(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    throttle = {"of": "requests", "amount": 2, "per": "day"}
    rule = budget(amount=0.02, soft=[500], action="throttle", throttle=throttle)
    gateway = start_gateway(config(upstream, key=rule))
    upstream.then(costing(), costing())

    statuses = [chat(gateway).status for _ in range(6)]

    assert statuses == [200, 200, 200, 200, 429, 429]
    assert "requests per day" in chat(gateway).error()["message"]


def test_a_budget_that_downgrades_sends_requests_to_the_other_group(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    rule = budget(action="downgrade", downgrade_to="cheap", model="plain")
    gateway = start_gateway(config(upstream, key=rule))
    upstream.then(costing())
    first, second = chat(gateway), chat(gateway)

    assert (first.header("x-llmgw-model-group"), first.header("x-llmgw-downgraded")) == ("plain", None)
    assert (second.status, second.header("x-llmgw-model-group")) == (200, "cheap")
    assert second.header("x-llmgw-downgraded") == "plain"
    assert [request.json()["model"] for request in upstream.requests] == ["routed", "cheap"]
    assert gateway.metrics()['llmgw_budget_requests_total{action="downgrade"}'] == 1


def test_a_rolling_budget_is_free_again_when_its_window_has_passed(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    gateway = start_gateway(config(upstream, key=budget(window={"rolling": 2})))
    upstream.then(costing())
    chat(gateway)
    assert chat(gateway).status == 429

    wait_until(lambda: chat(gateway).status == 200, "the window has passed", timeout=10)


# ── limits ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("rule", "passed"),
    [
        ({"of": "requests", "amount": 3, "per": "hour"}, 3),
        ({"of": "requests", "amount": 100, "per": "day", "burst": 2}, 2),
        ({"of": "tokens", "amount": 4650, "per": "day"}, 2),
        ({"of": "input_tokens", "amount": 4010, "per": "day"}, 2),
        ({"of": "output_tokens", "amount": 650, "per": "hour"}, 2),
        ({"of": "bytes", "amount": 1000, "per": "day"}, 2),
        ({"of": "cost", "amount": "0.0165", "per": "day"}, 2),
    ],
    ids=lambda value: value["of"] if isinstance(value, dict) else "",
)
def test_each_kind_of_limit_settles_to_what_was_used(
    start_gateway: StartGateway, upstream: ScriptedUpstream, rule: dict[str, Any], passed: int
) -> None:
    gateway = start_gateway(config(upstream, key=limit(**rule)), workers=2)
    upstream.always(costing())

    statuses = [chat(gateway).status for _ in range(6)]

    allowed = statuses.count(200)
    assert statuses == [200] * allowed + [429] * (6 - allowed)
    assert allowed == passed


def test_a_limit_admits_exactly_its_amount_over_four_workers_and_many_connections(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    gateway = start_gateway(config(upstream, key=limit(of="requests", amount=100, per="day")), workers=4)

    with ThreadPoolExecutor(64) as pool:
        statuses = Counter(pool.map(lambda _: chat(gateway).status, range(320)))

    assert statuses == {200: 100, 429: 220}
    assert len(upstream.requests) == 100


def test_a_limit_for_every_address_holds_over_all_keys(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    rule = {"by": "ip", "match": "127.*", "of": "requests", "amount": 3, "per": "day"}
    gateway = start_gateway(config(upstream, limits=[rule]))

    statuses = [gateway.chat("plain", key).status for key in (APP_KEY, APP_KEY)]
    statuses += [gateway.chat("plain").status for _ in range(2)]

    assert statuses == [200, 200, 200, 429]
    assert "The address's limit of 3 requests per day" in chat(gateway).error()["message"]


def test_a_limit_of_a_model_holds_for_that_model_alone(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    rule = {"by": "model", "match": "pl*", "of": "requests", "amount": 1, "per": "day"}
    gateway = start_gateway(config(upstream, limits=[rule]))

    assert [chat(gateway, model).status for model in ("plain", "plain", "cheap")] == [200, 429, 200]


# ── requests at the same time ───────────────────────────────────────────────────────────────────


@contextmanager
def asking(gateway: GatewayProcess, count: int) -> Iterator[None]:
    """So many requests under way, whose clients leave in the end."""
    with ExitStack() as open_clients:
        for _ in range(count):
            client = open_clients.enter_context(gateway.connect())
            client.send(post_bytes(PATH, chat_body("plain", **HELD), APP_KEY))
        yield


def test_no_more_are_in_hand_than_a_key_may_have(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    gateway = start_gateway(config(upstream, key=limit(of="concurrent", amount=3)), workers=4)
    upstream.then(*[faults.never_answer] * 3)
    with asking(gateway, 3):
        upstream.wait_for_requests(3)
        refused = [chat(gateway) for _ in range(8)]

    assert {response.status for response in refused} == {429}
    assert refused[0].header("retry-after") == "1"
    assert refused[0].header("x-should-retry") == "true"
    wait_until(lambda: chat(gateway).status == 200, "the places are free again")


def test_the_places_of_a_killed_worker_are_free(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    gateway = start_gateway(config(upstream, key=limit(of="concurrent", amount=2)), workers=2)
    upstream.then(*[faults.never_answer] * 2)
    with asking(gateway, 2):
        upstream.wait_for_requests(2)
        assert chat(gateway).status == 429
        victims = set(gateway.worker_pids())
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: _are_new(gateway, victims), "other workers take their places")

        assert [chat(gateway).status for _ in range(4)] == [200] * 4


def _are_new(gateway: GatewayProcess, victims: set[int]) -> bool:
    try:
        return gateway.is_ready() and not victims & set(gateway.worker_pids())
    except OSError:
        return False


def test_under_load_never_more_are_in_hand_than_may_be(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    gateway = start_gateway(config(upstream, key=limit(of="concurrent", amount=5)), workers=4)
    lock, inside, highest = threading.Lock(), 0, 0

    async def counted(exchange: Exchange) -> None:
        nonlocal inside, highest
        with lock:
            inside += 1
            highest = max(highest, inside)
        try:
            await exchange.read_body()
            await asyncio.sleep(0.01)
        finally:
            with lock:
                inside -= 1
        await exchange.send(replies.message(replies.CHAT_BODY, 200, "application/json"))

    upstream.always(counted)
    with ThreadPoolExecutor(32) as pool:
        statuses = Counter(pool.map(lambda _: chat(gateway).status, range(400)))

    assert set(statuses) <= {200, 429}
    assert highest <= 5
    assert [chat(gateway).status for _ in range(10)] == [200] * 10
