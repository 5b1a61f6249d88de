"""LiteLLM's admin API over HTTP: the same objects, rights and events as the admin API's own."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.gateway_process import MASTER_KEY, GatewayProcess, wait_until
from tests.integration.admin.client import JSON, ROLES, Admin, Tenant, answered, make_tenant, unique


class LiteLLM:
    """Asks LiteLLM's routes with one key."""

    def __init__(self, client: httpx.Client, key: str = MASTER_KEY) -> None:
        self._client = client
        self._headers = {"Authorization": f"Bearer {key}"}

    def get(self, path: str, status: int = 200, /, **query: Any) -> Any:
        """GET what has to be there."""
        return answered(self._client.get(path, params=query, headers=self._headers), status)

    def post(self, path: str, status: int = 200, /, **body: Any) -> JSON:
        """POST what has to end so."""
        return answered(self._client.post(path, json=body, headers=self._headers), status)

    def status(self, method: str, path: str) -> int:
        """What is answered to a request that nobody takes."""
        body = {"nothing": 1} if method == "POST" else None
        return self._client.request(method, path, json=body, headers=self._headers).status_code

    def as_key(self, key: str) -> "LiteLLM":
        """The same, with another key."""
        return LiteLLM(self._client, key)

    def chat(self, key: str) -> int:
        """The status of a chat completion with this key."""
        body = {"model": "m", "messages": [{"role": "user", "content": "Say hello."}]}
        headers = {"Authorization": f"Bearer {key}"}
        return self._client.post("/v1/chat/completions", json=body, headers=headers).status_code


GOLDEN = Path(__file__).parents[2] / "architecture" / "role_matrix.json"
MATRIX: dict[str, list[str]] = json.loads(GOLDEN.read_text())
FAMILIES = ("/key/", "/team/", "/v2/team/", "/user/", "/spend/", "/global/spend/")
ROUTES = [route for route in MATRIX if route.split(" ")[1].startswith(FAMILIES)]


@pytest.fixture(scope="module")
def litellm(gateway: GatewayProcess) -> Iterator[LiteLLM]:
    with httpx.Client(base_url=gateway.url, timeout=30) as client:
        yield LiteLLM(client)


@pytest.fixture(scope="module")
def tenants(admin: Admin) -> list[Tenant]:
    return [make_tenant(admin, scopes=("team",)), make_tenant(admin, (), ())]


def test_a_generated_key_serves_requests_until_it_is_blocked(litellm: LiteLLM) -> None:
    key = litellm.post("/key/generate", models=["m"], duration="30d", rpm_limit=100)["key"]
    wait_until(lambda: litellm.chat(key) == 200, "the workers know the key")
    assert litellm.post("/key/block", key=key)["blocked"] is True
    wait_until(lambda: litellm.chat(key) == 401, "the workers know of the block")
    litellm.post("/key/unblock", key=key)
    wait_until(lambda: litellm.chat(key) == 200, "the workers know that it is off")


def test_a_key_is_the_admin_apis_key(litellm: LiteLLM, admin: Admin) -> None:
    alias = unique("k")
    made = litellm.post(
        "/key/generate", key_alias=alias, max_budget=5, budget_duration="30d", tags=["a"], aliases={"x": "m"}
    )
    found = admin.get(f"/keys/{made['token_id']}")
    assert (found["alias"], found["tags"], found["model_map"]) == (alias, ["a"], {"x": "m"})
    assert [(each["amount"], each["window"]) for each in found["budgets"]] == [(5, "month")]


def test_a_key_is_named_by_its_id_and_by_itself(litellm: LiteLLM) -> None:
    made = litellm.post("/key/generate", user_id=None, permissions={})
    by_id, by_value = (litellm.get("/key/info", key=made[name]) for name in ("token_id", "key"))
    assert by_id == by_value
    assert by_id["info"] == {name: it for name, it in made.items() if name != "key"}
    litellm.get("/key/info", 404, key="sk-gw-nothing")
    litellm.get("/key/info", 404, key="key_nothing")


def test_a_key_is_changed(litellm: LiteLLM) -> None:
    made = litellm.post("/key/generate", max_budget=5, budget_duration="1d", duration="1h")
    changed = litellm.post(
        "/key/update", key=made["key"], max_budget=7.5, rpm_limit=3, metadata={"a": "b"}, duration="-1"
    )
    assert (changed["max_budget"], changed["budget_duration"], changed["rpm_limit"]) == (7.5, "1d", 3)
    assert (changed["metadata"], changed["expires"]) == ({"a": "b"}, None)


