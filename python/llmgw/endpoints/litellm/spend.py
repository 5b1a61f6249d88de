"""LiteLLM's spend: `/spend/logs`, `/global/spend/report`, and what was used day by day."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from llmgw.access.rbac import Permission, grants_with
from llmgw.endpoints.api.calls import Answer, Call
from llmgw.endpoints.api.desk import Desk
from llmgw.endpoints.api.reach import scope_of
from llmgw.endpoints.api.words import dollars_of, micros_of, moment_of
from llmgw.endpoints.base import Contract, Endpoint
from llmgw.endpoints.litellm.keys import named
from llmgw.endpoints.litellm.lists import pages
from llmgw.endpoints.litellm.rows import Fields, row
from llmgw.endpoints.problems import Kind, Problem
from llmgw.store import entries, rollups, teams
from llmgw.store.entries import Window
from llmgw.store.paging import Paging
from llmgw.store.rollups import Line, Sums

_MOST_ROWS = 1000
_MOST_DAYS = 400
_GROUPS = {"team": "team_id", "api_key": "key_id", "internal_user": "user_id"}
_FIRST_ERROR = 400


class ListLogs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which requests to tell of: the newest thousand."""

    start_date: date | None = None
    end_date: date | None = None
    """That day is in it."""
    request_id: str | None = None
    api_key: str | None = None
    """An id, or a key itself."""
    user_id: str | None = None
    team_id: str | None = None
    summarize: Literal["false", "False"] | None = None
    """Sums are at `/global/spend/report` and the daily activities."""


class SpendReport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is summed up."""

    start_date: date
    end_date: date
    group_by: Literal["team", "api_key", "internal_user"] = "team"
    team_id: str | None = None
    api_key: str | None = None
    internal_user_id: str | None = None


class Activity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose days to tell of."""

    start_date: date
    end_date: date
    page: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    page_size: Annotated[int, Meta(ge=1, le=1000)] = 50
    """Days."""
    model: str | None = None
    api_key: str | None = None


