"""Records for tests of the books, and the sums that they must come to."""

from typing import Any

from llmgw.store import rollups
from llmgw.store.database import Store
from llmgw.store.entries import Window
from llmgw.store.records import Call, Reserve, Settle, Void
from llmgw.store.rollups import Sums
from llmgw.store.scope import Scope

NOON = 1_790_000_000_000_000


def reserve(id: str, at: int = NOON, **fields: Any) -> Reserve:
    given: dict[str, Any] = {
        "request": f"req-{id}",
        "key": "key_a",
        "alias": "app",
        "team": "team_a",
        "organisation": "org_a",
        "endpoint": "chat",
        "group": "gpt",
        "provider": "openai",
        "deployment": "one",
        "held": 500,
        "tags": ("batch",),
    }
    return Reserve(id=id, at=at, **given | fields)


def settle(id: str, at: int = NOON + 1, **fields: Any) -> Settle:
    given: dict[str, Any] = {
        "cost": 200,
        "price": "priced",
        "usage": {"input": 7, "output": 3},
        "status": 200,
    }
    return Settle(id=id, at=at, **given | fields)


def void(id: str, at: int = NOON + 1) -> Void:
    return Void(id=id, at=at, why="unreachable")


def hit(id: str, at: int = NOON) -> Call:
    return Call(id=id, at=at, what="hit", key="key_a", group="gpt", status=200, saved=90)


async def all_sums(store: Store) -> Sums:
    """The sums of everything, which every table of sums has to agree on."""
    async with store.read() as tx:
        lines = await rollups.report(tx, Scope.all(), Window())
        days = await rollups.of_days(tx, Scope.all(), "all", [""], Window())
    assert days.get("", Sums()) == lines[0].sums
    return lines[0].sums
