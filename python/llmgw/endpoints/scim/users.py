"""Users as SCIM has them."""

from typing import Any

import orjson
import sqlalchemy as sa

from llmgw.endpoints.api.reach import check_roles_of
from llmgw.endpoints.scim.errors import ScimError, bad_filter, bad_value
from llmgw.endpoints.scim.resource import BASE, CORE, META, Found, meta, text
from llmgw.endpoints.scim.tenant import Tenant
from llmgw.store import groups, keys, sessions, users
from llmgw.store.database import Transaction
from llmgw.store.errors import Missing
from llmgw.store.paging import Paging
from llmgw.store.tables import users as table
from llmgw.store.users import User

SCHEMA = CORE + "User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

_COLUMNS = {
    "id": table.c.id,
    "username": table.c.email,
    "emails": table.c.email,
    "emails.value": table.c.email,
    "externalid": table.c.external_id,
    "displayname": table.c.name,
    "active": table.c.active,
}
_KEPT = (
    *("userName", "name", "displayName", "nickName", "profileUrl", "title", "userType", "preferredLanguage"),
    *("locale", "timezone", "emails", "phoneNumbers", "ims", "photos", "addresses", "entitlements", "roles"),
    ENTERPRISE,
)
"""Attributes that are given back as they came. Others, a password above all, are not kept."""
_IDENTITY = ("email", "external_id")
"""By what logins and tokens find a user."""
_MOST_KEPT = 32 * 1024
"""Bytes of them."""


class Users:
    """People. `userName` is the address by which they log in."""

    endpoint = "Users"

    def column(self, path: str) -> Any:
        """See `Resource`."""
        path = path.removeprefix(SCHEMA.lower() + ":")
        if path not in _COLUMNS:
            raise bad_filter(f"Users are not found by {path[:50]}.")
        return _COLUMNS[path]

    async def page(
        self, tx: Transaction, tenant: Tenant, condition: sa.ColumnElement[bool], offset: int, limit: int
    ) -> tuple[list[dict[str, Any]], int]:
        """See `Resource`."""
        if tenant.organisation is not None:
            condition = sa.and_(table.c.organisation_id == tenant.organisation, condition)
        found, total = await users.window(tx, tenant.scope, condition, offset, limit)
        return [await _shown(tx, user) for user in found], total

    async def get(self, tx: Transaction, tenant: Tenant, id: str) -> Found:
        """See `Resource`."""
        return await _found(tx, await own_user(tx, tenant, id))

    async def create(self, tx: Transaction, tenant: Tenant, body: dict[str, Any]) -> Found:
        """See `Resource`."""
        made = User(organisation_id=tenant.organisation, **_fields(body))
        return await _found(tx, await users.create(tx, tenant.scope, made))

    async def replace(
        self, tx: Transaction, tenant: Tenant, id: str, body: dict[str, Any], version: int | None
    ) -> Found:
        """See `Resource`. Whoever is not active any more is out at once.

        By what a person is known is changed only by those who have every role that it has: otherwise an
        address of one's own in an owner's place would be a way to become the owner. To lock out takes less.
        """
        before, fields = await own_user(tx, tenant, id), _fields(body)
        if any(_lower(getattr(before, name)) != _lower(fields[name]) for name in _IDENTITY):
            await check_roles_of(tx, tenant.principal, id, "id")
        user = await users.update(tx, tenant.scope, id, fields, version)
        if not user.active:
            await sessions.remove_all_of(tx, user.id)
        return await _found(tx, user)

    async def remove(self, tx: Transaction, tenant: Tenant, id: str, version: int | None) -> None:
        """See `Resource`. Their own keys go with them; what they spent stays in the books."""
        user = await own_user(tx, tenant, id)
        while own := (await keys.page(tx, tenant.scope, Paging(), {"user_id": user.id})).items:
            for key in own:
                await keys.remove(tx, tenant.scope, key.id)
        await users.remove(tx, tenant.scope, user.id, version)


async def own_user(tx: Transaction, tenant: Tenant, id: str) -> User:
    """A person of the tenant's.

    Raises:
        Missing: there is none of this id.
    """
    user = await users.get(tx, tenant.scope, id)
    if not tenant.owns(user):
        raise Missing("user", id)
    return user


def _lower(text: str | None) -> str | None:
    return None if text is None else text.strip().lower()


def _fields(body: dict[str, Any]) -> dict[str, Any]:
    """The columns of a user who is as the body says."""
    kept = {own: value for own in _KEPT if (value := _member(body, own)) is not None}
    if len(orjson.dumps(kept)) > _MOST_KEPT:
        raise ScimError(413, f"A user's attributes may take {_MOST_KEPT} bytes.")
    return {
        "email": text(body, "userName", required=True),
        "name": _name(body),
        "external_id": text(body, "externalId"),
        "active": _active(_member(body, "active")),
        "scim": kept,
    }


def _active(value: object) -> bool:
    """Whether a user may come in; one widespread client writes it as a text."""
    if value is None:
        return True
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise bad_value("active is true or false.")
    return value


def _name(body: dict[str, Any]) -> str | None:
    """What people call the user."""
    if (shown := text(body, "displayName")) is not None:
        return shown
    name = _member(body, "name")
    if name is None:
        return None
    if not isinstance(name, dict):
        raise bad_value("name has parts.")
    parts = (text(name, "givenName"), text(name, "familyName"))
    return text(name, "formatted") or " ".join(part for part in parts if part) or None


async def _found(tx: Transaction, user: User) -> Found:
    return Found(await _shown(tx, user), user.version)


async def _shown(tx: Transaction, user: User) -> dict[str, Any]:
    kept = dict(user.scim or {})
    told: dict[str, Any] = {
        "schemas": [SCHEMA, ENTERPRISE] if ENTERPRISE in kept else [SCHEMA],
        "id": user.id,
        "userName": user.email or user.id,
        **kept,
        "active": user.active,
        META: meta("User", "Users", user),
    }
    if user.name is not None:
        told.setdefault("displayName", user.name)
    if user.external_id is not None:
        told["externalId"] = user.external_id
    own = await groups.of_user(tx, user.id)
    told["groups"] = [
        {"value": group.id, "display": group.name, "$ref": f"{BASE}/Groups/{group.id}"} for group in own
    ]
    return told


def _member(body: dict[str, Any], name: str) -> Any:
    """An attribute; names are the same in any case of letters."""
    return next((value for own, value in body.items() if own.lower() == name.lower()), None)
