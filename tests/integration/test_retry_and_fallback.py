"""Retries, fallbacks and cooldowns: when the gateway tries again, where, and when it must not."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from tests.conftest import KEYS_ENVIRONMENT, StartGateway, deployment, gateway_config
from tests.gateway_process import GatewayProcess, wait_until
from tests.upstreams import faults, replies
from tests.upstreams.scripted import Script, ScriptedUpstream

RETRIES = 2


@pytest.fixture(scope="module")
def resilient_gateway(
    tmp_path_factory: pytest.TempPathFactory,
    upstream_servers: tuple[ScriptedUpstream, ScriptedUpstream],
) -> Iterator[GatewayProcess]:
    """Retries twice, falls back from `alone` to `spare`, never rests a deployment."""
    first, second = (each.base_url for each in upstream_servers)
    config = gateway_config(
        deployment("alone", first),
        deployment("impatient", first, timeout=1),
        deployment("pair", first, order=1),
        deployment("pair", second, order=2),
        deployment("backed", first),
        deployment("spare", second),
        router_settings={
            "num_retries": RETRIES,
            "retry_after": 0.01,
            "fallbacks": [{"backed": ["spare"]}],
            "context_window_fallbacks": [{"backed": ["spare"]}],
        },
    )
    with GatewayProcess(tmp_path_factory.mktemp("resilient"), config, env=KEYS_ENVIRONMENT) as gateway:
        yield gateway


@pytest.fixture
def gateway(
    resilient_gateway: GatewayProcess, upstream: ScriptedUpstream, other_upstream: ScriptedUpstream
) -> GatewayProcess:
    resilient_gateway.assert_running()
    return resilient_gateway


# ── retries ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "fault",
    [
        replies.failing(500),
        replies.failing(503),
        faults.reset_before_head,
        faults.close_before_head,
        faults.garbage,
        faults.html_with_status_502,
    ],
    ids=["500", "503", "reset", "close", "garbage", "html"],
)
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_a_passing_fault_is_hidden_by_a_retry(
    gateway: GatewayProcess, upstream: ScriptedUpstream, fault: Script, stream: bool
) -> None:
    upstream.then(fault)

    response = gateway.chat("alone", stream=stream)

    assert response.status == 200
    assert response.body == (b"".join(replies.chat_events()) if stream else replies.CHAT_BODY)
    assert response.header("x-llmgw-attempts") == "2"
    assert len(upstream.requests) == 2


def test_a_silent_upstream_is_tried_again(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    upstream.then(faults.never_answer)

    response = gateway.chat("impatient")

    assert (response.status, response.header("x-llmgw-attempts")) == (200, "2")


def test_every_attempt_sends_the_same_bytes(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    upstream.then(replies.failing(500), faults.reset_before_head)

    gateway.post("/v1/chat/completions", b'{ "messages":[],"x":[1.50],"model":"alone"}')

    assert [each.body for each in upstream.requests] == [b'{ "messages":[],"x":[1.50],"model":"routed"}'] * 3


def test_retries_end_and_the_last_failure_is_told(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    upstream.always(replies.failing(503))

    response = gateway.chat("alone")

    assert (response.status, response.error()["code"]) == (503, "upstream_overloaded")
    assert len(upstream.requests) == 1 + RETRIES
    assert response.header("x-llmgw-attempts") == str(1 + RETRIES)
    assert response.header("x-should-retry") == "false"


@pytest.mark.parametrize("status", [400, 401, 404, 422])
def test_what_would_fail_again_is_not_tried_again(
    gateway: GatewayProcess, upstream: ScriptedUpstream, status: int
) -> None:
    upstream.always(replies.failing(status))

    gateway.chat("alone")

    assert len(upstream.requests) == 1


def test_a_stream_cut_after_its_first_event_is_not_tried_again(
    gateway: GatewayProcess, upstream: ScriptedUpstream, other_upstream: ScriptedUpstream
) -> None:
    upstream.then(faults.cut_stream(replies.chat_events()[:1], how="reset"))

    response = gateway.chat("backed", stream=True)

    assert b'"error"' in response.body
    assert (len(upstream.requests), len(other_upstream.requests)) == (1, 0)


# ── Retry-After ─────────────────────────────────────────────────────────────────────────────────


def gap_between_attempts(upstream: ScriptedUpstream) -> float:
    first, second = upstream.requests[:2]
    return second.arrived_at - first.arrived_at


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_in_seconds_is_waited_for(
    gateway: GatewayProcess, upstream: ScriptedUpstream, status: int
) -> None:
    upstream.then(replies.failing(status, [("retry-after", "1")]))

    assert gateway.chat("alone").status == 200
    assert gap_between_attempts(upstream) >= 1.0


def test_retry_after_in_milliseconds_is_waited_for(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    upstream.then(replies.failing(429, [("retry-after-ms", "900")]))

    assert gateway.chat("alone").status == 200
    assert gap_between_attempts(upstream) >= 0.9


def test_retry_after_as_a_date_is_waited_for(gateway: GatewayProcess, upstream: ScriptedUpstream) -> None:
    in_two_seconds = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    upstream.then(replies.failing(429, [("retry-after", in_two_seconds)]))

    assert gateway.chat("alone").status == 200
    assert gap_between_attempts(upstream) >= 0.9  # a date has whole seconds


@pytest.mark.parametrize("value", ["soon", "-5", "1e999", "Mon, 99 Foo 2026 00:00:00 GMT", ""])
def test_a_retry_after_that_makes_no_sense_does_no_harm(
    gateway: GatewayProcess, upstream: ScriptedUpstream, value: str
) -> None:
    upstream.then(replies.failing(429, [("retry-after", value)]))

    assert gateway.chat("alone").status == 200


def test_an_hour_is_not_waited_for_but_told_to_the_client(
    gateway: GatewayProcess, upstream: ScriptedUpstream
) -> None:
    upstream.always(replies.failing(429, [("retry-after", "3600")]))

    response = gateway.chat("alone")

    assert (response.status, response.header("retry-after")) == (429, "3600")


# ── other deployments, other groups ─────────────────────────────────────────────────────────────


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_retry_goes_to_the_groups_other_deployment(
    gateway: GatewayProcess, upstream: ScriptedUpstream, other_upstream: ScriptedUpstream, status: int
) -> None:
    upstream.always(replies.failing(status))

    response = gateway.chat("pair")

    assert response.status == 200
    assert len(other_upstream.requests) == 1


def test_a_failing_group_falls_back_to_the_next(
    gateway: GatewayProcess, upstream: ScriptedUpstream, other_upstream: ScriptedUpstream
) -> None:
    upstream.always(replies.failing(500))

    response = gateway.chat("backed", stream=True)

    assert response.body == b"".join(replies.chat_events())
    assert len(upstream.requests) == 1 + RETRIES
    assert response.header("x-llmgw-attempts") == str(2 + RETRIES)
    assert len(other_upstream.requests) == 1


def test_a_refused_credential_falls_back_without_a_retry(
    gateway: GatewayProcess, upstream: ScriptedUpstream, other_upstream: ScriptedUpstream
) -> None:
    upstream.always(replies.failing(401))

    assert gateway.chat("backed").status == 200
    assert (len(upstream.requests), len(other_upstream.requests)) == (1, 1)


def test_a_rejected_request_does_not_fall_back(
    gateway: GatewayProcess, upstream: ScriptedUpstream, other_upstream: ScriptedUpstream
) -> None:
    upstream.always(replies.failing(400))

    assert gateway.chat("backed").status == 400
    assert len(other_upstream.requests) == 0


def test_a_prompt_too_long_for_one_model_goes_to_a_larger_one(
    gateway: GatewayProcess, upstream: ScriptedUpstream, other_upstream: ScriptedUpstream
) -> None:
    upstream.then(replies.reply(replies.error_body("too long", "context_length_exceeded"), 400))

    assert gateway.chat("backed").status == 200
    assert (len(upstream.requests), len(other_upstream.requests)) == (1, 1)


def test_the_deployment_that_served_is_named(
    gateway: GatewayProcess, upstream: ScriptedUpstream, other_upstream: ScriptedUpstream
) -> None:
    usual = gateway.chat("backed").header("x-llmgw-deployment")
    upstream.always(replies.failing(500))
    spare = gateway.chat("backed").header("x-llmgw-deployment")

    assert usual and spare and usual != spare


# ── cooldown ────────────────────────────────────────────────────────────────────────────────────


def resting_gateway(
    start_gateway: StartGateway, upstream: ScriptedUpstream, other: ScriptedUpstream, cooldown: float
) -> GatewayProcess:
    return start_gateway(
        gateway_config(
            deployment("pair", upstream.base_url),
            deployment("pair", other.base_url),
            deployment("alone", upstream.base_url),
            deployment("backed", upstream.base_url),
            deployment("spare", other.base_url),
            router_settings={
                "num_retries": 2,
                "retry_after": 0.01,
                "allowed_fails": 2,
                "cooldown_time": cooldown,
                "fallbacks": [{"backed": ["spare"]}],
            },
        )
    )


def test_a_failing_deployment_rests(
    start_gateway: StartGateway, upstream: ScriptedUpstream, other_upstream: ScriptedUpstream
) -> None:
    gateway = resting_gateway(start_gateway, upstream, other_upstream, cooldown=600)
    upstream.always(replies.failing(500))
    first = {gateway.chat("pair").status for _ in range(30)}
    tried = len(upstream.requests)

    later = {gateway.chat("pair").status for _ in range(30)}

    assert first == later == {200}
    assert 0 < tried <= 4
    assert len(upstream.requests) == tried


def test_a_rested_deployment_is_used_again(
    start_gateway: StartGateway, upstream: ScriptedUpstream, other_upstream: ScriptedUpstream
) -> None:
    gateway = resting_gateway(start_gateway, upstream, other_upstream, cooldown=1)
    upstream.always(replies.failing(500))
    for _ in range(30):
        gateway.chat("pair")
    upstream.always(replies.reply())
    tried = len(upstream.requests)

    def used_again() -> bool:
        return gateway.chat("pair").status == 200 and len(upstream.requests) > tried

    wait_until(used_again, "the rested deployment gets requests again")


def test_a_group_that_rests_as_a_whole_is_tried_all_the_same(
    start_gateway: StartGateway, upstream: ScriptedUpstream, other_upstream: ScriptedUpstream
) -> None:
    gateway = resting_gateway(start_gateway, upstream, other_upstream, cooldown=600)
    upstream.always(replies.failing(500))
    for _ in range(5):
        gateway.chat("alone")

    upstream.always(replies.reply())

    assert gateway.chat("alone").status == 200


def test_a_group_that_rests_as_a_whole_leaves_the_request_to_its_fallback(
    start_gateway: StartGateway, upstream: ScriptedUpstream, other_upstream: ScriptedUpstream
) -> None:
    gateway = resting_gateway(start_gateway, upstream, other_upstream, cooldown=600)
    upstream.always(replies.failing(500))
    for _ in range(5):
        gateway.chat("backed")
    tried = len(upstream.requests)

    response = gateway.chat("backed")

    assert (response.status, response.header("x-llmgw-attempts")) == (200, "1")
    assert len(upstream.requests) == tried


def test_a_rejected_request_rests_nobody(
    start_gateway: StartGateway, upstream: ScriptedUpstream, other_upstream: ScriptedUpstream
) -> None:
    gateway = resting_gateway(start_gateway, upstream, other_upstream, cooldown=600)
    upstream.then(*[replies.failing(400)] * 10)
    for _ in range(10):
        gateway.chat("alone")

    assert gateway.chat("alone").status == 200
