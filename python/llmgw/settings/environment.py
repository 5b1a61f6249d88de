"""The environment of a process: its variables, `.env` files, and LiteLLM's names for ours."""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from llmgw.errors import LlmgwError


class EnvironmentFileError(LlmgwError):
    """A `.env` file cannot be read; the text names file and line, never a value."""


class Environment(Mapping[str, str]):
    """Environment variables, read-only, with values hidden from `repr`."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(values)

    @classmethod
    def of_process(cls, env_files: Iterable[Path] = (), default_file: Path | None = None) -> "Environment":
        """This process's variables over those of the files; a later file wins over an earlier one.

        `default_file` is read only if it exists, and before the others.

        Raises:
            EnvironmentFileError: a file cannot be read or understood.
        """
        values: dict[str, str] = {}
        if default_file is not None and default_file.is_file():
            values |= read_env_file(default_file)
        for file in env_files:
            values |= read_env_file(file)
        return cls(values | dict(os.environ))

    def own(self, name: str) -> str | None:
        """The value of `LLMGW_<name>`, else of `LITELLM_<name>`; an empty one counts as unset."""
        return self.get(f"LLMGW_{name}") or self.get(f"LITELLM_{name}") or None

    def config_file(self) -> Path | None:
        """The settings file that the environment names."""
        name = self.own("CONFIG")
        return None if name is None else Path(name)

    def with_values(self, values: Mapping[str, str]) -> "Environment":
        """A copy in which these values win."""
        return Environment(self._values | dict(values))

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Environment({len(self._values)} variables)"


def read_env_file(path: Path) -> dict[str, str]:
    """The variables of a `.env` file: `NAME=value` lines, `export` and quotes allowed, `#` comments.

    Raises:
        EnvironmentFileError: the file cannot be read, or a line is not an assignment.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise EnvironmentFileError(f"cannot read {path}: {reason}") from None
    values: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        assignment = line.strip().removeprefix("export ")
        if not assignment or assignment.startswith("#"):
            continue
        name, equals, value = assignment.partition("=")
        if not equals or not name.strip().isidentifier():
            raise EnvironmentFileError(f"{path}:{number}: expected NAME=value")
        values[name.strip()] = _unquoted(value.strip())
    return values


def _unquoted(value: str) -> str:
    """The value without its quotes, or without the comment that follows it."""
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1]
    return value.split(" #", 1)[0].rstrip()
