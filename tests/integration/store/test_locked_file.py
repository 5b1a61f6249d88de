"""SQLite with a writer that does not let go."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from llmgw.store import keys, upgrade
from llmgw.store.database import Store, StoreUnavailable
from llmgw.store.engine import CONNECTIONS
from llmgw.store.keys import Key
from llmgw.store.paging import Paging
from llmgw.store.scope import Scope


async def test_who_cannot_write_knows_in_time_and_reads_all_the_while(tmp_path: Path) -> None:
    file = tmp_path / "llmgw.db"
    store = Store.open(f"sqlite:///{file}", statement_seconds=0.5)
    await upgrade.upgrade(store)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        begun = time.monotonic()
        with pytest.raises(StoreUnavailable, match="locked"):
            async with store.begin() as tx:
                await keys.create(tx, Scope.all(), Key(alias="a"), "a" * 64)
        assert time.monotonic() - begun < 5
        async with store.read() as tx:
            assert (await keys.page(tx, Scope.all(), Paging())).items == []
        other.execute("ROLLBACK")
    async with store.begin() as tx:
        await keys.create(tx, Scope.all(), Key(alias="a"), "a" * 64)
    assert store.is_up
    await store.close()


async def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable, match="cannot open"):
        Store.open(f"sqlite:///{tmp_path}/file/llmgw.db")


async def test_a_question_without_an_end_is_cut_short_and_its_connection_used_again(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/llmgw.db", statement_seconds=0.2)
    endless = text("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n")
    for _ in range(CONNECTIONS + 1):
        begun = time.monotonic()
        with pytest.raises(StoreUnavailable):
            async with store.read() as tx:
                await tx.execute(endless)
        assert time.monotonic() - begun < 5
    assert await store.ping()
    await store.close()
