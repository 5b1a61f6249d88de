"""The whole gateway with its bookkeeper: whoever dies, every cent is in the books, once.

`LLMGW_TEST_KILLS` says how many rounds.
"""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from llmgw import _native
from llmgw.store import keys
from llmgw.store.database import Store
from llmgw.store.keys import Key
from llmgw.store.scope import Scope
from tests.conftest import gateway_config
from tests.gateway_process import GatewayProcess, wait_until
from tests.integration.books.sums import Books, books
from tests.integration.ledger.conftest import ENVIRONMENT, priced
from tests.integration.ledger.test_killing import (
    LONGEST_PEACE,
    WORKERS,
    Traffic,
    bill_of,
    kill_a_worker,
)
from tests.services import PostgresServer
from tests.upstreams.biller import Biller

KILLS = int(os.environ.get("LLMGW_TEST_KILLS", "8"))
ALL = Scope.all()
T = TypeVar("T")


def with_store(url: str, do: Callable[[Store], Awaitable[T]]) -> T:
    async def run() -> T:
        store = Store.open(url)
        try:
            return await do(store)
        finally:
            await store.close()

    return asyncio.run(run())


def store_url(gateway: GatewayProcess) -> str:
    return f"sqlite:///{gateway.home}/state/llmgw.db"


def make_key(gateway: GatewayProcess, url: str, alias: str = "made", **fields: Any) -> tuple[str, str]:
    """A key of the store; what clients show, and its id."""
    shown = _native.generate_key()
    digest = _native.key_digest((gateway.home / "state" / "pepper").read_text().strip(), shown)

    async def make(store: Store) -> str:
        async with store.begin() as tx:
            return (await keys.create(tx, ALL, Key(alias=alias, **fields), digest)).id

    return shown, with_store(url, make)


def block_key(url: str, id: str) -> None:
    async def block(store: Store) -> None:
        async with store.begin() as tx:
            await keys.block(tx, ALL, id, blocked=True)

    with_store(url, block)


