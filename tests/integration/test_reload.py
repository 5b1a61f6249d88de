"""A changed configuration reaches every worker whole, or not at all."""

import os
import signal
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import APP_KEY, StartGateway, deployment, gateway_config
from tests.gateway_process import GatewayProcess, chat_body, post_bytes, wait_until
from tests.integration.load import WHOLE, Load
from tests.upstreams import replies
from tests.upstreams.scripted import ScriptedUpstream

RELOADED = "llmgw_config_last_reload_successful"
ENOUGH_FOR_ALL_WORKERS = 40

BAD_FILES = {
    "not YAML": "model_list: [",
    "an unknown key": "model_lists: []\n",
    "a wrong type": "model_list: 7\n",
    "an unknown secret": "model_list: []\nkeys: [{alias: a, key: env:NOT_SET_ANYWHERE}]\n",
    "empty": "",
}


def config_for(upstream: ScriptedUpstream, routed: str) -> dict[str, Any]:
    return gateway_config(deployment("plain", upstream.base_url, f"openai/{routed}"))


def two_workers(start_gateway: StartGateway, upstream: ScriptedUpstream) -> GatewayProcess:
    return start_gateway(config_for(upstream, "old"), workers=2)


def routed_models(gateway: GatewayProcess, upstream: ScriptedUpstream, count: int) -> Counter[str]:
    """Send chats on new connections, so that all workers get some; what model each was sent to."""
    upstream.forget()
    statuses = {gateway.chat("plain").status for _ in range(count)}
    assert statuses == {200}
    return Counter(each.json()["model"] for each in upstream.requests)


def with_signal(gateway: GatewayProcess) -> None:
    gateway.signal(signal.SIGHUP)


def by_watching(gateway: GatewayProcess) -> None:
    """The changed file alone is enough."""


@pytest.mark.parametrize("trigger", [with_signal, by_watching], ids=["SIGHUP", "changed file"])
def test_a_new_configuration_reaches_all_workers_and_stays(
    start_gateway: StartGateway, upstream: ScriptedUpstream, trigger: Callable[[GatewayProcess], None]
) -> None:
    gateway = two_workers(start_gateway, upstream)
    assert set(routed_models(gateway, upstream, ENOUGH_FOR_ALL_WORKERS)) == {"old"}

    gateway.write_config(config_for(upstream, "new"))
    trigger(gateway)

    seen: Counter[str] = Counter()

    def only_new() -> bool:
        models = routed_models(gateway, upstream, ENOUGH_FOR_ALL_WORKERS)
        seen.update(models)
        return set(models) == {"new"}

    wait_until(only_new, "all workers use the new configuration")
    assert set(seen) <= {"old", "new"}
    assert set(routed_models(gateway, upstream, 5 * ENOUGH_FOR_ALL_WORKERS)) == {"new"}
    assert gateway.metrics()[RELOADED] == 1


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_never_replaces_a_good_configuration(
    start_gateway: StartGateway, upstream: ScriptedUpstream, name: str
) -> None:
    gateway = two_workers(start_gateway, upstream)

    gateway.write_config(BAD_FILES[name])
    gateway.signal(signal.SIGHUP)

    wait_until(lambda: gateway.metrics()[RELOADED] == 0, "the metrics tell of the failure", timeout=20)
    assert set(routed_models(gateway, upstream, ENOUGH_FOR_ALL_WORKERS)) == {"old"}


def test_a_good_file_after_a_bad_one_is_taken(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    gateway = two_workers(start_gateway, upstream)
    gateway.write_config(BAD_FILES["not YAML"])
    gateway.signal(signal.SIGHUP)
    wait_until(lambda: gateway.metrics()[RELOADED] == 0, "the metrics tell of the failure", timeout=20)

    gateway.write_config(config_for(upstream, "new"))
    gateway.signal(signal.SIGHUP)

    def only_new() -> bool:
        return set(routed_models(gateway, upstream, ENOUGH_FOR_ALL_WORKERS)) == {"new"}

    wait_until(only_new, "all workers use the new configuration")
    assert gateway.metrics()[RELOADED] == 1


def test_a_missing_file_changes_nothing(start_gateway: StartGateway, upstream: ScriptedUpstream) -> None:
    gateway = two_workers(start_gateway, upstream)

    gateway.config_file.unlink()
    gateway.signal(signal.SIGHUP)

    wait_until(lambda: gateway.metrics()[RELOADED] == 0, "the metrics tell of the failure", timeout=20)
    assert set(routed_models(gateway, upstream, ENOUGH_FOR_ALL_WORKERS)) == {"old"}


def test_a_revoked_key_is_refused_by_all_workers(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    gateway = two_workers(start_gateway, upstream)
    assert gateway.chat("plain", APP_KEY).status == 200

    gateway.write_config(config_for(upstream, "old") | {"keys": []})
    gateway.signal(signal.SIGHUP)

    def refused_everywhere() -> bool:
        return {gateway.chat("plain", APP_KEY).status for _ in range(ENOUGH_FOR_ALL_WORKERS)} == {401}

    wait_until(refused_everywhere, "the key is refused by all workers")
    assert gateway.chat("plain").status == 200


def test_a_rotated_upstream_credential_is_used_by_all_workers(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    gateway = two_workers(start_gateway, upstream)

    gateway.write_config(gateway_config(deployment("plain", upstream.base_url, api_key="rotated-credential")))
    gateway.signal(signal.SIGHUP)

    def only_rotated() -> bool:
        routed_models(gateway, upstream, ENOUGH_FOR_ALL_WORKERS)
        return {each.header("authorization") for each in upstream.requests} == {"Bearer rotated-credential"}

    wait_until(only_rotated, "the new credential is used by all workers")


def test_reloads_under_load_cost_no_request(start_gateway: StartGateway, upstream: ScriptedUpstream) -> None:
    gateway = two_workers(start_gateway, upstream)

    with Load(gateway) as load:
        for number in range(10):
            gateway.write_config(config_for(upstream, f"model-{number}"))
            gateway.signal(signal.SIGHUP)
            load.wait_for_more(20)

    assert set(load.outcomes) == {WHOLE}


def test_a_stream_that_began_before_a_reload_ends_as_it_began(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    gateway = two_workers(start_gateway, upstream)
    gate = upstream.gate()
    upstream.then(replies.stream(gate=gate))
    with gateway.connect() as client:
        client.send(post_bytes("/v1/chat/completions", chat_body("plain", stream=True)))
        client.read_until(replies.chat_events()[0])

        gateway.write_config(gateway_config(deployment("another", upstream.base_url), keys=[]))
        gateway.signal(signal.SIGHUP)
        wait_until(lambda: gateway.chat("plain").status == 404, "the group is gone")
        gate.open()

        client.read_until(replies.DONE)


def test_a_reload_is_taken_by_a_worker_that_starts_later(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    gateway = two_workers(start_gateway, upstream)
    gateway.write_config(config_for(upstream, "new"))
    gateway.signal(signal.SIGHUP)
    wait_until(
        lambda: set(routed_models(gateway, upstream, ENOUGH_FOR_ALL_WORKERS)) == {"new"}, "the reload is done"
    )
    workers = set(gateway.worker_pids())

    os.kill(min(workers), signal.SIGKILL)

    wait_until(lambda: len(set(gateway.worker_pids()) - workers) == 1, "another worker takes the place")
    wait_until(gateway.is_ready, "the gateway is ready")
    assert set(routed_models(gateway, upstream, ENOUGH_FOR_ALL_WORKERS)) == {"new"}
