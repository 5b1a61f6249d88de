"""What keys, teams and users have spent, for their replies."""

from collections.abc import Sequence
from decimal import Decimal

from llmgw.access.rbac import Permission, grants_with
from llmgw.endpoints.api.calls import Call
from llmgw.endpoints.api.reach import scope_of
from llmgw.endpoints.api.words import dollars_of
from llmgw.store import rollups
from llmgw.store.entries import Window


async def spent(call: Call, dimension: str, ids: Sequence[str]) -> dict[str, Decimal]:
    """Dollars by id, ever since, as far as the caller may see spend; nothing is not told of."""
    if not ids:
        return {}
    scope = scope_of(grants_with(call.principal.grants, Permission.SPEND_READ))
    lines = await rollups.report(call.tx, scope, Window(), by=[dimension], filters={dimension: list(ids)})
    return {line.by[dimension]: dollars_of(line.sums.charged) for line in lines}
