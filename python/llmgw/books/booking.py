"""Books a batch: rows, sums, events and how far the journal is booked, in one transaction or not at all.

Positions are read in the transaction that moves them on, so that a batch whose commit was cut off is
neither booked twice nor left out; ids of rows are looked up as well, for journals that are read again.
"""

from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

import msgspec
import orjson
from msgspec.structs import astuple
from sqlalchemy import ColumnElement, Text, select, type_coerce

from llmgw.books import statements
from llmgw.books.fold import Folded, Read, fold, ids
from llmgw.books.margins import Margins
from llmgw.books.records import Event
from llmgw.books.rows import COLUMNS, Row
from llmgw.books.sums import Sums
from llmgw.store import tables
from llmgw.store.ids import now
from llmgw.store.tables import Json
from llmgw.store.transaction import Transaction

_PIECE = 500
_ENDING = (
    "state",
    "settled_at",
    "reported_model",
    "tier",
    "status",
    "how",
    "why",
    "cost",
    "charged",
    "price_status",
    "price_source",
    "holds",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "usage",
    "served",
    "duration_ms",
    "first_ms",
    "upstream_id",
)
"""The columns that change when a row is closed."""
_ended = itemgetter(*(COLUMNS.index(name) for name in (*_ENDING, "id")))
_COLUMNS = [type_coerce(tables.ledger.c[name], Text) if isinstance(tables.ledger.c[name].type, Json)
            else tables.ledger.c[name] for name in COLUMNS]
_POSITION = ("writer", "sequence", "at")
_EVENT = (
    "id",
    "at",
    "actor_kind",
    "actor_id",
    "actor_name",
    "action",
    "object_kind",
    "object_id",
    "organisation_id",
    "team_id",
    "before",
    "after",
    "ip",
    "request_id",
)


class Booked(msgspec.Struct, frozen=True):
    """What became of a batch."""

    records: int
    """Those that were not booked before."""
    repeated: int
    orphans: int
    positions: dict[str, int]
    """The sequence that is booked next, of each writer of the batch."""


class Behind(Exception):
    """The store knows less of a journal than was booked: it was put back to an earlier state."""


async def positions(tx: Transaction, writers: Sequence[str] | None = None) -> dict[str, int]:
    """The sequence that is to be booked next, of these writers or of all; nobody else moves them meanwhile."""
    table = tables.positions
    query = select(table.c.writer, table.c.sequence).order_by(table.c.writer)
    if writers is not None:
        query = query.where(table.c.writer.in_(writers)).with_for_update()
    return {row.writer: row.sequence for row in await tx.rows(query)}


async def book(
    tx: Transaction, batch: Sequence[Read], begins: Mapping[str, int], ends: Mapping[str, int]
) -> Booked:
    """Book the records of a batch, each writer's in order.

    `begins` says up to where each writer was booked before, and `ends` up to where it is after.

    Raises:
        Behind: the store knows less than that.
        StoreUnavailable: the database does not answer; nothing was booked, unless the commit was cut off.
    """
    booked = await positions(tx, sorted(ends))
    if any(booked.get(writer, 0) < begin for writer, begin in begins.items()):
        raise Behind
    fresh = [read for read in batch if read[1] >= booked.get(read[0], 0)]
    known = {row.id: row for row in await find(tx, ids(fresh))}
    folded = fold(fresh, known, (await Margins.read(tx)).of)
    await _write_rows(tx, folded)
    await add_sums(tx, folded.sums)
    await _write_events(tx, folded.events)
    moved = {writer: max(end, booked.get(writer, 0)) for writer, end in ends.items()}
    at = now()
    await tx.many(
        statements.replace(tx.kind, tables.positions, _POSITION),
        sorted((writer, sequence, at) for writer, sequence in moved.items()),
    )
    return Booked(len(fresh), folded.repeated, folded.orphans, moved)


async def find(tx: Transaction, wanted: Sequence[str]) -> list[Row]:
    """Rows of the ledger by their ids, as far as they are there."""
    found: list[Row] = []
    for start in range(0, len(wanted), _PIECE):
        found += await select_rows(tx, tables.ledger.c.id.in_(wanted[start : start + _PIECE]))
    return found


async def select_rows(tx: Transaction, condition: ColumnElement[bool], limit: int | None = None) -> list[Row]:
    """Rows of the ledger, with JSON as text."""
    query = select(*_COLUMNS).where(condition).limit(limit)
    return [Row(**dict(zip(COLUMNS, row, strict=True))) for row in await tx.rows(query)]


async def change_rows(tx: Transaction, changed: Iterable[Row]) -> None:
    """Write what ends a row to rows that are there."""
    values = [astuple(row) for row in changed]
    statement = statements.update(tx.kind, tables.ledger, _ENDING)
    await tx.many(statement, sorted((_ended(row) for row in values), key=_last))


async def add_sums(tx: Transaction, added: Sums) -> None:
    """Add to the tables of sums."""
    await tx.many(statements.add(tx.kind, tables.rollups), added.rollups())
    await tx.many(statements.add(tx.kind, tables.tag_rollups), added.tag_rollups())
    await tx.many(statements.add(tx.kind, tables.totals), added.totals())


async def _write_rows(tx: Transaction, folded: Folded) -> None:
    await change_rows(tx, folded.changed.values())
    made = [astuple(row) for row in folded.made.values()]
    await tx.many(statements.insert(tx.kind, tables.ledger, COLUMNS), made)


async def _write_events(tx: Transaction, events: Iterable[Event]) -> None:
    statement = statements.insert(tx.kind, tables.events, _EVENT, if_new=True)
    await tx.many(statement, [_event(event) for event in events])


def _event(event: Event) -> tuple[str | int | None, ...]:
    return (
        event.id,
        event.at,
        event.actor.kind,
        event.actor.id,
        event.actor.name,
        event.action,
        event.object.kind,
        event.object.id,
        event.organisation,
        event.team,
        _json(event.before),
        _json(event.after),
        event.ip,
        event.request,
    )


def _json(value: object) -> str | None:
    return None if value is None else orjson.dumps(value).decode()


def _last(values: tuple[Any, ...]) -> Any:
    return values[-1]
