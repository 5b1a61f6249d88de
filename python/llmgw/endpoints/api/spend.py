"""`/api/v1/usage` and `/api/v1/ledger`: what was used and what it cost, in sums and request by request.

Money is whole nano-dollars here: what it is in the books.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from llmgw.access.rbac import Permission
from llmgw.endpoints.api.calls import Answer, Call, row
from llmgw.endpoints.api.desk import Desk
from llmgw.endpoints.api.records import Listed, Page, page_of
from llmgw.endpoints.api.words import Name, Word, micros_of, moment_of
from llmgw.endpoints.base import Contract, Endpoint
from llmgw.endpoints.problems import Kind, Problem
from llmgw.store import entries, rollups
from llmgw.store.entries import Window
from llmgw.store.errors import Missing
from llmgw.store.tables import ROLLUP_DIMENSIONS

_MOST_LINES = 10_000
_DAYS = 31
"""Of a month, which are read to make one line of it."""
_MONEY = ("held", "cost", "charged", "saved", "repriced_cost", "adjustment")
_TIMES = ("at", "settled_at")
_OWN = ("holds", "writer")
"""What is the gateway's own business."""


class UsageList(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is summed up."""

    since: datetime | None = None
    """From the hour that this is in."""
    until: datetime | None = None
    """Up to the hour that this is in; without it, now."""
    by: Annotated[str, Meta(max_length=300, pattern=r"^[a-z_]+(,[a-z_]+)*$(?!\n)")] | None = None
    """Dimensions with commas between them: `team_id,model_group`. `tag` goes with `organisation_id`,
    `team_id` and `model_group` only."""
    grain: Literal["hour", "day", "month", "all"] = "all"
    """By which times lines are told apart."""
    key_id: Word | None = None
    alias: Word | None = None
    user_id: Word | None = None
    project_id: Word | None = None
    team_id: Word | None = None
    organisation_id: Word | None = None
    service_account_id: Word | None = None
    model_group: Name | None = None
    provider: Word | None = None
    deployment: Name | None = None
    endpoint: Word | None = None
    tag: Name | None = None


class UsageLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of sums."""

    at: datetime | None
    """The beginning of its hour, day or month."""
    by: dict[str, str]
    """The dimensions; the empty text where there is none."""
    attempts: int
    """Requests that were sent to a provider."""
    settled: int
    void: int
    open: int
    calls: int
    """Requests that were answered without: hits of the cache, refusals."""
    hits: int
    cost_nano: int
    charged_nano: int
    """With the margins of team and organisation."""
    held_nano: int
    """Of what is open."""
    saved_nano: int
    """By hits of the cache."""
    adjustment_nano: int
    """By how much later prices differ."""
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    duration_ms: int


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Sums of whole hours."""

    items: list[UsageLine]


class LedgerList(Listed, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which rows of the ledger to list."""

    since: datetime | None = None
    until: datetime | None = None
    request_id: Name | None = None
    key_id: Word | None = None
    alias: Word | None = None
    user_id: Word | None = None
    project_id: Word | None = None
    team_id: Word | None = None
    organisation_id: Word | None = None
    service_account_id: Word | None = None
    end_user: Name | None = None
    model_group: Name | None = None
    requested_model: Name | None = None
    deployment: Name | None = None
    provider: Word | None = None
    endpoint: Word | None = None
    state: Literal["open", "settled", "void", "call"] | None = None
    kind: Literal["attempt", "call"] | None = None
    what: Literal["hit", "blocked", "limited", "over_budget", "denied"] | None = None
    price_status: Word | None = None
    status: Annotated[int, Meta(ge=100, le=599)] | None = None


def _entry() -> Any:
    """The struct of a ledger row as it is shown: the store's, its money and times in the API's units."""
    fields: list[tuple[str, Any]] = []
    for each in msgspec.structs.fields(entries.Entry):
        if each.name in _MONEY:
            fields.append((f"{each.name}_nano", each.type))
        elif each.name in _TIMES:
            fields.append((each.name, datetime | None if each.name != "at" else datetime))
        elif each.name not in _OWN:
            fields.append((each.name, each.type))
    doc = {"__doc__": "A row of the ledger: an attempt, or a request that was answered without one."}
    return msgspec.defstruct("LedgerEntry", fields, namespace=doc, module=__name__, frozen=True, kw_only=True)


LedgerEntry = _entry()


def spend_endpoints(desk: Desk) -> list[Endpoint]:
    """The rows of this family."""
    usage = Contract(query=UsageList, reply=Usage)
    listed = Contract(query=LedgerList, reply=page_of(LedgerEntry))
    read, ledger = Permission.SPEND_READ, Permission.LEDGER_READ
    one = Contract(reply=LedgerEntry)
    return [
        row(desk, "GET", "/api/v1/usage", read, "Sum up what was used, by any dimensions.", _usage, usage),
        row(desk, "GET", "/api/v1/ledger", ledger, "List the ledger's rows, page by page.", _ledger, listed),
        row(desk, "GET", "/api/v1/ledger/{id}", ledger, "Read a row of the ledger.", _one, one),
    ]


def window_of(query: Any) -> Window:
    """The time that a query is about."""
    since, until = (None if it is None else micros_of(it) for it in (query.since, query.until))
    return Window(since=since, until=until)


async def _usage(call: Call) -> Answer:
    query: UsageList = call.query
    by = query.by.split(",") if query.by else []
    names = (*ROLLUP_DIMENSIONS, "tag")
    filters = {name: it for name in names if (it := getattr(query, name)) is not None}
    most = _MOST_LINES * (_DAYS if query.grain == "month" else 1)
    lines = await rollups.report(
        call.tx, call.scope, window_of(query), by=by, grain=query.grain, filters=filters, most=most
    )
    if len(lines) > _MOST_LINES:
        raise Problem(Kind.INVALID_REQUEST, f"This makes {len(lines)} lines: ask for less at once.")
    return Answer(value=Usage(items=[_line(line) for line in lines]))


def _line(line: rollups.Line) -> UsageLine:
    sums = msgspec.structs.asdict(line.sums)
    fields = {f"{name}_nano" if name in _MONEY else name: it for name, it in sums.items()}
    return UsageLine(at=moment_of(line.at) if line.at else None, by=line.by, **fields)


async def _ledger(call: Call) -> Answer:
    query: LedgerList = call.query
    filters = {name: it for name, it in query.filters.items() if name not in ("since", "until")}
    page = await entries.page(call.tx, call.scope, query.paging, filters, window_of(query))
    return Answer(value=Page(items=[_shown(each) for each in page.items], next=page.next))


async def _one(call: Call) -> Answer:
    entry = await entries.get(call.tx, call.scope, call.parameters["id"])
    if entry is None:
        raise Missing("ledger entry", call.parameters["id"])
    return Answer(value=_shown(entry))


def _shown(entry: entries.Entry) -> Any:
    fields = {}
    for name, value in msgspec.structs.asdict(entry).items():
        if name in _OWN:
            continue
        if name in _TIMES and value is not None:
            fields[name] = moment_of(value)
        else:
            fields[f"{name}_nano" if name in _MONEY else name] = value
    return LedgerEntry(**fields)
