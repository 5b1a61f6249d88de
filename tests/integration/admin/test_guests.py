"""People who are guests in a tenant, and keys that would leave the place of those who make them."""

from typing import Any

import pytest

from tests.integration.admin.client import Admin, Tenant, make_tenant, unique


@pytest.fixture(scope="module")
def tenants(admin: Admin) -> list[Tenant]:
    return [make_tenant(admin, ("owner", "admin", "developer")) for _ in range(2)]


def guest(admin: Admin, home: Tenant, host: Tenant, kind: str = "team") -> dict[str, Any]:
    """A person of one tenant who has a role in another."""
    person = admin.make(
        "/users", email=f"{unique('guest')}@example.com", organisation_id=home.organisation["id"]
    )
    place = {"scope_kind": kind, "scope_id": getattr(host, kind)["id"]}
    admin.make("/memberships", user_id=person["id"], role="viewer", **place)
    return person


@pytest.mark.parametrize("role", ["owner", "admin", "developer"])
@pytest.mark.parametrize("scope", ["organisation", "team", "project"])
def test_a_key_of_a_guest_is_not_made_in_the_guests_own_organisation(
    admin: Admin, tenants: list[Tenant], role: str, scope: str
) -> None:
    mine, other = tenants
    person = guest(admin, other, mine, scope)
    body = {"alias": unique("guest-key"), "user_id": person["id"]}
    assert mine.callers[role, scope].ask("POST", "/keys", body).status_code == 404


@pytest.mark.parametrize("scope", ["team", "project"])
def test_a_key_does_not_leave_the_place_of_its_maker_by_a_member_of_it(
    admin: Admin, tenants: list[Tenant], scope: str
) -> None:
    mine, _ = tenants
    person = guest(admin, mine, mine, scope)
    body = {"alias": unique("loose-key"), "user_id": person["id"]}
    assert mine.callers["developer", scope].ask("POST", "/keys", body).status_code == 404
    within = {**body, f"{scope}_id": getattr(mine, scope)["id"]}
    assert mine.callers["developer", scope].ask("POST", "/keys", within).status_code == 201


def test_who_keeps_an_organisation_makes_keys_of_its_people(admin: Admin, tenants: list[Tenant]) -> None:
    mine, _ = tenants
    key = mine.callers["developer", "organisation"].make(
        "/keys", alias=unique("own-key"), user_id=mine.user["id"]
    )
    assert key["organisation_id"] == mine.organisation["id"]


def test_a_key_in_a_team_of_no_organisation_is_not_charged_to_that_of_a_person(
    admin: Admin, tenants: list[Tenant]
) -> None:
    team = admin.make("/teams", name=unique("free"))
    belongs = {"organisation_id": tenants[0].organisation["id"]}
    person = admin.make("/users", email=f"{unique('x')}@example.com", **belongs)
    key = admin.make("/keys", alias=unique("free-key"), team_id=team["id"], user_id=person["id"])
    assert key["organisation_id"] is None
