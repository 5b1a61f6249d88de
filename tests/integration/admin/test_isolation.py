"""No role reaches another tenant's object by any route."""

import json
from pathlib import Path
from secrets import token_hex

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.admin.client import ROLES, SCOPES, Admin, Tenant, make_tenant, unique

GOLDEN = Path(__file__).parents[2] / "architecture" / "role_matrix.json"
ROUTES = [route for route in json.loads(GOLDEN.read_text()) if " /api/" in route]
ON_OBJECTS = [route for route in ROUTES if "{id}" in route]
LISTS = [route.split(" ")[1] for route in ROUTES if route.startswith("GET") and "{id}" not in route]


@pytest.fixture(scope="module")
def tenants(admin: Admin) -> list[Tenant]:
    return [make_tenant(admin), make_tenant(admin)]


@given(
    route=st.sampled_from(ON_OBJECTS),
    role=st.sampled_from(ROLES),
    scope=st.sampled_from(SCOPES),
    turned=st.booleans(),
)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_another_tenants_object_is_not_there(
    tenants: list[Tenant], route: str, role: str, scope: str, turned: bool
) -> None:
    mine, other = reversed(tenants) if turned else tenants
    method, path = route.split(" ")
    noun = path.split("/")[3]
    caller = mine.callers[role, scope]
    for kind, id in other.objects():
        if noun not in (kind, "ledger"):
            continue
        body = body_of(method, path)
        response = caller.ask(method, path.removeprefix("/api/v1").format(id=id), body, if_match="*")
        assert response.status_code in (403, 404), (route, role, scope, response.text)
        if response.status_code == 403:  # the role has not the permission, whosever the object is
            own = caller.ask(method, path.removeprefix("/api/v1").format(id="nothing"), body, if_match="*")
            assert own.status_code == 403
        assert id not in response.text.replace(path.format(id=id), "") or response.status_code == 404


@given(path=st.sampled_from(LISTS), role=st.sampled_from(ROLES), scope=st.sampled_from(SCOPES))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_list_shows_another_tenants_objects(
    tenants: list[Tenant], path: str, role: str, scope: str
) -> None:
    mine, other = tenants
    queries = ["", f"?organisation_id={other.organisation['id']}", f"?team_id={other.team['id']}"]
    for query in queries:
        response = mine.callers[role, scope].ask("GET", path.removeprefix("/api/v1") + query)
        if response.status_code == 404:  # it says which one is not there: the one that was named
            continue
        ids = [id for _, id in other.objects()] + [other.key["alias"], other.user["email"]]
        shown = response.text.replace(query[1:], "")
        assert not [id for id in ids if id in shown], (path, query)


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("role", ["owner", "admin", "developer"])
def test_nothing_is_made_within_another_tenant(tenants: list[Tenant], role: str, scope: str) -> None:
    mine, other = tenants
    caller = mine.callers[role, scope]
    places = [
        {"organisation_id": other.organisation["id"]},
        {"team_id": other.team["id"]},
        {"project_id": other.project["id"]},
        {"user_id": other.user["id"]},
        {"service_account_id": other.service_account["id"]},
        {"team_id": mine.team["id"], "user_id": other.user["id"]},
        {"team_id": other.team["id"], "organisation_id": mine.organisation["id"]},
        {},
    ]
    for place in places:
        response = caller.ask("POST", "/keys", {"alias": "intruder", **place})
        assert response.status_code in (403, 404, 409), (place, response.text)


def test_nobody_takes_another_tenants_certificate_by_naming_it(admin: Admin, tenants: list[Tenant]) -> None:
    mine, other = tenants
    certificate = token_hex(32)
    admin.change(f"/keys/{other.key['id']}", certificates=[certificate])
    admin.change(f"/keys/{other.key['id']}", certificates=[certificate, token_hex(32)])
    caller = mine.callers["owner", "team"]
    body = {"alias": unique("thief"), "team_id": mine.team["id"]}
    caller.make("/keys", 409, **body, certificates=[certificate])
    key = caller.make("/keys", **body)
    caller.change(f"/keys/{key['id']}", 409, certificates=[certificate])


@pytest.mark.parametrize("kind", ["organisation", "team", "project"])
def test_no_role_is_given_in_another_tenant(tenants: list[Tenant], kind: str) -> None:
    mine, other = tenants
    place = getattr(other, kind)["id"]
    for scope in SCOPES:
        for user in (mine.user["id"], other.user["id"]):
            body = {"user_id": user, "role": "viewer", "scope_kind": kind, "scope_id": place}
            response = mine.callers["owner", scope].ask("POST", "/memberships", body)
            assert response.status_code == 404, response.text


def body_of(method: str, path: str) -> dict[str, str] | None:
    """A body that the route takes."""
    if method in ("GET", "DELETE") or path.endswith("block"):
        return None
    if path.endswith("rotate"):
        return {"secret": "s"} if "credentials" in path else {}
    if "keys" in path:
        return {"alias": "mine"}
    return {"name": "mine"}
