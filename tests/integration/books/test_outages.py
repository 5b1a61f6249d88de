"""Processes are killed, databases hang, die and run out of room: nothing is lost or counts twice."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from llmgw.books.keeping import Keeping
from llmgw.store import upgrade
from llmgw.store.database import Store
from llmgw.store.errors import StoreUnavailable
from tests.integration.books.memory import FakeMemory
from tests.integration.books.scribe import Scribe
from tests.integration.books.sums import Books, books
from tests.services import PostgresServer

KILLS = int(os.environ.get("LLMGW_TEST_KILLS", "8"))
SCRIBE = """
import sys
from pathlib import Path
from tests.integration.books.scribe import Scribe

scribe = Scribe(Path(sys.argv[1]))
while True:
    for _ in range(20):
        scribe.pay(7)
    scribe.sync()
    sys.stdout.write(f"{scribe.settled}\\n")
    sys.stdout.flush()
"""


@contextmanager
def draining(url: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that keeps the books."""
    command = [sys.executable, "-m", "tests.integration.books.draining", url, str(folder)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _worker(folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", SCRIBE, str(folder)], stdout=subprocess.PIPE)


async def settle_all(store: Store, folder: Path) -> Keeping:
    keeping = Keeping(store, FakeMemory(folder), folder, keep_days=1)
    assert keeping.take()
    await keeping.catch_up()
    return keeping


async def test_a_bookkeeper_that_is_killed_at_any_instant_loses_and_doubles_nothing(
    store: Store, migrated_url: str, folder: Path, scribe: Scribe
) -> None:
    seed = random.randrange(2**32)
    rng = random.Random(seed)
    for _ in range(KILLS):
        with draining(migrated_url, folder) as process:
            until = time.monotonic() + rng.uniform(0.6, 1.6)
            while time.monotonic() < until:
                for _ in range(100):
                    scribe.pay(rng.randrange(1000))
                scribe.call()
                await asyncio.sleep(0.01)
            process.send_signal(signal.SIGKILL)
    scribe.sync()
    await settle_all(store, folder)
    assert await books(store) == Books(scribe.settled, scribe.cost, 0, scribe.calls), f"seed {seed}"


async def test_what_a_killed_worker_was_told_is_written_is_booked(store: Store, folder: Path) -> None:
    told = 0
    for _ in range(min(KILLS, 4)):
        worker = _worker(folder)
        await asyncio.sleep(random.uniform(0.3, 0.8))
        worker.kill()
        output, _ = worker.communicate()
        told += int(output.split()[-1]) if output else 0
    await settle_all(store, folder)
    found = await books(store)
    assert found.settled >= told
    assert found.cost == 7 * found.settled


async def test_what_a_dead_worker_left_open_stays_at_what_was_held(store: Store, folder: Path) -> None:
    scribe, memory = Scribe(folder), FakeMemory(folder)
    scribe.pay()
    scribe.reserve(900, holds=[["0123456789abcdef", 5, 900]])
    scribe.sync()
    keeping = Keeping(store, memory, folder, keep_days=1)
    assert keeping.take()
    await keeping.catch_up()
    assert memory.lost == []
    scribe.close()
    await keeping.catch_up()
    await keeping.catch_up()
    assert memory.lost == [("0123456789abcdef", 5, 900)]
    assert await books(store) == Books(settled=1, cost=200, open=1, held=900)


async def test_a_database_that_hangs_and_dies_under_load_gets_everything(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    scribe = Scribe(folder)
    with PostgresServer(Path(f"/tmp/llmgw-books-{os.getpid()}")) as server:
        store = Store.open(server.make_database("books"), statement_seconds=1.0)
        await upgrade.upgrade(store)
        keeping, stop = Keeping(store, FakeMemory(folder), folder, keep_days=1), asyncio.Event()
        running = asyncio.create_task(keeping.run(stop))
        for disturb, mend in ((server.suspend, server.resume), (server.kill, server.start)):
            await _pay(scribe, 1.0)
            disturb()
            await _pay(scribe, 2.0)
            assert keeping.ahead()[1] > 0
            await asyncio.to_thread(mend)
            await _pay(scribe, 1.0)
        scribe.sync()
        await _caught_up(keeping)
        stop.set()
        await running
        assert await books(store) == Books(scribe.settled, scribe.cost)
        await store.close()
    scribe.close()


async def test_a_full_disk_under_the_store_is_waited_out(
    tmp_path: Path, folder: Path, scribe: Scribe, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/llmgw.db")
    await upgrade.upgrade(store)
    full = _limit_pages(monkeypatch)
    keeping = Keeping(store, FakeMemory(folder), folder, keep_days=1)
    assert keeping.take()
    for _ in range(3000):
        scribe.pay()
    scribe.sync()
    full.set()
    with pytest.raises(StoreUnavailable, match="full"):
        await keeping.catch_up()
    full.clear()
    await keeping.catch_up()
    assert await books(store) == Books(scribe.settled, scribe.cost)
    await store.close()


def _limit_pages(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """While it is set, SQLite finds no room for another page, as on a full disk."""
    from llmgw.store.transaction import Transaction  # noqa: PLC0415

    full, many = asyncio.Event(), Transaction.many

    async def many_within(self, statement, rows):  # type: ignore[no-untyped-def]
        pages = 50 if full.is_set() else 2**30
        await self.connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
        await many(self, statement, rows)

    monkeypatch.setattr(Transaction, "many", many_within)
    return full


async def _pay(scribe: Scribe, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for _ in range(20):
            scribe.pay(random.randrange(1000))
        await asyncio.sleep(0.01)


async def _caught_up(keeping: Keeping) -> None:
    deadline = time.monotonic() + 60
    await asyncio.sleep(0.3)
    while not keeping.is_caught_up:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
