"""The last known state: for a start while the store cannot be asked.

Beside the copy of the directory's file lies a small file with the rest: when the store was last heard of, how
far the journal was booked, and what was committed of budgets. Both are for their owner alone. Nothing in them
opens anything: of keys they hold the digests that the store holds.
"""

import os
from pathlib import Path

import msgspec

from llmgw.books.directory import whole_length
from llmgw.books.memory import Committed


class Last(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept beside the directory."""

    as_of: float
    """Unix seconds at which the directory was that of the store."""
    positions: dict[str, int] = {}
    """The sequence that was to be booked next, of each writer."""
    budgets: list[Committed] = []


class LastState:
    """The files of the last known state, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.directory = folder / "directory"
        """The copy of the directory's file."""
        self._file = folder / "state.json"

    def prepare(self) -> None:
        """Make the folder."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def write(self, last: Last) -> None:
        """Replace what is kept, whole or not at all."""
        fresh = self._file.with_suffix(".new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(msgspec.json.encode(last))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._file)

    def read(self) -> Last | None:
        """What an earlier run kept; `None` if nothing can be used."""
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=Last)
        except (OSError, msgspec.DecodeError):
            return None

    def length(self) -> int:
        """How much of the directory's copy can be used; 0: nothing."""
        return whole_length(self.directory)


def is_usable(last: Last | None, now: float, max_staleness: float) -> bool:
    """Whether a state may be served; `max_staleness` 0: whatever its age."""
    return last is not None and (max_staleness == 0 or now - last.as_of <= max_staleness)
