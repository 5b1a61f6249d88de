"""What a caller may see: a condition that every statement about rows of tenants carries."""

import msgspec
from sqlalchemy import ColumnElement, Table, false, or_, true

_COLUMNS = {
    "organisations": "organisation_id",
    "teams": "team_id",
    "projects": "project_id",
    "users": "user_id",
    "service_accounts": "service_account_id",
}


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """Ids of the nodes whose rows a caller may see: its own, and what belongs to it."""

    everything: bool = False
    organisations: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()
    projects: frozenset[str] = frozenset()
    users: frozenset[str] = frozenset()
    service_accounts: frozenset[str] = frozenset()

    @classmethod
    def all(cls) -> "Scope":
        """The platform: every row."""
        return cls(everything=True)

    @classmethod
    def none(cls) -> "Scope":
        """No row at all."""
        return cls()

    def over(self, table: Table) -> ColumnElement[bool]:
        """The condition on rows of this table; a table that names no node is the platform's alone."""
        if self.everything:
            return true()
        parts = [table.c[column].in_(sorted(ids)) for column, ids in self.columns(table).items() if ids]
        return or_(*parts) if parts else false()

    def columns(self, table: Table) -> dict[str, frozenset[str]]:
        """The table's columns that name nodes, and which of those may be seen."""
        found = {}
        for noun, column in _COLUMNS.items():
            name = "id" if table.name == noun else column
            if name in table.c:
                found[name] = getattr(self, noun)
        return found
