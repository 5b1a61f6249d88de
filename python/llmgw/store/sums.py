"""What a row of the ledger adds to which sums: a row that changed is taken out and put in again."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from llmgw.store.tables import ROLLUP_DIMENSIONS, SUMS, TOTAL_DIMENSIONS

HOUR = 3_600_000_000
DAY = 24 * HOUR

_STATES = ("settled", "void", "open")
_OWN_TOTALS = tuple(name for name in TOTAL_DIMENSIONS if name not in ("tag", "all"))
_TAG_OWNERS = ("organisation_id", "team_id", "model_group")


def contribution(row: Mapping[str, Any]) -> tuple[int, ...]:
    """What one row adds to each of `SUMS`."""
    state = row["state"]
    found = {
        "attempts": row["kind"] == "attempt",
        "calls": row["kind"] == "call",
        "hits": row.get("what") == "hit",
        "held": (row.get("held") or 0) if state == "open" else 0,
        "adjustment": _adjustment(row),
        **{name: state == name for name in _STATES},
    }
    return tuple(int(found[name] if name in found else row.get(name) or 0) for name in SUMS)


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
            self._add(before, tuple(-each for each in contribution(before)))
        self._add(after, contribution(after))

    def hours(self) -> list[tuple[Any, ...]]:
        """Rows of `rollups`: id, hour, dimensions, sums."""
        return [(_digest(place), *place, *sums) for place, sums in _ordered(self._hours)]

    def tags(self) -> list[tuple[Any, ...]]:
        """Rows of `tag_rollups`: hour, tag, owners, sums."""
        return [(*place, *sums) for place, sums in _ordered(self._tags)]

    def days(self) -> list[tuple[Any, ...]]:
        """Rows of `totals`: dimension, value, day, sums."""
        return [(*place, *sums) for place, sums in _ordered(self._days)]

    def _add(self, row: Mapping[str, Any], amounts: tuple[int, ...]) -> None:
        at = row["at"]
        hour, day = at - at % HOUR, at - at % DAY
        _sum(self._hours, (hour, *[row.get(name) or "" for name in ROLLUP_DIMENSIONS]), amounts)
        _sum(self._days, ("all", "", day), amounts)
        for name in _OWN_TOTALS:
            if value := row.get(name):
                _sum(self._days, (name, value, day), amounts)
        for tag in dict.fromkeys(row.get("tags") or ()):
            _sum(self._days, ("tag", tag, day), amounts)
            _sum(self._tags, (hour, tag, *[row.get(name) or "" for name in _TAG_OWNERS]), amounts)


def _sum(sums: dict[tuple[Any, ...], list[int]], place: tuple[Any, ...], amounts: tuple[int, ...]) -> None:
    found = sums.get(place)
    if found is None:
        sums[place] = list(amounts)
        return
    for index, amount in enumerate(amounts):
        if amount:
            found[index] += amount


def _ordered(sums: dict[tuple[Any, ...], list[int]]) -> list[tuple[tuple[Any, ...], list[int]]]:
    """What is not nothing, in one order for all who write."""
    return sorted((place, amounts) for place, amounts in sums.items() if any(amounts))


def _digest(place: tuple[Any, ...]) -> str:
    return blake2b("\x1f".join(map(str, place)).encode(), digest_size=16).hexdigest()
