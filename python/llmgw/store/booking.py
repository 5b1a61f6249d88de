"""How records make rows of the ledger: which state follows which, so that nothing counts twice."""

from typing import Any, TypeAlias

from llmgw.store.records import Call, Identified, LedgerRecord, Reserve, Settle, Void

Row: TypeAlias = dict[str, Any]

OPEN, SETTLED, VOID, CALL = "open", "settled", "void", "call"

_TOKENS = {
    "input": "input_tokens",
    "output": "output_tokens",
    "cache_read": "cache_read_tokens",
    "cache_write": "cache_write_tokens",
    "reasoning": "reasoning_tokens",
}
_MILLION = 1_000_000


def book(row: Row | None, record: LedgerRecord, writer: str | None, margins: dict[str, int]) -> Row | None:
    """The row after a record; `None` if the record says nothing new.

    What ended is not ended again: the first settle or void counts. An end whose beginning is not known (yet)
    counts too, since it is money; its beginning fills it in. `margins` are parts per million by the ids of
    teams and organisations, which add up.
    """
    match record:
        case Reserve():
            return _begun(row, record, writer, margins)
        case Call():
            return None if row is not None else _called(record, writer)
        case Settle():
            return _ended(row, record, writer, _settled(record), margins)
        case Void():
            return _ended(row, record, writer, _voided(record), margins)


def charged(row: Row, margins: dict[str, int]) -> int | None:
    """What is charged for a row: its cost and the margins of its team and organisation, rounded."""
    cost = row.get("cost")
    if cost is None:
        return None
    ppm = margins.get(row.get("team_id") or "", 0) + margins.get(row.get("organisation_id") or "", 0)
    return max(0, int(cost) + (int(cost) * ppm + _MILLION // 2) // _MILLION)


def _begun(row: Row | None, record: Reserve, writer: str | None, margins: dict[str, int]) -> Row | None:
    identity = {
        **_identity(record),
        "attempt": record.attempt,
        "deployment": record.deployment,
        "provider": record.provider,
        "routed_model": record.routed,
        "held": record.held,
        "input_estimate": record.input,
        "output_ceiling": record.output,
    }
    if row is None:
        return {**_bare(record, writer), **identity, "region": record.region, "holds": record.holds or None}
    if row["kind"] != "attempt" or row.get("attempt") is not None:
        return None
    filled = {**row, **identity, "region": row.get("region") or record.region}
    return {**filled, "charged": charged(filled, margins)}


def _ended(
    row: Row | None, record: Settle | Void, writer: str | None, end: Row, margins: dict[str, int]
) -> Row | None:
    if row is None:
        row = {**_bare(record, writer), "at": record.at}
    if row["state"] != OPEN:
        return None
    ended = {**row, **end, "settled_at": record.at, "holds": None}
    ended["region"] = end.get("region") or row.get("region")
    ended["charged"] = charged(ended, margins)
    return ended


def _bare(record: Reserve | Settle | Void, writer: str | None) -> Row:
    return {"id": record.id, "kind": "attempt", "state": OPEN, "writer": writer}


def _settled(record: Settle) -> Row:
    rest = {name: count for name, count in record.usage.items() if name not in _TOKENS}
    return {
        "state": SETTLED,
        "status": record.status,
        "how": record.how,
        "cost": record.cost,
        "price_status": record.price,
        "price_source": record.source,
        **{column: record.usage.get(name) for name, column in _TOKENS.items()},
        "usage": rest or None,
        "served": record.served or None,
        "tier": record.tier,
        "region": record.region,
        "upstream_id": record.upstream_id,
        "reported_model": record.reported,
        "duration_ms": record.ms,
        "first_ms": record.first_ms,
        "error_class": record.error_class,
    }


def _voided(record: Void) -> Row:
    return {
        "state": VOID,
        "status": record.status,
        "why": record.why,
        "cost": 0,
        "duration_ms": record.ms,
        "error_class": record.error_class,
    }


def _called(record: Call, writer: str | None) -> Row:
    return {
        "id": record.id,
        "kind": "call",
        "state": CALL,
        "writer": writer,
        **_identity(record),
        "what": record.what,
        "status": record.status,
        "error_class": record.error_class,
        "saved": record.saved,
        "duration_ms": record.ms,
    }


def _identity(record: Identified) -> Row:
    return {
        "at": record.at,
        "request_id": record.request,
        "key_id": record.key,
        "alias": record.alias,
        "organisation_id": record.organisation,
        "team_id": record.team,
        "project_id": record.project,
        "user_id": record.user,
        "service_account_id": record.service_account,
        "end_user": record.end_user,
        "tags": list(record.tags) or None,
        "endpoint": record.endpoint,
        "model_group": record.group,
        "requested_model": record.model,
        "stream": record.stream,
    }
