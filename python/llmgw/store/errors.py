"""How the store fails."""

from llmgw.errors import LlmgwError


class StoreError(LlmgwError):
    """Anything the store raises."""


class StoreUnavailable(StoreError):
    """The database does not answer, or not in time. What was asked for did not happen, unless the commit
    itself was cut off; then it may have. The text names no password."""


class StoreMisfit(StoreError):
    """The database was made by a later version of llmgw, or not migrated yet."""


class Missing(StoreError):
    """There is no such object, or none that the caller may see: the two are not told apart."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"there is no {kind} {name}")
        self.kind = kind
        self.name = name


class Conflict(StoreError):
    """A name is taken, something still hangs on the object, or what it refers to is not there."""


class Stale(StoreError):
    """The object was changed since the caller read it."""

    def __init__(self, kind: str, name: str, version: int) -> None:
        super().__init__(f"{kind} {name} was changed meanwhile; it is at version {version}")
        self.version = version


class NotWithin(StoreError):
    """A child would be granted more than its parent has."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems
