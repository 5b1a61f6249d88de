"""Provisioning by SCIM, next to people who are more than those who provision, or not theirs."""

from typing import Any

import httpx
import pytest

from tests.integration.admin.client import Admin, Tenant, make_tenant, unique
from tests.integration.admin.test_guests import guest


@pytest.fixture(scope="module")
def tenants(admin: Admin) -> list[Tenant]:
    return [make_tenant(admin, ("owner", "admin"), ("organisation",)) for _ in range(2)]


def scim(caller: Admin, method: str, path: str, body: Any = None) -> httpx.Response:
    return caller._client.request(method, f"{caller.root}/scim/v2{path}", json=body, headers=caller._headers)


@pytest.mark.parametrize("kind", ["organisation", "team"])
def test_provisioning_does_not_touch_the_people_of_others(
    admin: Admin, tenants: list[Tenant], kind: str
) -> None:
    mine, other = tenants
    person = guest(admin, other, mine, kind)
    caller = mine.callers["owner", "organisation"]
    body = {"userName": "evil@example.com", "active": False}
    path = f"/Users/{person['id']}"
    assert scim(caller, "GET", path).status_code == 404
    assert scim(caller, "PUT", path, body).status_code == 404
    assert scim(caller, "DELETE", path).status_code == 404
    assert person["id"] not in scim(caller, "GET", "/Users").text


def test_provisioning_locks_its_own_people_out_of_the_platform_and_does_not_rename_them(
    admin: Admin, tenants: list[Tenant]
) -> None:
    mine, _ = tenants
    boss = admin.make(
        "/users", email=f"{unique('boss')}@example.com", organisation_id=mine.organisation["id"]
    )
    admin.make("/memberships", user_id=boss["id"], role="owner", scope_kind="platform")
    caller = mine.callers["owner", "organisation"]
    path = f"/Users/{boss['id']}"
    for body in ({"userName": "evil@example.com"}, {"userName": boss["email"], "externalId": "evil"}):
        assert scim(caller, "PUT", path, body).status_code == 403
    assert scim(caller, "PUT", path, {"userName": boss["email"], "active": False}).status_code == 200
    assert scim(caller, "DELETE", path).status_code == 204


def test_provisioning_leaves_the_address_of_a_person_with_a_higher_role(
    admin: Admin, tenants: list[Tenant]
) -> None:
    mine, _ = tenants
    organisation = mine.organisation["id"]
    boss = admin.make("/users", email=f"{unique('boss')}@example.com", organisation_id=organisation)
    place = {"scope_kind": "organisation", "scope_id": organisation}
    admin.make("/memberships", user_id=boss["id"], role="owner", **place)
    path, renamed = f"/Users/{boss['id']}", {"userName": f"{unique('new')}@example.com"}
    left = {"userName": boss["email"], "active": False}
    assert scim(mine.callers["admin", "organisation"], "PUT", path, renamed).status_code == 403
    assert scim(mine.callers["admin", "organisation"], "PUT", path, left).status_code == 200
    assert scim(mine.callers["owner", "organisation"], "PUT", path, renamed).status_code == 200


def test_who_has_a_role_by_a_group_is_not_renamed_by_those_below(admin: Admin, tenants: list[Tenant]) -> None:
    mine, _ = tenants
    belongs = {"organisation_id": mine.organisation["id"]}
    boss = admin.make("/users", email=f"{unique('boss')}@example.com", **belongs)
    group = {"displayName": "platform-admins", "members": [{"value": boss["id"]}]}
    assert scim(admin, "POST", "/Groups", group).status_code == 201
    caller = mine.callers["owner", "organisation"]
    caller.change(f"/users/{boss['id']}", 403, email="evil@example.com")
    caller.delete(f"/users/{boss['id']}", 403)
    renamed = {"userName": "evil@example.com"}
    assert scim(caller, "PUT", f"/Users/{boss['id']}", renamed).status_code == 403
