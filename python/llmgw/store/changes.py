"""The outbox: what changed, in the order in which it was committed, for whoever keeps a copy."""

import msgspec
from sqlalchemy import delete, func, insert, select, text

from llmgw.store import ids
from llmgw.store.tables import changes
from llmgw.store.transaction import Transaction

_LOCK = 0x6368616E676573  # "changes"


class Change(msgspec.Struct, frozen=True):
    """One object that was made, changed or removed: look at it to see which."""

    seq: int
    kind: str
    object_id: str
    at: int


async def note(tx: Transaction, kind: str, object_id: str) -> None:
    """Say that an object changed.

    Numbers are given in the order of commits: who has read up to one has missed none below it.
    """
    if tx.kind == "postgresql":  # SQLite has one writer at a time anyway
        await tx.execute(text("SELECT pg_advisory_xact_lock(:lock)").bindparams(lock=_LOCK))
    await tx.execute(insert(changes).values(kind=kind, object_id=object_id, at=ids.now()))


async def after(tx: Transaction, seq: int, limit: int = 10_000) -> list[Change]:
    """What changed after this number, in order."""
    query = select(changes).where(changes.c.seq > seq).order_by(changes.c.seq).limit(limit)
    return [Change(**row._mapping) for row in await tx.rows(query)]


async def last(tx: Transaction) -> int:
    """The number of the last change; 0 before the first."""
    return int(await tx.value(select(func.coalesce(func.max(changes.c.seq), 0))))


async def forget(tx: Transaction, before: int) -> int:
    """Remove changes older than this time, but never the last one; how many."""
    newest = select(func.max(changes.c.seq)).scalar_subquery()
    result = await tx.execute(delete(changes).where(changes.c.at < before, changes.c.seq < newest))
    return result.rowcount
