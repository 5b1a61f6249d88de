"""A registry: names to the things they stand for, filled from literal lists and from plugins."""

import difflib
from collections.abc import Iterable, Iterator
from typing import Generic, Protocol, TypeVar


class Named(Protocol):
    """Something with a name and perhaps other names."""

    @property
    def name(self) -> str:
        """The name shown in logs and metrics."""

    @property
    def aliases(self) -> tuple[str, ...]:
        """Other spellings accepted in settings."""


T = TypeVar("T", bound=Named)


class Registry(Generic[T]):
    """Looks things up by name or alias; a name can be taken once."""

    def __init__(self, kind: str, entries: Iterable[T]) -> None:
        """`kind` is the word for an entry in error messages, as `provider`."""
        self.kind = kind
        self._by_name: dict[str, T] = {}
        for entry in entries:
            self.add(entry)

    def add(self, entry: T) -> None:
        """Take one more entry.

        Raises:
            ValueError: one of its names is taken.
        """
        for name in (entry.name, *entry.aliases):
            if name in self._by_name:
                raise ValueError(f"{self.kind} {name!r} is registered twice")
            self._by_name[name] = entry

    def get(self, name: str) -> T | None:
        """The entry of this name or alias."""
        return self._by_name.get(name)

    def nearest(self, name: str) -> str | None:
        """The registered name most like this one, for "did you mean"."""
        return next(iter(difflib.get_close_matches(name, self._by_name, n=1)), None)

    def __iter__(self) -> Iterator[T]:
        """Every entry once, in the order added."""
        return iter(dict.fromkeys(self._by_name.values()))
