"""What the journal says of budgets since the last known state: for a start without the store."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from llmgw._native import JournalReader
from llmgw.books.journal import Raw, read_record
from llmgw.books.memory import Committed
from llmgw.store.records import BadRecord, Reserve, Settle, Void


def committed_after(folder: Path, positions: dict[str, int]) -> list[Committed]:
    """What the journal's records from these positions on committed."""
    return committed_by(_records(folder, positions))


def _records(folder: Path, positions: dict[str, int]) -> Iterator[Raw]:
    """What can be read of the journal; the drain tells of the rest, once the store is back."""
    reader = JournalReader(folder, positions)
    while True:
        try:
            yield next(reader)
        except StopIteration:
            return
        except OSError:
            continue


def committed_by(records: Iterable[Raw]) -> list[Committed]:
    """What these records committed: the cost of what they settle, the holds of what they leave open.

    What was reserved before them is in the state that they follow, at what was held for it.
    """
    open_holds: dict[str, list[Committed]] = {}
    committed: dict[tuple[str, int], int] = defaultdict(int)
    for _, _, payload in records:
        try:
            record = read_record(payload)
        except BadRecord:  # the drain tells of it, once the store is back
            continue
        match record:
            case Reserve():
                open_holds[record.id] = [(slot, window, nano) for slot, window, nano in record.holds]
            case Settle():
                for slot, window, _ in open_holds.pop(record.id, ()):
                    committed[slot, window] += record.cost
            case Void():
                open_holds.pop(record.id, None)
            case _:
                pass
    for holds in open_holds.values():
        for slot, window, nano in holds:
            committed[slot, window] += nano
    return [(slot, window, nano) for (slot, window), nano in committed.items()]


def together(*parts: Iterable[Committed]) -> list[Committed]:
    """Amounts of the same budget and window added up: each is restored once."""
    sums: dict[tuple[str, int], int] = defaultdict(int)
    for part in parts:
        for slot, window, nano in part:
            sums[slot, window] += nano
    return [(slot, window, nano) for (slot, window), nano in sums.items()]
