"""Books a batch: rows of the ledger, sums, events and how far each journal is booked, in one transaction.

Positions are read in the transaction that moves them on, so that a batch whose commit was cut off is
neither booked twice nor left out. The store looks up ids as well, for journals that are read again.
"""

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import select

from llmgw.store import bulk, ledger, positions, tables
from llmgw.store.records import AnyRecord, Event, LedgerRecord
from llmgw.store.transaction import Transaction

Read = tuple[str, int, AnyRecord]
"""A record, with its writer and its sequence."""


class Booked(msgspec.Struct, frozen=True):
    """What became of a batch."""

    records: int
    """Those that were not booked before."""
    repeated: int
    """Those of them that said what was booked already."""
    positions: dict[str, int]
    """The sequence that is booked next, of each writer of the batch."""


class Behind(Exception):
    """The store knows less of a journal than was booked: it was put back to an earlier state."""


async def next_sequences(tx: Transaction) -> dict[str, int]:
    """The sequence that is to be booked next, of each writer."""
    return {position.writer: position.sequence + 1 for position in await positions.all_(tx)}


async def book(
    tx: Transaction, batch: Sequence[Read], begins: Mapping[str, int], ends: Mapping[str, int]
) -> Booked:
    """Book the records of a batch, each writer's in order.

    `begins` says up to where each writer was booked before, and `ends` up to where it is after.

    Raises:
        Behind: the store knows less than that.
        StoreUnavailable: the database does not answer; nothing was booked, unless the commit was cut off.
    """
    known = {writer: await _next(tx, writer) for writer in ends}
    if any(known.get(writer, 0) < begin for writer, begin in begins.items()):
        raise Behind
    fresh = [read for read in batch if read[1] >= known[read[0]]]
    repeated = 0
    for writer, records in _by_writer(fresh).items():
        repeated += (await ledger.enter(tx, records, writer)).known
    await _enter_events(tx, [record for _, _, record in fresh if isinstance(record, Event)])
    for writer, end in ends.items():
        if end > known[writer]:
            await positions.advance(tx, writer, end - 1)
    return Booked(len(fresh), repeated, {writer: max(end, known[writer]) for writer, end in ends.items()})


async def _next(tx: Transaction, writer: str) -> int:
    position = await positions.find(tx, writer)
    return 0 if position is None else position.sequence + 1


def _by_writer(batch: Sequence[Read]) -> dict[str, list[LedgerRecord]]:
    by_writer: dict[str, list[LedgerRecord]] = {}
    for writer, _, record in batch:
        if not isinstance(record, Event):
            by_writer.setdefault(writer, []).append(record)
    return by_writer


async def _enter_events(tx: Transaction, told: Sequence[Event]) -> None:
    if not told:
        return
    fresh = {event.id: event for event in told}
    query = select(tables.events.c.id).where(tables.events.c.id.in_(list(fresh)))
    for row in await tx.rows(query):
        del fresh[row.id]
    await bulk.insert_rows(tx, tables.events, [_event(event) for event in fresh.values()])


def _event(event: Event) -> dict[str, object]:
    return {
        "id": event.id,
        "at": event.at,
        "actor_kind": event.actor.get("kind") or "system",
        "actor_id": event.actor.get("id"),
        "actor_name": event.actor.get("name"),
        "action": event.action,
        "object_kind": event.object.get("kind") or "",
        "object_id": event.object.get("id") or "",
        "organisation_id": event.organisation,
        "team_id": event.team,
        "before": event.before,
        "after": event.after,
        "ip": event.ip,
        "request_id": event.request,
    }
