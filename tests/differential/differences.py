"""Two JSON values compared, and the table that explains where they differ."""

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

TABLE = Path(__file__).with_name("differences.yaml")
ABSENT = "–"
"""What stands for a value that only the other side has."""


@dataclass(frozen=True)
class Difference:
    """A place where llmgw (`ours`) and the peer (`theirs`) say something else."""

    about: str
    """`request` or `reply`."""
    wire: str
    case: str
    path: str
    ours: Any
    theirs: Any

    def __str__(self) -> str:
        return f"{self.about} {self.wire} {self.case} {self.path}: {self.ours!r} | {self.theirs!r}"


@dataclass(frozen=True)
class Entry:
    """An explanation: which differences it covers, who is right, and why."""

    about: str
    wires: list[str]
    paths: list[str]
    cases: list[str]
    right: str
    why: str

    def explains(self, found: Difference) -> bool:
        """Whether it covers a difference."""
        return (
            found.about == self.about
            and found.wire in self.wires
            and any(fnmatchcase(found.path, one) for one in self.paths)
            and any(fnmatchcase(found.case, one) for one in self.cases)
        )


def table() -> list[Entry]:
    """All explanations."""
    return [Entry(**entry) for entry in yaml.safe_load(TABLE.read_text(encoding="utf-8"))]


def compare(ours: Any, theirs: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """The places where two values differ; `#` stands for an index."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for name in sorted({*ours, *theirs}):
            below = f"{path}.{name}" if path else name
            yield from compare(ours.get(name, ABSENT), theirs.get(name, ABSENT), below)
    elif isinstance(ours, list) and isinstance(theirs, list):
        for at in range(max(len(ours), len(theirs))):
            one, other = (each[at] if at < len(each) else ABSENT for each in (ours, theirs))
            yield from compare(one, other, f"{path}.#")
    elif ours != theirs or isinstance(ours, bool) != isinstance(theirs, bool):
        yield path, ours, theirs
