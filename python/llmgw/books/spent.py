"""What the books say was spent of a budget in its window; of a rolling one, in each part of it."""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence

import msgspec
import sqlalchemy as sa

from llmgw import _native
from llmgw.books.lines import NODES
from llmgw.store.policy import covers
from llmgw.store.sums import HOUR
from llmgw.store.tables import ledger, rollups, totals
from llmgw.store.transaction import Transaction

_COLUMNS = {"key": "key_id", **{kind: f"{kind}_id" for kind in NODES}}
_EXACT = 2 * 24 * HOUR
"""Rolling windows up to this long are added up row by row, longer ones by the hour."""
_SECOND = 1_000_000
_PIECE = 500
_NEVER = 2**62

Committed = tuple["Owned", int, int]
"""A budget, the number of a window or part, and what is spent or held in it."""


class Rolling(msgspec.Struct, frozen=True):
    """The last so many seconds."""

    rolling: int


class BudgetRule(msgspec.Struct, frozen=True):
    """What of a budget's rule says what counts."""

    name: str
    window: str | Rolling
    model: str | None = None


class Owned(msgspec.Struct, frozen=True):
    """A budget, and whose it is."""

    kind: str
    """`key`, or a kind of node."""
    owner: str
    rule: BudgetRule

    @property
    def slot(self) -> str:
        """Its place in shared memory."""
        return _native.budget_slot(self.owner, self.rule.name)

    @property
    def column(self) -> str:
        """The column of the books that names the owner."""
        return _COLUMNS[self.kind]

    def span(self, at: int) -> tuple[int, int, int]:
        """The window that a time lies in, of a rolling budget the part: its number, start and end."""
        window = msgspec.json.encode(self.rule.window).decode()
        number, starts, ends = _native.budget_window(window, at)
        return number, starts, _NEVER if ends is None else ends

    def is_for(self, group: str) -> bool:
        """Whether what a model group costs counts."""
        return self.rule.model is None or covers([self.rule.model], group)


async def spent(tx: Transaction, budgets: Iterable[Owned], at: int) -> AsyncIterator[Committed]:
    """What is committed in the windows that the time `at` lies in."""
    alike: dict[tuple[str, int, bool], list[Owned]] = defaultdict(list)
    for each in budgets:
        if isinstance(each.rule.window, Rolling):
            for committed in await _rolling(tx, each, each.rule.window.rolling * _SECOND, at):
                yield committed
        else:
            alike[each.column, each.span(at)[1], each.rule.model is None].append(each)
    for (column, starts, is_for_all), group in alike.items():
        for first in range(0, len(group), _PIECE):
            piece = group[first : first + _PIECE]
            for committed in await (_by_day if is_for_all else _by_model)(tx, column, starts, piece, at):
                yield committed


async def _by_day(
    tx: Transaction, column: str, starts: int, budgets: Sequence[Owned], at: int
) -> list[Committed]:
    """Calendar windows are whole days."""
    query = (
        sa.select(totals.c.value, _amount(totals))
        .where(
            totals.c.dimension == column,
            totals.c.value.in_({each.owner for each in budgets}),
            totals.c.day >= starts,
        )
        .group_by(totals.c.value)
    )
    found = {row.value: row.amount for row in await tx.rows(query)}
    return [(each, each.span(at)[0], found.get(each.owner, 0)) for each in budgets]


async def _by_model(
    tx: Transaction, column: str, starts: int, budgets: Sequence[Owned], at: int
) -> list[Committed]:
    owner = rollups.c[column]
    query = (
        sa.select(owner.label("owner"), rollups.c.model_group, _amount(rollups))
        .where(owner.in_({each.owner for each in budgets}), rollups.c.hour >= starts)
        .group_by(owner, rollups.c.model_group)
    )
    rows = await tx.rows(query)
    return [
        (
            each,
            each.span(at)[0],
            sum(row.amount for row in rows if row.owner == each.owner and each.is_for(row.model_group)),
        )
        for each in budgets
    ]


async def _rolling(tx: Transaction, budget: Owned, length: int, at: int) -> list[Committed]:
    """The parts that still count."""
    parts = list(_parts(budget, length, at))
    exactly = length <= _EXACT
    return [
        (budget, number, await (_exact if exactly else _by_hour)(tx, budget, starts, ends))
        for number, starts, ends in parts
    ]


def _parts(budget: Owned, length: int, at: int) -> Iterator[tuple[int, int, int]]:
    """Number, start and end of the parts of a rolling window, the one that begins first."""
    number, starts, ends = budget.span(at)
    while ends > at - length:
        yield number, starts, ends
        if starts <= 0:
            return
        number, starts, ends = budget.span(starts - 1)


async def _exact(tx: Transaction, budget: Owned, starts: int, ends: int) -> int:
    """The sum of the ledger's rows."""
    amount = sa.case((ledger.c.state == "open", ledger.c.held), else_=ledger.c.cost)
    query = sa.select(ledger.c.model_group, sa.func.coalesce(sa.func.sum(amount), 0).label("amount")).where(
        ledger.c[budget.column] == budget.owner, ledger.c.at >= starts, ledger.c.at < ends
    )
    rows = await tx.rows(query.group_by(ledger.c.model_group))
    return sum(int(row.amount) for row in rows if budget.is_for(row.model_group or ""))


async def _by_hour(tx: Transaction, budget: Owned, starts: int, ends: int) -> int:
    """The sum of the hours that end within the part, so that no hour counts for less time than it has to."""
    ended = rollups.c.hour + (HOUR - 1)
    query = sa.select(rollups.c.model_group, _amount(rollups)).where(
        rollups.c[budget.column] == budget.owner, ended >= starts, ended < ends
    )
    rows = await tx.rows(query.group_by(rollups.c.model_group))
    return sum(row.amount for row in rows if budget.is_for(row.model_group))


def _amount(table: sa.Table) -> sa.Label[int]:
    """Cost, and what is held for what is open, as a whole number."""
    total = sa.func.coalesce(sa.func.sum(table.c.cost + table.c.held), 0)
    return sa.cast(total, sa.BigInteger).label("amount")