def command(
    gateway: GatewayProcess, *arguments: str, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """`llmgw …` beside a gateway."""
    line = [sys.executable, "-m", "llmgw", *arguments, "--config", str(gateway.config_file)]
    environment = os.environ | {"LLMGW_HOME": str(gateway.home / "state")} | ENVIRONMENT | (env or {})
    return subprocess.run(line, env=environment, capture_output=True, text=True, check=False)


def family(gateway: GatewayProcess) -> list[int]:
    """The supervisor, the bookkeeper and the workers."""
    found, todo = [], [gateway.process.pid]
    while todo:
        pid = todo.pop()
        found.append(pid)
        for task in Path(f"/proc/{pid}/task").glob("*"):
            todo += map(int, (task / "children").read_text().split())
    return found


def kill_a_bookkeeper(gateway: GatewayProcess) -> None:
    for pid in gateway.bookkeeper_pids():
        os.kill(pid, signal.SIGKILL)


def kill_all(gateway: GatewayProcess) -> None:
    """The whole family in any order, and start anew on what it left."""
    pids = family(gateway)
    random.shuffle(pids)
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    gateway.process.wait()
    gateway.start()


@pytest.fixture
def biller(tmp_path: Path) -> Iterator[Biller]:
    folder = tmp_path / "biller"
    folder.mkdir()
    with Biller(folder) as running:
        yield running


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "gateway"
    home.mkdir()
    return home


def details(gateway: GatewayProcess) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(gateway.get("/health/readiness/details").body)
    return found


def degraded(gateway: GatewayProcess) -> list[str]:
    found: list[str] = details(gateway)["degraded"]
    return found


def test_the_books_balance_with_the_bills_whoever_is_killed(home: Path, biller: Biller) -> None:
    config = gateway_config(priced("priced", biller.base_url))
    with GatewayProcess(home, config, WORKERS, ENVIRONMENT) as gateway:
        with Traffic(gateway) as traffic:
            for _ in range(KILLS):
                time.sleep(random.uniform(0, LONGEST_PEACE))
                random.choice((kill_a_worker, kill_a_bookkeeper, kill_all))(gateway)
        assert traffic.answered > KILLS, gateway.log()
        gateway.stop()
        bills = biller.bills()
        export = home / "export.json"
        lines = [
            {
                "request_id": id,
                "input_tokens": usage["prompt_tokens"],
                "output_tokens": usage["completion_tokens"],
            }
            for id, usage in bills.items()
        ]
        export.write_text("\n".join(map(json.dumps, lines)))
        reconciled = command(gateway, "ledger", "reconcile", str(export), "--complete", "--json")
        assert reconciled.returncode == 0, reconciled.stdout + reconciled.stderr
        verified = command(gateway, "ledger", "verify", "--json")
        assert verified.returncode == 0, verified.stdout + verified.stderr
        found = with_store(store_url(gateway), books)

    billed = sum(map(bill_of, bills.values()))
    figures = json.loads(verified.stdout)["figures"]
    assert (found.cost, figures["cost"], figures["stored_cost"]) == (billed, billed, billed)
    assert (found.settled, found.open, found.held) == (len(bills), 0, 0)


def test_what_was_under_way_at_the_end_is_booked_before_the_gateway_has_ended(
    home: Path, biller: Biller
) -> None:
    config = gateway_config(priced("priced", biller.base_url))
    with GatewayProcess(home, config, WORKERS, ENVIRONMENT) as gateway:
        for _ in range(20):
            assert gateway.chat("priced").status == 200
        gateway.stop()
        found = with_store(store_url(gateway), books)
    assert (found.settled, found.open) == (20, 0)


def test_a_key_of_the_store_works_and_is_blocked_within_a_second(home: Path, biller: Biller) -> None:
    config = gateway_config(priced("priced", biller.base_url))
    with GatewayProcess(home, config, WORKERS, ENVIRONMENT) as gateway:
        shown, id = make_key(gateway, store_url(gateway))
        begun = time.monotonic()
        wait_until(lambda: gateway.chat("priced", shown).status == 200, "the key works", 5)
        assert time.monotonic() - begun < 2
        block_key(store_url(gateway), id)
        begun = time.monotonic()
        refused = 0
        while refused < 4 * WORKERS:
            refused = refused + 1 if gateway.chat("priced", shown).status == 401 else 0
            assert time.monotonic() - begun < 2


def test_a_gateway_goes_on_and_starts_again_without_its_database(home: Path, biller: Biller) -> None:
    config = gateway_config(priced("priced", biller.base_url), store={"start_timeout": 2})
    with PostgresServer(Path(f"/tmp/llmgw-gateway-{os.getpid()}")) as server:
        url = server.make_database("gateway")
        environment = ENVIRONMENT | {"LLMGW_DATABASE_URL": url}
        with GatewayProcess(home, config, WORKERS, environment) as gateway:
            shown, _ = make_key(gateway, url)
            wait_until(lambda: gateway.chat("priced", shown).status == 200, "the key works", 5)
            wait_until((home / "state/books/state.json").exists, "the state is kept")
            time.sleep(5.5)  # the key is in it
            server.kill()
            for _ in range(10):
                assert gateway.chat("priced", shown).status == 200
            wait_until(
                lambda: any(told.startswith("store: unreachable") for told in degraded(gateway)), "told"
            )
            assert gateway.get("/health/readiness").status == 200
            gateway.stop()
            gateway.start()
            assert gateway.chat("priced", shown).status == 200
            assert any("serving keys as of" in told for told in degraded(gateway))
            server.start()
            wait_until(lambda: "degraded" not in details(gateway)["status"], "all is well again")
            assert gateway.chat("priced", shown).status == 200
            gateway.stop()
            found = with_store(url, books)
    assert found == Books(settled=found.settled, cost=found.cost)
    assert found.settled >= 13
