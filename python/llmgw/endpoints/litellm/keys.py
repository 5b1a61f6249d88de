"""LiteLLM's `/key/*`: virtual keys, named by their id (its token id) or by themselves."""

import secrets
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from llmgw.access.rbac import Permission
from llmgw.endpoints.api import keys as api
from llmgw.endpoints.api.calls import Answer, Call
from llmgw.endpoints.api.desk import Desk
from llmgw.endpoints.api.nouns import changing, deleting
from llmgw.endpoints.api.words import moment_of
from llmgw.endpoints.base import Contract, Endpoint
from llmgw.endpoints.litellm.lists import pages, where
from llmgw.endpoints.litellm.periods import after, seconds_of
from llmgw.endpoints.litellm.rows import Fields, bad, converted, row, said, taken
from llmgw.endpoints.litellm.rules import Rules, policy_of, rules_shown
from llmgw.endpoints.litellm.spent import spent
from llmgw.store import keys
from llmgw.store.errors import Missing
from llmgw.store.scope import Scope
from llmgw.store.tables import keys as table

_ID = "key_"
Text = str | UnsetType | None
Some = Annotated[list[str], Meta(max_length=100)]


class KeyFields(Rules, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is made or changed."""

    key_alias: Text = UNSET
    duration: Text = UNSET
    """From now; without it, or as `-1`, the key does not expire."""
    aliases: dict[str, str] | UnsetType | None = UNSET
    """What names of models mean to the key."""


class GenerateKey(KeyFields, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key that is to be made."""

    team_id: Text = UNSET
    user_id: Text = UNSET
    organization_id: Text = UNSET
    project_id: Text = UNSET


class UpdateKey(KeyFields, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key that is to be changed."""

    key: str


class DeleteKeys(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """DeleteKeys that are to be deleted: all of them, or none."""

    keys: Some | None = None
    key_aliases: Some | None = None


class OneKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key."""

    key: str


class RegenerateKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key that is to have another value."""

    key: str | None = None
    grace_period: str | None = None
    """How long the value that it has is still good; without it, it is not."""


class ListKeys(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which keys to list, of those that the caller may see."""

    page: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    size: Annotated[int, Meta(ge=1, le=100)] = 10
    user_id: str | None = None
    team_id: str | None = None
    organization_id: str | None = None
    project_id: str | None = None
    key_alias: str | None = None
    key_hash: str | None = None
    """An id, or a key itself."""
    return_full_object: bool = False
    include_team_keys: bool = True
    """DeleteKeys of teams are listed in any case."""


UNKEPT = frozenset(
    {
        *("budget_id", "budget_limits", "permissions", "policies", "prompts", "allowed_routes", "key"),
        *("router_settings", "key_type", "auto_rotate", "rotation_interval", "send_invite_email", "config"),
        *("enforced_params", "throttle_on_budget_exceeded", "budget_fallbacks", "spend", "user_email"),
        *("object_permission", "allowed_cache_controls", "allowed_passthrough_routes", "agent_id"),
        *("rpm_limit_type", "tpm_limit_type", "allowed_vector_store_indexes", "access_group_ids"),
        *("temp_budget_increase", "temp_budget_expiry", "allowed_model_region", "disable_global_guardrails"),
    }
)
"""Fields of LiteLLM's that may only say nothing; other unknown ones are refused whatever they say."""
_OF_REGENERATION = (UNKEPT - {"key"}) | {"new_key", "new_master_key", *KeyFields.__struct_fields__}
_OF_UPDATE = (UNKEPT - {"key"}) | {"team_id", "user_id", "organization_id", "project_id"}

_NAMES = {"key_alias": "alias", "aliases": "model_map"}
_OWNERS = {
    "team_id": "team_id",
    "user_id": "user_id",
    "organization_id": "organisation_id",
    "project_id": "project_id",
}


def key_endpoints(desk: Desk) -> list[Endpoint]:
    """The rows of this noun."""
    read, write, block = Permission.KEYS_READ, Permission.KEYS_WRITE, Permission.KEYS_BLOCK
    again = "LiteLLM: give a key another value, shown this once."
    return [
        row(
            desk,
            "POST",
            "/key/generate",
            write,
            "LiteLLM: make a key.",
            _generate,
            Contract(body=GenerateKey),
        ),
        row(desk, "POST", "/key/update", write, "LiteLLM: change a key.", _update, Contract(body=UpdateKey)),
        row(desk, "POST", "/key/delete", write, "LiteLLM: delete keys.", _delete, Contract(body=DeleteKeys)),
        row(desk, "POST", "/key/block", block, "LiteLLM: refuse a key.", _block, Contract(body=OneKey)),
        row(
            desk, "POST", "/key/unblock", block, "LiteLLM: take a block off.", _unblock, Contract(body=OneKey)
        ),
        row(desk, "POST", "/key/regenerate", write, again, _regenerate, Contract(body=RegenerateKey)),
        row(desk, "POST", "/key/{key}/regenerate", write, again, _regenerate, Contract(body=RegenerateKey)),
        row(desk, "GET", "/key/info", read, "LiteLLM: read a key.", _info, Contract(query=OneKey)),
        row(desk, "GET", "/key/list", read, "LiteLLM: list keys.", _list, Contract(query=ListKeys)),
    ]


async def named(call: Call, name: str) -> keys.Key:
    """The key of this id, or the key that this is, if the caller may see it.

    Raises:
        Missing: it is not there, or not for this caller.
    """
    id: str | None = name
    if not name.startswith(_ID):
        known = await keys.find_by_digest(call.tx, call.desk.digest(name))
        id = None if known is None else known.id
    found = None if id is None else await keys.find(call.tx, call.scope, id)
    if found is None:
        raise Missing("key", "of this name")
    return found


def shown(key: keys.Key, spend: Any = 0) -> Fields:
    """A key in LiteLLM's fields."""
    return {
        "token": key.id,
        "token_id": key.id,
        "key_name": key.hint,
        "key_alias": key.alias,
        "spend": spend,
        "expires": None if key.expires_at is None else moment_of(key.expires_at),
        "aliases": key.model_map or {},
        **{name: getattr(key, ours) for name, ours in _OWNERS.items()},
        **rules_shown(key),
        "created_at": moment_of(key.created_at),
        "updated_at": moment_of(key.updated_at),
    }


async def make(call: Call, fields: Fields) -> Fields:
    """Makes a key with these fields of the admin API; its value is shown this once."""
    alias = fields.get("alias") or f"key-{secrets.token_hex(6)}"
    body = converted({**fields, "alias": alias}, api.NewKey)
    answer = await api.make(replace(call, body=body))
    return {**shown(await keys.get(call.tx, call.scope, answer.value.id)), "key": answer.value.key}


async def _generate(call: Call) -> Answer:
    body = taken(call.body, GenerateKey, UNKEPT)
    return Answer(value=await make(call, {**_fields(body), **said(body, _OWNERS)}))


async def _update(call: Call) -> Answer:
    body = taken(call.body, UpdateKey, _OF_UPDATE)
    key = await named(call, body.key)
    change = converted(_fields(body, key), api.NOUN.change)
    await changing(api.NOUN)(_at(call, key, change))
    return Answer(value={**await _told(call, key.id), "key": key.id})


async def _delete(call: Call) -> Answer:
    body = taken(call.body, DeleteKeys)
    found = [await named(call, name) for name in body.keys or ()]
    for alias in body.key_aliases or ():
        key = await keys.find_by_alias(call.tx, call.scope, alias)
        if key is None:
            raise Missing("key", "of this alias")
        found.append(key)
    if not found:
        raise bad("keys", "name keys, or aliases in key_aliases")
    unique = {key.id: key for key in found}
    for key in unique.values():
        await deleting(api.NOUN)(_at(call, key))
    return Answer(value={"deleted_keys": list(unique)})


async def _block(call: Call) -> Answer:
    return await _set_blocked(call, blocked=True)


async def _unblock(call: Call) -> Answer:
    return await _set_blocked(call, blocked=False)


async def _set_blocked(call: Call, *, blocked: bool) -> Answer:
    key = await named(call, taken(call.body, OneKey).key)
    await api.set_blocked(_at(call, key), blocked=blocked)
    return Answer(value=await _told(call, key.id))


async def _regenerate(call: Call) -> Answer:
    body = taken(call.body, RegenerateKey, _OF_REGENERATION)
    name = call.parameters.get("key") or body.key
    if name is None:
        raise bad("key", "name the key")
    if body.key not in (None, name):
        raise bad("key", "the path names another key")
    key = await named(call, name)
    grace = 0 if body.grace_period is None else seconds_of(body.grace_period, "grace_period")
    rotation = converted({"grace_seconds": grace}, api.Rotation)
    answer = await api.rotate(_at(call, key, rotation))
    return Answer(value={**await _told(call, key.id), "key": answer.value.key})


async def _info(call: Call) -> Answer:
    key = await named(call, call.query.key)
    return Answer(value={"key": key.id, "info": await _told(call, key.id)})


async def _list(call: Call) -> Answer:
    query: ListKeys = call.query
    id = None if query.key_hash is None else (await named(call, query.key_hash)).id
    condition = where(table, id=id, alias=query.key_alias, **said(query, _OWNERS_ASKED))
    offset = (query.page - 1) * query.size
    found, total = await keys.window(call.tx, call.scope, condition, offset, query.size)
    spend = await spent(call, "key_id", [key.id for key in found]) if query.return_full_object else {}
    full = [shown(key, spend.get(key.id, 0)) for key in found]
    items = full if query.return_full_object else [key.id for key in found]
    value = {"keys": items, "total_count": total, "current_page": query.page}
    return Answer(value={**value, "total_pages": pages(total, query.size)})


_OWNERS_ASKED = {name: ours for name, ours in _OWNERS.items() if name in ListKeys.__struct_fields__}


def _fields(body: KeyFields, before: keys.Key | None = None) -> Fields:
    fields = {**policy_of(body, before), **said(body, _NAMES)}
    if body.duration is not UNSET:
        forever = body.duration in (None, "-1")
        fields["expires_at"] = None if forever else after(datetime.now(UTC), str(body.duration), "duration")
    return fields


async def _told(call: Call, id: str) -> Fields:
    key = await keys.get(call.tx, Scope.all(), id)  # it was found within the caller's own
    return shown(key, (await spent(call, "key_id", [id])).get(id, 0))


def _at(call: Call, key: keys.Key, body: Any = None) -> Call:
    """The same call, as the admin API has it."""
    return replace(call, parameters={"id": key.id}, body=body)
