"""Looks ahead in the journal without booking: how many records wait, and up to where they go."""

from pathlib import Path

from llmgw._native import JournalFollower

_MOST = 20_000
_ROUNDS = 5


class Scout:
    """Reads ahead of the drain while the store does not take anything."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._follower: JournalFollower | None = None
        self._ends: dict[str, int] = {}

    def rest(self) -> None:
        """The drain has caught up: there is nothing ahead of it."""
        self._follower = None

    def look(self, booked: dict[str, int]) -> tuple[dict[str, int], int]:
        """The sequence behind each journal's last record, and how many are behind `booked`.

        A long way is gone in several looks; until then it is less than there is.
        """
        if self._follower is None:
            self._follower = JournalFollower(self._folder, booked)
            self._ends = dict(booked)
        for _ in range(_ROUNDS):
            records, _, is_full, _ = self._follower.read(_MOST)
            self._ends |= {writer: sequence + 1 for writer, sequence, _ in records}
            if not is_full:
                break
        return dict(self._ends), sum(end - booked.get(writer, 0) for writer, end in self._ends.items())
