"""Budgets that were spent before this machine counted: read from the books, added in shared memory, once.

What is added is the cost of what was settled and the holds of what is open, as requests commit it. It is
added before a worker is told of the budget, so that none is let through by a budget that looks unspent.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from llmgw.books.lines import NODES
from llmgw.books.memory import Committed, Memory
from llmgw.books.spent import BudgetRule, Owned, spent
from llmgw.store import ids, tables
from llmgw.store.transaction import Transaction

_RULES = msgspec.json.Decoder(list[BudgetRule])


class Budgets:
    """Brings budgets into shared memory. `settled` are those of keys of the settings file."""

    def __init__(self, memory: Memory, of_settings: Sequence[Owned] = ()) -> None:
        self._memory = memory
        self._of_settings = of_settings
        self._known: set[str] = set()
        """Slots that workers count: what they count since is in memory, and in the books as well."""

    async def restore_all(self, tx: Transaction) -> None:
        """Add what is in the books for every budget there is."""
        await self._restore(tx, [*self._of_settings, *await _owned(tx, None)])

    async def restore(self, tx: Transaction, owners: Iterable[str]) -> None:
        """Add what is in the books for the budgets of these keys and nodes, as far as they are new."""
        await self._restore(tx, await _owned(tx, sorted(owners)))

    def adopt(self, committed: Iterable[Committed]) -> None:
        """Add what an earlier run knew: the store cannot be asked."""
        for slot, window, nano in committed:
            self._memory.restore_budget(slot, window, nano)

    def committed(self) -> list[Committed]:
        """All of which something is committed now."""
        return self._memory.budgets()

    async def _restore(self, tx: Transaction, owned: Sequence[Owned]) -> None:
        counted = self._known | {slot for slot, _, _ in self._memory.budgets()}
        fresh = {each.slot: each for each in owned if each.slot not in counted}
        async for each, window, nano in spent(tx, fresh.values(), ids.now()):
            if nano > 0:
                self._memory.restore_budget(each.slot, window, nano)
        self._known |= fresh.keys()


def budgets_of(settings: Iterable[Mapping[str, Any]]) -> list[Owned]:
    """The budgets of the settings file's keys, as the supervisor tells them: `{"owner", "rule"}`."""
    return [msgspec.convert({"kind": "key", **each}, Owned) for each in settings]


async def _owned(tx: Transaction, only: Sequence[str] | None) -> list[Owned]:
    """The budgets of keys and nodes; those that make no sense are told of by `feed`."""
    found: list[Owned] = []
    for kind, table in (("key", tables.keys), *NODES.items()):
        query = sa.select(table.c.id, sa.type_coerce(table.c.budgets, sa.Text).label("budgets"))
        query = query.where(table.c.budgets.is_not(None))
        if only is not None:
            query = query.where(table.c.id.in_(only))
        for row in await tx.rows(query):
            try:
                rules = _RULES.decode(row.budgets)
            except msgspec.DecodeError:
                continue
            found += [Owned(kind, row.id, rule) for rule in rules]
    return found
