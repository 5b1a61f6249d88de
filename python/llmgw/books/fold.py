"""Turns a batch of the journal's records into rows: pure, given what the store knows of their ids already."""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from llmgw.books import rows, sums
from llmgw.books.records import Call, Event, Record, Reserve, Settle, Void
from llmgw.books.rows import Row
from llmgw.books.sums import Sums

Read = tuple[str, int, Record]
"""A record, with its writer and its sequence."""

Margin = Callable[[Row], int]
"""The margin on a row's cost, in parts of a million."""


class Folded(msgspec.Struct):
    """What a batch comes to."""

    made: dict[str, Row] = {}
    """Rows that the store does not have yet."""
    changed: dict[str, Row] = {}
    """Rows that it has, as they are to be."""
    sums: Sums = msgspec.field(default_factory=Sums)
    events: list[Event] = []
    repeated: int = 0
    """Records that say again what is booked already: they change nothing."""
    orphans: int = 0
    """Settles and voids whose reserve is not there."""


def ids(records: Iterable[Read]) -> list[str]:
    """The rows that a batch is about."""
    return list(dict.fromkeys(record.id for _, _, record in records if not isinstance(record, Event)))


def fold(records: Sequence[Read], known: dict[str, Row], margin: Margin) -> Folded:
    """Fold a batch; `known` are the rows of its ids that the store has. They are changed in place."""
    folded = Folded()
    before = {id: sums.figures(row) for id, row in known.items()}
    for writer, _, record in records:
        match record:
            case Event():
                folded.events.append(record)
            case Reserve() | Call():
                _begin(folded, known, record, writer)
            case Settle() | Void():
                _end(folded, known, record, writer, margin)
    for row in folded.made.values():
        folded.sums.count(row)
    for id, row in folded.changed.items():
        folded.sums.count(row, before[id])
    return folded


def _begin(folded: Folded, known: dict[str, Row], record: Reserve | Call, writer: str) -> None:
    if record.id in known or record.id in folded.made:
        folded.repeated += 1
        return
    is_call = isinstance(record, Call)
    folded.made[record.id] = rows.called(record, writer) if is_call else rows.reserved(record, writer)


def _end(
    folded: Folded, known: dict[str, Row], record: Settle | Void, writer: str, margin: Margin
) -> None:
    row = folded.made.get(record.id)
    if row is None and (row := known.get(record.id)) is None:
        folded.orphans += 1
        row = folded.made[record.id] = rows.orphaned(record, writer)
    if row.state != rows.OPEN:
        folded.repeated += 1
        return
    if isinstance(record, Settle):
        rows.settle(row, record, margin(row))
    else:
        rows.void(row, record)
    if record.id not in folded.made:
        folded.changed[record.id] = row
