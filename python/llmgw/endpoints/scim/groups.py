"""Groups as SCIM has them, and the roles that being in one gives."""

from typing import Any

import sqlalchemy as sa

from llmgw.access.grants import by_claims
from llmgw.access.rbac import Grant
from llmgw.endpoints.scim.errors import ScimError, bad_filter, bad_value
from llmgw.endpoints.scim.resource import BASE, CORE, META, Found, meta, text
from llmgw.endpoints.scim.tenant import Tenant
from llmgw.settings.identity import RoleRule
from llmgw.store import groups, projects, teams, users
from llmgw.store.database import Transaction
from llmgw.store.groups import Group
from llmgw.store.tables import groups as table

SCHEMA = CORE + "Group"
MOST_MEMBERS = 10_000

_COLUMNS = {"id": table.c.id, "displayname": table.c.name, "externalid": table.c.external_id}


class Groups:
    """Sets of people; `roles` are what they give, by name."""

    endpoint = "Groups"

    def __init__(self, roles: tuple[RoleRule, ...]) -> None:
        self._roles = roles

    def column(self, path: str) -> Any:
        """See `Resource`."""
        path = path.removeprefix(SCHEMA.lower() + ":")
        if path not in _COLUMNS:
            raise bad_filter(f"Groups are not found by {path[:50]}.")
        return _COLUMNS[path]

    async def page(
        self, tx: Transaction, tenant: Tenant, condition: sa.ColumnElement[bool], offset: int, limit: int
    ) -> tuple[list[dict[str, Any]], int]:
        """See `Resource`."""
        found, total = await groups.window(tx, tenant.scope, condition, offset, limit)
        return [await _shown(tx, tenant, group) for group in found], total

    async def get(self, tx: Transaction, tenant: Tenant, id: str) -> Found:
        """See `Resource`."""
        return await _found(tx, tenant, await groups.get(tx, tenant.scope, id))

    async def create(self, tx: Transaction, tenant: Tenant, body: dict[str, Any]) -> Found:
        """See `Resource`."""
        fields = await self._fields(tx, tenant, body)
        group = await groups.create(tx, tenant.scope, Group(organisation_id=tenant.organisation, **fields))
        group = await _set_members(tx, tenant, group, body, None)
        return await _found(tx, tenant, group)

    async def replace(
        self, tx: Transaction, tenant: Tenant, id: str, body: dict[str, Any], version: int | None
    ) -> Found:
        """See `Resource`."""
        before = await groups.get(tx, tenant.scope, id)
        fields = await self._fields(tx, tenant, body)
        if any(getattr(before, name) != value for name, value in fields.items()):
            before = await groups.update(tx, tenant.scope, id, fields, version)
            version = None
        group = await _set_members(tx, tenant, before, body, version)
        return await _found(tx, tenant, group)

    async def remove(self, tx: Transaction, tenant: Tenant, id: str, version: int | None) -> None:
        """See `Resource`."""
        await groups.remove(tx, tenant.scope, id, version)

    async def _fields(self, tx: Transaction, tenant: Tenant, body: dict[str, Any]) -> dict[str, Any]:
        name = text(body, "displayName", required=True) or ""
        given = by_claims(self._roles, [name], {"organisation": tenant.organisation})
        kept = [grant for grant in given if await _is_within(tx, tenant, grant)]
        return {
            "name": name,
            "external_id": text(body, "externalId"),
            "grants": [
                {"role": one.role.value, "scope_kind": one.scope.value, "scope_id": one.scope_id or ""}
                for one in kept
            ],
        }


async def _is_within(tx: Transaction, tenant: Tenant, grant: Grant) -> bool:
    """Whether the tenant's groups may give this: nobody provisions themselves beyond their organisation."""
    if tenant.organisation is None:
        return True
    match grant.scope.value:
        case "organisation":
            return grant.scope_id == tenant.organisation
        case "team":
            return await teams.find(tx, tenant.scope, grant.scope_id or "") is not None
        case "project":
            return await projects.find(tx, tenant.scope, grant.scope_id or "") is not None
    return False


async def _set_members(
    tx: Transaction, tenant: Tenant, group: Group, body: dict[str, Any], version: int | None
) -> Group:
    """Make those the members whom the body names; they have to be the tenant's own users."""
    wanted = _members(body)
    present = set(await groups.members(tx, tenant.scope, group.id))
    for id in wanted - present:
        user = await users.find(tx, tenant.scope, id)
        if user is None or not tenant.owns(user):
            raise bad_value(f"There is no user {id[:64]} who could be a member.")
    if wanted == present and version is None:
        return group
    return await groups.set_members(tx, tenant.scope, group.id, wanted, version)


def _members(body: dict[str, Any]) -> set[str]:
    listed = next((value for own, value in body.items() if own.lower() == "members"), None) or []
    if not isinstance(listed, list):
        raise bad_value("members is a list.")
    if len(listed) > MOST_MEMBERS:
        raise ScimError(413, f"A group may have {MOST_MEMBERS} members.", "tooMany")
    found = [one.get("value") if isinstance(one, dict) else None for one in listed]
    if not all(isinstance(id, str) and id for id in found):
        raise bad_value("Each of the members has a value, the id of a user.")
    return {str(id) for id in found}


async def _found(tx: Transaction, tenant: Tenant, group: Group) -> Found:
    return Found(await _shown(tx, tenant, group), group.version)


async def _shown(tx: Transaction, tenant: Tenant, group: Group) -> dict[str, Any]:
    members = await groups.members(tx, tenant.scope, group.id)
    told: dict[str, Any] = {
        "schemas": [SCHEMA],
        "id": group.id,
        "displayName": group.name,
        "members": [{"value": id, "$ref": f"{BASE}/Users/{id}"} for id in members],
        META: meta("Group", "Groups", group),
    }
    if group.external_id is not None:
        told["externalId"] = group.external_id
    return told