@pytest.mark.parametrize("path", ["/key/regenerate", "/key/{key}/regenerate"])
def test_a_key_gets_another_value(litellm: LiteLLM, admin: Admin, path: str) -> None:
    made = litellm.post("/key/generate")
    body = {"key": made["key"]} if path == "/key/regenerate" else {}
    again = litellm.post(path.format(key=made["key"]), 200, **body, grace_period="1h")
    assert again["token"] == made["token"]
    for value in (made["key"], again["key"]):
        assert litellm.get("/key/info", key=value)["key"] == made["token"]
    last = litellm.post(f"/key/{made['token']}/regenerate")
    litellm.get("/key/info", 404, key=made["key"])
    assert admin.as_key(last["key"]).get("/me")["id"] == made["token"]


def test_keys_are_deleted_all_or_none(litellm: LiteLLM) -> None:
    made = [litellm.post("/key/generate", key_alias=unique("k")) for _ in range(2)]
    litellm.post("/key/delete", 404, keys=[made[0]["key"], "sk-gw-nothing"])
    body = {"keys": [made[0]["key"]], "key_aliases": [made[1]["key_alias"]]}
    assert litellm.post("/key/delete", **body) == {"deleted_keys": [each["token"] for each in made]}
    litellm.get("/key/info", 404, key=made[0]["key"])


def test_keys_are_listed_by_pages(litellm: LiteLLM) -> None:
    team = litellm.post("/team/new", team_alias=unique("t"))["team_id"]
    made = [litellm.post("/key/generate", team_id=team)["token"] for _ in range(3)]
    page = litellm.get("/key/list", team_id=team, size=2, page=2)
    assert page == {"keys": made[2:], "total_count": 3, "current_page": 2, "total_pages": 2}
    full = litellm.get("/key/list", team_id=team, return_full_object="true")["keys"]
    assert [(each["token"], each["spend"]) for each in full] == [(id, 0) for id in made]


def test_a_team_is_made_read_changed_blocked_and_deleted(litellm: LiteLLM) -> None:
    name = unique("t")
    made = litellm.post("/team/new", team_alias=name, max_budget=9, models=["m"], tpm_limit=100)
    id = made["team_id"]
    assert litellm.get("/team/info", team_id=id) == {"team_id": id, "team_info": made}
    assert made in litellm.get("/team/list")
    assert litellm.get("/v2/team/list", team_alias=name)["teams"] == [made]
    assert litellm.post("/team/update", team_id=id, tpm_limit=None)["tpm_limit"] is None
    assert litellm.post("/team/block", team_id=id)["blocked"] is True
    assert litellm.post("/team/unblock", team_id=id)["blocked"] is False
    assert litellm.post("/team/delete", team_ids=[id]) == {"deleted_teams": [id]}
    litellm.get("/team/info", 404, team_id=id)


def test_a_person_is_made_with_a_key_read_changed_and_deleted(litellm: LiteLLM) -> None:
    email = f"{unique('u')}@example.com"
    made = litellm.post("/user/new", user_email=email, user_alias="A", max_budget=3)
    id = made["user_id"]
    assert litellm.get("/key/info", key=made["key"])["info"]["user_id"] == id
    assert litellm.get("/user/info", user_id=id)["user_info"]["max_budget"] == 3
    assert litellm.get("/user/list", user_email=email)["users"][0]["user_id"] == id
    assert litellm.post("/user/update", user_id=id, user_alias="B")["user_alias"] == "B"
    litellm.post("/user/delete", 409, user_ids=[id])
    litellm.post("/key/delete", keys=[made["key"]])
    assert litellm.post("/user/delete", user_ids=[id]) == {"deleted_users": [id]}
    bare = litellm.post("/user/new", user_email=f"{unique('u')}@example.com", auto_create_key=False)
    assert "key" not in bare


