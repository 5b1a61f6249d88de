"""What a caller may see: a condition that every statement about rows of tenants carries."""

import msgspec
from sqlalchemy import ColumnElement, Table, and_, false, or_, select, true

from llmgw.store.tables import memberships, users

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
        """The condition on rows of this table; a table that names no node is the platform's alone.

        A person is also seen by those who see a place that he or she is a member of.
        """
        if self.everything:
            return true()
        parts = [table.c[column].in_(sorted(ids)) for column, ids in self.columns(table).items() if ids]
        if table is users:
            parts.append(table.c.id.in_(select(memberships.c.user_id).where(self.over_places())))
        return or_(false(), *parts)

    def over_places(self) -> ColumnElement[bool]:
        """The condition on memberships in places that may be seen."""
        parts = [
            and_(memberships.c.scope_kind == kind, memberships.c.scope_id.in_(sorted(ids)))
            for kind, ids in self.places().items()
            if ids
        ]
        return or_(false(), *parts)

    def columns(self, table: Table) -> dict[str, frozenset[str]]:
        """The table's columns that name nodes, and which of those may be seen."""
        found = {}
        for noun, column in _COLUMNS.items():
            name = "id" if table.name == noun else column
            if name in table.c:
                found[name] = getattr(self, noun)
        return found

    def places(self) -> dict[str, frozenset[str]]:
        """The ids by the kinds that memberships name."""
        return {"organisation": self.organisations, "team": self.teams, "project": self.projects}
