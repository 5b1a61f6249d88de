"""What the rows of a time come to, to the microsecond: read row by row, unlike reports."""

import sqlalchemy as sa

from llmgw.store.entries import Window
from llmgw.store.tables import ledger
from llmgw.store.transaction import Transaction

_AMOUNTS = ("cost", "charged", "saved", "input_tokens", "output_tokens")


async def sum_of(tx: Transaction, window: Window) -> dict[str, int]:
    """Counts by state, and amounts; money is nano-dollars. `held` is of what is open."""
    is_open = ledger.c.state == "open"
    parts = {
        "attempts": sa.case((ledger.c.kind == "attempt", 1), else_=0),
        "settled": sa.case((ledger.c.state == "settled", 1), else_=0),
        "void": sa.case((ledger.c.state == "void", 1), else_=0),
        "open": sa.case((is_open, 1), else_=0),
        "calls": sa.case((ledger.c.kind == "call", 1), else_=0),
        **{name: ledger.c[name] for name in _AMOUNTS},
        "held": sa.case((is_open, ledger.c.held), else_=0),
    }
    query = sa.select(*(sa.func.coalesce(sa.func.sum(part), 0).label(name) for name, part in parts.items()))
    if window.since is not None:
        query = query.where(ledger.c.at >= window.since)
    if window.until is not None:
        query = query.where(ledger.c.at < window.until)
    row = await tx.first(query)
    return {name: int(row._mapping[name]) if row else 0 for name in parts}