@pytest.mark.parametrize("path", ["/model/info", "/v1/model/info"])
def test_models_are_described_that_the_key_may_use(litellm: LiteLLM, path: str) -> None:
    (model,) = litellm.get(path)["data"]
    assert (model["model_name"], model["model_info"]["mode"]) == ("m", "chat")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/key/generate", {"permissions": {"a": True}}),
        ("/key/generate", {"key": "sk-my-own-key-of-choice"}),
        ("/key/generate", {"key_alais": "mistyped"}),
        ("/key/update", {"key": "key_x", "team_id": "team_x"}),
        ("/key/delete", {}),
        ("/key/regenerate", {"key": "key_x", "new_key": "sk-x"}),
        ("/team/new", {"team_id": "mine"}),
        ("/team/new", {"members_with_roles": [{"role": "admin", "user_id": "x"}]}),
        ("/user/new", {"user_role": "proxy_admin"}),
    ],
    ids=str,
)
def test_what_cannot_be_honoured_is_refused_in_litellms_words(
    litellm: LiteLLM, path: str, body: JSON
) -> None:
    error = litellm.post(path, 400, **body)["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert (error["type"], error["code"]) == ("invalid_request_error", "invalid_body")
    litellm.get("/key/list", 400, nobody_knows=1)


def test_events_tell_of_what_was_done(litellm: LiteLLM, admin: Admin) -> None:
    id = litellm.post("/key/generate")["token"]
    litellm.post("/key/update", key=id, rpm_limit=1)
    litellm.post("/key/block", key=id)
    litellm.post("/key/regenerate", key=id)
    litellm.post("/key/delete", keys=[id])
    actions = {each["action"] for each in admin.get(f"/events?object_id={id}")["items"]}
    assert actions == {"key.create", "key.update", "key.block", "key.rotate", "key.delete"}


def test_another_tenants_objects_are_not_there(
    litellm: LiteLLM, gateway: GatewayProcess, tenants: list[Tenant], admin: Admin
) -> None:
    mine, other = tenants
    place = {"team_id": mine.team["id"], "admin_role": "admin"}
    caller = litellm.as_key(admin.make("/keys", alias=unique("a"), **place)["key"])
    for name in (other.key["id"], other.key["key"]):
        caller.get("/key/info", 404, key=name)
        caller.post("/key/update", 404, key=name, rpm_limit=1)
        caller.post("/key/block", 404, key=name)
        caller.post("/key/regenerate", 404, key=name)
        caller.post("/key/delete", 404, keys=[name])
    caller.get("/team/info", 404, team_id=other.team["id"])
    caller.post("/team/update", 404, team_id=other.team["id"], rpm_limit=1)
    caller.post("/team/delete", 404, team_ids=[other.team["id"]])
    caller.get("/user/info", 404, user_id=other.user["id"])
    caller.post("/key/generate", 404, team_id=other.team["id"])
    caller.post("/key/generate", 403)
    assert [each["team_id"] for each in caller.get("/team/list")] == [mine.team["id"]]


def test_roles_and_fields_are_guarded_as_in_the_admin_api(
    litellm: LiteLLM, tenants: list[Tenant], admin: Admin
) -> None:
    team = tenants[0].team["id"]
    developer, viewer, bare = (
        litellm.as_key(admin.make("/keys", alias=unique(role), team_id=team, **more)["key"])
        for role, more in (
            ("d", {"admin_role": "developer"}),
            ("v", {"admin_role": "viewer"}),
            ("n", {}),
        )
    )
    id = developer.post("/key/generate", team_id=team)["token"]
    error = developer.post("/key/generate", 403, team_id=team, max_budget=1)["error"]
    assert (error["param"], error["code"]) == ("budgets", "field_not_allowed")
    viewer.post("/key/generate", 403, team_id=team)
    viewer.get("/key/info", key=id)
    bare.get("/key/info", 403, key=id)
    litellm.as_key("sk-nobody-0123456789").get("/key/list", 401)


def test_a_key_is_granted_no_more_than_its_team(litellm: LiteLLM) -> None:
    team = litellm.post("/team/new", team_alias=unique("t"), models=["gpt-*"], max_budget=5)["team_id"]
    error = litellm.post("/key/generate", 400, team_id=team, models=["o1"])["error"]
    assert error["code"] == "beyond_parent"
    litellm.post("/key/generate", team_id=team, models=["gpt-4o"])


@pytest.fixture(scope="module")
def callers(litellm: LiteLLM, tenants: list[Tenant], admin: Admin) -> dict[str, LiteLLM]:
    team = tenants[0].team["id"]
    made = {role: admin.make("/keys", alias=unique(role), team_id=team, admin_role=role) for role in ROLES}
    return {role: litellm.as_key(key["key"]) for role, key in made.items()}


@pytest.mark.parametrize("route", ROUTES)
def test_a_role_is_refused_where_the_matrix_says_so(
    litellm: LiteLLM, callers: dict[str, LiteLLM], route: str
) -> None:
    method, path = route.replace("{key}", "key_nothing").split(" ")
    for role, caller in callers.items():
        assert (caller.status(method, path) == 403) is (f"{role}*" not in MATRIX[route]), role
    assert litellm.as_key("sk-nobody-0123456789").status(method, path) == 401
