"""The matrix of roles and routes, asked of a real gateway: what the golden file says is what happens."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration.admin.client import ROLES, Admin, Tenant, make_tenant, unique

GOLDEN = Path(__file__).parents[2] / "architecture" / "role_matrix.json"
MATRIX: dict[str, list[str]] = json.loads(GOLDEN.read_text())
ROUTES = [route for route in MATRIX if " /api/" in route]


@pytest.fixture(scope="module")
def tenant(admin: Admin) -> Tenant:
    return make_tenant(admin, ROLES, ("team",))


@pytest.fixture(scope="module")
def platform(admin: Admin) -> dict[str, Admin]:
    made = {role: admin.make("/keys", alias=f"platform-{role}", admin_role=role) for role in ROLES}
    return {role: admin.as_key(key["key"]) for role, key in made.items()}


@pytest.mark.parametrize("route", ROUTES)
def test_a_role_is_refused_where_the_matrix_says_so_and_nowhere_else(
    tenant: Tenant, platform: dict[str, Admin], route: str
) -> None:
    method, path = route.split(" ")
    path = path.removeprefix("/api/v1").replace("{id}", "nothing_there")
    for role in ROLES:
        for caller, may in (
            (platform[role], {role, f"{role}*", "key"}),
            (tenant.callers[role, "team"], {f"{role}*", "key"}),
        ):
            # Nobody takes such a body; whoever is told so was let in.
            response = caller.ask(method, path, {"nothing": 1} if method in ("POST", "PATCH") else None)
            refused = response.status_code == 403
            assert refused is not bool(may & set(MATRIX[route])), (role, response.text)


@pytest.mark.parametrize("route", ROUTES)
def test_nobody_is_let_in_without_a_key_or_with_one_that_has_no_role(
    admin: Admin, tenant: Tenant, route: str
) -> None:
    method, path = route.split(" ")
    path = path.removeprefix("/api/v1").replace("{id}", "nothing_there")
    bare = admin.as_key(admin.make("/keys", alias=f"bare-{hash(route)}")["key"])
    assert admin.as_key(None).ask(method, path).status_code == 401
    assert bare.ask(method, path).status_code == (200 if "key" in MATRIX[route] else 403)


def test_nobody_gives_a_role_that_they_do_not_have(tenant: Tenant) -> None:
    team, user = tenant.team["id"], tenant.user["id"]
    for giver in ROLES:
        for given in ROLES:
            body = {"user_id": user, "role": given, "scope_kind": "team", "scope_id": team}
            response = tenant.callers[giver, "team"].ask("POST", "/memberships", body)
            allowed = giver == "owner" or (giver == "admin" and given != "owner")
            assert (response.status_code != 403) is allowed, (giver, given, response.text)


@pytest.mark.parametrize("scope", ["platform", "organisation"])
def test_a_role_goes_no_further_up_than_its_scope(tenant: Tenant, scope: str) -> None:
    owner = tenant.callers["owner", "team"]
    where = {"scope_id": tenant.organisation["id"]} if scope == "organisation" else {}
    body = {"user_id": tenant.user["id"], "role": "viewer", "scope_kind": scope, **where}
    assert owner.ask("POST", "/memberships", body).status_code == 404


def test_a_key_is_not_given_more_than_its_maker_has(tenant: Tenant) -> None:
    team = tenant.team["id"]
    for giver, given in (("developer", "viewer"), ("admin", "owner"), ("developer", "owner")):
        body = {"alias": f"{giver}-{given}", "team_id": team, "admin_role": given}
        assert tenant.callers[giver, "team"].ask("POST", "/keys", body).status_code == 403


def test_nobody_makes_themselves_more_than_they_are(admin: Admin, tenant: Tenant) -> None:
    key = admin.make("/keys", alias="climber", team_id=tenant.team["id"], admin_role="admin")
    climber = admin.as_key(key["key"])
    climber.change(f"/keys/{key['id']}", 403, admin_role="owner")
    assert climber.get("/me")["grants"][0]["role"] == "admin"


def test_a_key_with_a_role_is_rotated_by_its_equals_only(admin: Admin, tenant: Tenant) -> None:
    key = admin.make("/keys", alias="owners", team_id=tenant.team["id"], admin_role="owner")
    for role in ("admin", "developer"):
        caller = tenant.callers[role, "team"]
        caller.make(f"/keys/{key['id']}/rotate", 403, grace_seconds=0)
        caller.change(f"/keys/{key['id']}", 403, alias="mine")
    tenant.callers["developer", "team"].make(f"/keys/{key['id']}/block", 200)
    tenant.callers["developer", "team"].make(f"/keys/{key['id']}/unblock", 403)


def test_who_shares_a_team_with_an_owner_does_not_become_the_owner(admin: Admin, tenant: Tenant) -> None:
    boss = admin.make("/users", email="boss@example.com")
    for scope in ({"scope_kind": "platform"}, {"scope_kind": "team", "scope_id": tenant.team["id"]}):
        admin.make("/memberships", user_id=boss["id"], role="owner", **scope)
    caller = tenant.callers["owner", "team"]
    caller.change(f"/users/{boss['id']}", 403, email="evil@example.com")
    caller.delete(f"/users/{boss['id']}", 403)


@pytest.mark.parametrize("kind", ["organisation", "team"])
@pytest.mark.parametrize(
    ("field", "held", "lifted"),
    [
        ("models", ["cheap"], None),
        ("networks", ["127.0.0.0/8"], None),
        ("budgets", [{"name": "b", "amount": 1, "window": "day"}], []),
        ("limits", [{"of": "requests", "amount": 1, "per": "minute"}], None),
        ("margin_ppm", 5, -1_000_000),
        ("blocked", False, True),
    ],
)
def test_nobody_lifts_what_their_own_place_is_held_to(
    admin: Admin, kind: str, field: str, held: Any, lifted: Any
) -> None:
    place = admin.make(f"/{kind}s", name=unique(kind), **{field: held})
    belongs = {f"{kind}_id": place["id"]}
    owner = admin.as_key(admin.make("/keys", alias=unique("k"), admin_role="owner", **belongs)["key"])
    path = f"/{kind}s/{place['id']}"
    problem = owner.change(path, 403, **{field: lifted})
    assert problem["errors"][0]["pointer"] == f"/{field}"
    owner.change(path, name=unique("renamed"), tags=["ours"])
    admin.change(path, **{field: lifted})


def test_who_is_above_a_place_says_what_it_may_do(admin: Admin, tenant: Tenant) -> None:
    belongs = {"organisation_id": tenant.organisation["id"]}
    key = admin.make("/keys", alias=unique("above"), admin_role="admin", **belongs)
    above = admin.as_key(key["key"])
    team = above.make("/teams", name=unique("t"), models=["a"], margin_ppm=3, **belongs)
    above.change(f"/teams/{team['id']}", models=["b"], blocked=True, margin_ppm=4)


@pytest.mark.parametrize("role", ["owner", "admin", "developer"])
def test_doors_to_providers_are_opened_by_the_platform_alone(admin: Admin, tenant: Tenant, role: str) -> None:
    body = {"alias": f"door-{role}", "team_id": tenant.team["id"], "pass_through": ["*"]}
    caller = tenant.callers[role, "team"]
    problem = caller.make("/keys", 403, **body)
    assert problem["errors"][0]["pointer"] == "/pass_through"
    key = caller.make("/keys", **{**body, "pass_through": []})
    caller.change(f"/keys/{key['id']}", 403, pass_through=["*"])
    admin.change(f"/keys/{key['id']}", pass_through=["*"])


@pytest.mark.parametrize("field", ["limits", "budgets", "priority"])
def test_a_field_that_a_role_may_not_set_is_named(tenant: Tenant, field: str) -> None:
    values = {
        "limits": [{"of": "requests", "amount": 1, "per": "minute"}],
        "budgets": [{"name": "b", "amount": 1, "window": "day"}],
        "priority": "high",
    }
    body = {"alias": f"field-{field}", "team_id": tenant.team["id"], field: values[field]}
    problem = tenant.callers["developer", "team"].make("/keys", 403, **body)
    assert problem["type"] == "urn:llmgw:problem:field-not-allowed"
    assert problem["errors"][0]["pointer"] == f"/{field}"
