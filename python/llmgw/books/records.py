"""Records of the journal as the workers write them: one JSON object each, told apart by `t`."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

Whole = Annotated[int, Meta(ge=0, le=2**62)]
"""A number that a column of the store holds, and a sum of many of them too."""


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Whose request it was; what is not known is absent."""

    request: str | None = None
    key: str | None = None
    alias: str | None = None
    organisation: str | None = None
    team: str | None = None
    project: str | None = None
    user: str | None = None
    service_account: str | None = None
    end_user: str | None = None
    tags: list[str] = []
    endpoint: str | None = None
    group: str | None = None
    model: str | None = None
    """The client's word for it."""


class Reserve(Caller, frozen=True, kw_only=True, tag_field="t", tag="reserve"):
    """One physical send is about to be made; `held` nano-dollars are set aside for it."""

    id: str
    at: Whole
    attempt: Whole = 0
    deployment: str | None = None
    provider: str | None = None
    routed: str | None = None
    region: str | None = None
    held: Whole = 0
    input: Whole | None = None
    output: Whole | None = None
    holds: list[tuple[str, Whole, Whole]] = []
    """Budget slot, window, nano-dollars."""
    stream: bool = False


class Settle(msgspec.Struct, frozen=True, kw_only=True, tag_field="t", tag="settle"):
    """What became of a send that has to be paid."""

    id: str
    at: Whole
    status: Whole | None = None
    how: str | None = None
    cost: Whole = 0
    price: str | None = None
    source: str | None = None
    usage: dict[str, Whole] = {}
    served: dict[str, Any] = {}
    tier: str | None = None
    upstream_id: str | None = None
    reported: str | None = None
    ms: Whole | None = None
    first_ms: Whole | None = None


class Void(msgspec.Struct, frozen=True, kw_only=True, tag_field="t", tag="void"):
    """A send for which nothing was billed."""

    id: str
    at: Whole
    status: Whole | None = None
    why: str | None = None


class Call(Caller, frozen=True, kw_only=True, tag_field="t", tag="call"):
    """A request that was answered without a send: from the cache, or refused."""

    id: str
    at: Whole
    what: str
    status: Whole | None = None
    error: str | None = msgspec.field(default=None, name="class")
    saved: Whole | None = None


class Who(msgspec.Struct, frozen=True):
    """Who did something."""

    kind: str
    id: str | None = None
    name: str | None = None


class What(msgspec.Struct, frozen=True):
    """What it was done to."""

    kind: str
    id: str


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="t", tag="event"):
    """A change that somebody made."""

    id: str
    at: Whole
    actor: Who
    action: str
    object: What
    organisation: str | None = None
    team: str | None = None
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    ip: str | None = None
    request: str | None = None


Record = Reserve | Settle | Void | Call | Event

_decoder = msgspec.json.Decoder(Record)


class Unreadable(ValueError):
    """A record that means nothing to this version of llmgw."""


def decode(payload: bytes) -> Record:
    """The record of a payload. Zero characters, which PostgreSQL does not store, are replaced.

    Raises:
        Unreadable: it is none.
    """
    if b"\\u0000" in payload:
        payload = payload.replace(b"\\u0000", b"\\ufffd")
    try:
        return _decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(str(error)) from None
