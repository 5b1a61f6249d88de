"""What a provider says it billed, against the ledger: differences are told, and open attempts are closed.

Requests are matched by their ids where the export has them, else by day and model. Closing is a record in the
journal like any other, so that the journal and the store go on to say the same.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

import msgspec
import sqlalchemy as sa

from llmgw.books.usage_export import Billed
from llmgw.store import tables
from llmgw.store.entries import Entry
from llmgw.store.ids import now
from llmgw.store.transaction import Transaction

RECONCILED = "reconciled"
"""The price status of what was closed at the provider's word."""
_PIECE = 500
_DAY = 86_400 * 1_000_000

Pricer = Callable[[Entry, Billed], int | None]
"""What a billed line cost that tells tokens only; `None` if its price is not known."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Something on which the two do not agree. Amounts are nano-dollars; `None`: it does not say."""

    what: str
    request: str | None = None
    day: str | None = None
    model: str | None = None
    booked: int | None = None
    billed: int | None = None


class Result(msgspec.Struct, kw_only=True):
    """What a reconciliation came to."""

    matched: int = 0
    """Attempts or days that agree."""
    booked: int = 0
    """Nano-dollars of all attempts that were compared."""
    billed: int = 0
    differences: list[Difference] = []
    records: list[dict[str, object]] = []
    """For the journal: they close what was open."""

    @property
    def state(self) -> str:
        """For the row that is kept of it."""
        if self.differences:
            return "differs"
        return "closed" if self.records else "agrees"


async def by_request(
    tx: Transaction,
    lines: Sequence[Billed],
    price: Pricer,
    *,
    covers: tuple[int, int] | None,
    provider: str | None,
) -> Result:
    """Match lines that have ids of requests: ours, or the provider's.

    With `covers`, the export holds all that was billed in that time: what was left open in it and is not
    there was not billed.
    """
    result = Result()
    by_id: dict[str, list[Billed]] = defaultdict(list)
    for line in lines:
        if line.request is not None:
            by_id[line.request].append(line)
    seen: set[str] = set()
    for piece in _pieces(list(by_id)):
        table = tables.ledger
        condition = sa.or_(table.c.request_id.in_(piece), table.c.upstream_id.in_(piece))
        rows = await _entries(tx, condition)
        of_id: dict[str, list[Entry]] = defaultdict(list)
        for row in rows:
            known = row.request_id if row.request_id in by_id else row.upstream_id
            of_id[known or ""].append(row)
        for id in piece:
            seen |= {row.id for row in of_id[id]}
            _match(result, id, by_id[id], of_id[id], price)
    if covers is not None:
        await _void_unbilled(tx, result, covers, provider, seen)
    return result


async def by_day(tx: Transaction, lines: Sequence[Billed]) -> Result:
    """Compare the sums of days and models. What is open is closed by what was billed beyond what is settled,
    each attempt by its part of what is held."""
    result = Result()
    billed: dict[tuple[int, str], int] = defaultdict(int)
    for line in lines:
        if line.cost is not None:
            billed[line.starts_at - line.starts_at % _DAY, line.model] += line.cost
    for (day, model), cost in sorted(billed.items()):
        rows = await _of_day(tx, day, model)
        settled = [row for row in rows if row.state == "settled"]
        opened = [row for row in rows if row.state == "open"]
        booked = sum(row.cost or 0 for row in settled)
        rest = max(0, min(cost - booked, sum(row.held or 0 for row in opened)))
        for row, share in zip(opened, _shares(rest, [row.held or 0 for row in opened]), strict=True):
            result.records.append(_settle(row, share, None))
            booked += share
        result.booked += booked
        result.billed += cost
        if booked == cost:
            result.matched += 1
        else:
            date = datetime.fromtimestamp(day / 1_000_000, UTC).strftime("%Y-%m-%d")
            result.differences.append(
                Difference(what="the sums of a day differ", day=date, model=model, booked=booked, billed=cost)
            )
    return result


