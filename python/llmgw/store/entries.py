"""Reading the ledger: pages of its rows and sums of few, each along an index and never through all."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from llmgw.store.noun import Refused
from llmgw.store.paging import LARGEST, Page, Paging, page_of, paged
from llmgw.store.scope import Scope
from llmgw.store.tables import ledger as table
from llmgw.store.tables import rollups
from llmgw.store.transaction import Transaction

INDEXED = (
    "key_id",
    "user_id",
    "service_account_id",
    "project_id",
    "team_id",
    "organisation_id",
)
"""Columns whose rows lie together, in the order of time; the narrowest first."""

FILTERS = frozenset(
    {
        *INDEXED,
        "request_id",
        "state",
        "kind",
        "what",
        "alias",
        "end_user",
        "endpoint",
        "model_group",
        "requested_model",
        "deployment",
        "provider",
        "price_status",
        "status",
    }
)

_PLACES = 100


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the ledger; money is nano-dollars, times are microseconds."""

    id: str
    kind: str
    state: str
    at: int
    settled_at: int | None = None
    request_id: str | None = None
    attempt: int | None = None
    key_id: str | None = None
    alias: str | None = None
    organisation_id: str | None = None
    team_id: str | None = None
    project_id: str | None = None
    user_id: str | None = None
    service_account_id: str | None = None
    end_user: str | None = None
    tags: list[str] | None = None
    endpoint: str | None = None
    model_group: str | None = None
    requested_model: str | None = None
    routed_model: str | None = None
    reported_model: str | None = None
    deployment: str | None = None
    provider: str | None = None
    region: str | None = None
    tier: str | None = None
    stream: bool | None = None
    status: int | None = None
    how: str | None = None
    why: str | None = None
    what: str | None = None
    error_class: str | None = None
    held: int | None = None
    cost: int | None = None
    charged: int | None = None
    price_status: str | None = None
    price_source: str | None = None
    input_estimate: int | None = None
    output_ceiling: int | None = None
    holds: list[Any] | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    usage: dict[str, int] | None = None
    served: dict[str, Any] | None = None
    saved: int | None = None
    duration_ms: int | None = None
    first_ms: int | None = None
    upstream_id: str | None = None
    writer: str | None = None
    repriced_cost: int | None = None


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """A time: from `since` up to, but not including, `until`, in microseconds."""

    since: int | None = None
    until: int | None = None


async def get(tx: Transaction, scope: Scope, id: str) -> Entry | None:
    """The row of this id, if the caller may see it."""
    row = await tx.first(sa.select(table).where(table.c.id == id, scope.over(table)))
    return None if row is None else Entry(**row._mapping)


async def page(
    tx: Transaction,
    scope: Scope,
    paging: Paging,
    filters: Mapping[str, Any] | None = None,
    window: Window = Window(),  # noqa: B008 - it is frozen
) -> Page[Entry]:
    """A page of rows by their time; `filters` are equal to columns of `FILTERS`.

    It is read along the index of one filter, or of each node that the caller may see: those are walked side
    by side, so that no more rows are read than are shown, but for what other filters leave out.

    Raises:
        Refused: there is no such filter, or the caller sees more than a hundred nodes and names none.
    """
    query = page_query(scope, paging, filters or {}, window)
    if not await _any(tx, scope, filters or {}):
        return Page([], None)
    rows = await tx.rows(query)
    return page_of([Entry(**row._mapping) for row in rows], paging, "at")


async def _any(tx: Transaction, scope: Scope, filters: Mapping[str, Any]) -> bool:
    """Whether the caller may see any row of the key or node that is asked for.

    The sums of its hours are far fewer than its rows, all of which would be looked at to find none.
    """
    leading = next((name for name in INDEXED if name in filters), None)
    if scope.everything or leading is None or "request_id" in filters:
        return True
    query = _seen(sa.select(rollups.c.id), rollups, scope).where(rollups.c[leading] == filters[leading])
    return await tx.first(query.limit(1)) is not None


