"""The same request twice, two changes at once: nothing happens twice, nothing is lost."""

from concurrent.futures import ThreadPoolExecutor

from tests.integration.admin.client import Admin, unique


def test_a_request_that_is_sent_again_is_answered_again(admin: Admin) -> None:
    body = {"alias": unique("k")}
    first = admin.ask("POST", "/keys", body, idempotency_key="again-1")
    second = admin.ask("POST", "/keys", body, idempotency_key="again-1")
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json() == first.json()
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert second.headers["etag"] == first.headers["etag"]


def test_an_idempotency_key_stands_for_one_request(admin: Admin) -> None:
    admin.ask("POST", "/teams", {"name": "one"}, idempotency_key="one-request")
    for path, body in (("/teams", {"name": "other"}), ("/projects", {"name": "one"})):
        response = admin.ask("POST", path, body, idempotency_key="one-request")
        assert response.status_code == 422
        assert response.json()["type"] == "urn:llmgw:problem:idempotency-key-reused"


def test_an_idempotency_key_is_its_principals_own(admin: Admin) -> None:
    other = admin.as_key(admin.make("/keys", alias=unique("k"), admin_role="admin")["key"])
    made = [
        caller.ask("POST", "/teams", {"name": "t"}, idempotency_key="shared").json()["id"]
        for caller in (admin, other)
    ]
    assert made[0] != made[1]


def test_a_lesser_key_of_the_same_program_is_not_shown_what_another_was_answered(admin: Admin) -> None:
    team = admin.make("/teams", name=unique("team"))
    program = admin.make("/service-accounts", name=unique("sa"), team_id=team["id"])
    belongs = {"team_id": team["id"], "service_account_id": program["id"]}
    owner, developer = (
        admin.as_key(admin.make("/keys", alias=unique(role), admin_role=role, **belongs)["key"])
        for role in ("owner", "developer")
    )
    body = {"alias": unique("wide"), "team_id": team["id"], "admin_role": "owner"}
    made = owner.ask("POST", "/keys", body, idempotency_key="wide").json()
    response = developer.ask("POST", "/keys", body, idempotency_key="wide")
    assert response.status_code == 422
    assert made["key"] not in response.text


def test_a_request_that_failed_may_be_sent_again(admin: Admin) -> None:
    name = unique("org")
    made = admin.make("/organisations", name=name)
    assert admin.ask("POST", "/organisations", {"name": name}, idempotency_key="f").status_code == 409
    admin.delete(f"/organisations/{made['id']}")
    assert admin.ask("POST", "/organisations", {"name": name}, idempotency_key="f").status_code == 201


def test_twenty_at_once_with_one_idempotency_key_make_one(admin: Admin) -> None:
    body = {"name": unique("team")}
    with ThreadPoolExecutor(20) as pool:
        asked = [
            pool.submit(admin.ask, "POST", "/teams", body, idempotency_key=body["name"]) for _ in range(20)
        ]
        replies = [each.result() for each in asked]
    assert {reply.status_code for reply in replies} == {201}
    assert len({reply.json()["id"] for reply in replies}) == 1
    assert len(admin.get(f"/teams?name={body['name']}")["items"]) == 1


def test_of_twenty_changes_to_one_version_one_is_made(admin: Admin) -> None:
    team = admin.make("/teams", name="raced")
    path = f"/teams/{team['id']}"
    with ThreadPoolExecutor(20) as pool:
        asked = [
            pool.submit(admin.ask, "PATCH", path, {"name": f"n{index}"}, if_match='"1"')
            for index in range(20)
        ]
        statuses = sorted(each.result().status_code for each in asked)
    assert statuses == [200, *[412] * 19]
    assert admin.get(path)["version"] == 2


def test_a_change_says_which_version_it_means(admin: Admin) -> None:
    team = admin.make("/teams", name="t")
    path = f"/teams/{team['id']}"
    for method, body in (("PATCH", {"name": "u"}), ("DELETE", None)):
        assert admin.ask(method, path, body).status_code == 428
        for stale in ('"7"', "nonsense", '"99999999999999999999"', 'W/"1"'):
            assert admin.ask(method, path, body, if_match=stale).status_code == 412
    tag = admin.ask("GET", path).headers["etag"]
    assert admin.ask("PATCH", path, {"name": "u"}, if_match=tag).headers["etag"] == '"2"'
