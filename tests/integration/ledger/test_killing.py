"""kill -9 at random instants under load: every bill has its reserve, and no money is lost or counted twice.

`LLMGW_TEST_KILLS` says how many rounds.
"""

import itertools
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from tests.conftest import gateway_config
from tests.gateway_process import GatewayProcess, wait_until
from tests.integration.ledger.conftest import ENVIRONMENT, priced
from tests.integration.ledger.reading import INPUT, OUTPUT, Ledger, ask
from tests.upstreams.biller import MOST_OUTPUT, Biller

ROUNDS = int(os.environ.get("LLMGW_TEST_KILLS", "8"))
THREADS = 6
WORKERS = 2
# A supervisor gives up whose workers die one after the other, so now and then all of it is killed.
WORKERS_IN_A_ROW = 3
# What is allowed on top of what is ever billed makes up for the input, which is estimated.
ALLOWED = MOST_OUTPUT + 20
LONGEST_PEACE = 0.4


class Traffic:
    """Chats on new connections, each with an id of its own, whatever becomes of them."""

    def __init__(self, gateway: GatewayProcess) -> None:
        self._gateway = gateway
        self._ids = itertools.count()
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(THREADS)]
        self.answered = 0

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            number = next(self._ids)
            try:
                response = ask(self._gateway, f"r{number}", stream=number % 3 == 0, max_tokens=ALLOWED)
            except OSError:
                time.sleep(0.01)
                continue
            self.answered += response.status == 200 and response.complete


@pytest.fixture
def biller(tmp_path: Path) -> Iterator[Biller]:
    """An upstream that bills."""
    folder = tmp_path / "biller"
    folder.mkdir()
    with Biller(folder) as running:
        yield running


def kill_a_worker(gateway: GatewayProcess) -> None:
    """One of the workers; the supervisor starts another."""
    pids = gateway.worker_pids()
    if pids:
        _kill(random.choice(pids))
    wait_until(lambda: not set(pids) <= set(gateway.worker_pids()), "the worker is gone")
    wait_until(lambda: len(gateway.worker_pids()) == WORKERS, "all workers are there again")


def kill_everything(gateway: GatewayProcess) -> None:
    """The supervisor and all of its workers, and start anew on what they left."""
    family = [gateway.process.pid, *gateway.worker_pids()]
    random.shuffle(family)
    for pid in family:
        _kill(pid)
    gateway.process.wait()
    wait_until(lambda: not any(map(_lives, family)), "all processes are gone")
    gateway.start()


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state not in ("Z", "X")


def bill_of(usage: dict[str, int]) -> int:
    """Nano-dollars of a usage."""
    return usage["prompt_tokens"] * INPUT + usage["completion_tokens"] * OUTPUT


@pytest.mark.timeout(60 + 5 * ROUNDS)
def test_no_money_is_lost_or_counted_twice_whoever_is_killed(tmp_path: Path, biller: Biller) -> None:
    home = tmp_path / "gateway"
    home.mkdir()
    config = gateway_config(priced("priced", biller.base_url))
    with GatewayProcess(home, config, WORKERS, ENVIRONMENT) as gateway:
        with Traffic(gateway) as traffic:
            for number in range(ROUNDS):
                time.sleep(random.uniform(0, LONGEST_PEACE))
                is_turn = number % (WORKERS_IN_A_ROW + 1) == WORKERS_IN_A_ROW
                (kill_everything if is_turn else kill_a_worker)(gateway)
        assert traffic.answered > ROUNDS, gateway.log()
        gateway.stop()

        ledger, bills = Ledger.of(gateway), biller.bills()

    assert not ledger.twice
    by_request: dict[str, str] = {}
    for reserve in ledger.reserves.values():
        assert reserve["request"] not in by_request, "a request that is sent once is reserved once"
        by_request[reserve["request"]] = reserve["id"]
    unknown = set(bills) - set(by_request)
    assert not unknown, f"{len(unknown)} of {len(bills)} bills have no reserve"
    settled = {name: end["cost"] for name, end in ledger.ends.items() if end["t"] == "settle"}
    wrong = {
        request: (settled[attempt], bill_of(bills[request]))
        for request, attempt in by_request.items()
        if attempt in settled and settled[attempt] != bill_of(bills[request])
    }
    assert not wrong
    voided = {each["id"] for each in ledger.ends.values() if each["t"] == "void"}
    assert not [request for request in bills if by_request[request] in voided]
    held = sum(reserve["held"] for reserve in ledger.open())
    assert sum(settled.values()) + held >= sum(map(bill_of, bills.values()))
