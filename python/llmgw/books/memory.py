"""What the bookkeeper says and reads in shared memory: the directory's file, and budgets."""

from typing import Protocol

Committed = tuple[str, int, int]
"""A budget's slot (hex), the number of a window, and the nano-dollars committed in it."""


class Memory(Protocol):
    """The words of `SharedState` that are the bookkeeper's."""

    @property
    def directory(self) -> tuple[int, int]:
        """The directory's file that is published, 0 before the first, and its length."""

    def publish_directory(self, file: int, length: int) -> None:
        """Publish it; what it tells of is in the file."""

    @property
    def damaged_directory(self) -> int:
        """The newest file that a worker found damaged; 0 if none was."""

    @property
    def wanted_issuer_keys(self) -> int:
        """How many tokens named a key of their issuer that is not known."""

    def restore_budget(self, slot: str, window: int, nano: int, /) -> bool:
        """Add what was committed before this machine counted; once for a window, whoever asks."""

    def lose_hold(self, slot: str, window: int, nano: int, /) -> bool:
        """The hold of a worker that died is spent."""

    def budgets(self) -> list[Committed]:
        """All of which something is committed."""


class NoMemory:
    """For commands, which run beside no workers: what dead ones held is in the books alone."""

    directory = (0, 0)
    damaged_directory = 0
    wanted_issuer_keys = 0

    def publish_directory(self, file: int, length: int) -> None:
        """Nobody reads it."""

    def restore_budget(self, slot: str, window: int, nano: int, /) -> bool:
        """Nobody counts."""
        return False

    def lose_hold(self, slot: str, window: int, nano: int, /) -> bool:
        """Nobody counts."""
        return False

    def budgets(self) -> list[Committed]:
        """None."""
        return []
