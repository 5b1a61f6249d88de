"""The table of roles, and what grants of them let do."""

import pytest

from llmgw.access.principal import Principal, PrincipalKind, master
from llmgw.access.rbac import (
    PLATFORM_ONLY,
    ROLES,
    Grant,
    Permission,
    Role,
    ScopeKind,
    grants_with,
    may_give,
    permissions_of,
)


def in_team(role: Role) -> Grant:
    return Grant(role=role, scope=ScopeKind.TEAM, scope_id="team_1")


def on_platform(role: Role) -> Grant:
    return Grant(role=role, scope=ScopeKind.PLATFORM)


def test_every_role_has_its_row_and_the_owners_is_full() -> None:
    assert set(ROLES) == set(Role)
    assert ROLES[Role.OWNER] == set(Permission)


def test_those_who_look_change_nothing() -> None:
    for role in (Role.AUDITOR, Role.VIEWER):
        assert all(permission.endswith(".read") for permission in ROLES[role])


def test_what_belongs_to_no_tenant_is_held_on_the_platform_only() -> None:
    assert permissions_of(on_platform(Role.OWNER)) >= PLATFORM_ONLY
    assert not PLATFORM_ONLY & permissions_of(in_team(Role.OWNER))


@pytest.mark.parametrize("scope", [in_team, on_platform])
def test_nobody_gives_a_role_with_more_than_their_own(scope: type) -> None:
    for giver in Role:
        for given in Role:
            if may_give([scope(giver)], scope(given)):
                assert ROLES[given] <= ROLES[giver]


def test_an_admin_makes_admins_but_no_owners() -> None:
    for scope in (in_team, on_platform):
        assert may_give([scope(Role.ADMIN)], scope(Role.ADMIN))
        assert not may_give([scope(Role.ADMIN)], scope(Role.OWNER))


def test_who_may_not_give_roles_gives_not_even_less_than_their_own() -> None:
    assert not may_give([on_platform(Role.OPERATOR)], in_team(Role.VIEWER))
    assert not may_give([], in_team(Role.VIEWER))


def test_grants_are_told_by_the_permission() -> None:
    grants = (in_team(Role.DEVELOPER), on_platform(Role.VIEWER))
    assert grants_with(grants, Permission.KEYS_WRITE) == grants[:1]
    assert grants_with(grants, Permission.KEYS_READ) == grants


@pytest.mark.parametrize(
    ("scope", "scope_id"), [(ScopeKind.PLATFORM, "team_1"), (ScopeKind.TEAM, None), (ScopeKind.TEAM, "")]
)
def test_a_grant_without_a_place_cannot_be_made(scope: ScopeKind, scope_id: str | None) -> None:
    with pytest.raises(ValueError, match="names what it holds in"):
        Grant(role=Role.OWNER, scope=scope, scope_id=scope_id)


@pytest.mark.parametrize(("id_", "name"), [("", "a"), ("a", "")])
def test_an_empty_principal_cannot_be_made(id_: str, name: str) -> None:
    with pytest.raises(ValueError, match="an id and a name"):
        Principal(kind=PrincipalKind.KEY, id=id_, name=name)


def test_the_master_key_owns_the_platform() -> None:
    assert master("master").grants == (on_platform(Role.OWNER),)
