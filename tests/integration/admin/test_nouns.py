"""Every noun is made, read, listed, changed and deleted over HTTP."""

import pytest

from tests.integration.admin.client import JSON, Admin, make_tenant, unique

BODIES: dict[str, tuple[JSON, JSON]] = {
    "organisations": ({}, {"margin_ppm": 50_000}),
    "teams": ({"models": ["m"]}, {"models": None, "metadata": {"cost-centre": "7"}}),
    "projects": ({}, {"tags": ["a"]}),
    "users": ({"email": "a@example.com"}, {"active": False}),
    "service-accounts": ({}, {"blocked": True}),
    "models": ({"entry": {"params": {"model": "openai/gpt-4o"}}}, {"blocked": True}),
    "credentials": (
        {"provider": "openai", "origin": "https://api.openai.com/v1", "secret": "sk-canary"},
        {"provider": "other"},
    ),
}


@pytest.mark.parametrize("noun", BODIES)
def test_a_noun_is_made_read_listed_changed_and_deleted(admin: Admin, noun: str) -> None:
    body, change = BODIES[noun]
    made = admin.make(f"/{noun}", name=unique("n"), **body)
    one = f"/{noun}/{made['id']}"

    assert admin.get(one) == made
    assert made["id"] in {each["id"] for each in admin.get(f"/{noun}?limit=1000")["items"]}
    changed = admin.change(one, **change)
    assert changed["version"] == made["version"] + 1
    assert changed == made | change | {"version": 2, "updated_at": changed["updated_at"]}
    admin.delete(one)
    admin.get(one, 404)


def test_a_key_is_shown_once(admin: Admin) -> None:
    made = admin.make("/keys", alias=unique("k"))
    shown = admin.get(f"/keys/{made['id']}")
    assert made.pop("key").startswith("sk-gw-")
    assert shown == made


def test_a_rotated_key_has_another_value_and_the_old_one_is_good_for_a_while(admin: Admin) -> None:
    made = admin.make("/keys", alias=unique("k"), admin_role="viewer")
    path = f"/keys/{made['id']}/rotate"

    rotated = admin.make(path, 200, grace_seconds=60)
    assert admin.as_key(made["key"]).get("/me")["name"] == made["alias"]
    again = admin.make(path, 200, grace_seconds=0)
    for old in (made, rotated):
        admin.as_key(old["key"]).get("/me", 401)
    assert admin.as_key(again["key"]).get("/me")["id"] == made["id"]


def test_a_blocked_key_is_refused_until_the_block_is_off(admin: Admin) -> None:
    made = admin.make("/keys", alias=unique("k"), admin_role="viewer")
    holder = admin.as_key(made["key"])
    for action, status in (("block", 401), ("unblock", 200)):
        assert admin.make(f"/keys/{made['id']}/{action}", 200)["blocked"] is (action == "block")
        holder.get("/me", status)


def test_what_a_key_belongs_to_may_be_blocked_as_well(admin: Admin) -> None:
    team = admin.make("/teams", name=unique("t"))
    key = admin.make("/keys", alias=unique("k"), team_id=team["id"], admin_role="viewer")
    admin.change(f"/teams/{team['id']}", blocked=True)
    admin.as_key(key["key"]).get("/me", 401)


def test_an_expired_key_is_refused(admin: Admin) -> None:
    made = admin.make("/keys", alias=unique("k"), expires_at="2020-01-01T00:00:00Z")
    admin.as_key(made["key"]).get("/me", 401)


def test_a_role_is_given_and_taken(admin: Admin) -> None:
    user = admin.make("/users", email=f"{unique('u')}@example.com")
    made = admin.make("/memberships", user_id=user["id"], role="auditor", scope_kind="platform")
    listed = admin.get(f"/memberships?user_id={user['id']}")["items"]
    assert listed == [made]
    admin.delete(f"/memberships/{made['id']}")
    admin.get(f"/memberships/{made['id']}", 404)


def test_a_secret_is_replaced_and_never_shown(admin: Admin) -> None:
    body: JSON = {"provider": "p", "origin": "https://example.com", "secret": "canary-1"}
    made = admin.make("/credentials", name=unique("c"), **body)
    replaced = admin.make(f"/credentials/{made['id']}/rotate", 200, secret="canary-2")
    events = admin.get(f"/events?object_id={made['id']}")
    assert "canary" not in f"{made} {replaced} {events} {admin.get('/credentials')}"


