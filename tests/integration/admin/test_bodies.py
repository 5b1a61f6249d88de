"""Bodies that are not what is taken: refused with a problem that says where, never with a 5xx."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.gateway_process import GatewayProcess
from tests.integration.admin.client import JSON, Admin, Tenant, make_tenant, unique

NOUNS: dict[str, JSON] = {
    "organisations": {"name": "n"},
    "teams": {"name": "n"},
    "projects": {"name": "n"},
    "users": {"email": "a@b.example"},
    "service-accounts": {"name": "n"},
    "keys": {"alias": "a"},
    "memberships": {"user_id": "u", "role": "viewer", "scope_kind": "platform"},
    "credentials": {"name": "n", "provider": "p", "origin": "https://a.example", "secret": "s"},
    "models": {"name": "n", "entry": {"params": {"model": "m"}}},
}
FORBIDDEN = [
    *("id", "version", "created_at", "updated_at", "hint", "digest", "digests", "key", "secret_hash"),
    *("kek_id", "sealed", "source", "issuer", "subject", "scim", "admin", "is_admin", "grants", "roles"),
    *("permissions", "__class__", "pepper", "organisation", "charged", "spend"),
]


@pytest.fixture(scope="module")
def tenant(admin: Admin) -> Tenant:
    return make_tenant(admin, ("owner",), ("organisation",))


@pytest.mark.parametrize("noun", NOUNS)
@pytest.mark.parametrize("field", FORBIDDEN)
def test_what_is_not_to_be_set_is_refused_by_name(admin: Admin, noun: str, field: str) -> None:
    values: list[Any] = ["x", 1, True, None, {}]
    for value in values:
        problem = admin.make(f"/{noun}", 422, **NOUNS[noun] | {field: value})
        assert problem["errors"][0]["pointer"] == f"/{field}"


@given(extra=st.dictionaries(st.text(min_size=1, max_size=20), st.booleans() | st.integers() | st.text()))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_field_changes_what_it_does_not_name(admin: Admin, tenant: Tenant, extra: JSON) -> None:
    path = f"/teams/{tenant.team['id']}"
    before = admin.get(path)
    admin.ask("PATCH", path, extra, if_match="*")
    after = admin.get(path)
    moved = {name for name in after if after[name] != before[name]} - {"version", "updated_at"}
    assert moved <= set(extra)
    for fixed in ("id", "organisation_id", "created_at"):
        assert after[fixed] == before[fixed]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"null", 400),
        (b"[]", 400),
        (b'{"name": "a", "name": "b"}', 400),
        (b'{"name": "a"} {}', 400),
        (b'{"name": NaN}', 400),
        (b'{"name": "\\ud800"}', 400),
        (b'\xef\xbb\xbf{"name": "a"}', 400),
        (b'{"name": "\xff"}', 400),
        (b'{"metadata": ' + b"[" * 100 + b"]" * 100 + b"}", 400),
        (b'{"name": "a\\u0000b"}', 422),
        (b'{"name": "a\\nb"}', 422),
        (b'{"name": "a\\n"}', 422),
        (b'{"name": ""}', 422),
        (b'{"name": 1}', 422),
        (b"{}", 422),
        (b'{"name": "a", "limits": [{"of": "requests", "amount": 0, "per": "day"}]}', 422),
        (b'{"name": "a", "limits": [{"of": "requests", "amount": 1e99, "per": "day"}]}', 422),
        (b'{"name": "a", "limits": [{"of": "requests", "amount": 1}]}', 422),
        (b'{"name": "a", "budgets": [{"name": "b", "amount": "NaN", "window": "day"}]}', 422),
        (b'{"name": "a", "budgets": [{"name": "b", "amount": 1e-10, "window": "day"}]}', 422),
        (b'{"name": "a", "networks": ["10.0.0.0/99"]}', 422),
        (b'{"name": "a", "organisation_id": "org_none"}', 404),
    ],
)
def test_a_body_that_is_wrong_is_a_problem(gateway: GatewayProcess, body: bytes, status: int) -> None:
    response = gateway.post("/api/v1/teams", body)
    assert response.status == status, response.body
    assert response.header("content-type") == "application/problem+json"


def test_a_pointer_says_where(admin: Admin) -> None:
    budget = {
        "name": "b",
        "amount": 1,
        "window": "day",
        "throttle": {"of": "requests", "amount": 1, "per": "x"},
    }
    problem = admin.make("/teams", 422, name="t", budgets=[budget])
    assert problem["errors"][0]["pointer"] == "/budgets/0/throttle/per"


def test_a_large_body_is_taken_of_those_who_are_known_and_of_nobody_else(
    gateway: GatewayProcess, admin: Admin
) -> None:
    models = [f"model-{index:06}-{'x' * 80}" for index in range(1000)]
    admin.make("/teams", name=unique("t"), models=models)
    body = b'{"name": "' + b"x" * 100_000 + b'"}'
    assert gateway.post("/api/v1/teams", body, "sk-unknown-0123456789").status == 413
    assert gateway.post("/api/v1/teams", b'{"name": "' + b"x" * 1_100_000 + b'"}').status == 413


def test_a_body_of_another_type_is_not_read(gateway: GatewayProcess) -> None:
    response = gateway.post("/api/v1/teams", b"name=a", headers=[("Content-Type", "text/plain")])
    assert response.status == 415


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=1001", "limit=x", "cursor=x", "nothing=1", "limit=1&limit=2", "name=%00", "name=%ff"],
)
def test_a_query_that_is_wrong_is_a_problem(admin: Admin, query: str) -> None:
    admin.get(f"/teams?{query}", 400)


def test_a_search_takes_its_wildcards_as_they_are(admin: Admin) -> None:
    name = unique("100%_sure")
    admin.make("/teams", name=name)
    assert [each["name"] for each in admin.get("/teams?search=%25_sure")["items"]] == [name]
    assert admin.get("/teams?search=%25%25%25%25%25")["items"] == []


@pytest.mark.parametrize("id", ["'; DROP TABLE teams; --", "%27%20OR%201=1", "x" * 500, "..%2fkeys", "é"])
def test_an_id_is_never_more_than_an_id(gateway: GatewayProcess, id: str) -> None:
    path = "/api/v1/teams/" + "".join(f"%{byte:02x}" for byte in id.encode())
    assert gateway.get(path).status in (400, 404)


def test_an_authorization_that_is_none_is_401(gateway: GatewayProcess) -> None:
    shown: list[Any] = ["' OR 1=1 --", "sk-gw-" + "A" * 28, "x" * 9000, "é", "\x7f"]
    for key in shown:
        assert gateway.get("/api/v1/teams", key).status in (400, 401), key


def test_two_keys_that_differ_are_too_many(admin: Admin) -> None:
    assert admin.ask("GET", "/teams", x_api_key="another-key-0123456789").status_code == 400
