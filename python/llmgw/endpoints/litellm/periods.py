"""LiteLLM's durations (`30d`, `1mo`), as times from now and as windows of budgets."""

import re
from calendar import monthrange
from datetime import datetime, timedelta
from typing import Any

from llmgw.endpoints.litellm.rows import bad

_FORM = re.compile(r"([0-9]{1,9})(mo|[smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
_CALENDAR = {
    **dict.fromkeys(("1d", "24h", "daily"), "day"),
    **dict.fromkeys(("7d", "1w", "weekly"), "week"),
    **dict.fromkeys(("30d", "1mo", "monthly"), "month"),
}
"""LiteLLM begins these budgets anew with the day, the week and the month, too."""
_NAMES = {"day": "1d", "week": "7d", "month": "1mo", "year": "365d", "total": None}
_SHORTEST, _LONGEST = 60, 366 * 86_400
_LAST_YEAR = 9998


def seconds_of(text: str, field: str) -> int:
    """How long a duration is.

    Raises:
        Problem: it is none, or of months, which differ.
    """
    value, unit = _parts(text, field)
    if unit == "mo":
        raise bad(field, "months differ in length: give days")
    return value * _SECONDS[unit]


def after(now: datetime, text: str, field: str) -> datetime:
    """The time so much later; months are those of the calendar.

    Raises:
        Problem: it is no duration, or leads beyond the calendar.
    """
    value, unit = _parts(text, field)
    try:
        if unit != "mo":
            return now + timedelta(seconds=value * _SECONDS[unit])
        years, month = divmod(now.month - 1 + value, 12)
        year = min(now.year + years, _LAST_YEAR)
        return now.replace(year=year, month=month + 1, day=min(now.day, monthrange(year, month + 1)[1]))
    except OverflowError:
        raise bad(field, "it leads beyond the calendar") from None


def window_of(text: str | None, field: str) -> Any:
    """The window of a budget, as the admin API writes it; without a duration, for good.

    Raises:
        Problem: there is no such window here.
    """
    if text is None:
        return "total"
    if text in _CALENDAR:
        return _CALENDAR[text]
    seconds = seconds_of(text, field)
    if not _SHORTEST <= seconds <= _LONGEST:
        raise bad(field, "a budget's time is a minute at least and 366 days at most")
    return {"rolling": seconds}


def duration_of(window: Any) -> str | None:
    """The duration that LiteLLM has for a window."""
    return f"{window['rolling']}s" if isinstance(window, dict) else _NAMES[window]


def _parts(text: str, field: str) -> tuple[int, str]:
    found = _FORM.fullmatch(text)
    if found is None:
        raise bad(field, "a duration is a number and one of s, m, h, d, w, mo")
    return int(found[1]), found[2]
