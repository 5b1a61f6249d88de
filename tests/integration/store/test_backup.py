"""A backup holds everything, and moves between kinds of databases; a bad one leaves no trace."""

import gzip
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from llmgw.settings.environment import Environment
from llmgw.settings.secrets import Secret
from llmgw.store import backup, changes, credentials, keys, ledger, tables, upgrade
from llmgw.store.backup import BackupError
from llmgw.store.credentials import Credential
from llmgw.store.database import Store
from llmgw.store.keyring import Keyring
from llmgw.store.keys import Key
from llmgw.store.scope import Scope
from tests.integration.store.books import hit, reserve, settle
from tests.services import PostgresServer

ALL = Scope.all()


async def fill(store: Store, folder: Path) -> None:
    ring = Keyring.locate(Environment({}), folder)
    async with store.begin() as tx:
        await keys.create(tx, ALL, Key(alias="naïve ☃ key", models=["a"], metadata={"x": None}), "a" * 64)
        wanted = Credential(name="main", provider="openai", origin="https://x:443")
        await credentials.create(tx, ALL, wanted, Secret("sk-canary"), ring)
        await ledger.enter(tx, [reserve("a"), settle("a", usage={"audio": 3}), hit("b"), reserve("c")])


async def contents(store: Store) -> dict[str, list[Any]]:
    """Every row of every table."""
    found = {}
    async with store.read() as tx:
        for table in tables.METADATA.sorted_tables:
            query = sa.select(table).order_by(*table.primary_key.columns)
            found[table.name] = [tuple(row) for row in await tx.rows(query)]
    return found


@pytest.fixture(params=["sqlite", "postgresql"])
async def other(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """An empty store to restore into."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/other/llmgw.db"
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.make_database(f"other{abs(hash(tmp_path))}")
    store = Store.open(url)
    yield store
    await store.close()


@pytest.mark.parametrize("name", ["all.jsonl", "all.jsonl.gz"])
async def test_what_was_written_is_taken_back_by_any_database(
    store: Store, other: Store, tmp_path: Path, name: str
) -> None:
    await fill(store, tmp_path)
    path = tmp_path / name
    written = await backup.write(store, path)
    assert await backup.restore(other, path) == written
    assert await contents(other) == await contents(store)
    assert path.stat().st_mode & 0o777 == 0o600
    async with other.begin() as tx:  # and what comes then is numbered on
        last = await changes.last(tx)
        await keys.create(tx, ALL, Key(alias="next"), "b" * 64)
        assert await changes.last(tx) == last + 1


async def test_a_copy_of_sqlite_is_a_database(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/state/llmgw.db")
    await upgrade.upgrade(store)
    await fill(store, tmp_path)
    written = await backup.write(store, tmp_path / "copy.db")
    taken = Store.open(f"sqlite:///{tmp_path}/other/llmgw.db")
    assert await backup.restore(taken, tmp_path / "copy.db") == written
    assert await contents(taken) == await contents(store)
    await store.close()
    await taken.close()


async def test_a_store_that_is_not_empty_is_left_alone(store: Store, tmp_path: Path) -> None:
    await fill(store, tmp_path)
    await backup.write(store, tmp_path / "all.jsonl")
    before = await contents(store)
    with pytest.raises(BackupError, match="not empty"):
        await backup.restore(store, tmp_path / "all.jsonl")
    assert await contents(store) == before


async def test_a_backup_that_was_cut_anywhere_leaves_nothing(store: Store, tmp_path: Path) -> None:
    await fill(store, tmp_path)
    await backup.write(store, tmp_path / "all.jsonl")
    lines = (tmp_path / "all.jsonl").read_bytes().splitlines(keepends=True)
    taken = Store.open(f"sqlite:///{tmp_path}/other/llmgw.db")
    await upgrade.upgrade(taken)
    for place in (0, 1, len(lines) // 2, len(lines) - 1):
        (tmp_path / "cut.jsonl").write_bytes(b"".join(lines[:place]))
        with pytest.raises(BackupError):
            await backup.restore(taken, tmp_path / "cut.jsonl")
    (tmp_path / "cut.jsonl.gz").write_bytes(gzip.compress(b"".join(lines))[:-20])
    with pytest.raises(BackupError):
        await backup.restore(taken, tmp_path / "cut.jsonl.gz")
    assert all(rows == [] for rows in (await contents(taken)).values())
    await taken.close()


async def test_a_file_that_is_there_is_not_written_over(store: Store, tmp_path: Path) -> None:
    (tmp_path / "mine.jsonl").write_text("precious")
    with pytest.raises(BackupError, match="exists"):
        await backup.write(store, tmp_path / "mine.jsonl")
    assert (tmp_path / "mine.jsonl").read_text() == "precious"


async def test_a_file_that_is_no_backup_is_told(store: Store, tmp_path: Path) -> None:
    for text in ("", "nonsense", "[]", '{"llmgw": "journal"}'):
        (tmp_path / "x.jsonl").write_text(text)
        with pytest.raises(BackupError):
            await backup.restore(store, tmp_path / "x.jsonl")
