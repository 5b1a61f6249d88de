"""Who goes first where not all can: by priority, then in fair shares; who is shed to spare an upstream."""

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from tests.conftest import APP_KEY, StartGateway, deployment, gateway_config
from tests.gateway_process import GatewayProcess, wait_until
from tests.upstreams import replies
from tests.upstreams.scripted import Exchange, Gate, ScriptedUpstream

OTHER_KEY = "test-other-key-0123456789"
LOW_KEY = "test-low-key-0123456789"
HIGH_KEY = "test-high-key-0123456789"
ENVIRONMENT = {"OTHER_KEY": OTHER_KEY, "LOW_KEY": LOW_KEY, "HIGH_KEY": HIGH_KEY}
KEYS = [
    {"alias": "app", "key": "env:APP_KEY"},
    {"alias": "other", "key": "env:OTHER_KEY"},
    {"alias": "low", "key": "env:LOW_KEY", "priority": "low"},
    {"alias": "high", "key": "env:HIGH_KEY", "priority": "high"},
]


class Turnstile:
    """Holds every request back at the upstream, and lets them go one at a time, by who sent them."""

    def __init__(self, upstream: ScriptedUpstream) -> None:
        self._upstream = upstream
        self._gates: dict[str, Gate] = {}
        self.came: list[str] = []
        self.inside = 0
        self.most = 0
        upstream.always(self._hold)

    async def _hold(self, exchange: Exchange) -> None:
        await exchange.read_body()
        name = exchange.request.json()["user"]
        gate = self._gates[name] = self._upstream.gate()
        self.inside += 1
        self.most = max(self.most, self.inside)
        self.came.append(name)
        await gate.wait()
        self.inside -= 1
        await exchange.send(replies.message(replies.CHAT_BODY, 200, "application/json"))

    def wait_for(self, count: int) -> list[str]:
        """Wait until so many have come, and tell which."""
        wait_until(lambda: len(self.came) >= count, f"{count} requests at the upstream")
        return self.came[:count]

    def let_go(self, name: str) -> None:
        """Answer this one."""
        self._gates[name].open()


@pytest.fixture
def pool() -> Any:
    """Threads to ask from."""
    with ThreadPoolExecutor(16) as threads:
        yield threads


def narrow(
    start_gateway: StartGateway, upstream: ScriptedUpstream, most: int, workers: int = 2
) -> GatewayProcess:
    """A gateway in front of a deployment that takes so many requests at a time."""
    plain = deployment("plain", upstream.base_url, max_parallel_requests=most)
    return start_gateway(gateway_config(plain, keys=KEYS), workers=workers, env=ENVIRONMENT)


def ask(pool: ThreadPoolExecutor, gateway: GatewayProcess, name: str, key: str = APP_KEY) -> Future[Any]:
    """Ask under a name by which the upstream knows it."""
    return pool.submit(gateway.chat, "plain", key, user=name)


def test_requests_wait_for_a_place_and_no_more_are_sent_than_a_deployment_takes(
    start_gateway: StartGateway, upstream: ScriptedUpstream, pool: ThreadPoolExecutor
) -> None:
    gateway, turnstile = narrow(start_gateway, upstream, 2, workers=4), Turnstile(upstream)
    asked = [ask(pool, gateway, f"request {index}") for index in range(6)]

    for done in range(6):
        turnstile.let_go(turnstile.wait_for(done + 1)[done])

    assert [one.result().status for one in asked] == [200] * 6
    assert turnstile.most == 2


def test_low_priority_does_not_wait(
    start_gateway: StartGateway, upstream: ScriptedUpstream, pool: ThreadPoolExecutor
) -> None:
    gateway, turnstile = narrow(start_gateway, upstream, 1), Turnstile(upstream)
    first = ask(pool, gateway, "first")
    turnstile.wait_for(1)

    refused = gateway.chat("plain", LOW_KEY, user="low")

    assert (refused.status, refused.error()["code"]) == (429, "rate_limit_exceeded")
    assert refused.header("retry-after") == "1"
    turnstile.let_go("first")
    assert first.result().status == 200


