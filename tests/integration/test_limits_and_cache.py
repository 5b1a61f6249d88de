"""Rate limits hold across workers; the cache repeats an answer byte for byte, and only where it may."""

from typing import Any

import pytest

from tests.conftest import APP_KEY, StartGateway, deployment, gateway_config
from tests.gateway_process import JSON_TYPE, GatewayProcess, chat_body
from tests.upstreams import replies
from tests.upstreams.scripted import ScriptedUpstream

PATH = "/v1/chat/completions"


def limited_gateway(start_gateway: StartGateway, upstream: ScriptedUpstream, rpm: int) -> GatewayProcess:
    key = {"alias": "app", "key": "env:APP_KEY", "models": ["plain"], "rpm_limit": rpm}
    return start_gateway(gateway_config(deployment("plain", upstream.base_url), keys=[key]), workers=2)


def test_two_workers_admit_exactly_the_limit(start_gateway: StartGateway, upstream: ScriptedUpstream) -> None:
    gateway = limited_gateway(start_gateway, upstream, rpm=5)

    statuses = [gateway.chat("plain", APP_KEY).status for _ in range(12)]

    assert statuses == [200] * 5 + [429] * 7
    assert len(upstream.requests) == 5


def test_an_exhausted_key_is_told_when_to_come_back(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    gateway = limited_gateway(start_gateway, upstream, rpm=1)
    first = gateway.chat("plain", APP_KEY)
    refused = gateway.chat("plain", APP_KEY)

    assert first.header("x-ratelimit-limit-requests") == "1"
    assert first.header("x-ratelimit-remaining-requests") == "0"
    assert refused.error()["code"] == "rate_limit_exceeded"
    assert 0 < int(refused.header("retry-after") or 0) <= 60
    assert 0 < int(refused.header("retry-after-ms") or 0) <= 60_000


def test_the_master_key_is_not_limited_by_anothers_limit(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    gateway = limited_gateway(start_gateway, upstream, rpm=1)
    gateway.chat("plain", APP_KEY)

    assert gateway.chat("plain").status == 200


# ── cache ───────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def caching_gateway(start_gateway: StartGateway, upstream: ScriptedUpstream) -> GatewayProcess:
    return start_gateway(
        gateway_config(
            deployment("plain", upstream.base_url),
            deployment("second", upstream.base_url),
            cache={"ttl": 60, "max_bytes": 10_000_000},
        )
    )


def test_the_same_question_is_answered_from_the_cache_with_the_same_bytes(
    caching_gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    first, second = (caching_gateway.chat("plain", temperature=0) for _ in range(2))

    assert (first.header("x-llmgw-cache"), second.header("x-llmgw-cache")) == ("miss", "hit")
    assert first.body == second.body == replies.CHAT_BODY
    assert first.header("content-type") == second.header("content-type")
    assert first.header("x-request-id") != second.header("x-request-id")
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("difference", [{"temperature": 1}, {"seed": 7}, {"x_unknown": 1}, {"n": 2}])
def test_a_different_question_is_not(
    caching_gateway: GatewayProcess, upstream: ScriptedUpstream, difference: dict[str, Any]
) -> None:
    caching_gateway.chat("plain", temperature=0)

    response = caching_gateway.post(PATH, chat_body("plain", temperature=0) | difference)

    assert response.header("x-llmgw-cache") == "miss"
    assert len(upstream.requests) == 2


def test_another_model_or_endpoint_is_another_question(
    caching_gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    body = chat_body("plain", temperature=0)
    caching_gateway.post(PATH, body)

    caching_gateway.post(PATH, body | {"model": "second"})
    caching_gateway.post("/v1/completions", body)

    assert len(upstream.requests) == 3


def test_a_cached_answer_is_no_way_round_the_keys_list(
    caching_gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    caching_gateway.chat("second", temperature=0)

    assert caching_gateway.chat("second", APP_KEY, temperature=0).status == 403


def test_a_cached_answer_is_not_shared_between_keys(
    caching_gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    caching_gateway.chat("plain", temperature=0)

    assert caching_gateway.chat("plain", APP_KEY, temperature=0).header("x-llmgw-cache") == "miss"


@pytest.mark.parametrize("value", ["no-cache", "no-store"])
def test_a_client_may_go_round_the_cache(
    caching_gateway: GatewayProcess, upstream: ScriptedUpstream, value: str
) -> None:
    body = chat_body("plain", temperature=0)
    caching_gateway.post(PATH, body)

    response = caching_gateway.post(PATH, body, headers=[JSON_TYPE, ("Cache-Control", value)])

    assert response.header("x-llmgw-cache") == "bypass"
    assert len(upstream.requests) == 2


def test_an_error_is_not_kept(caching_gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    upstream.then(replies.failing(400))
    caching_gateway.chat("plain", temperature=0)

    assert caching_gateway.chat("plain", temperature=0).status == 200
