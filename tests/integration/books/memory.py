"""Shared memory that is not shared: what the bookkeeper says in it, for tests to look at."""

import json
from pathlib import Path
from typing import Any

from llmgw.books.memory import Committed


class FakeMemory:
    """The bookkeeper's words of `SharedState`; the folder is where the directory's files are."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.directory = (0, 0)
        self.damaged_directory = 0
        self.wanted_issuer_keys = 0
        self.restored: dict[tuple[str, int], int] = {}
        self.lost: list[Committed] = []

    def publish_directory(self, file: int, length: int) -> None:
        """As the native one."""
        self.directory = (file, length)

    def restore_budget(self, slot: str, window: int, nano: int) -> bool:
        """Once for a window."""
        if (slot, window) in self.restored:
            return False
        self.restored[slot, window] = nano
        return True

    def lose_hold(self, slot: str, window: int, nano: int) -> bool:
        """As the native one."""
        self.lost.append((slot, window, nano))
        return True

    def budgets(self) -> list[Committed]:
        """As the native one."""
        return [(slot, window, nano) for (slot, window), nano in self.restored.items()]

    def lines(self) -> list[dict[str, Any]]:
        """What a worker would read."""
        number, length = self.directory
        text = (self._folder / f"directory.{number}").read_bytes()[:length]
        return [json.loads(line) for line in text.splitlines()]

    def known(self) -> dict[str, dict[str, Any]]:
        """What a worker would know: the newest line of each object, up to the last `end`."""
        known: dict[str, dict[str, Any]] = {}
        lines = self.lines()
        assert "end" in lines[-1]
        for line in lines:
            if "drop" in line:
                known.pop(line["drop"], None)
            elif "put" in line:
                known[line.get("id") or line["issuer"]] = line
        return known