def test_high_priority_goes_before_those_that_wait_longer(
    start_gateway: StartGateway, upstream: ScriptedUpstream, pool: ThreadPoolExecutor
) -> None:
    gateway, turnstile = narrow(start_gateway, upstream, 1), Turnstile(upstream)
    asked = [ask(pool, gateway, "first")]
    turnstile.wait_for(1)
    asked += [ask(pool, gateway, f"normal {index}", OTHER_KEY) for index in range(3)]
    _wait_for_waiting(gateway, 4)
    asked.append(ask(pool, gateway, "high", HIGH_KEY))
    _wait_for_waiting(gateway, 5)

    turnstile.let_go("first")

    assert turnstile.wait_for(2)[1] == "high"
    _finish(turnstile, asked)


def test_a_free_place_goes_to_whoever_has_the_fewest(
    start_gateway: StartGateway, upstream: ScriptedUpstream, pool: ThreadPoolExecutor
) -> None:
    gateway, turnstile = narrow(start_gateway, upstream, 4), Turnstile(upstream)
    asked = [ask(pool, gateway, f"greedy {index}") for index in range(8)]
    turnstile.wait_for(4)
    _wait_for_waiting(gateway, 8)
    asked += [ask(pool, gateway, f"modest {index}", OTHER_KEY) for index in range(2)]
    _wait_for_waiting(gateway, 10)

    for place in range(2):
        turnstile.let_go(turnstile.came[place])
        assert turnstile.wait_for(5 + place)[4 + place].startswith("modest")

    _finish(turnstile, asked)


def _wait_for_waiting(gateway: GatewayProcess, count: int) -> None:
    wait_until(
        lambda: gateway.metrics()["llmgw_in_flight_requests"] >= count, f"{count} requests in the gateway"
    )


def _finish(turnstile: Turnstile, asked: list[Future[Any]]) -> None:
    for done in range(len(asked)):
        turnstile.let_go(turnstile.wait_for(done + 1)[done])
    assert {one.result().status for one in asked} == {200}


# ── limits of upstreams ─────────────────────────────────────────────────────────────────────────


def near(left: int) -> Any:
    """A reply of an upstream that has so many of 100 requests left."""
    told = [
        ("x-ratelimit-limit-requests", "100"),
        ("x-ratelimit-remaining-requests", str(left)),
        ("x-ratelimit-reset-requests", "20s"),
    ]
    return replies.reply(headers=told)


def test_low_priority_is_shed_when_an_upstream_is_near_its_limit(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    settings = gateway_config(deployment("plain", upstream.base_url), keys=KEYS)
    gateway = start_gateway(settings, workers=2, env=ENVIRONMENT)
    upstream.then(near(50), near(5))
    assert [gateway.chat("plain", LOW_KEY).status for _ in range(2)] == [200, 200]

    refused = gateway.chat("plain", LOW_KEY)

    assert refused.status == 429
    assert 0 < int(refused.header("retry-after") or 0) <= 20
    assert [gateway.chat("plain", key).status for key in (APP_KEY, HIGH_KEY)] == [200, 200]


def test_low_priority_falls_back_rather_than_being_shed(
    start_gateway: StartGateway, upstream: ScriptedUpstream, other_upstream: ScriptedUpstream
) -> None:
    settings = gateway_config(
        deployment("plain", upstream.base_url),
        deployment("second", other_upstream.base_url),
        keys=KEYS,
        router_settings={"fallbacks": [{"plain": ["second"]}]},
    )
    gateway = start_gateway(settings, env=ENVIRONMENT)
    upstream.then(near(0))
    gateway.chat("plain", HIGH_KEY)

    assert gateway.chat("plain", LOW_KEY).status == 200
    assert len(other_upstream.requests) == 1
