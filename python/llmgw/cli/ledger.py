"""`llmgw ledger`: the books are checked, summed, exported, compared with a provider's, priced once more."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from llmgw._native import Journal
from llmgw.books import reconcile, usage_export
from llmgw.books.export import Format, export
from llmgw.books.keeping import Keeping
from llmgw.books.memory import NoMemory
from llmgw.books.reconcile import Result
from llmgw.books.reprice import Repriced, begin, reprice
from llmgw.books.sums import sum_of
from llmgw.books.usage_export import Billed, Provider
from llmgw.books.verify import Report, verify
from llmgw.cli import FAILED, OK, USAGE, CommandError
from llmgw.cli.database import with_store
from llmgw.cli.output import print_json, print_table
from llmgw.cli.prices import CurrentPrices
from llmgw.cli.situation import Situation
from llmgw.store import entries, jobs, positions, reconciliations
from llmgw.store.database import Store
from llmgw.store.entries import Entry, Window
from llmgw.store.errors import StoreError
from llmgw.store.reconciliations import Reconciliation
from llmgw.store.scope import Scope

_BOOK_SECONDS = 30.0
_NANO = 10**9


def run_verify(situation: Situation, folder: Path | None, *, offline: bool, as_json: bool) -> int:
    """Look at everything; 0 if it is right, 1 if it is not, 2 if it could not be looked at."""
    place = folder or journal_folder(situation)
    try:
        if offline:
            report = asyncio.run(verify(None, place))
        else:
            report = with_store(situation, lambda store: verify(store, place))
    except (StoreError, OSError) as error:
        raise CommandError(f"the books cannot be checked: {error}", status=USAGE) from None
    if as_json:
        print_json({"right": report.is_right, **msgspec.to_builtins(report)})
    else:
        _print_report(report)
    return OK if report.is_right else FAILED


def _print_report(report: Report) -> None:
    figures = report.figures
    rows = [
        ("records in the journal", str(figures.records)),
        ("reserved", str(figures.reserved)),
        ("settled", f"{figures.settled}, ${dollars(figures.cost)}"),
        ("the same in the store", f"${dollars(figures.stored_cost)}"),
        ("void", str(figures.void)),
        ("open", str(figures.open)),
        ("answered without a send", str(figures.calls)),
        ("events", str(figures.events)),
        ("not booked yet", f"{figures.waiting} records, ${dollars(figures.waiting_cost)}"),
        ("ends that a crash left", str(figures.torn)),
    ]
    print_table(("", ""), rows)
    for what, count in report.problems.items():
        print(f"\nwrong: {what} ({count})")
        for problem in report.examples:
            if problem.what == what:
                print(f"  {problem.example}")
    if report.is_right:
        print("\nthe books are right")


def run_sum(situation: Situation, window: Window, *, as_json: bool) -> int:
    """Print what all rows of a time come to."""
    sums = with_store(situation, lambda store: _sum(store, window))
    if as_json:
        print_json(sums)
        return OK
    money = ("cost", "charged", "held", "saved")
    print_table(
        ("", ""),
        [(name, f"${dollars(value)}" if name in money else str(value)) for name, value in sums.items()],
    )
    return OK


async def _sum(store: Store, window: Window) -> dict[str, int]:
    async with store.read() as tx:
        return await sum_of(tx, window)


def run_export(
    situation: Situation,
    window: Window,
    filters: dict[str, str],
    form: Format,
    output: Path | None,
) -> int:
    """Write the rows of a time."""

    async def run(store: Store) -> int:
        async with store.read() as tx:
            return await export(
                _rows(entries.stream(tx, Scope.all(), window, filters)), _COLUMNS, form, output
            )

    try:
        with_store(situation, run)
    except OSError as error:
        raise CommandError(f"cannot write: {error.strerror}") from None
    return OK


_COLUMNS = Entry.__struct_fields__


async def _rows(pieces: AsyncIterator[Sequence[Entry]]) -> AsyncIterator[Sequence[dict[str, Any]]]:
    async for piece in pieces:
        yield [msgspec.structs.asdict(entry) for entry in piece]


def run_reconcile(
    situation: Situation,
    file: Path,
    provider: Provider,
    columns: dict[str, str],
    *,
    complete: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Compare the ledger with a provider's export, and close what is open; 1 if they differ."""
    try:
        lines = usage_export.read(file, provider, columns)
    except OSError as error:
        raise CommandError(f"cannot read {file}: {error.strerror}") from None
    prices = CurrentPrices(situation)
    folder = journal_folder(situation)
    result = with_store(
        situation,
        lambda store: _reconcile(store, lines, provider, prices, folder, complete=complete, dry_run=dry_run),
    )
    if as_json:
        print_json(msgspec.to_builtins(result) | {"state": result.state, "records": len(result.records)})
    else:
        _print_result(result, dry_run=dry_run)
    return FAILED if result.differences else OK