def _seen(query: sa.Select[Any], rows: sa.Table, scope: Scope) -> sa.Select[Any]:
    """The query with the condition of the scope, looked at in each row."""
    parts = [_beside(rows.c[name]).in_(sorted(ids)) for name, ids in scope.columns(rows).items() if ids]
    return query.where(sa.or_(sa.false(), *parts))


def page_query(scope: Scope, paging: Paging, filters: Mapping[str, Any], window: Window) -> sa.Select[Any]:
    """The query of `page`."""
    if unknown := set(filters) - FILTERS:
        raise Refused(f"the ledger is not listed by {', '.join(sorted(unknown))}")
    leading = "request_id" if "request_id" in filters else next((n for n in INDEXED if n in filters), None)
    if scope.everything or leading is not None:
        return paged(_walk(scope, filters, window, leading), table.c.at, table.c.id, paging)
    places = [(column, id) for column, ids in scope.columns(table).items() for id in sorted(ids)]
    if len(places) > _PLACES:
        raise Refused("name one team, project, user or key: there are too many to look through at once")
    if not places:
        return paged(sa.select(table).where(sa.false()), table.c.at, table.c.id, paging)
    walks = [
        paged(_walk(scope, {**filters, column: id}, window, column), table.c.at, table.c.id, paging)
        for column, id in places
    ]
    if len(walks) == 1:
        return walks[0]
    # The same row may be met on two walks; UNION shows it once.
    found = sa.union(*(sa.select(walk.subquery().c.id) for walk in walks)).subquery()
    return paged(
        sa.select(table).where(table.c.id.in_(sa.select(found.c.id))), table.c.at, table.c.id, paging
    )


def _walk(scope: Scope, filters: Mapping[str, Any], window: Window, leading: str | None) -> sa.Select[Any]:
    """A query along the index of `leading`, or of the time; what else is asked is looked at in each row."""
    query = sa.select(table)
    for name, value in filters.items():
        column = table.c[name]
        query = query.where(column == value if name == leading else _beside(column) == value)
    if not scope.everything:
        query = _seen(query, table, scope)
    if window.since is not None:
        query = query.where(table.c.at >= window.since)
    if window.until is not None:
        query = query.where(table.c.at < window.until)
    return query


def _beside(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """The column as something that no planner looks for an index of."""
    return sa.func.coalesce(column, None, type_=column.type)


async def stream(
    tx: Transaction, scope: Scope, window: Window, filters: Mapping[str, Any] | None = None
) -> AsyncIterator[Sequence[Entry]]:
    """All rows of a time in order, page by page: for exports, which may take their time."""
    paging = Paging(limit=LARGEST)
    while True:
        found = await page(tx, scope, paging, filters, window)
        if found.items:
            yield found.items
        if found.next is None:
            return
        paging = Paging(limit=LARGEST, cursor=found.next)


async def open_of(tx: Transaction, writer: str) -> Sequence[Entry]:
    """What a writer reserved and has not settled: for the gateway itself."""
    query = sa.select(table).where(table.c.state == "open", table.c.writer == writer)
    return [Entry(**row._mapping) for row in await tx.rows(query.order_by(table.c.at, table.c.id))]


async def open_before(tx: Transaction, scope: Scope, at: int, limit: int = LARGEST) -> Sequence[Entry]:
    """What has been open since before `at`, oldest first."""
    query = sa.select(table).where(table.c.state == "open", table.c.at < at, scope.over(table))
    rows = await tx.rows(query.order_by(table.c.at, table.c.id).limit(limit))
    return [Entry(**row._mapping) for row in rows]


async def spent(tx: Transaction, column: str, value: str, window: Window, group: str | None = None) -> int:
    """Cost and open holds of one node or key in a time: for windows that are no whole hours.

    Raises:
        Refused: there is no index along `column`.
    """
    if column not in INDEXED:
        raise Refused(f"the ledger is not summed by {column}")
    amount = sa.case((table.c.state == "open", table.c.held), else_=table.c.cost)
    query = _walk(Scope.all(), {column: value} | ({"model_group": group} if group else {}), window, column)
    total = sa.func.coalesce(sa.func.sum(amount), 0)
    return int(await tx.value(query.with_only_columns(total)))
