"""What was spent of budgets is in shared memory before a worker hears of them, once."""

import json
from pathlib import Path
from typing import Any

import pytest

from llmgw import _native
from llmgw._native import SharedState
from llmgw.books.budgets import Budgets, budgets_of
from llmgw.books.replay import committed_after, together
from llmgw.store import keys, teams
from llmgw.store.database import Store
from llmgw.store.ids import now
from llmgw.store.keys import Key
from llmgw.store.ledger import enter
from llmgw.store.scope import Scope
from llmgw.store.teams import Team
from tests.integration.books.scribe import Scribe
from tests.integration.store.books import reserve, settle

ALL = Scope.all()
HOUR = 3_600_000_000


@pytest.fixture
def shared(tmp_path: Path) -> SharedState:
    return SharedState(tmp_path / "shared")


def budget(name: str = "b", window: Any = "month", **fields: Any) -> dict[str, Any]:
    return {"name": name, "amount": 10**9, "window": window, "action": "block"} | fields


async def make_team(store: Store, *budgets: dict[str, Any]) -> str:
    async with store.begin() as tx:
        return (await teams.create(tx, ALL, Team(name="Core", budgets=list(budgets)))).id


async def spend(store: Store, id: str, cost: int, at: int | None = None, **fields: Any) -> None:
    at = now() if at is None else at
    async with store.begin() as tx:
        await enter(tx, [reserve(id, at, **fields), settle(id, at + 1, cost=cost)])


async def restored(store: Store, shared: SharedState, *of_settings: dict[str, Any]) -> Budgets:
    budgets = Budgets(shared, budgets_of(of_settings))
    async with store.read() as tx:
        await budgets.restore_all(tx)
    return budgets


def committed(shared: SharedState, owner: str, name: str = "b") -> int:
    """In all windows and parts together."""
    slot = _native.budget_slot(owner, name)
    return sum(nano for found, _, nano in shared.budgets() if found == slot)


@pytest.mark.parametrize("window", ["day", "week", "month", "year", "total", {"rolling": 3600}])
async def test_what_was_settled_and_what_is_held_is_committed(
    store: Store, shared: SharedState, window: Any
) -> None:
    team = await make_team(store, budget(window=window))
    await spend(store, "1", 200, team=team)
    async with store.begin() as tx:
        await enter(tx, [reserve("2", now(), team=team, held=500)])
    await spend(store, "3", 7, team="another")
    await restored(store, shared)
    assert committed(shared, team) == 700


async def test_what_was_spent_before_the_window_is_not(store: Store, shared: SharedState) -> None:
    team = await make_team(
        store, budget("day", "day"), budget("all", "total"), budget("hour", {"rolling": 3600})
    )
    await spend(store, "1", 200, now() - 50 * HOUR, team=team)
    await restored(store, shared)
    assert [committed(shared, team, name) for name in ("day", "all", "hour")] == [0, 200, 0]


async def test_a_long_rolling_window_counts_hours_in_its_parts(store: Store, shared: SharedState) -> None:
    team = await make_team(store, budget(window={"rolling": 30 * 24 * 3600}))
    for days in range(40):
        await spend(store, str(days), 1, now() - days * 24 * HOUR, team=team)
    await restored(store, shared)
    # The part that is about to end counts whole: up to a sixteenth of the window longer.
    assert 30 <= committed(shared, team) <= 32


async def test_only_models_that_the_budget_is_for_count(store: Store, shared: SharedState) -> None:
    team = await make_team(store, budget(model="gpt-*"), budget("rolling", {"rolling": 3600}, model="gpt-*"))
    await spend(store, "1", 200, team=team, group="gpt-4o")
    await spend(store, "2", 7, team=team, group="claude")
    await restored(store, shared)
    assert [committed(shared, team, name) for name in ("b", "rolling")] == [200, 200]


async def test_budgets_of_keys_and_of_the_settings_keys_are_restored(
    store: Store, shared: SharedState
) -> None:
    async with store.begin() as tx:
        key = await keys.create(tx, ALL, Key(alias="app", budgets=[budget()]), "ab" * 32)
    await spend(store, "1", 200, key=key.id)
    await spend(store, "2", 30, key="file:app")
    rule = {"name": "own", "window": "month", "amount": 5, "soft": [800], "action": "block"}
    await restored(store, shared, {"owner": "file:app", "rule": rule})
    assert (committed(shared, key.id), committed(shared, "file:app", "own")) == (200, 30)


async def test_another_bookkeeper_adds_nothing_to_what_workers_have_counted(
    store: Store, shared: SharedState
) -> None:
    team = await make_team(store, budget())
    await spend(store, "1", 200, team=team)
    await restored(store, shared)
    await spend(store, "2", 50, team=team)
    window, *_ = _native.budget_window('"month"', now())
    shared.correct_budget(_native.budget_slot(team, "b"), window, 50)
    await restored(store, shared)
    assert committed(shared, team) == 250


async def test_a_budget_that_is_new_starts_with_what_was_spent(store: Store, shared: SharedState) -> None:
    team = await make_team(store)
    budgets = await restored(store, shared)
    await spend(store, "1", 200, team=team)
    async with store.begin() as tx:
        await teams.update(tx, ALL, team, {"budgets": [budget()]})
    async with store.read() as tx:
        await budgets.restore(tx, [team])
    assert committed(shared, team) == 200


def test_without_the_store_the_journal_says_what_was_committed_since(folder: Path, scribe: Scribe) -> None:
    hold = ["0123456789abcdef", 5, 500]
    scribe.settle(scribe.reserve(500, holds=[hold]), 200)
    scribe.void_it(scribe.reserve(500, holds=[hold]))
    scribe.reserve(500, holds=[hold])
    scribe.sync()
    after = committed_after(folder, {})
    assert after == [("0123456789abcdef", 5, 700)]
    assert together([("0123456789abcdef", 5, 1), ("other", 5, 2)], after) == [
        ("0123456789abcdef", 5, 701),
        ("other", 5, 2),
    ]
    assert committed_after(folder, {scribe.writer: 5}) == []
    assert json.loads(json.dumps(after)) == [["0123456789abcdef", 5, 700]]
