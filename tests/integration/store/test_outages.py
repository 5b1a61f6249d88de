"""A database that hangs, dies or comes back: told in time, and used again without a restart."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from llmgw.store import keys, ledger, upgrade
from llmgw.store.database import Store, StoreUnavailable
from llmgw.store.keys import Key
from llmgw.store.rollups import Sums
from llmgw.store.scope import Scope
from tests.integration.store.books import all_sums, reserve, settle
from tests.services import PostgresServer, scratch_folder

STATEMENT_SECONDS = 2.0
PATIENCE = 10.0
"""Seconds within which whoever asks a hung database must know."""


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """A PostgreSQL of the test's own, to be stopped and killed."""
    folder = scratch_folder("outage")
    try:
        with PostgresServer(folder) as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def far(server: PostgresServer) -> AsyncIterator[Store]:
    """A migrated store in it, with a connection in the pool."""
    store = Store.open(server.url, statement_seconds=STATEMENT_SECONDS)
    await upgrade.upgrade(store)
    yield store
    server.resume()
    await store.close()


async def _refused_in_time(store: Store) -> None:
    begun = time.monotonic()
    assert not await store.ping()
    assert time.monotonic() - begun < PATIENCE
    assert not store.is_up


async def _up_again(store: Store) -> None:
    deadline = time.monotonic() + PATIENCE
    while not await store.ping():
        assert time.monotonic() < deadline, "the store does not recover"
        await asyncio.sleep(0.05)
    assert store.is_up


async def test_a_hung_server_is_told_in_time_and_used_again(server: PostgresServer, far: Store) -> None:
    server.suspend()
    await _refused_in_time(far)
    await _refused_in_time(far)
    server.resume()
    await _up_again(far)
    async with far.begin() as tx:
        await keys.create(tx, Scope.all(), Key(alias="after"), "a" * 64)


async def test_a_server_that_hangs_in_a_transaction_is_told_in_time(
    server: PostgresServer, far: Store
) -> None:
    begun = time.monotonic()
    with pytest.raises(StoreUnavailable):
        async with far.begin() as tx:
            await ledger.enter(tx, [reserve("a"), settle("a")])
            server.suspend()
            begun = time.monotonic()
            await keys.create(tx, Scope.all(), Key(alias="never"), "a" * 64)
    assert time.monotonic() - begun < PATIENCE
    server.resume()
    await _up_again(far)
    assert await all_sums(far) == Sums()


async def test_a_killed_server_is_told_and_used_again_once_it_runs(
    server: PostgresServer, far: Store
) -> None:
    async with far.begin() as tx:
        await ledger.enter(tx, [reserve("a"), settle("a")])
    server.kill()
    await _refused_in_time(far)
    server.start()
    await _up_again(far)
    assert (await all_sums(far)).cost == 200


async def test_more_work_than_connections_waits_or_is_refused_and_never_hangs(
    server: PostgresServer, far: Store
) -> None:
    server.suspend()
    begun = time.monotonic()
    answers = await asyncio.gather(*(far.ping() for _ in range(30)))
    assert time.monotonic() - begun < 2 * PATIENCE
    assert not any(answers)
    server.resume()
    await _up_again(far)
    assert all(await asyncio.gather(*(far.ping() for _ in range(8))))


async def test_a_password_is_never_told() -> None:
    store = Store.open("postgresql://llmgw:hunter2@127.0.0.1:1/books")
    with pytest.raises(StoreUnavailable) as refused:
        async with store.read():
            pass
    await store.close()
    assert "hunter2" not in f"{store.name} {refused.value}"
