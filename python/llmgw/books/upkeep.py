"""Upkeep of the journal's folder: torn ends are cut off, and what is booked is removed when it is old."""

from pathlib import Path

from llmgw._native import remove_journal, repair_journal
from llmgw.books.journal import JournalFolder, writers_in
from llmgw.store import positions
from llmgw.store.database import Store
from llmgw.telemetry.logs import log

_DAY = 24 * 3600.0


def repair(folder: Path) -> None:
    """Cut off what dead writers left unfinished; it is set aside."""
    for file, offset, size, aside in repair_journal(folder):
        log.warning("a journal was cut back to whole records", file=str(file), offset=offset, bytes=size,
                    aside=str(aside))  # fmt: skip


async def remove_booked(store: Store, journal: JournalFolder, booked: dict[str, int], keep_days: int) -> int:
    """Remove segments all of whose records are booked, once they are old; how many.

    Those of a damaged journal stay, and all of them as long as a record could not be booked.

    Raises:
        StoreUnavailable: positions of journals that are gone stay.
    """
    if journal.refused:
        return 0
    damaged, removed = journal.corrupt_writers(), 0
    for writer, sequence in booked.items():
        if writer in damaged:
            continue
        count = remove_journal(journal.folder, writer, sequence, keep_days * _DAY)
        removed += count
        if count and writer not in writers_in(journal.folder):
            async with store.begin() as tx:
                await positions.forget(tx, writer)
    return removed
