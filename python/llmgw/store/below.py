"""What lies below the nodes that a caller sees: for what names a place, and none of those above it."""

import msgspec
import sqlalchemy as sa

from llmgw.store.scope import Scope
from llmgw.store.tables import projects, teams
from llmgw.store.transaction import Transaction


async def with_below(tx: Transaction, scope: Scope) -> Scope:
    """The scope, with the teams and projects of its organisations, and the projects of its teams, named."""
    if scope.everything:
        return scope
    found = {}
    for table, ids in ((teams, scope.teams), (projects, scope.projects)):
        rows = await tx.rows(sa.select(table.c.id).where(scope.over(table)))
        found[table.name] = ids | {row.id for row in rows}
    return msgspec.structs.replace(scope, teams=found["teams"], projects=found["projects"])
