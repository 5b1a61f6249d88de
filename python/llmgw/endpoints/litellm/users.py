"""LiteLLM's `/user/*`: people."""

from dataclasses import replace
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from llmgw.access.rbac import Permission, grants_with
from llmgw.endpoints.api import users as api
from llmgw.endpoints.api.calls import Answer, Call
from llmgw.endpoints.api.desk import Desk
from llmgw.endpoints.api.nouns import changing, deleting, making
from llmgw.endpoints.api.reach import scope_of
from llmgw.endpoints.api.words import moment_of
from llmgw.endpoints.base import Contract, Endpoint
from llmgw.endpoints.litellm import keys as of_keys
from llmgw.endpoints.litellm.lists import Pages, paged, where
from llmgw.endpoints.litellm.rows import Fields, converted, row, said, taken
from llmgw.endpoints.litellm.rules import Rules, policy_of, rules_shown
from llmgw.endpoints.litellm.spent import spent
from llmgw.store import users
from llmgw.store.scope import Scope
from llmgw.store.tables import users as table

Text = str | UnsetType | None


class UserFields(Rules, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is made or changed."""

    user_email: Text = UNSET
    user_alias: Text = UNSET


class CreateUser(UserFields, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person who is to be made known; the id is made here."""

    organization_id: Text = UNSET
    auto_create_key: bool = True
    """Make a key of theirs, too."""
    user_role: Literal["internal_user"] | None = None
    """No role in the admin API, which is what there is without; others are given at `/api/v1/memberships`."""
    key_alias: Text = UNSET
    """Of that key."""


class UpdateUser(UserFields, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person who is to be changed."""

    user_id: str


class OneUser(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person."""

    user_id: str


class DeleteUsers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """People who are to be deleted: all of them, or none."""

    user_ids: Annotated[list[str], Meta(min_length=1, max_length=100)]


class ListUsers(Pages, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which people to list, of those that the caller may see."""

    user_email: str | None = None
    """The whole address."""


UNKEPT = frozenset(
    {
        *("user_id", "teams", "organizations", "team_id", "sso_user_id", "send_invite_email"),
        *("permissions", "policies", "prompts", "budget_id", "budget_limits", "allowed_cache_controls"),
        *("object_permission", "config", "spend", "aliases", "duration", "password", "project_id"),
        *("router_settings", "invite", "allowed_routes", "disable_global_guardrails", "key_type"),
    }
)
"""Fields of LiteLLM's that may only say nothing; other unknown ones are refused whatever they say."""
_OF_UPDATE = (UNKEPT - {"user_id"}) | {"organization_id", "user_role"}
_NAMES = {"user_email": "email", "user_alias": "name"}


def user_endpoints(desk: Desk) -> list[Endpoint]:
    """The rows of this noun."""
    read, write = Permission.USERS_READ, Permission.USERS_WRITE
    return [
        row(
            desk, "POST", "/user/new", write, "LiteLLM: make a person known.", _new, Contract(body=CreateUser)
        ),
        row(
            desk,
            "POST",
            "/user/update",
            write,
            "LiteLLM: change a person.",
            _update,
            Contract(body=UpdateUser),
        ),
        row(
            desk,
            "POST",
            "/user/delete",
            write,
            "LiteLLM: delete people.",
            _delete,
            Contract(body=DeleteUsers),
        ),
        row(desk, "GET", "/user/info", read, "LiteLLM: read a person.", _info, Contract(query=OneUser)),
        row(desk, "GET", "/user/list", read, "LiteLLM: list people.", _list, Contract(query=ListUsers)),
    ]


def shown(user: users.User, spend: Any = 0) -> Fields:
    """A person in LiteLLM's fields."""
    return {
        "user_id": user.id,
        "user_email": user.email,
        "user_alias": user.name,
        "organization_id": user.organisation_id,
        "spend": spend,
        **rules_shown(user),
        "created_at": moment_of(user.created_at),
        "updated_at": moment_of(user.updated_at),
    }


async def _new(call: Call) -> Answer:
    body = taken(call.body, CreateUser, UNKEPT)
    fields = {**policy_of(body), **said(body, {**_NAMES, "organization_id": "organisation_id"})}
    made = await making(api.NOUN)(replace(call, body=converted(fields, api.NewUser)))
    value = await _told(call, made.value.id)
    return Answer(value=value | (await _with_key(call, body, made.value.id) if body.auto_create_key else {}))


async def _with_key(call: Call, body: CreateUser, id: str) -> Fields:
    """The key that LiteLLM makes with a person: within what the caller may make keys of."""
    scope = scope_of(grants_with(call.principal.grants, Permission.KEYS_WRITE))
    fields = {"user_id": id, **said(body, {"key_alias": "alias"})}
    key = await of_keys.make(replace(call, scope=scope), fields)
    return {name: key[name] for name in ("key", "key_name", "key_alias", "token", "token_id", "expires")}


async def _update(call: Call) -> Answer:
    body = taken(call.body, UpdateUser, _OF_UPDATE)
    user = await users.get(call.tx, call.scope, body.user_id)
    change = converted({**policy_of(body, user), **said(body, _NAMES)}, api.NOUN.change)
    await changing(api.NOUN)(replace(call, parameters={"id": user.id}, body=change))
    return Answer(value=await _told(call, user.id))


async def _delete(call: Call) -> Answer:
    ids = list(dict.fromkeys(taken(call.body, DeleteUsers).user_ids))
    for id in ids:
        await deleting(api.NOUN)(replace(call, parameters={"id": id}, body=None))
    return Answer(value={"deleted_users": ids})


async def _info(call: Call) -> Answer:
    user = await users.get(call.tx, call.scope, call.query.user_id)
    return Answer(value={"user_id": user.id, "user_info": await _told(call, user.id)})


async def _list(call: Call) -> Answer:
    query: ListUsers = call.query
    email = query.user_email and query.user_email.strip().lower()
    offset = (query.page - 1) * query.page_size
    found, total = await users.window(call.tx, call.scope, where(table, email=email), offset, query.page_size)
    spend = await spent(call, "user_id", [user.id for user in found])
    items = [shown(user, spend.get(user.id, 0)) for user in found]
    return Answer(value=paged("users", items, total, query))


async def _told(call: Call, id: str) -> Fields:
    user = await users.get(call.tx, Scope.all(), id)  # it was found within the caller's own
    return shown(user, (await spent(call, "user_id", [id])).get(id, 0))
