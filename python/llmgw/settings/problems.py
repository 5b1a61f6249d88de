"""What is wrong with a configuration: problems with their place, told all at once."""

import difflib
from collections.abc import Iterable, Mapping

import msgspec

from llmgw.errors import LlmgwError

Path = tuple[str | int, ...]
"""Where a value stands in the settings tree: `("model_list", 0, "model_name")`."""

_MOST_TOLD = 30


def dotted(path: Path) -> str:
    """A path as people write it: `model_list[0].model_name`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.removeprefix(".")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?`, or nothing when no known word is near."""
    near = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean '{near[0]}'?" if near else ""


class Problem(msgspec.Struct, frozen=True):
    """One thing wrong, or worth a warning. `message` never holds a secret."""

    message: str
    path: str = ""
    file: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        """`llmgw.yaml:12: model_list[0].model: message`, with what is known of it."""
        place = self.file or ""
        if self.line is not None:
            place += f":{self.line}"
        return ": ".join(part for part in (place, self.path, self.message) if part)


class SettingsError(LlmgwError):
    """The configuration cannot be used; `problems` lists every reason, the text the first few."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        lines = [str(problem) for problem in self.problems[:_MOST_TOLD]]
        if more := len(self.problems) - len(lines):
            lines.append(f"… and {more} more")
        super().__init__("\n".join(lines))


class Report:
    """Collects the problems and warnings of one configuration, with file and line."""

    def __init__(self, file: str | None = None, lines: Mapping[Path, int] | None = None) -> None:
        """`lines` holds the line on which each path's value begins."""
        self.file = file
        self._lines = dict(lines or {})
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []

    def of_file(self, file: str) -> "Report":
        """A report on another file, whose problems and warnings are told with these."""
        other = Report(file)
        other.problems, other.warnings = self.problems, self.warnings
        return other

    def error(self, path: Path, message: str) -> None:
        """Note that the value at this path cannot be used."""
        self.problems.append(self._problem(path, message))

    def warn(self, path: Path, message: str) -> None:
        """Note something that works, though perhaps not as meant."""
        self.warnings.append(self._problem(path, message))

    def raise_errors(self) -> None:
        """Raise `SettingsError` with every problem so far, if there are any."""
        if self.problems:
            raise SettingsError(sorted(self.problems, key=lambda problem: problem.line or 0))

    def _problem(self, path: Path, message: str) -> Problem:
        return Problem(message, dotted(path), self.file, self._line(path))

    def _line(self, path: Path) -> int | None:
        """The line of the value, or of the nearest thing around it."""
        for end in range(len(path), 0, -1):
            if (line := self._lines.get(path[:end])) is not None:
                return line
        return None
