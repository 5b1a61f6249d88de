"""Chargeback: what was spent, by any dimension and month, in any currency that the settings have rates of."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from llmgw.books.currency import Exchange, units
from llmgw.errors import LlmgwError
from llmgw.store import rollups, tables
from llmgw.store.entries import Window
from llmgw.store.rollups import Grain, Line, Sums
from llmgw.store.scope import Scope
from llmgw.store.transaction import Transaction

DIMENSIONS = {
    "organisation": "organisation_id",
    "team": "team_id",
    "project": "project_id",
    "user": "user_id",
    "service_account": "service_account_id",
    "key": "key_id",
    "alias": "alias",
    "model": "model_group",
    "provider": "provider",
    "deployment": "deployment",
    "endpoint": "endpoint",
    "tag": "tag",
}
"""What spending can be broken down by, and the column of the sums."""
TIMES: dict[str, Grain] = {"hour": "hour", "day": "day", "month": "month"}
_NAMES = {
    "organisation_id": (tables.organisations, "name"),
    "team_id": (tables.teams, "name"),
    "project_id": (tables.projects, "name"),
    "user_id": (tables.users, "email"),
    "service_account_id": (tables.service_accounts, "name"),
    "key_id": (tables.keys, "alias"),
}
_COUNTS = ("attempts", "settled", "void", "open", "calls", "hits")
_TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
_MONEY = ("cost", "charged", "held", "saved", "adjustment")
_FORMATS = {"hour": "%Y-%m-%dT%H:00Z", "day": "%Y-%m-%d", "month": "%Y-%m"}


class NoSuchDimension(LlmgwError):
    """A report was asked for by something that is not summed."""


class SpendReport:
    """One report: what it is broken down by, and in which currency its money is."""

    def __init__(self, by: Sequence[str], exchange: Exchange) -> None:
        """Raises: NoSuchDimension: one of them is not summed, or two of them are times."""
        if unknown := set(by) - DIMENSIONS.keys() - TIMES.keys():
            known = ", ".join([*DIMENSIONS, *TIMES])
            raise NoSuchDimension(f"spend is not summed by {', '.join(sorted(unknown))}; but by {known}")
        times = [name for name in by if name in TIMES]
        if len(times) > 1:
            raise NoSuchDimension("a report has one of hour, day and month")
        self._time = times[0] if times else None
        self._by = [name for name in by if name in DIMENSIONS]
        self._exchange = exchange

    @property
    def columns(self) -> list[str]:
        """The columns of its rows. Money is in whole units of the currency, as exact decimals."""
        named = [
            column
            for name in self._by
            for column in ((name, f"{name}_name") if DIMENSIONS[name] in _NAMES else (name,))
        ]
        time = [self._time] if self._time else []
        return [*time, *named, *_COUNTS, *_TOKENS, "currency", *_MONEY]

    async def rows(self, tx: Transaction, scope: Scope, window: Window) -> list[dict[str, Any]]:
        """Its rows, in the order of time, then of what was spent.

        Raises:
            NoRate: there is no rate for a day on which something was spent.
        """
        grain = TIMES[self._time] if self._time else "all"
        # A rate holds for days: what is converted is summed by days first.
        asked: Grain = grain if self._exchange.is_dollars or grain == "hour" else "day"
        columns = [DIMENSIONS[name] for name in self._by]
        lines = await rollups.report(tx, scope, window, by=columns, grain=asked)
        merged = self._merged(lines, grain)
        names = await self._names(tx, {line.by.get(column, "") for line in lines for column in columns})
        rows = [self._row(at, by, sums, names) for (at, by), sums in merged.items()]
        ordered = sorted(zip(merged, rows, strict=True), key=lambda each: (each[0][0], -merged[each[0]].cost))
        return [row for _, row in ordered]

    def _merged(self, lines: Sequence[Line], grain: Grain) -> dict[tuple[int, tuple[str, ...]], Sums]:
        """Lines with converted money, added up to the time that is asked for."""
        merged: dict[tuple[int, tuple[str, ...]], Sums] = {}
        for line in lines:
            sums = self._converted(line)
            place = (_beginning(line.at, grain), tuple(line.by[DIMENSIONS[name]] for name in self._by))
            known = merged.get(place)
            merged[place] = sums if known is None else _plus(known, sums)
        return merged

    def _converted(self, line: Line) -> Sums:
        if self._exchange.is_dollars:
            return line.sums
        money = {name: self._exchange.convert(getattr(line.sums, name), line.at) for name in _MONEY}
        return Sums(**{name: money.get(name, getattr(line.sums, name)) for name in tables.SUMS})

    async def _names(self, tx: Transaction, ids: set[str]) -> dict[str, str]:
        names: dict[str, str] = {}
        wanted = sorted(ids - {""})
        for name in self._by:
            if (place := _NAMES.get(DIMENSIONS[name])) is None:
                continue
            table, column = place
            for start in range(0, len(wanted), 500):
                query = sa.select(table.c.id, table.c[column]).where(
                    table.c.id.in_(wanted[start : start + 500])
                )
                names |= {row.id: row._mapping[column] or "" for row in await tx.rows(query)}
        return names

    def _row(self, at: int, by: tuple[str, ...], sums: Sums, names: dict[str, str]) -> dict[str, Any]:
        row: dict[str, Any] = {}
        if self._time:
            row[self._time] = datetime.fromtimestamp(at / 1_000_000, UTC).strftime(_FORMATS[self._time])
        for name, value in zip(self._by, by, strict=True):
            row[name] = value
            if DIMENSIONS[name] in _NAMES:
                row[f"{name}_name"] = names.get(value, "")
        row |= {name: getattr(sums, name) for name in (*_COUNTS, *_TOKENS)}
        row["currency"] = self._exchange.currency
        return row | {name: units(getattr(sums, name)) for name in _MONEY}


def _beginning(at: int, grain: Grain) -> int:
    """The beginning of the month, where days are added up to months; of nothing, where times do not count."""
    if grain == "all":
        return 0
    if grain != "month":
        return at
    day = datetime.fromtimestamp(at / 1_000_000, UTC)
    return int(datetime(day.year, day.month, 1, tzinfo=UTC).timestamp()) * 1_000_000


def _plus(one: Sums, other: Sums) -> Sums:
    return Sums(**{name: getattr(one, name) + getattr(other, name) for name in tables.SUMS})