def test_a_credential_goes_to_its_own_address_only(admin: Admin) -> None:
    body: JSON = {"provider": "p", "origin": "https://example.com", "secret": "s"}
    credential = admin.make("/credentials", name=unique("c"), **body)
    entry = {"params": {"model": "openai/x", "api_base": "https://evil.example.com/v1"}}
    problem = admin.make("/models", 422, name="x", entry=entry, credential_id=credential["id"])
    assert problem["errors"][0]["pointer"] == "/credential_id"


@pytest.mark.parametrize("reference", ["os.environ/LLMGW_MASTER_KEY", "file:/etc/passwd", "a${HOME}"])
def test_no_reference_leads_into_the_gateways_own_environment(admin: Admin, reference: str) -> None:
    admin.make("/models", 422, name="x", entry={"params": {"model": reference}})
    body: JSON = {"provider": "p", "origin": "https://example.com", "secret": reference}
    admin.make("/credentials", 422, name=unique("c"), **body)


def test_a_child_is_never_granted_more_than_its_parent(admin: Admin) -> None:
    budgets = [{"name": "b", "amount": 5, "window": "month"}]
    team = admin.make("/teams", name=unique("t"), models=["gpt-*"], budgets=budgets)
    more = [{"name": "b", "amount": 5.000000001, "window": "month"}]
    problem = admin.make("/keys", 422, alias=unique("k"), team_id=team["id"], models=["o1"], budgets=more)
    assert {fault["pointer"] for fault in problem["errors"]} == {"/models", "/budgets"}
    key = admin.make("/keys", alias=unique("k"), team_id=team["id"], models=["gpt-4o"])
    admin.change(f"/keys/{key['id']}", 422, models=["*"])


def test_what_still_has_something_is_not_deleted(admin: Admin) -> None:
    tenant = make_tenant(admin, (), ())
    admin.delete(f"/teams/{tenant.team['id']}", 409)


def test_a_name_is_taken_once(admin: Admin) -> None:
    name = unique("org")
    admin.make("/organisations", name=name)
    assert admin.make("/organisations", 409, name=name)["type"] == "urn:llmgw:problem:conflict"


def test_amounts_are_exact_to_the_nano_dollar(admin: Admin) -> None:
    budgets = [{"name": "b", "amount": "123456789.123456789", "window": {"rolling": 3600}}]
    made = admin.make("/teams", name=unique("t"), budgets=budgets)
    response = admin.ask("GET", f"/teams/{made['id']}")
    assert '"amount":123456789.123456789' in response.text


def test_pages_show_every_object_once(admin: Admin) -> None:
    team = admin.make("/teams", name=unique("t"))
    made = [admin.make("/keys", alias=unique("k"), team_id=team["id"])["id"] for _ in range(7)]
    found, cursor = [], ""
    while True:
        page = admin.get(f"/keys?team_id={team['id']}&limit=3{cursor}")
        found += [each["id"] for each in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert found == made


def test_every_change_is_an_event_with_what_was_and_what_is(admin: Admin) -> None:
    team = admin.make("/teams", name="before")
    response = admin.ask("PATCH", f"/teams/{team['id']}", {"name": "after"}, if_match="*")
    event = admin.get(f"/events?object_id={team['id']}&action=team.update")["items"][0]
    assert (event["before"], event["after"]) == ({"name": "before"}, {"name": "after"})
    assert event["actor_kind"] == "master"
    assert (event["request_id"], event["ip"]) == (response.headers["x-request-id"], "127.0.0.1")


def test_one_sees_who_one_is(admin: Admin) -> None:
    tenant = make_tenant(admin, ("viewer",), ("team",))
    me = tenant.callers["viewer", "team"].get("/me")
    assert [(each["role"], each["scope"], each["scope_id"]) for each in me["grants"]] == [
        ("viewer", "team", tenant.team["id"])
    ]
    assert me["organisation_id"] == tenant.organisation["id"]


def test_usage_and_ledger_of_nothing_are_empty(admin: Admin) -> None:
    assert len(admin.get("/usage")["items"]) == 1
    assert admin.get("/usage?by=team_id,model_group&grain=day")["items"] == []
    assert admin.get("/ledger")["items"] == []
    admin.get("/ledger/none", 404)
    admin.get("/usage?by=nothing", 400)
