"""What rows of the ledger add to the sums: by hour and dimensions, by tag, and by day for each dimension alone."""

from hashlib import blake2b
from typing import Any

import orjson

from llmgw.books.rows import CALL, OPEN, SETTLED, UNSETTLED, VOID, Row
from llmgw.store.tables import ROLLUP_DIMENSIONS, SUMS

HOUR = 3_600_000_000
DAY = 24 * HOUR

Figures = list[int]
"""One number for each of `SUMS`."""


def figures(row: Row) -> Figures:
    """What a row counts for, as it is now."""
    is_attempt = row.state != CALL
    is_in_flight = row.state == OPEN and row.price_status != UNSETTLED
    return [
        1 if is_attempt else 0,
        1 if row.state == SETTLED else 0,
        1 if row.state == VOID else 0,
        1 if row.state == OPEN else 0,
        0 if is_attempt else 1,
        1 if row.what == "hit" else 0,
        row.cost or 0,
        row.charged or 0,
        (row.held or 0) if is_in_flight else 0,
        row.saved or 0,
        row.input_tokens or 0,
        row.output_tokens or 0,
        row.cache_read_tokens or 0,
        row.cache_write_tokens or 0,
        row.reasoning_tokens or 0,
        row.duration_ms or 0,
    ]


class Sums:
    """What a batch adds to the tables of sums."""

    def __init__(self) -> None:
        self._hours: dict[tuple[int | str, ...], Figures] = {}
        self._tags: dict[tuple[int | str, ...], Figures] = {}
        self._people: dict[tuple[str, int], Figures] = {}

    def count(self, row: Row, before: Figures | None = None) -> None:
        """Add a row as it is now, in the place of what it counted for `before`."""
        delta = figures(row)
        if before is not None:
            delta = [now - then for now, then in zip(delta, before, strict=True)]
        hour = row.at - row.at % HOUR
        organisation, team, group = row.organisation_id or "", row.team_id or "", row.model_group or ""
        hours = (
            hour,
            row.key_id or "",
            row.alias or "",
            row.user_id or "",
            row.project_id or "",
            team,
            organisation,
            row.service_account_id or "",
            group,
            row.provider or "",
            row.deployment or "",
            row.endpoint or "",
        )
        _add(self._hours, hours, delta)
        if row.tags:
            for tag in set(orjson.loads(row.tags)):
                _add(self._tags, (hour, tag, organisation, team, group), delta)
        if row.end_user:
            _add(self._people, (row.end_user, row.at - row.at % DAY), delta)

    def rollups(self) -> list[tuple[int | str, ...]]:
        """Rows of `rollups`, in the order of their ids, so that two processes never wait for each other."""
        rows = [(_digest(key), *key, *delta) for key, delta in self._hours.items() if any(delta)]
        return sorted(rows)

    def tag_rollups(self) -> list[tuple[int | str, ...]]:
        """Rows of `tag_rollups`, in the order of their keys."""
        return sorted((*key, *delta) for key, delta in self._tags.items() if any(delta))

    def totals(self) -> list[tuple[int | str, ...]]:
        """Rows of `totals`, in the order of their keys."""
        days: dict[tuple[str, str, int], Figures] = {}
        for (hour, *values), delta in self._hours.items():
            day = int(hour) - int(hour) % DAY
            _add(days, ("all", "", day), delta)
            for name, value in zip(ROLLUP_DIMENSIONS, values, strict=True):
                if value:
                    _add(days, (name, str(value), day), delta)
        for (hour, tag, *_), delta in self._tags.items():
            _add(days, ("tag", str(tag), int(hour) - int(hour) % DAY), delta)
        for (person, day), delta in self._people.items():
            _add(days, ("end_user", person, day), delta)
        return sorted((*key, *delta) for key, delta in days.items() if any(delta))


def _add(sums: dict[Any, Figures], key: Any, delta: Figures) -> None:
    known = sums.get(key)
    sums[key] = delta if known is None else [one + other for one, other in zip(known, delta, strict=True)]


def _digest(key: tuple[int | str, ...]) -> str:
    """The id of a row of `rollups`: of its hour and its dimensions."""
    return blake2b("\0".join(map(str, key)).encode(), digest_size=16).hexdigest()
