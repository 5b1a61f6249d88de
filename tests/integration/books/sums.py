"""What the store says of the books: its rows and all its sums have to say the same."""

import msgspec
from sqlalchemy import func, select

from llmgw.store import tables
from llmgw.store.database import Store
from llmgw.store.rollups import Sums
from tests.integration.store.books import all_sums


class Books(msgspec.Struct, frozen=True):
    """The figures that a test looks at."""

    settled: int = 0
    cost: int = 0
    void: int = 0
    calls: int = 0
    open: int = 0
    held: int = 0


async def books(store: Store) -> Books:
    """By the rows of the ledger, which the sums have to come to."""
    table = tables.ledger
    rows: dict[str, tuple[int, int, int]] = {}
    query = select(table.c.state, func.count(), func.sum(table.c.cost), func.sum(table.c.held))
    async with store.read() as tx:
        for row in await tx.rows(query.group_by(table.c.state)):
            state, count, cost, held = tuple(row)
            rows[state] = (count, int(cost or 0), int(held or 0))
    none = (0, 0, 0)
    settled, void, open_, calls = (rows.get(state, none) for state in ("settled", "void", "open", "call"))
    found = Books(settled[0], settled[1], void[0], calls[0], open_[0], open_[2])
    if rows:
        assert found == _of(await all_sums(store))
    return found


def _of(sums: Sums) -> Books:
    return Books(sums.settled, sums.cost, sums.void, sums.calls, sums.open, sums.held)
