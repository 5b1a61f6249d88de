"""What journals tell of requests and people: records of the ledger, and events; checked as they are read."""

from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import Meta, field

Nano: TypeAlias = Annotated[int, Meta(ge=0, le=10**16)]
"""Money of one record: at most ten million dollars, so that sums of many fit into 64 bits."""
Time: TypeAlias = Annotated[int, Meta(ge=0, le=2**62)]
Tokens: TypeAlias = Annotated[int, Meta(ge=0, le=2**48)]
Name: TypeAlias = Annotated[str, Meta(max_length=4096)]
RecordId: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64)]


class Record(msgspec.Struct, frozen=True, kw_only=True, tag_field="t"):
    """What every record has."""

    id: RecordId
    at: Time


class Identified(Record, frozen=True, kw_only=True):
    """Who asked, and for what."""

    request: Name | None = None
    key: Name | None = None
    alias: Name | None = None
    organisation: Name | None = None
    team: Name | None = None
    project: Name | None = None
    user: Name | None = None
    service_account: Name | None = None
    end_user: Name | None = None
    tags: Annotated[tuple[Name, ...], Meta(max_length=256)] = ()
    endpoint: Name | None = None
    group: Name | None = None
    model: Name | None = None
    """The client's word."""
    stream: bool = False


class Reserve(Identified, frozen=True, kw_only=True, tag="reserve"):
    """A send is about to be made."""

    attempt: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 1
    deployment: Name | None = None
    provider: Name | None = None
    routed: Name | None = None
    region: Name | None = None
    held: Nano = 0
    input: Tokens = 0
    output: Tokens = 0
    holds: list[Any] = field(default_factory=list)


class Settle(Record, frozen=True, kw_only=True, tag="settle"):
    """A send was made, and this is what it cost."""

    status: int | None = None
    how: Name | None = None
    cost: Nano = 0
    price: Name | None = None
    source: Name | None = None
    usage: dict[str, Tokens] = field(default_factory=dict)
    served: dict[str, Any] | None = None
    tier: Name | None = None
    region: Name | None = None
    upstream_id: Name | None = None
    reported: Name | None = None
    ms: Tokens | None = None
    first_ms: Tokens | None = None
    error_class: Name | None = field(name="class", default=None)


class Void(Record, frozen=True, kw_only=True, tag="void"):
    """A send was not made, or nothing was billed for it."""

    status: int | None = None
    why: Name | None = None
    ms: Tokens | None = None
    error_class: Name | None = field(name="class", default=None)


class Call(Identified, frozen=True, kw_only=True, tag="call"):
    """A request that was answered without a send."""

    what: Name
    status: int | None = None
    error_class: Name | None = field(name="class", default=None)
    saved: Nano = 0
    ms: Tokens | None = None


class Event(Record, frozen=True, kw_only=True, tag="event"):
    """Somebody did something."""

    actor: dict[str, Any]
    action: Name
    object: dict[str, Any]
    organisation: Name | None = None
    team: Name | None = None
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    ip: Name | None = None
    request: Name | None = None


LedgerRecord: TypeAlias = Reserve | Settle | Void | Call
AnyRecord: TypeAlias = LedgerRecord | Event

_DECODER = msgspec.json.Decoder(AnyRecord)


class BadRecord(ValueError):
    """A payload that is no record; the text says where it is not."""


def decode(payload: bytes) -> AnyRecord:
    """The record of a journal's payload; fields that are not known are passed over.

    Raises:
        BadRecord: it is none.
    """
    try:
        record: AnyRecord = _DECODER.decode(payload)
    except (msgspec.DecodeError, ValueError) as error:
        raise BadRecord(str(error)) from None
    return record
