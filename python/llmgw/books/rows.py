"""Rows of the ledger as they are booked: made of a reserve or a call, changed by a settle or a void."""

import msgspec
import orjson

from llmgw.books.records import Call, Reserve, Settle, Void

OPEN, SETTLED, VOID, CALL = "open", "settled", "void", "call"
UNSETTLED = "unsettled"
"""The price status of an open row whose writer is dead: nobody will tell any more what it cost."""

_MILLION = 1_000_000
_OWN_COLUMNS = {
    "input": "input_tokens",
    "output": "output_tokens",
    "cache_read": "cache_read_tokens",
    "cache_write": "cache_write_tokens",
    "reasoning": "reasoning_tokens",
}


class Row(msgspec.Struct, kw_only=True):
    """A row of the ledger; the fields are its columns, in their order, with JSON as text."""

    id: str
    kind: str = "attempt"
    state: str = OPEN
    at: int = 0
    settled_at: int | None = None
    request_id: str | None = None
    attempt: int | None = None
    key_id: str | None = None
    alias: str | None = None
    organisation_id: str | None = None
    team_id: str | None = None
    project_id: str | None = None
    user_id: str | None = None
    service_account_id: str | None = None
    end_user: str | None = None
    tags: str | None = None
    endpoint: str | None = None
    model_group: str | None = None
    requested_model: str | None = None
    routed_model: str | None = None
    reported_model: str | None = None
    deployment: str | None = None
    provider: str | None = None
    region: str | None = None
    tier: str | None = None
    stream: bool | None = None
    status: int | None = None
    how: str | None = None
    why: str | None = None
    what: str | None = None
    error_class: str | None = None
    held: int | None = None
    cost: int | None = None
    charged: int | None = None
    price_status: str | None = None
    price_source: str | None = None
    input_estimate: int | None = None
    output_ceiling: int | None = None
    holds: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    usage: str | None = None
    served: str | None = None
    saved: int | None = None
    duration_ms: int | None = None
    first_ms: int | None = None
    upstream_id: str | None = None
    writer: str | None = None
    repriced_cost: int | None = None


COLUMNS = Row.__struct_fields__
"""Of the table `ledger`."""


def reserved(record: Reserve, writer: str) -> Row:
    """The row of a send of which no more is known."""
    return Row(
        id=record.id,
        at=record.at,
        request_id=record.request,
        attempt=record.attempt,
        key_id=record.key,
        alias=record.alias,
        organisation_id=record.organisation,
        team_id=record.team,
        project_id=record.project,
        user_id=record.user,
        service_account_id=record.service_account,
        end_user=record.end_user,
        tags=_text(record.tags),
        endpoint=record.endpoint,
        model_group=record.group,
        requested_model=record.model,
        routed_model=record.routed,
        deployment=record.deployment,
        provider=record.provider,
        region=record.region,
        stream=record.stream,
        held=record.held,
        input_estimate=record.input,
        output_ceiling=record.output,
        holds=_text(record.holds),
        writer=writer,
    )


def called(record: Call, writer: str) -> Row:
    """The row of a request that was answered without a send."""
    return Row(
        id=record.id,
        kind="call",
        state=CALL,
        at=record.at,
        request_id=record.request,
        key_id=record.key,
        alias=record.alias,
        organisation_id=record.organisation,
        team_id=record.team,
        project_id=record.project,
        user_id=record.user,
        service_account_id=record.service_account,
        end_user=record.end_user,
        tags=_text(record.tags),
        endpoint=record.endpoint,
        model_group=record.group,
        requested_model=record.model,
        status=record.status,
        what=record.what,
        error_class=record.error,
        saved=record.saved,
        writer=writer,
    )


def orphaned(record: Settle | Void, writer: str) -> Row:
    """The row of a send whose reserve was lost: what it cost is booked all the same."""
    return Row(id=record.id, at=record.at, writer=writer)


def settle(row: Row, record: Settle, margin_ppm: int) -> None:
    """Close a row at what the send cost."""
    row.state = SETTLED
    row.settled_at = record.at
    row.status = record.status
    row.how = record.how
    row.cost = record.cost
    row.charged = charged(record.cost, margin_ppm)
    row.price_status = record.price
    row.price_source = record.source
    row.holds = None
    row.reported_model = record.reported
    row.tier = record.tier
    row.upstream_id = record.upstream_id
    row.duration_ms = record.ms
    row.first_ms = record.first_ms
    row.served = _text(record.served)
    rest = {}
    for name, count in record.usage.items():
        if (column := _OWN_COLUMNS.get(name)) is not None:
            setattr(row, column, count)
        else:
            rest[name] = count
    row.usage = _text(rest)


def void(row: Row, record: Void) -> None:
    """Close a row for which nothing was billed."""
    row.state = VOID
    row.settled_at = record.at
    row.status = record.status
    row.why = record.why
    row.cost = row.charged = 0
    row.price_status = None
    row.holds = None


def abandon(row: Row, margin_ppm: int) -> None:
    """Book an open row of a dead writer at what was held for it, until somebody knows better."""
    row.cost = row.held or 0
    row.charged = charged(row.cost, margin_ppm)
    row.price_status = UNSETTLED
    row.holds = None


def charged(cost: int, margin_ppm: int) -> int:
    """A cost with a margin, or a discount below zero, in parts of a million: rounded to whole nano-dollars,
    never below nothing."""
    return max(0, cost + (cost * margin_ppm + _MILLION // 2) // _MILLION) if margin_ppm else cost


def _text(value: list[object] | dict[str, object] | object) -> str | None:
    return orjson.dumps(value).decode() if value else None
