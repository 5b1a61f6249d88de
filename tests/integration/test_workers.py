"""A worker that dies takes nothing with it but its own connections, and another takes its place."""

import os
import signal
import threading
from collections import Counter
from itertools import cycle

from tests.conftest import StartGateway, deployment, gateway_config
from tests.gateway_process import GatewayProcess, wait_until
from tests.upstreams.scripted import ScriptedUpstream

WORKERS = 2
MEGABYTE = 1_000_000


class Load:
    """Threads that send chats on new connections until told to stop, counting what came back."""

    def __init__(self, gateway: GatewayProcess, threads: int = 4) -> None:
        self._gateway = gateway
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(threads)]
        self.outcomes: Counter[str] = Counter()

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        for stream in cycle([False, True]):
            if self._stopping.is_set():
                return
            self.outcomes[self._one(stream)] += 1

    def _one(self, stream: bool) -> str:
        try:
            response = self._gateway.chat("plain", stream=stream)
        except OSError:
            return "no connection"
        return f"{response.status} {'whole' if response.complete else 'cut'}"

    def wait_for_more(self, count: int) -> None:
        """Wait until `count` more requests were answered well."""
        target = self.outcomes["200 whole"] + count
        wait_until(lambda: self.outcomes["200 whole"] >= target, f"{count} more answers: {self.outcomes}")


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


def test_a_worker_that_dies_again_and_again_does_not_end_the_gateway(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    gateway = two_workers(start_gateway, upstream)

    for pid in gateway.worker_pids():
        os.kill(pid, signal.SIGKILL)

    wait_until(gateway.is_ready, "the gateway is ready again")
    assert gateway.chat("plain").status == 200
    assert gateway.running()
