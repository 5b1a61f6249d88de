"""A worker that dies takes nothing with it but its own connections, and another takes its place."""

import os
import signal

from tests.conftest import StartGateway, deployment, gateway_config
from tests.gateway_process import GatewayProcess, wait_until
from tests.integration.load import Load
from tests.upstreams.scripted import ScriptedUpstream

WORKERS = 2
MEGABYTE = 1_000_000


def two_workers(start_gateway: StartGateway, upstream: ScriptedUpstream) -> GatewayProcess:
    return start_gateway(gateway_config(deployment("plain", upstream.base_url)), workers=WORKERS)


def replaced(gateway: GatewayProcess, victim: int) -> bool:
    pids = gateway.worker_pids()
    return len(pids) == WORKERS and victim not in pids


def test_both_workers_serve(start_gateway: StartGateway, upstream: ScriptedUpstream) -> None:
    assert len(set(two_workers(start_gateway, upstream).worker_pids())) == WORKERS


def test_a_killed_worker_is_replaced_while_the_other_serves(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    gateway = two_workers(start_gateway, upstream)
    victim = gateway.worker_pids()[0]

    with Load(gateway) as load:
        load.wait_for_more(50)
        os.kill(victim, signal.SIGKILL)
        load.wait_for_more(50)
        wait_until(lambda: replaced(gateway, victim), "another worker takes the place")
        load.wait_for_more(50)

    assert set(load.outcomes) <= {"200 whole", "200 cut", "no connection"}
    assert gateway.running()
    assert {gateway.chat("plain").status for _ in range(50)} == {200}


def test_files_and_memory_come_back_after_a_worker_was_killed(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    gateway = two_workers(start_gateway, upstream)
    with Load(gateway) as load:
        load.wait_for_more(100)
    files, memory = gateway.open_files(), gateway.resident_bytes()

    for _ in range(3):
        victim = gateway.worker_pids()[0]
        with Load(gateway) as load:
            load.wait_for_more(20)
            os.kill(victim, signal.SIGKILL)
            wait_until(lambda dead=victim: replaced(gateway, dead), "another worker takes the place")  # type: ignore[misc]
            load.wait_for_more(50)

    wait_until(lambda: gateway.open_files() <= files + 10, "the file descriptors are given back")
    assert gateway.resident_bytes() <= memory + 20 * MEGABYTE


def test_workers_do_not_outlive_a_killed_main_process(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    gateway = two_workers(start_gateway, upstream)

    gateway.signal(signal.SIGKILL)
    gateway.wait()

    wait_until(lambda: not gateway.is_ready(), "nobody listens any more", timeout=20)


def test_a_worker_that_dies_again_and_again_does_not_end_the_gateway(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    gateway = two_workers(start_gateway, upstream)

    for pid in gateway.worker_pids():
        os.kill(pid, signal.SIGKILL)

    wait_until(gateway.is_ready, "the gateway is ready again")
    assert gateway.chat("plain").status == 200
    assert gateway.running()
