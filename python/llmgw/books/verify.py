"""Whether the books are right: the journal is whole, and the store says what the journal says.

Everything is read: the journal from its first segment, the rows that it tells of, and the sums of all rows.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import sqlalchemy as sa

from llmgw._native import JournalReader
from llmgw.books import booking
from llmgw.books.journal import ASIDE, Raw, read_record
from llmgw.store import tables
from llmgw.store.database import Store
from llmgw.store.records import BadRecord, Call, Event, Reserve, Settle, Void
from llmgw.store.transaction import Transaction

_PIECE = 500
_MOST_EXAMPLES = 20


class Problem(msgspec.Struct, frozen=True):
    """Something that is not right."""

    what: str
    example: str


class Figures(msgspec.Struct):
    """What was counted."""

    records: int = 0
    reserved: int = 0
    settled: int = 0
    void: int = 0
    open: int = 0
    calls: int = 0
    events: int = 0
    cost: int = 0
    """Nano-dollars that the journal settles."""
    stored_cost: int = 0
    """Nano-dollars that the store has for the same attempts."""
    waiting: int = 0
    """Records that are not booked yet."""
    waiting_cost: int = 0
    """Nano-dollars that these settle."""
    torn: int = 0
    """Ends of journals that a crash left; nothing is missing."""


class Report(msgspec.Struct):
    """What came out."""

    figures: Figures = msgspec.field(default_factory=Figures)
    problems: dict[str, int] = {}
    """How often, by what is wrong."""
    examples: list[Problem] = []

    @property
    def is_right(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def note(self, what: str, example: str) -> None:
        """Something is wrong."""
        self.problems[what] = self.problems.get(what, 0) + 1
        if self.problems[what] <= _MOST_EXAMPLES:
            self.examples.append(Problem(what, example))


class Attempt(msgspec.Struct):
    """What the journal says of one attempt."""

    has_reserve: bool = False
    end: str | None = None
    cost: int = 0
    is_waiting: bool = False
    """Not all of it is booked."""


async def verify(store: Store | None, folder: Path) -> Report:
    """Look at everything; without a store, at the journal alone.

    Raises:
        StoreUnavailable: the database does not answer.
        OSError: the journal cannot be read.
    """
    report = Report()
    positions: dict[str, int] = {}
    if store is not None:
        async with store.read() as tx:
            positions = await booking.next_sequences(tx)
    attempts = _read(report, folder, positions if store is not None else None)
    if store is None:
        for id, attempt in attempts.items():
            if not attempt.has_reserve:
                report.note("settled or void without a reserve", id)
        return report
    async with store.read() as tx:
        await _compare(tx, report, attempts)
        await _check_sums(tx, report)
    return report


def _read(report: Report, folder: Path, positions: dict[str, int] | None) -> dict[str, Attempt]:
    """Every record of the journal; those behind the positions wait to be booked."""
    attempts: dict[str, Attempt] = {}
    reader = JournalReader(folder)
    for writer, sequence, payload in _records(reader):
        report.figures.records += 1
        is_waiting = positions is not None and sequence >= positions.get(writer, 0)
        report.figures.waiting += is_waiting
        try:
            record = read_record(payload)
        except BadRecord as error:
            report.note("a record that means nothing", f"{writer} {sequence}: {error}")
            continue
        match record:
            case Reserve() | Settle() | Void():
                attempt = attempts.setdefault(record.id, Attempt())
                attempt.is_waiting |= is_waiting
                _take(report, attempt, record)
            case Call():
                report.figures.calls += 1
            case Event():
                report.figures.events += 1
    _note_findings(report, reader, folder)
    report.figures.open = sum(attempt.end is None for attempt in attempts.values())
    return attempts


def _records(reader: JournalReader) -> Iterator[Raw]:
    yield from reader


def _take(report: Report, attempt: Attempt, record: Reserve | Settle | Void) -> None:
    figures = report.figures
    if isinstance(record, Reserve):
        if attempt.has_reserve:
            report.note("reserved twice", record.id)
        attempt.has_reserve = True
        figures.reserved += 1
        return
    if attempt.end is not None:
        report.note("settled or void twice", record.id)
        return
    if isinstance(record, Void):
        attempt.end = "void"
        figures.void += 1
        return
    attempt.end, attempt.cost = "settled", record.cost
    figures.settled += 1
    figures.cost += record.cost


def _note_findings(report: Report, reader: JournalReader, folder: Path) -> None:
    for kind, file, offset, why in reader.findings:
        if kind == "torn":
            report.figures.torn += 1
        else:
            report.note("damage in the journal", f"{file.name} at {offset}: {why}")
    aside = folder / ASIDE
    if aside.exists():
        for line in aside.read_text(errors="replace").splitlines():
            report.note("a record that could not be booked", line[:200])


async def _compare(tx: Transaction, report: Report, attempts: dict[str, Attempt]) -> None:
    """The rows of what the journal tells of."""
    table = tables.ledger
    columns = (table.c.id, table.c.state, table.c.cost, table.c.held)
    for piece in _pieces(list(attempts)):
        rows = {row.id: row for row in await tx.rows(sa.select(*columns).where(table.c.id.in_(piece)))}
        for id in piece:
            attempt, row = attempts[id], rows.get(id)
            if row is None:
                if attempt.is_waiting:
                    report.figures.waiting_cost += attempt.cost
                else:
                    report.note("not in the store", id)
                continue
            if row.state == "settled":
                report.figures.stored_cost += row.cost or 0
            if attempt.is_waiting and row.state == "open":
                report.figures.waiting_cost += attempt.cost
            elif row.state != (attempt.end or "open") or (row.cost or 0) != attempt.cost:
                said = f"{attempt.end or 'open'} {attempt.cost}"
                report.note("the store says otherwise", f"{id}: {row.state} {row.cost}, the journal {said}")
            if not attempt.has_reserve and row.held is None:
                report.note("settled or void without a reserve", id)


async def _check_sums(tx: Transaction, report: Report) -> None:
    """All rows, and all that is summed of them."""
    table = tables.ledger
    names = ("settled", "void", "open", "calls", "cost", "charged", "held")
    is_open = table.c.state == "open"
    rows = await tx.first(
        sa.select(
            *(
                sa.func.coalesce(sa.func.sum(sa.case((condition, value), else_=0)), 0)
                for condition, value in (
                    (table.c.state == "settled", 1),
                    (table.c.state == "void", 1),
                    (is_open, 1),
                    (table.c.kind == "call", 1),
                    (sa.true(), sa.func.coalesce(table.c.cost, 0)),
                    (sa.true(), sa.func.coalesce(table.c.charged, 0)),
                    (is_open, sa.func.coalesce(table.c.held, 0)),
                )
            )
        )
    )
    for sums, condition in (
        (tables.rollups, sa.true()),
        (tables.totals, tables.totals.c.dimension == "all"),
    ):
        query = sa.select(*(sa.func.coalesce(sa.func.sum(sums.c[name]), 0) for name in names))
        found = await tx.first(query.where(condition))
        for name, of_rows, of_sums in zip(names, rows or (), found or (), strict=True):
            if int(of_rows) != int(of_sums):
                what = f"the sums in {sums.name} are not those of the rows"
                report.note(what, f"{name}: {int(of_sums)}, the rows {int(of_rows)}")


def _pieces(ids: list[str]) -> Iterable[list[str]]:
    return (ids[start : start + _PIECE] for start in range(0, len(ids), _PIECE))
