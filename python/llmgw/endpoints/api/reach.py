"""What grants reach: the store's scope of a caller, and what may be given within it."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from llmgw.access.grants import grants_of
from llmgw.access.principal import Principal
from llmgw.access.rbac import Grant, Permission, Role, ScopeKind, grants_with, may_give
from llmgw.endpoints.problems import Fault, Kind, Problem
from llmgw.store import organisations, projects, teams
from llmgw.store.errors import Missing
from llmgw.store.memberships import Membership
from llmgw.store.scope import Scope
from llmgw.store.transaction import Transaction

Place = tuple[ScopeKind, str | None]
"""Where something lies: in a project, its team, its organisation, and always on the platform."""

_OWNERS = {
    ScopeKind.ORGANISATION: "organisation_id",
    ScopeKind.TEAM: "team_id",
    ScopeKind.PROJECT: "project_id",
}
_OF_NODES = {kind.value: kind for kind in _OWNERS}
PLACES = frozenset(_OF_NODES)
"""The kinds of nodes in which roles hold."""
_SHELVES: Mapping[str, Callable[[Transaction, Scope, str], Awaitable[Any]]] = {
    ScopeKind.ORGANISATION: organisations.get,
    ScopeKind.TEAM: teams.get,
    ScopeKind.PROJECT: projects.get,
}


def scope_of(grants: Iterable[Grant]) -> Scope:
    """What rows the holder of these grants may see."""
    ids: dict[ScopeKind, set[str]] = {kind: set() for kind in _OWNERS}
    for grant in grants:
        if grant.scope_id is None:
            return Scope.all()
        ids[grant.scope].add(grant.scope_id)
    return Scope(
        organisations=frozenset(ids[ScopeKind.ORGANISATION]),
        teams=frozenset(ids[ScopeKind.TEAM]),
        projects=frozenset(ids[ScopeKind.PROJECT]),
    )


def places_of(record: Any, kind: str = "") -> set[Place]:
    """Where an object lies; an object of the kind of a place is one itself."""
    places: set[Place] = {(ScopeKind.PLATFORM, None)}
    for scope, column in _OWNERS.items():
        if column in record.__struct_fields__ and (id := getattr(record, column)) is not None:
            places.add((scope, id))
    if (own := _OF_NODES.get(kind)) is not None:
        places.add((own, record.id))
    return places


async def places_at(tx: Transaction, kind: str, id: str) -> set[Place]:
    """Where a node lies, itself included; the empty id is the platform's.

    Raises:
        Missing: there is no such node.
    """
    if kind == ScopeKind.PLATFORM:
        return {(ScopeKind.PLATFORM, None)}
    node = await _SHELVES[kind](tx, Scope.all(), id)
    return places_of(node, kind)


def grant_of(membership: Membership) -> Grant:
    """The grant that a membership is."""
    kind = ScopeKind(membership.scope_kind)
    return Grant(role=Role(membership.role), scope=kind, scope_id=membership.scope_id or None)


def reaching(principal: Principal, places: set[Place]) -> Sequence[Grant]:
    """The caller's grants that hold in one of these places."""
    return [grant for grant in principal.grants if (grant.scope, grant.scope_id) in places]


async def check_roles_of(tx: Transaction, principal: Principal, user_id: str, field: str) -> None:
    """Refuse to touch who a person is to those who do not hold all its roles, those of groups included.

    Raises:
        Problem: the person is more than the caller.
    """
    for grant in await grants_of(tx, user_id):
        try:
            places = await places_at(tx, grant.scope, grant.scope_id or "")
        except Missing:  # of a place that is gone nothing is held
            continue
        check_role(principal, grant, places, field)


def check_field(principal: Principal, permission: Permission, places: set[Place], field: str) -> None:
    """Refuse a field to those who do not hold its permission where the object lies.

    Raises:
        Problem: the caller may not set it.
    """
    if not grants_with(reaching(principal, places), permission):
        fault = Fault(f"/{field}", f"this takes the permission {permission}")
        raise Problem(Kind.FIELD_NOT_ALLOWED, f"You may not set `{field}` here.", [fault])


def check_role(principal: Principal, given: Grant, places: set[Place], field: str = "role") -> None:
    """Refuse to give or take a role to those who do not hold all of it there.

    Raises:
        Problem: it is more than the caller has.
    """
    if not may_give(reaching(principal, places), given):
        fault = Fault(f"/{field}", "nobody gives or takes what they do not have")
        raise Problem(Kind.ROLE_NOT_ALLOWED, f"You may not give or take the role {given.role} here.", [fault])
