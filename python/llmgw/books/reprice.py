"""Late repricing: what attempts would have cost at other prices. The first cost stays beside it."""

from collections.abc import Callable
from typing import Any

import msgspec
import sqlalchemy as sa

from llmgw._native import PriceList
from llmgw.store import jobs, repricings, tables
from llmgw.store.database import Store
from llmgw.store.entries import Window
from llmgw.store.ids import now
from llmgw.store.jobs import Job
from llmgw.store.scope import Scope

KIND = "reprice"
_PIECE = 500
_OWN = ("input", "output", "cache_read", "cache_write", "reasoning")

Lists = Callable[[str | None, str | None, str | None], PriceList | None]
"""The prices of a deployment's, of a provider's, model: now."""


class Repriced(msgspec.Struct, kw_only=True):
    """What a job came to; amounts are nano-dollars."""

    job: str = ""
    attempts: int = 0
    """Settled attempts of the time."""
    changed: int = 0
    """Those of them that have another cost now."""
    unknown: int = 0
    """Those whose model has no price."""
    cost: int = 0
    """Of those that changed, as it was booked."""
    repriced_cost: int = 0


async def begin(store: Store, window: Window, prices: str | None) -> Job:
    """A job that is done right away: it keeps what was asked for."""
    asked = {"since": window.since, "until": window.until, "prices": prices}
    job = Job(kind=KIND, state=jobs.RUNNING, arguments=asked, due_at=now())
    async with store.begin() as tx:
        return await jobs.create(tx, Scope.all(), job)


def window_of(job: Job) -> Window:
    """The time that a job is about."""
    asked = job.arguments or {}
    return Window(since=asked.get("since"), until=asked.get("until"))


async def reprice(store: Store, job: Job, lists: Lists) -> Repriced:
    """Price the settled attempts of the job's time once more. It may be broken off and done again.

    Raises:
        StoreUnavailable: what was noted until then is.
    """
    window = window_of(job)
    repriced = Repriced(job=job.id)
    place: tuple[int, str] | None = None
    while True:
        async with store.begin() as tx:
            query = sa.select(tables.ledger).where(*_wanted(window, place))
            rows = await tx.rows(query.order_by(tables.ledger.c.at, tables.ledger.c.id).limit(_PIECE))
            prices = {row.id: price for row in rows if (price := _price(repriced, row, lists)) is not None}
            await repricings.create(tx, job.id, prices)
        if len(rows) < _PIECE:
            break
        place = (rows[-1].at, rows[-1].id)
    async with store.begin() as tx:
        await jobs.finish(tx, job, msgspec.to_builtins(repriced))
    return repriced


def _wanted(window: Window, place: tuple[int, str] | None) -> list[sa.ColumnElement[bool]]:
    table = tables.ledger
    parts = [table.c.state == "settled", table.c.kind == "attempt"]
    if window.since is not None:
        parts.append(table.c.at >= window.since)
    if window.until is not None:
        parts.append(table.c.at < window.until)
    if place is not None:
        later = sa.and_(table.c.at == place[0], table.c.id > place[1])
        parts.append(sa.or_(table.c.at > place[0], later))
    return parts


def _price(repriced: Repriced, row: sa.Row[Any], lists: Lists) -> tuple[int, str] | None:
    """The cost now with its source, if it is another one."""
    repriced.attempts += 1
    list_ = lists(row.deployment, row.provider, row.routed_model)
    if list_ is None:
        repriced.unknown += 1
        return None
    own = {name: count for name in _OWN if (count := getattr(row, f"{name}_tokens"))}
    cost, _ = list_.cost(own | (row.usage or {}), row.served or {}, row.tier)
    if cost == (row.cost if row.repriced_cost is None else row.repriced_cost):
        return None
    repriced.changed += 1
    repriced.cost += row.cost or 0
    repriced.repriced_cost += cost
    return cost, list_.source
