"""`/api/v1/keys`: virtual keys. A key's value is shown once, where it is made or rotated."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from llmgw import _native
from llmgw.access.keyholders import grant_of_key
from llmgw.access.keys import MASTER_ALIAS, hint
from llmgw.access.rbac import Permission, Role
from llmgw.endpoints.api.calls import Answer, Call, row
from llmgw.endpoints.api.desk import Desk
from llmgw.endpoints.api.nouns import GUARDED, Noun, check_fields, noun_endpoints, set_fields
from llmgw.endpoints.api.reach import check_field, check_role, places_of
from llmgw.endpoints.api.records import Listed, Policy, ShownPolicy, change_of, fields_of, shown
from llmgw.endpoints.api.words import Certificate, Name, Word
from llmgw.endpoints.base import Contract, Endpoint
from llmgw.endpoints.problems import Fault, Kind, Problem
from llmgw.store import ids, keys

Pairs = Annotated[dict[Word, Word], Meta(max_length=200)]
_DAY = 86_400
_MOST_GRACE = 30 * _DAY
_SECOND = 1_000_000


class NewKey(Policy, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key that is to be made. What it belongs to is for good."""

    alias: Word
    organisation_id: Word | None = None
    team_id: Word | None = None
    project_id: Word | None = None
    user_id: Word | None = None
    service_account_id: Word | None = None
    admin_role: Role | None = None
    """Its role in the admin API, within what it belongs to."""
    expires_at: datetime | None = None
    model_map: Pairs | None = None
    """What names mean where this key uses them."""
    pass_through: Annotated[list[Word], Meta(max_length=100)] | None = None
    certificates: Annotated[list[Certificate], Meta(max_length=20)] | None = None
    """SHA-256 (hex) of client certificates that stand for it."""


class Key(ShownPolicy, frozen=True, kw_only=True):
    """A key, without its value."""

    alias: str
    hint: str | None
    """First and last characters of its value."""
    organisation_id: str | None
    team_id: str | None
    project_id: str | None
    user_id: str | None
    service_account_id: str | None
    admin_role: str | None
    expires_at: datetime | None
    model_map: dict[str, str] | None
    pass_through: list[str] | None
    certificates: list[str] | None


class MadeKey(Key, frozen=True, kw_only=True):
    """A key with its value, which is shown this once."""

    key: str


class KeyList(Listed, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which keys to list."""

    alias: Word | None = None
    organisation_id: Word | None = None
    team_id: Word | None = None
    project_id: Word | None = None
    user_id: Word | None = None
    service_account_id: Word | None = None
    admin_role: Role | None = None
    blocked: bool | None = None
    search: Name | None = None
    """A part of the alias."""


class Rotation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a key is rotated."""

    grace_seconds: Annotated[int, Meta(ge=0, le=_MOST_GRACE)] = _DAY
    """How long the value that it had is still good."""


async def _check(call: Call, noun: Noun, key: keys.Key, fields: set[str]) -> None:
    """A key with a role is touched only by who may give that role; so is the role itself."""
    await check_fields(call, noun, key, fields)
    if getattr(call.body, "pass_through", None):
        # A door that a key names is open to it whatever models its team may use.
        check_field(call.principal, Permission.MODELS_WRITE, places_of(key), "pass_through")
    for certificate in getattr(call.body, "certificates", None) or ():
        await _check_certificate(call, key, certificate)
    _check_role(call, key)
    if (role := getattr(call.body, "admin_role", None)) is not None and role is not msgspec.UNSET:
        _check_role(call, msgspec.structs.replace(key, admin_role=role))


async def _check_certificate(call: Call, key: keys.Key, certificate: str) -> None:
    """A certificate of two keys stands for none of them: nobody takes it from another by naming it."""
    if set(await keys.certified(call.tx, certificate)) - {key.id}:
        detail = "One of the certificates stands for another key."
        raise Problem(Kind.CONFLICT, detail, [Fault("/certificates", detail)])


def _check_role(call: Call, key: keys.Key) -> None:
    if (grant := grant_of_key(key)) is not None:
        check_role(call.principal, grant, places_of(key), "admin_role")


NOUN = Noun(
    kind="key",
    path="/api/v1/keys",
    shelf=keys,
    record=keys.Key,
    body=NewKey,
    change=change_of(NewKey, "organisation_id", "team_id", "project_id", "user_id", "service_account_id"),
    shown=Key,
    listed=KeyList,
    read=Permission.KEYS_READ,
    write=Permission.KEYS_WRITE,
    guarded={**GUARDED, "blocked": Permission.KEYS_BLOCK},
    check=_check,
)


def key_endpoints(desk: Desk) -> list[Endpoint]:
    """The rows of this noun."""
    one = f"{NOUN.path}/{{id}}"
    made = Contract(body=NewKey, reply=MadeKey, status=201, tagged=True)
    rotated = Contract(body=Rotation, reply=MadeKey, tagged=True)
    block = Contract(reply=Key, tagged=True)
    summary = "Give a key another value, shown this once; the one it had is good for a while."
    rows = [each for each in noun_endpoints(desk, NOUN) if each.method != "POST"]
    return [
        *rows,
        row(desk, "POST", NOUN.path, NOUN.write, "Make a key; its value is shown this once.", make, made),
        row(desk, "POST", f"{one}/rotate", NOUN.write, summary, rotate, rotated),
        row(desk, "POST", f"{one}/block", Permission.KEYS_BLOCK, "Refuse a key everywhere.", _block, block),
        row(desk, "POST", f"{one}/unblock", Permission.KEYS_BLOCK, "Take a block off.", _unblock, block),
    ]


async def make(call: Call) -> Answer:
    """Makes the key that the body asks for."""
    value = _native.generate_key()
    if call.body.alias == MASTER_ALIAS:
        detail = f"`{MASTER_ALIAS}` is the admin key's own alias."
        raise Problem(Kind.INVALID_BODY, detail, [Fault("/alias", detail)])
    record = keys.Key(**fields_of(call.body), hint=hint(value))
    made = await keys.create(call.tx, call.scope, record, call.desk.digest(value))
    await _check(call, NOUN, made, set_fields(call.body))
    return Answer(value=_with_value(made, value), version=made.version)


async def rotate(call: Call) -> Answer:
    """Gives the key of the path another value."""
    value = _native.generate_key()
    before = await keys.get(call.tx, call.scope, call.parameters["id"])
    _check_role(call, before)
    rotated = await keys.rotate(
        call.tx,
        call.scope,
        before.id,
        call.desk.digest(value),
        hint(value),
        valid_until=ids.now() + call.body.grace_seconds * _SECOND,
        version=call.version,
    )
    return Answer(value=_with_value(rotated, value), version=rotated.version)


async def _block(call: Call) -> Answer:
    return await set_blocked(call, blocked=True)


async def _unblock(call: Call) -> Answer:
    return await set_blocked(call, blocked=False)


async def set_blocked(call: Call, *, blocked: bool) -> Answer:
    """Refuses the key of the path, or no longer."""
    before = await keys.get(call.tx, call.scope, call.parameters["id"])
    if not blocked:
        _check_role(call, before)
    key = await keys.block(call.tx, call.scope, before.id, blocked=blocked, version=call.version)
    return Answer(value=shown(key, Key), version=key.version)


def _with_value(key: keys.Key, value: str) -> MadeKey:
    return MadeKey(**msgspec.structs.asdict(shown(key, Key)), key=value)
