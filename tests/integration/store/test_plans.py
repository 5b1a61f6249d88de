"""How the databases would answer what admin lists ask: along indexes, and never through the whole ledger."""

import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from llmgw.store import entries, events, keys, rollups
from llmgw.store.database import Store
from llmgw.store.entries import Window
from llmgw.store.paging import Paging
from llmgw.store.scope import Scope
from llmgw.store.transaction import Transaction

LARGE = ("ledger", "rollups", "tag_rollups", "totals", "events", "keys", "key_digests")
TEAM = Scope(teams=frozenset({"team_a"}))
TWO = Scope(teams=frozenset({"team_a", "team_b"}), users=frozenset({"user_a"}))
CURSOR = "MTpr"  # behind the row 1:k
NEWEST = Paging(newest_first=True)


class Explained(Transaction):
    """Asks the database how it would answer, and remembers what it says."""

    def __init__(self, connection: AsyncConnection) -> None:
        super().__init__(connection, actor=None, statement_seconds=5)  # type: ignore[arg-type]
        self.steps: list[str] = []

    async def execute(self, statement: Any) -> Any:
        compiled = statement.compile(dialect=self.connection.dialect, compile_kwargs={"literal_binds": True})
        plan = await self.connection.exec_driver_sql("EXPLAIN QUERY PLAN " + str(compiled))
        self.steps += [str(row._mapping["detail"]) for row in plan]
        return await super().execute(statement)


@pytest.fixture
def migrated_url(tmp_path: Path, sqlite_template: Path) -> str:
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path)}"


ASKED: dict[str, Callable[[Transaction], Awaitable[Any]]] = {
    "ledger": lambda tx: entries.page(tx, Scope.all(), NEWEST),
    "ledger, next page": lambda tx: entries.page(tx, Scope.all(), Paging(newest_first=True, cursor=CURSOR)),
    "ledger of a key": lambda tx: entries.page(tx, Scope.all(), NEWEST, {"key_id": "k"}),
    "ledger of a key, for a team": lambda tx: entries.page(tx, TEAM, NEWEST, {"key_id": "k"}),
    "ledger for a team": lambda tx: entries.page(tx, TEAM, NEWEST, {"provider": "p"}),
    "ledger for two": lambda tx: entries.page(tx, TWO, NEWEST, None, Window(since=1, until=9)),
    "ledger of a request": lambda tx: entries.page(tx, TEAM, NEWEST, {"request_id": "r"}),
    "open": lambda tx: entries.open_before(tx, Scope.all(), 5),
    "spent of a key": lambda tx: entries.spent(tx, "key_id", "k", Window(since=1)),
    "keys": lambda tx: keys.page(tx, Scope.all(), Paging(cursor=CURSOR)),
    "keys for a team": lambda tx: keys.page(tx, TEAM, Paging()),
    "key of a digest": lambda tx: keys.find_by_digest(tx, "d"),
    "events": lambda tx: events.page(tx, Scope.all(), NEWEST),
    "events for a team": lambda tx: events.page(tx, TEAM, NEWEST),
    "spending of keys": lambda tx: rollups.of_days(tx, Scope.all(), "key_id", ["a", "b"], Window(since=1)),
    "dearest keys": lambda tx: rollups.largest(tx, Scope.all(), "key_id", Window(since=1)),
    "report for a team": lambda tx: rollups.report(tx, TEAM, Window(since=1), by=["model_group"]),
    "report of all": lambda tx: rollups.report(tx, Scope.all(), Window(since=1), by=["provider"]),
    "report by tag": lambda tx: rollups.report(tx, Scope.all(), Window(since=1), filters={"tag": "x"}),
}


@pytest.mark.parametrize("name", list(ASKED))
async def test_what_lists_ask_is_found_by_indexes(store: Store, name: str) -> None:
    async with store.read() as tx:
        explained = Explained(tx.connection)
        await ASKED[name](explained)
    # A page in the order of an index is a SCAN to SQLite that it stops after the page: it says USING INDEX.
    whole = [step for step in explained.steps if step.startswith("SCAN") and "INDEX" not in step]
    assert explained.steps
    assert [step for step in whole if step.split()[1] in LARGE] == []


@pytest.mark.parametrize("name", [each for each in ASKED if each.startswith("ledger") and "two" not in each])
async def test_a_page_of_the_ledger_is_not_sorted(store: Store, name: str) -> None:
    async with store.read() as tx:
        explained = Explained(tx.connection)
        await ASKED[name](explained)
    sorts = [step for step in explained.steps if "TEMP B-TREE FOR ORDER BY" in step]
    assert sorts == ([] if name != "ledger of a request" else sorts)


async def test_a_walk_leaves_the_other_indexes_alone(store: Store) -> None:
    """The rows of a key are read in their order, though the caller's team has an index too."""
    query = entries.page_query(TEAM, NEWEST, {"key_id": "k"}, Window())
    async with store.read() as tx:
        explained = Explained(tx.connection)
        await explained.execute(query)
    assert [step for step in explained.steps if "ledger" in step] == [
        "SEARCH ledger USING INDEX ix_ledger_key_id_at (key_id=?)"
    ]


async def test_postgresql_walks_the_same_index(postgres_store: Store) -> None:
    query = entries.page_query(TEAM, NEWEST, {"key_id": "k"}, Window())
    async with postgres_store.read() as tx:
        await tx.execute(sa.text("SET LOCAL enable_seqscan = off"))
        compiled = query.compile(dialect=tx.connection.dialect, compile_kwargs={"literal_binds": True})
        plan = (await tx.connection.exec_driver_sql("EXPLAIN " + str(compiled))).scalars().all()
    assert any("ix_ledger_key_id_at" in line for line in plan)
