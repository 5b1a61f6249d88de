"""Repricings: what attempts would have cost at other prices, beside what they did cost."""

import msgspec
import sqlalchemy as sa

from llmgw.store import ids, ledger
from llmgw.store.tables import repricings as table
from llmgw.store.transaction import Transaction


class Repricing(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt, priced once more."""

    id: str
    ledger_id: str
    job_id: str
    at: int
    cost: int
    """As it was booked."""
    repriced_cost: int
    price_source: str | None = None


async def create(tx: Transaction, job_id: str, prices: dict[str, tuple[int, str]]) -> int:
    """Note other costs, with their sources, of settled attempts; how many of these there were.

    The first cost stays what it was everywhere; the sums have the difference as `adjustment`. To do it again
    for the same job notes nothing twice.
    """
    of_these = sa.and_(table.c.job_id == job_id, table.c.ledger_id.in_(sorted(prices)))
    noted = {row.ledger_id for row in await tx.rows(sa.select(table.c.ledger_id).where(of_these))}
    fresh = {id: price for id, price in prices.items() if id not in noted}
    now = ids.now()
    return await ledger.reprice(tx, job_id, fresh, [(ids.new("rep"), now) for _ in fresh])


async def of_entry(tx: Transaction, ledger_id: str) -> list[Repricing]:
    """Every repricing of one attempt, oldest first."""
    query = sa.select(table).where(table.c.ledger_id == ledger_id).order_by(table.c.at, table.c.id)
    return [Repricing(**row._mapping) for row in await tx.rows(query)]
