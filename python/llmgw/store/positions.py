"""Positions: up to which record each journal is booked, written with what was booked."""

from typing import Any

import msgspec
import sqlalchemy as sa

from llmgw.store import bulk, ids
from llmgw.store.tables import positions as table
from llmgw.store.transaction import Transaction


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """Where the reading of one journal goes on."""

    writer: str
    sequence: int
    """Of the last record that is booked."""
    place: Any = None
    """What the reader of journals wants to find it by."""
    at: int = 0


async def find(tx: Transaction, writer: str) -> Position | None:
    """Where a journal stands; `None` before its first record."""
    row = await tx.first(sa.select(table).where(table.c.writer == writer))
    return None if row is None else Position(**row._mapping)


async def all_(tx: Transaction) -> list[Position]:
    """Where every journal stands, by writer."""
    return [Position(**row._mapping) for row in await tx.rows(sa.select(table).order_by(table.c.writer))]


async def advance(tx: Transaction, writer: str, sequence: int, place: Any = None) -> bool:
    """Move on, never back; whether it moved."""
    values = {"sequence": sequence, "place": place, "at": ids.now()}
    later = sa.and_(table.c.writer == writer, table.c.sequence < sequence)
    moved = await tx.execute(sa.update(table).where(later).values(values))
    if moved.rowcount:
        return True
    if await find(tx, writer) is not None:
        return False
    await bulk.insert_rows(tx, table, [{"writer": writer, **values}])
    return True


async def forget(tx: Transaction, writer: str) -> None:
    """Remove a journal's position, once its files are gone."""
    await tx.execute(sa.delete(table).where(table.c.writer == writer))
