"""Margins and discounts on costs, in parts of a million: a team's own, else its organisation's."""

import msgspec
from sqlalchemy import select

from llmgw.books.rows import Row
from llmgw.store import tables
from llmgw.store.transaction import Transaction


class Margins(msgspec.Struct, frozen=True):
    """Those that there are now, by id."""

    teams: dict[str, int]
    organisations: dict[str, int]

    @classmethod
    async def read(cls, tx: Transaction) -> "Margins":
        """As they are in this transaction."""
        found = []
        for table in (tables.teams, tables.organisations):
            query = select(table.c.id, table.c.margin_ppm).where(table.c.margin_ppm != 0)
            found.append({row.id: row.margin_ppm for row in await tx.rows(query)})
        return cls(*found)

    def of(self, row: Row) -> int:
        """The margin on the cost of a row."""
        own = self.teams.get(row.team_id or "")
        return self.organisations.get(row.organisation_id or "", 0) if own is None else own