class UserActivity(Activity, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which person's."""

    user_id: str | None = None


class TeamActivity(Activity, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which teams'."""

    team_ids: str | None = None
    """With commas between them."""


def spend_endpoints(desk: Desk) -> list[Endpoint]:
    """The rows of this family."""
    read, ledger = Permission.SPEND_READ, Permission.LEDGER_READ
    every, days = list[Fields], "LiteLLM: what was used day by day."
    report = "LiteLLM: spend by day and team, key or person."
    return [
        row(
            desk,
            "GET",
            "/spend/logs",
            ledger,
            "LiteLLM: list requests.",
            _logs,
            Contract(query=ListLogs, reply=every),
        ),
        row(
            desk,
            "GET",
            "/global/spend/report",
            read,
            report,
            _report,
            Contract(query=SpendReport, reply=every),
        ),
        row(desk, "GET", "/user/daily/activity", read, days, _of_users, Contract(query=UserActivity)),
        row(desk, "GET", "/team/daily/activity", read, days, _of_teams, Contract(query=TeamActivity)),
    ]


def window_of(start: date | None, end: date | None) -> Window:
    """Whole days, UTC, the last one included.

    Raises:
        Problem: they are in the wrong order, or too many.
    """
    if start is not None and end is not None and not 0 <= (end - start).days < _MOST_DAYS:
        raise Problem(Kind.INVALID_REQUEST, f"end_date: it is up to {_MOST_DAYS} days after start_date.")
    try:
        since = None if start is None else micros_of(_midnight(start))
        until = None if end is None else micros_of(_midnight(end + timedelta(days=1)))
    except OverflowError:
        raise Problem(Kind.INVALID_REQUEST, "end_date: it is beyond the calendar.") from None
    return Window(since=since, until=until)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


async def _logs(call: Call) -> Answer:
    query: ListLogs = call.query
    key = None if query.api_key is None else await _key(call, query.api_key)
    asked = {
        "request_id": query.request_id,
        "key_id": key,
        "user_id": query.user_id,
        "team_id": query.team_id,
    }
    filters = {name: it for name, it in asked.items() if it is not None}
    window = window_of(query.start_date, query.end_date)
    page = await entries.page(call.tx, call.scope, Paging(limit=_MOST_ROWS), filters, window)
    return Answer(value=[log_of(entry) for entry in page.items])


def log_of(entry: entries.Entry) -> Fields:
    """A row of the ledger in LiteLLM's fields."""
    inputs, outputs = entry.input_tokens or 0, entry.output_tokens or 0
    ended = entry.settled_at
    if ended is None and entry.duration_ms is not None:
        ended = entry.at + entry.duration_ms * 1000
    first = None if entry.first_ms is None else moment_of(entry.at + entry.first_ms * 1000)
    failed = entry.error_class is not None or (entry.status or 0) >= _FIRST_ERROR
    return {
        "request_id": entry.id,
        "litellm_call_id": entry.request_id,
        "call_type": entry.endpoint,
        "api_key": entry.key_id,
        "spend": dollars_of(entry.charged or 0),
        "total_tokens": inputs + outputs,
        "prompt_tokens": inputs,
        "completion_tokens": outputs,
        "startTime": moment_of(entry.at),
        "endTime": None if ended is None else moment_of(ended),
        "completionStartTime": first,
        "request_duration_ms": entry.duration_ms,
        "model": entry.routed_model or entry.requested_model,
        "model_id": entry.deployment,
        "model_group": entry.model_group,
        "custom_llm_provider": entry.provider,
        "user": entry.user_id,
        "team_id": entry.team_id,
        "organization_id": entry.organisation_id,
        "end_user": entry.end_user,
        "request_tags": entry.tags or [],
        "cache_hit": "True" if entry.what == "hit" else "False",
        "status": "failure" if failed else "success",
        "metadata": {"user_api_key_alias": entry.alias, "status_code": entry.status, "state": entry.state},
    }


async def _report(call: Call) -> Answer:
    query: SpendReport = call.query
    dimension = _GROUPS[query.group_by]
    key = None if query.api_key is None else await _key(call, query.api_key)
    asked = {"team_id": query.team_id, "key_id": key, "user_id": query.internal_user_id}
    lines = await rollups.report(
        call.tx,
        call.scope,
        window_of(query.start_date, query.end_date),
        by=list(dict.fromkeys((dimension, "key_id", "model_group"))),
        grain="day",
        filters={name: it for name, it in asked.items() if it is not None},
    )
    names = await _names(call, lines) if query.group_by == "team" else {}
    return Answer(value=[_day(day, mine, query.group_by, names) for day, mine in _by_day(lines).items()])


def _day(day: str, lines: list[Line], group_by: str, names: dict[str, str]) -> Fields:
    """A day of the report: its teams, keys or people, each with what it spent on which models."""
    groups: dict[str, list[Line]] = {}
    for line in lines:
        groups.setdefault(line.by[_GROUPS[group_by]], []).append(line)
    told = [
        {
            **({"team_name": names.get(id)} if group_by == "team" else {}),
            _GROUPS[group_by].replace("key_id", "api_key"): id or None,
            "total_spend": dollars_of(sum(line.sums.charged for line in mine)),
            "metadata": [_on_model(line) for line in mine],
        }
        for id, mine in groups.items()
    ]
    return {"group_by_day": day, {"team": "teams", "api_key": "keys"}.get(group_by, "users"): told}


def _on_model(line: Line) -> Fields:
    tokens = line.sums.input_tokens + line.sums.output_tokens
    spend = dollars_of(line.sums.charged)
    return {
        "model": line.by["model_group"],
        "api_key": line.by["key_id"],
        "spend": spend,
        "total_tokens": tokens,
    }


async def _names(call: Call, lines: Iterable[Line]) -> dict[str, str]:
    """What the teams are called, as far as the caller may see them."""
    scope = scope_of(grants_with(call.principal.grants, Permission.TEAMS_READ))
    found = {}
    for id in {line.by["team_id"] for line in lines} - {""}:
        if (team := await teams.find(call.tx, scope, id)) is not None:
            found[id] = team.name
    return found


async def _of_users(call: Call) -> Answer:
    query: UserActivity = call.query
    return await _activity(call, {} if query.user_id is None else {"user_id": query.user_id})


async def _of_teams(call: Call) -> Answer:
    query: TeamActivity = call.query
    ids = None if query.team_ids is None else query.team_ids.split(",")
    return await _activity(call, {} if ids is None else {"team_id": ids})


async def _activity(call: Call, filters: dict[str, Any]) -> Answer:
    query: Activity = call.query
    if query.model is not None:
        filters["model_group"] = query.model
    if query.api_key is not None:
        filters["key_id"] = await _key(call, query.api_key)
    lines = await rollups.report(
        call.tx,
        call.scope,
        window_of(query.start_date, query.end_date),
        by=["model_group", "provider", "key_id"],
        grain="day",
        filters=filters,
    )
    days = sorted(_by_day(lines).items(), reverse=True)
    first = (query.page - 1) * query.page_size
    results = [_activity_of(day, mine) for day, mine in days[first : first + query.page_size]]
    last = pages(len(days), query.page_size)
    totals = {f"total_{name}": it for name, it in metrics(lines).items()}
    totals["total_tokens"] = totals.pop("total_total_tokens")
    where = {"page": query.page, "total_pages": last, "has_more": query.page < last}
    return Answer(value={"results": results, "metadata": {**totals, **where}})


def _activity_of(day: str, lines: list[Line]) -> Fields:
    breakdown = {
        name: {value: {"metrics": metrics(mine)} for value, mine in _grouped(lines, dimension).items()}
        for name, dimension in (("models", "model_group"), ("providers", "provider"), ("api_keys", "key_id"))
    }
    return {"date": day, "metrics": metrics(lines), "breakdown": breakdown}


def metrics(lines: Iterable[Line]) -> Fields:
    """Sums in LiteLLM's fields."""
    sums = [line.sums for line in lines]

    def total(name: str) -> int:
        return sum(getattr(each, name) for each in sums)

    inputs, outputs = total("input_tokens"), total("output_tokens")
    good = sum(_good(each) for each in sums)
    asked = total("attempts") + total("calls")
    return {
        "spend": dollars_of(total("charged")),
        "prompt_tokens": inputs,
        "completion_tokens": outputs,
        "total_tokens": inputs + outputs,
        "cache_read_input_tokens": total("cache_read_tokens"),
        "cache_creation_input_tokens": total("cache_write_tokens"),
        "successful_requests": good,
        "failed_requests": asked - good - total("open"),
        "api_requests": asked,
    }


def _good(sums: Sums) -> int:
    """Sends that were charged for, and hits of the cache."""
    return sums.settled + sums.hits


def _by_day(lines: Iterable[Line]) -> dict[str, list[Line]]:
    days: dict[str, list[Line]] = {}
    for line in lines:
        days.setdefault(moment_of(line.at).date().isoformat(), []).append(line)
    return days


def _grouped(lines: Iterable[Line], dimension: str) -> dict[str, list[Line]]:
    groups: dict[str, list[Line]] = {}
    for line in lines:
        groups.setdefault(line.by[dimension], []).append(line)
    return groups


async def _key(call: Call, name: str) -> str:
    """The id of a key; one of a key that is deleted is taken as it is: its rows are still there."""
    return name if name.startswith("key_") else (await named(call, name)).id