def _match(result: Result, id: str, lines: list[Billed], rows: list[Entry], price: Pricer) -> None:
    """One request: each line is an attempt. Settled attempts take the lines that are theirs first."""
    settled = [row for row in rows if row.state == "settled"]
    opened = [row for row in rows if row.state == "open"]
    left = list(lines)
    for row in settled:
        line = _take_alike(left, row, price)
        if line is None:
            result.booked += row.cost or 0
            told = Difference(what="billed by nobody", request=id, model=row.routed_model, booked=row.cost)
            result.differences.append(told)
            continue
        _compare(result, id, row, line, price)
    for row in opened:
        if left:
            line = left.pop(0)
            cost = _cost(row, line, price)
            if cost is None:
                result.differences.append(Difference(what="no price is known", request=id, model=line.model))
                continue
            result.records.append(_settle(row, cost, line))
            result.booked += cost
            result.billed += cost
        else:
            result.records.append(_void(row))
        result.matched += 1
    for line in left:
        result.billed += line.cost or 0
        what = "billed, and unknown here" if not rows else "billed once more than it was sent"
        result.differences.append(Difference(what=what, request=id, model=line.model, billed=line.cost))


def _take_alike(lines: list[Billed], row: Entry, price: Pricer) -> Billed | None:
    """The line of a settled attempt: the one with its cost or its tokens, else the first."""
    for index, line in enumerate(lines):
        if _cost(row, line, price) == row.cost or (
            (line.input, line.output) == (row.input_tokens or 0, row.output_tokens or 0)
        ):
            return lines.pop(index)
    return lines.pop(0) if lines else None


def _compare(result: Result, id: str, row: Entry, line: Billed, price: Pricer) -> None:
    cost, booked = _cost(row, line, price), row.cost or 0
    result.booked += booked
    result.billed += booked if cost is None else cost
    if cost is None or cost == booked:
        result.matched += 1
        return
    result.differences.append(
        Difference(
            what="the costs differ",
            request=id,
            model=row.routed_model or line.model,
            booked=booked,
            billed=cost,
        )
    )


async def _void_unbilled(
    tx: Transaction, result: Result, covers: tuple[int, int], provider: str | None, seen: set[str]
) -> None:
    table = tables.ledger
    condition = sa.and_(table.c.state == "open", table.c.at >= covers[0], table.c.at < covers[1])
    if provider is not None:
        condition = sa.and_(condition, table.c.provider == provider)
    for row in await _entries(tx, condition):
        if row.id not in seen and row.price_status == "unsettled":
            result.records.append(_void(row))
            result.matched += 1


def _cost(row: Entry, line: Billed, price: Pricer) -> int | None:
    return line.cost if line.cost is not None else price(row, line)


def _settle(row: Entry, cost: int, line: Billed | None) -> dict[str, object]:
    usage = {} if line is None else {"input": line.input or 0, "output": line.output or 0}
    return {
        "t": "settle",
        "id": row.id,
        "at": now(),
        "how": RECONCILED,
        "cost": cost,
        "price": RECONCILED,
        "source": "the provider's export",
        "usage": {name: count for name, count in usage.items() if count},
    }


def _void(row: Entry) -> dict[str, object]:
    return {"t": "void", "id": row.id, "at": now(), "why": "not_billed"}


def _shares(whole: int, weights: Sequence[int]) -> list[int]:
    """A whole in parts that go by the weights and add up to it."""
    total = sum(weights)
    if total == 0:
        return [0 for _ in weights]
    shares = [whole * weight // total for weight in weights]
    for index in range(whole - sum(shares)):
        shares[index] += 1
    return shares


async def _of_day(tx: Transaction, day: int, model: str) -> list[Entry]:
    table = tables.ledger
    names = sa.or_(table.c.routed_model == model, table.c.reported_model == model)
    return await _entries(tx, sa.and_(table.c.at >= day, table.c.at < day + _DAY, names))


async def _entries(tx: Transaction, condition: sa.ColumnElement[bool]) -> list[Entry]:
    query = sa.select(tables.ledger).where(condition, tables.ledger.c.kind == "attempt")
    rows = await tx.rows(query.order_by(tables.ledger.c.at, tables.ledger.c.attempt))
    return [Entry(**row._mapping) for row in rows]


def _pieces(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[start : start + _PIECE] for start in range(0, len(ids), _PIECE))
