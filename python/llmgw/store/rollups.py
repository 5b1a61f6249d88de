"""Sums of the ledger, kept as it is written: by hour and all dimensions, by tag, by day and one dimension."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from llmgw.store.entries import Window
from llmgw.store.noun import Refused
from llmgw.store.scope import Scope
from llmgw.store.sums import DAY, HOUR
from llmgw.store.tables import ROLLUP_DIMENSIONS, SUMS, TOTAL_DIMENSIONS, keys, rollups, tag_rollups, totals
from llmgw.store.transaction import Transaction

Grain = Literal["hour", "day", "month", "all"]

TAG_DIMENSIONS = ("tag", "organisation_id", "team_id", "model_group")
"""What a report by tag can be broken down by."""

_NODES = {
    "organisation_id": "organisations",
    "team_id": "teams",
    "project_id": "projects",
    "user_id": "users",
    "service_account_id": "service_accounts",
}


class Sums(msgspec.Struct, frozen=True, kw_only=True):
    """Amounts that were added up; money is nano-dollars."""

    attempts: int = 0
    settled: int = 0
    void: int = 0
    open: int = 0
    calls: int = 0
    hits: int = 0
    cost: int = 0
    charged: int = 0
    held: int = 0
    """Of what is open."""
    saved: int = 0
    adjustment: int = 0
    """By how much later prices differ from `cost`."""
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    duration_ms: int = 0


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a report."""

    at: int
    """The beginning of its hour, day or month; 0 if times are not told apart."""
    by: dict[str, str]
    """The dimensions; the empty text where there is none."""
    sums: Sums


async def report(
    tx: Transaction,
    scope: Scope,
    window: Window,
    *,
    by: Sequence[str] = (),
    grain: Grain = "all",
    filters: Mapping[str, str | Sequence[str]] | None = None,
    most: int | None = None,
) -> list[Line]:
    """Sums of whole hours by dimensions of `ROLLUP_DIMENSIONS`, or with `tag` by those of `TAG_DIMENSIONS`.

    A request with two tags counts under both of them. `most`: lines, of days where months are asked for.

    Raises:
        Refused: there is no such dimension or filter, or there are more than `most` lines.
    """
    asked = {*by, *(filters or {})}
    table = tag_rollups if "tag" in asked else rollups
    known = TAG_DIMENSIONS if table is tag_rollups else ROLLUP_DIMENSIONS
    if unknown := asked - set(known):
        raise Refused(f"sums are not kept by {', '.join(sorted(unknown))}")
    query = _summed(table, by, grain).where(scope.over(table), *_within(table, window))
    for name, value in (filters or {}).items():
        column = table.c[name]
        query = query.where(column == value if isinstance(value, str) else column.in_(list(value)))
    rows = await tx.rows(query if most is None else query.limit(most + 1))
    if most is not None and len(rows) > most:
        raise Refused(f"this makes more than {most} lines: ask for less at once")
    lines = [_line(row, by) for row in rows]
    return _by_month(lines) if grain == "month" else lines


async def of_days(
    tx: Transaction, scope: Scope, dimension: str, values: Sequence[str], window: Window
) -> dict[str, Sums]:
    """The sums of whole days for some values of one dimension of `TOTAL_DIMENSIONS`: for lists with spending.

    Raises:
        Refused: there is no such dimension, or only the platform may see it.
    """
    if dimension not in TOTAL_DIMENSIONS:
        raise Refused(f"sums are not kept by {dimension}")
    query = sa.select(totals.c.value, *_sums(totals)).where(
        totals.c.dimension == dimension,
        totals.c.value.in_(list(values)),
        _allowed(scope, dimension),
        *_days(window),
    )
    rows = await tx.rows(query.group_by(totals.c.value))
    return {row.value: _read(row) for row in rows}


async def largest(
    tx: Transaction, scope: Scope, dimension: str, window: Window, limit: int = 10
) -> list[tuple[str, Sums]]:
    """The values of one dimension that cost most in these days.

    Raises:
        Refused: as in `of_days`.
    """
    if dimension not in TOTAL_DIMENSIONS:
        raise Refused(f"sums are not kept by {dimension}")
    cost = sa.func.sum(totals.c.cost)
    query = (
        sa.select(totals.c.value, *_sums(totals))
        .where(totals.c.dimension == dimension, _allowed(scope, dimension), *_days(window))
        .group_by(totals.c.value)
        .order_by(cost.desc(), totals.c.value)
        .limit(limit)
    )
    return [(row.value, _read(row)) for row in await tx.rows(query)]


def _allowed(scope: Scope, dimension: str) -> sa.ColumnElement[bool]:
    """The condition on values of a dimension: nodes that the caller may see, or keys that are of those."""
    if scope.everything:
        return sa.true()
    if dimension == "key_id":
        return totals.c.value.in_(sa.select(keys.c.id).where(scope.over(keys)))
    if dimension not in _NODES:
        raise Refused(f"sums by {dimension} are the platform's; ask for a report")
    return totals.c.value.in_(sorted(getattr(scope, _NODES[dimension])))


def _summed(table: sa.Table, by: Sequence[str], grain: Grain) -> sa.Select[Any]:
    hour = table.c.hour
    step = {"hour": HOUR, "day": DAY, "month": DAY, "all": 0}[grain]
    at = (hour - hour % sa.literal_column(str(step))) if step else sa.literal_column("0")
    groups = [*([at] if step else []), *(table.c[name] for name in by)]
    query = sa.select(at.label("at"), *(table.c[name] for name in by), *_sums(table))
    return query.group_by(*groups).order_by(*groups) if groups else query


def _sums(table: sa.Table) -> list[sa.ColumnElement[int]]:
    """Sums as whole numbers; PostgreSQL would make decimals of them."""
    return [
        sa.cast(sa.func.coalesce(sa.func.sum(table.c[name]), 0), sa.BigInteger).label(name) for name in SUMS
    ]


def _within(table: sa.Table, window: Window) -> list[sa.ColumnElement[bool]]:
    """Whole hours: the one that `since` is in, and the one that `until` is in unless it begins with it."""
    parts = []
    if window.since is not None:
        parts.append(table.c.hour >= window.since - window.since % HOUR)
    if window.until is not None:
        parts.append(table.c.hour < window.until)
    return parts


def _days(window: Window) -> list[sa.ColumnElement[bool]]:
    parts = []
    if window.since is not None:
        parts.append(totals.c.day >= window.since - window.since % DAY)
    if window.until is not None:
        parts.append(totals.c.day < window.until)
    return parts


def _line(row: sa.Row[Any], by: Sequence[str]) -> Line:
    return Line(at=row.at, by={name: row._mapping[name] for name in by}, sums=_read(row))


def _read(row: sa.Row[Any]) -> Sums:
    return Sums(**{name: row._mapping[name] for name in SUMS})


def _by_month(lines: Sequence[Line]) -> list[Line]:
    """Days to months, UTC."""
    months: dict[tuple[int, tuple[tuple[str, str], ...]], Sums] = {}
    for line in lines:
        day = datetime.fromtimestamp(line.at / 1_000_000, UTC)
        month = int(datetime(day.year, day.month, 1, tzinfo=UTC).timestamp()) * 1_000_000
        place = (month, tuple(line.by.items()))
        months[place] = _plus(months.get(place, Sums()), line.sums)
    return [Line(at=place[0], by=dict(place[1]), sums=months[place]) for place in sorted(months)]


def _plus(one: Sums, other: Sums) -> Sums:
    return Sums(**{name: getattr(one, name) + getattr(other, name) for name in SUMS})
