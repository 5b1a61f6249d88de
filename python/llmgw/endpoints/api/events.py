"""`/api/v1/events`: who changed what."""

from datetime import datetime
from typing import Any

import msgspec

from llmgw.access.rbac import Permission
from llmgw.endpoints.api.calls import Answer, Call, row
from llmgw.endpoints.api.desk import Desk
from llmgw.endpoints.api.records import Listed, page_of, page_shown
from llmgw.endpoints.api.spend import window_of
from llmgw.endpoints.api.words import Word
from llmgw.endpoints.base import Contract, Endpoint
from llmgw.store import events


class EventList(Listed, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which events to list."""

    since: datetime | None = None
    until: datetime | None = None
    actor_kind: Word | None = None
    actor_id: Word | None = None
    action: Word | None = None
    object_kind: Word | None = None
    object_id: Word | None = None
    organisation_id: Word | None = None
    team_id: Word | None = None


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was changed, by whom, from what to what; never a secret."""

    id: str
    at: datetime
    actor_kind: str
    actor_id: str | None
    actor_name: str | None
    action: str
    object_kind: str
    object_id: str
    organisation_id: str | None
    team_id: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    ip: str | None
    request_id: str | None


def event_endpoints(desk: Desk) -> list[Endpoint]:
    """The row of this noun."""
    contract = Contract(query=EventList, reply=page_of(Event))
    summary = "List what was changed, page by page."
    return [row(desk, "GET", "/api/v1/events", Permission.EVENTS_READ, summary, _list, contract)]


async def _list(call: Call) -> Answer:
    query: EventList = call.query
    filters = {name: it for name, it in query.filters.items() if name not in ("since", "until")}
    window = window_of(query)
    page = await events.page(
        call.tx, call.scope, query.paging, filters, since=window.since, until=window.until
    )
    return Answer(value=page_shown(page, Event))