async def _reconcile(
    store: Store,
    lines: list[Billed],
    provider: Provider,
    prices: CurrentPrices,
    folder: Path,
    *,
    complete: bool,
    dry_run: bool,
) -> Result:
    times = [line.starts_at for line in lines if line.starts_at]
    span = (min(times, default=0), max((line.ends_at for line in lines), default=0))
    only = None if provider == "generic" else provider
    async with store.read() as tx:
        if any(line.request for line in lines):
            covers = (span[0], span[1] or 2**62) if complete else None
            result = await reconcile.by_request(tx, lines, prices.of_line, covers=covers, provider=only)
        else:
            result = await reconcile.by_day(tx, lines)
    if dry_run:
        return result
    if result.records:
        await _enter(store, folder, result.records)
    figures = {"matched": result.matched, "booked": result.booked, "billed": result.billed}
    told = [msgspec.to_builtins(each) for each in result.differences[:1000]]
    kept = Reconciliation(
        provider=provider,
        starts_at=span[0],
        ends_at=span[1],
        state=result.state,
        figures=figures | {"closed": len(result.records), "differences": told},
    )
    async with store.begin() as tx:
        await reconciliations.create(tx, Scope.all(), kept)
    return result


async def _enter(store: Store, folder: Path, records: Sequence[dict[str, object]]) -> None:
    """Put records into the journal, and see them booked: by the bookkeeper that runs, else here."""
    journal = Journal(folder)
    last = [journal.append(json.dumps(record).encode()) for record in records][-1]
    writer = journal.writer
    journal.close()
    keeping = Keeping(store, NoMemory(), folder, keep_days=0)
    deadline = time.monotonic() + _BOOK_SECONDS
    while time.monotonic() < deadline:
        if keeping.take():
            await keeping.catch_up()
            return
        async with store.read() as tx:
            position = await positions.find(tx, writer)
        if position is not None and position.sequence >= last:
            return
        await asyncio.sleep(0.1)
    raise CommandError("what closes open attempts is in the journal, and not booked yet")


def _print_result(result: Result, *, dry_run: bool) -> None:
    closed = "would be closed" if dry_run else "closed"
    print(f"{result.matched} agree, {len(result.records)} {closed}, {len(result.differences)} differ")
    print(f"booked ${dollars(result.booked)}, billed ${dollars(result.billed)}")
    if result.differences:
        print_table(
            ("WHAT", "WHERE", "BOOKED", "BILLED"),
            [
                (
                    one.what,
                    " ".join(part for part in (one.request, one.day, one.model) if part),
                    "" if one.booked is None else dollars(one.booked),
                    "" if one.billed is None else dollars(one.billed),
                )
                for one in result.differences
            ],
        )


def run_reprice(
    situation: Situation, window: Window, file: Path | None, job: str | None, *, as_json: bool
) -> int:
    """Note what settled attempts would cost now: of a time, or of a job that waits for it."""
    prices = CurrentPrices(situation, file)

    async def run(store: Store) -> Repriced:
        if job is None:
            made = await begin(store, window, None if file is None else file.name)
        else:
            async with store.read() as tx:
                made = await jobs.get(tx, Scope.all(), job)
        return await reprice(store, made, prices.find)

    repriced = with_store(situation, run)
    if as_json:
        print_json(repriced)
        return OK
    print(f"job {repriced.job}: {repriced.attempts} attempts, {repriced.changed} of them cost otherwise")
    print(f"${dollars(repriced.cost)} became ${dollars(repriced.repriced_cost)}; both are kept")
    if repriced.unknown:
        print(f"{repriced.unknown} have no price")
    return OK


def journal_folder(situation: Situation) -> Path:
    """Where the journal is."""
    folder = situation.load().settings.ledger.folder
    if folder is None:
        return situation.folder.journal_folder
    beside = Path() if situation.config is None else situation.config.absolute().parent
    return beside / Path(folder).expanduser()


def window_of(since: str | None, until: str | None) -> Window:
    """A time by its first and its last day (`2026-11`, `2026-11-25`), or by moments (ISO 8601, UTC).

    A month or day at the end is part of it.

    Raises:
        CommandError: one of them is no time.
    """
    return Window(since=_moment(since, end=False), until=_moment(until, end=True))


def _moment(text: str | None, *, end: bool) -> int | None:
    if text is None:
        return None
    try:
        if len(text) == len("2026-11"):
            year, month = map(int, text.split("-"))
            year, month = (year + month // 12, month % 12 + 1) if end else (year, month)
            moment = datetime(year, month, 1, tzinfo=UTC)
        else:
            moment = datetime.fromisoformat(text)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            if end and len(text) == len("2026-11-25"):
                return round(moment.timestamp() * 1_000_000) + 86_400_000_000
    except ValueError:
        raise CommandError(
            f"'{text}' is no time: give 2026-11, 2026-11-25 or ISO 8601", status=USAGE
        ) from None
    return round(moment.timestamp() * 1_000_000)


def dollars(nano: int) -> str:
    """An amount as people write it, with all its digits and at least cents."""
    sign, nano = ("-", -nano) if nano < 0 else ("", nano)
    whole, rest = divmod(nano, _NANO)
    return f"{sign}{whole}.{f'{rest:09d}'.rstrip('0').ljust(2, '0')}"
