"""What a row of the ledger adds to which sums: a row that changed is taken out and put in again."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from llmgw.store.tables import ROLLUP_DIMENSIONS, SUMS, TOTAL_DIMENSIONS

HOUR = 3_600_000_000
DAY = 24 * HOUR

_STATES = ("settled", "void", "open")
_PLACES = {name: place for place, name in enumerate(SUMS)}
_AMOUNTS = [
    (place, name)
    for name, place in _PLACES.items()
    if name.endswith(("_tokens", "_ms")) or name in ("cost", "charged", "saved")
]
_OWN_TOTALS = tuple(name for name in TOTAL_DIMENSIONS if name not in (*ROLLUP_DIMENSIONS, "tag", "all"))
"""Dimensions of days that hours do not have."""
_TAG_OWNERS = ("organisation_id", "team_id", "model_group")


def contribution(row: Mapping[str, Any]) -> list[tuple[int, int]]:
    """What one row adds: places in `SUMS` and amounts, without zeros."""
    state = row["state"]
    found = {
        "attempts" if row["kind"] == "attempt" else "calls": 1,
        "hits": row.get("what") == "hit",
        "adjustment": _adjustment(row),
    }
    if state in _STATES:
        found[state] = 1
        found["held"] = row.get("held") if state == "open" else 0
    amounts = [(place, row.get(name)) for place, name in _AMOUNTS]
    amounts += [(_PLACES[name], amount) for name, amount in found.items()]
    return [(place, int(amount)) for place, amount in amounts if amount]


def _adjustment(row: Mapping[str, Any]) -> int:
    repriced = row.get("repriced_cost")
    return 0 if repriced is None else repriced - (row.get("cost") or 0)


class Deltas:
    """What a batch changes in the tables of sums, added up before anything is written."""

    def __init__(self) -> None:
        self._hours: dict[tuple[Any, ...], list[int]] = {}
        self._tags: dict[tuple[Any, ...], list[int]] = {}
        self._days: dict[tuple[Any, ...], list[int]] = {}

    def change(self, before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> None:
        """Take a row out as it was, if it was there, and put it in as it is."""
        if before is not None:
            self._add(before, [(place, -amount) for place, amount in contribution(before)])
        self._add(after, contribution(after))

    def hours(self) -> list[tuple[Any, ...]]:
        """Rows of `rollups`: id, hour, dimensions, sums."""
        return [(_digest(place), *place, *sums) for place, sums in _ordered(self._hours)]

    def tags(self) -> list[tuple[Any, ...]]:
        """Rows of `tag_rollups`: hour, tag, owners, sums."""
        return [(*place, *sums) for place, sums in _ordered(self._tags)]

    def days(self) -> list[tuple[Any, ...]]:
        """Rows of `totals`: dimension, value, day, sums. Most are the sums of hours."""
        days = {place: list(sums) for place, sums in self._days.items()}
        for (hour, *values), sums in self._hours.items():
            day, amounts = hour - hour % DAY, list(enumerate(sums))
            _sum(days, ("all", "", day), amounts)
            for name, value in zip(ROLLUP_DIMENSIONS, values, strict=True):
                if value:
                    _sum(days, (name, value, day), amounts)
        return [(*place, *sums) for place, sums in _ordered(days)]

    def _add(self, row: Mapping[str, Any], amounts: list[tuple[int, int]]) -> None:
        at = row["at"]
        hour, day = at - at % HOUR, at - at % DAY
        dimensions = [row.get(name) or "" for name in ROLLUP_DIMENSIONS]
        _sum(self._hours, (hour, *dimensions), amounts)
        for name in _OWN_TOTALS:
            if value := row.get(name):
                _sum(self._days, (name, value, day), amounts)
        for tag in dict.fromkeys(row.get("tags") or ()):
            _sum(self._days, ("tag", tag, day), amounts)
            _sum(self._tags, (hour, tag, *[row.get(name) or "" for name in _TAG_OWNERS]), amounts)


def _sum(
    sums: dict[tuple[Any, ...], list[int]], key: tuple[Any, ...], amounts: list[tuple[int, int]]
) -> None:
    found = sums.get(key)
    if found is None:
        found = sums[key] = [0] * len(SUMS)
    for place, amount in amounts:
        found[place] += amount


def _ordered(sums: dict[tuple[Any, ...], list[int]]) -> list[tuple[tuple[Any, ...], list[int]]]:
    """What is not nothing, in one order for all who write."""
    return sorted((place, amounts) for place, amounts in sums.items() if any(amounts))


def _digest(place: tuple[Any, ...]) -> str:
    return blake2b("\x1f".join(map(str, place)).encode(), digest_size=16).hexdigest()
