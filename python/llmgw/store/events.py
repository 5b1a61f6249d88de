"""Audit events: who did what to which object, what it was before and after. Never a secret or a digest."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from sqlalchemy import insert, select
from sqlalchemy.dialects import postgresql, sqlite

from llmgw.store import ids
from llmgw.store.paging import Page, Paging, page_of, paged
from llmgw.store.records import Event as Told
from llmgw.store.scope import Scope
from llmgw.store.tables import events
from llmgw.store.transaction import Transaction

FILTERS = frozenset(
    {"actor_id", "actor_kind", "action", "object_kind", "object_id", "organisation_id", "team_id"}
)


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One event."""

    id: str
    at: int
    actor_kind: str
    actor_id: str | None = None
    actor_name: str | None = None
    action: str
    object_kind: str
    object_id: str
    organisation_id: str | None = None
    team_id: str | None = None
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    ip: str | None = None
    request_id: str | None = None


async def record(
    tx: Transaction,
    action: str,
    kind: str,
    object_id: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    organisation_id: str | None = None,
    team_id: str | None = None,
) -> str:
    """Note an event of the transaction's actor; its id."""
    event = ids.new("evt")
    values = {
        "id": event,
        "at": ids.now(),
        "actor_kind": tx.actor.kind,
        "actor_id": tx.actor.id,
        "actor_name": tx.actor.name,
        "action": action,
        "object_kind": kind,
        "object_id": object_id,
        "organisation_id": organisation_id,
        "team_id": team_id,
        "before": before,
        "after": after,
        "ip": tx.actor.ip,
        "request_id": tx.actor.request,
    }
    await tx.execute(insert(events).values(values))
    tx.events.append(values)
    return event


async def page(
    tx: Transaction,
    scope: Scope,
    paging: Paging,
    filters: Mapping[str, Any] | None = None,
    *,
    since: int | None = None,
    until: int | None = None,
) -> Page[Event]:
    """A page of events; `filters` are equal to columns of `FILTERS`, times are microseconds."""
    query = select(events).where(scope.over(events))
    for name, value in (filters or {}).items():
        if name not in FILTERS:
            raise ValueError(f"events are not listed by {name}")
        query = query.where(events.c[name] == value)
    if since is not None:
        query = query.where(events.c.at >= since)
    if until is not None:
        query = query.where(events.c.at < until)
    rows = await tx.rows(paged(query, events.c.at, events.c.id, paging))
    return page_of([Event(**row._mapping) for row in rows], paging, "at")


async def enter(tx: Transaction, records: Iterable[Told]) -> int:
    """Note events that a journal tells, those that are not noted yet; how many these were."""
    make = postgresql.insert if tx.kind == "postgresql" else sqlite.insert
    added = 0
    for record in records:
        statement = make(events).values(_row_of(record)).on_conflict_do_nothing(index_elements=["id"])
        added += (await tx.execute(statement)).rowcount
    return added


def _row_of(record: Told) -> dict[str, Any]:
    return {
        "id": record.id,
        "at": record.at,
        "actor_kind": str(record.actor.get("kind", "")),
        "actor_id": record.actor.get("id"),
        "actor_name": record.actor.get("name"),
        "action": record.action,
        "object_kind": str(record.object.get("kind", "")),
        "object_id": str(record.object.get("id", "")),
        "organisation_id": record.organisation,
        "team_id": record.team,
        "before": record.before,
        "after": record.after,
        "ip": record.ip,
        "request_id": record.request,
    }
