"""SCIM 2.0 as identity providers speak it, on a real store; and that no tenant reaches another's people."""

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmgw.access.grants import grants_of
from llmgw.access.principal import Principal, PrincipalKind
from llmgw.access.rbac import Grant, Role, ScopeKind
from llmgw.endpoints.base import Request
from llmgw.endpoints.scim import filters, scim_endpoints
from llmgw.endpoints.scim.errors import ScimError
from llmgw.endpoints.scim.patching import Patch, patched
from llmgw.endpoints.table import Table
from llmgw.settings.identity import RoleRule
from llmgw.store import keys, organisations, sessions, teams, users
from llmgw.store.database import Store
from llmgw.store.keys import Key
from llmgw.store.organisations import Organisation
from llmgw.store.scope import Scope
from llmgw.store.teams import Team
from llmgw.store.upgrade import upgrade

ALL = Scope.all()
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"


class Provider:
    """An identity provider that keeps the people of one organisation."""

    def __init__(self, table: Table, organisation: str | None) -> None:
        self._table = table
        scope = ScopeKind.PLATFORM if organisation is None else ScopeKind.ORGANISATION
        grant = Grant(role=Role.ADMIN, scope=scope, scope_id=organisation)
        self.principal = Principal(kind=PrincipalKind.KEY, id="key_1", name="scim", grants=(grant,))

    async def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, **query: str
    ) -> tuple[int, Any]:
        endpoint, parameters = self._table.match(method, "/scim/v2" + path)
        assert endpoint.handler is not None
        reply = await endpoint.handler(
            Request(
                method=method,
                path=path,
                parameters=parameters,
                principal=self.principal,
                query=urlencode(query),
                headers={"content-type": "application/scim+json", **(headers or {})},
                body=b"" if body is None else msgspec.json.encode(body),
            )
        )
        return reply.status, msgspec.json.decode(reply.body) if reply.body else None

    async def add(self, name: str, /, **more: Any) -> dict[str, Any]:
        status, user = await self.ask("POST", "/Users", {"userName": name, **more})
        assert status == 201, user
        return dict(user)

    async def listed(self, path: str, filter: str) -> list[str]:
        status, page = await self.ask("GET", path, filter=filter)
        assert status == 200, page
        return [one.get("userName") or one["displayName"] for one in page["Resources"]]


class House:
    """A store with two organisations, and the provider of each."""

    def __init__(self, store: Store, acme: str, other: str, team: str) -> None:
        self.store, self.acme_id, self.other_id, self.team_id = store, acme, other, team
        rules = (
            RoleRule(value="llm-admins", role="admin"),
            RoleRule(value="llm-team", role="developer", on="team", id=team),
            RoleRule(value="*", role="owner", on="platform"),
        )
        table = Table(scim_endpoints(store, rules))
        self.acme, self.other = Provider(table, acme), Provider(table, other)
        self.platform = Provider(table, None)

    async def grants(self, user: str) -> set[tuple[str, str]]:
        async with self.store.read() as tx:
            return {(grant.role.value, grant.scope_id or "") for grant in await grants_of(tx, user)}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    store = Store.open(f"sqlite:///{tmp_path}/llmgw.db")
    await upgrade(store)
    async with store.begin() as tx:
        acme = await organisations.create(tx, ALL, Organisation(name="acme"))
        other = await organisations.create(tx, ALL, Organisation(name="other"))
        team = await teams.create(tx, ALL, Team(name="ml", organisation_id=acme.id))
    yield House(store, acme.id, other.id, team.id)
    await store.close()


async def test_a_user_is_given_back_as_it_was_made_without_what_is_not_kept(house: House) -> None:
    made = await house.acme.add(
        "Alice@Example.com",
        externalId="00u1",
        name={"givenName": "Alice", "familyName": "A"},
        emails=[{"value": "alice@example.com", "primary": True}],
        password="hunter2",
        id="mine",
        groups=[{"value": "g"}],
    )
    status, found = await house.acme.ask("GET", f"/Users/{made['id']}")
    assert (status, found) == (200, made)
    assert made["id"].startswith("user_") and made["groups"] == []
    assert (made["userName"], made["displayName"], made["active"]) == ("Alice@Example.com", "Alice A", True)
    assert "password" not in made
    assert made["meta"]["version"] == 'W/"1"'


async def test_a_name_is_taken_once(house: House) -> None:
    await house.acme.add("alice@example.com")
    status, error = await house.acme.ask("POST", "/Users", {"userName": "ALICE@example.com"})
    assert (status, error["scimType"], error["schemas"], error["status"]) == (
        409,
        "uniqueness",
        [ERROR],
        "409",
    )


@pytest.mark.parametrize(
    ("filter", "found"),
    [
        ('userName eq "ALICE@example.com"', {"alice@example.com"}),
        ('externalId eq "2"', {"bob@example.com"}),
        ('displayName eq "Alice" or displayName eq "Bob"', {"alice@example.com", "bob@example.com"}),
        ('userName sw "a" and active eq true', {"alice@example.com"}),
        ('userName co "example" and not (displayName eq "Bob")', {"alice@example.com", "c@example.com"}),
        ('emails[value eq "bob@example.com"]', {"bob@example.com"}),
        ("displayName pr", {"alice@example.com", "bob@example.com"}),
        ("active eq false", set()),
        ('userName eq "%"', set()),
        ('userName eq "\' OR 1=1 --"', set()),
    ],
)
async def test_users_are_found_by_filters(house: House, filter: str, found: set[str]) -> None:
    await house.acme.add("alice@example.com", displayName="Alice", externalId="1")
    await house.acme.add("bob@example.com", displayName="Bob", externalId="2")
    await house.acme.add("c@example.com")
    assert set(await house.acme.listed("/Users", filter)) == found


@pytest.mark.parametrize(
    "filter",
    [
        "",
        "userName",
        "userName eq",
        "userName eq alice",
        'userName like "a"',
        'password eq "x"',
        'userName eq "a" and',
        '(userName eq "a"',
        'userName eq "a")',
        'userName gt "a"',
        "active eq 1",
        'userName eq "a\\u0000"',
        "(" * 50 + 'userName eq "a"' + ")" * 50,
        'userName eq "' + "a" * 5000 + '"',
    ],
)
async def test_what_is_no_filter_is_refused_in_scims_words(house: House, filter: str) -> None:
    status, error = await house.acme.ask("GET", "/Users", filter=filter)
    assert (status, error["scimType"]) == (400, "invalidFilter")


async def test_pages_are_counted_from_one(house: House) -> None:
    for number in range(5):
        await house.acme.add(f"u{number}@example.com")
    status, page = await house.acme.ask("GET", "/Users", startIndex="2", count="2")
    names = [one["userName"] for one in page["Resources"]]
    assert (status, names) == (200, ["u1@example.com", "u2@example.com"])
    assert (page["totalResults"], page["startIndex"], page["itemsPerPage"]) == (5, 2, 2)
    _, empty = await house.acme.ask("GET", "/Users", count="0")
    assert (empty["totalResults"], empty["Resources"]) == (5, [])
    assert (await house.acme.ask("GET", "/Users", count="many"))[0] == 400


async def test_attributes_are_left_out_as_asked(house: House) -> None:
    user = await house.acme.add("alice@example.com", title="Dr")
    _, few = await house.acme.ask("GET", f"/Users/{user['id']}", attributes="userName")
    _, less = await house.acme.ask("GET", f"/Users/{user['id']}", excludedAttributes="title,groups")
    assert set(few) == {"schemas", "id", "userName"}
    assert "title" not in less and "groups" not in less and "meta" in less


@pytest.mark.parametrize("off", [False, "False"])
async def test_deactivating_ends_sessions_at_once(house: House, off: object) -> None:
    user = await house.acme.add("alice@example.com")
    async with house.store.begin() as tx:
        session = sessions.Session(digest="d", user_id=user["id"], expires_at=2**60)
        await sessions.create(tx, session)
    operation = {"op": "Replace", "path": "active", "value": off}
    status, after = await house.acme.ask("PATCH", f"/Users/{user['id']}", {"Operations": [operation]})
    assert (status, after["active"]) == (200, False)
    async with house.store.read() as tx:
        assert await sessions.find(tx, "d") is None
        assert not (await users.get(tx, ALL, user["id"])).active


async def test_who_is_removed_takes_their_keys_along(house: House) -> None:
    user = await house.acme.add("alice@example.com")
    async with house.store.begin() as tx:
        key = Key(alias="a", user_id=user["id"], organisation_id=house.acme_id)
        key = await keys.create(tx, ALL, key, "0" * 64)
    assert (await house.acme.ask("DELETE", f"/Users/{user['id']}"))[0] == 204
    assert (await house.acme.ask("GET", f"/Users/{user['id']}"))[0] == 404
    async with house.store.read() as tx:
        assert await keys.find(tx, ALL, key.id) is None


async def test_changes_hang_on_the_version_that_they_name(house: House) -> None:
    user = await house.acme.add("alice@example.com")
    path, patch = f"/Users/{user['id']}", {"Operations": [{"op": "add", "path": "title", "value": "Dr"}]}
    assert (await house.acme.ask("PATCH", path, patch, {"if-match": 'W/"1"'}))[0] == 200
    assert (await house.acme.ask("PATCH", path, patch, {"if-match": 'W/"1"'}))[0] == 412
    assert (await house.acme.ask("DELETE", path, headers={"if-match": 'W/"9"'}))[0] == 412
    assert (await house.acme.ask("GET", path, headers={"if-none-match": 'W/"2"'}))[0] == 304


def test_many_members_are_added_and_removed_without_being_compared_one_by_one() -> None:
    members = [{"value": f"user_{index}"} for index in range(10_000)]
    operations = [
        {"op": "add", "path": "members", "value": members},
        {"op": "add", "path": "members", "value": members},
        {"op": "remove", "path": 'members[value ne "user_7"]'},
    ]
    begun = time.monotonic()
    after = patched({"members": []}, msgspec.convert({"Operations": operations}, Patch))
    assert after["members"] == [{"value": "user_7"}]
    assert time.monotonic() - begun < 1.0


async def test_groups_have_members_and_give_roles(house: House) -> None:
    alice, bob = [await house.acme.add(f"{name}@example.com") for name in ("alice", "bob")]
    _, group = await house.acme.ask(
        "POST", "/Groups", {"displayName": "llm-admins", "members": [{"value": alice["id"]}]}
    )
    assert await house.grants(alice["id"]) == {("admin", house.acme_id)}
    path = f"/Groups/{group['id']}"
    add = {"op": "add", "path": "members", "value": [{"value": bob["id"]}]}
    remove = {"op": "remove", "path": f'members[value eq "{alice["id"]}"]'}
    status, after = await house.acme.ask("PATCH", path, {"Operations": [add, remove]})
    assert (status, [one["value"] for one in after["members"]]) == (200, [bob["id"]])
    assert await house.grants(alice["id"]) == set()
    assert await house.grants(bob["id"]) == {("admin", house.acme_id)}
    rename = {"op": "replace", "value": {"displayName": "llm-team"}}
    await house.acme.ask("PATCH", path, {"Operations": [rename]})
    assert await house.grants(bob["id"]) == {("developer", house.team_id)}
    _, told = await house.acme.ask("GET", f"/Users/{bob['id']}")
    assert [one["display"] for one in told["groups"]] == ["llm-team"]
    assert (await house.acme.ask("DELETE", path))[0] == 204
    assert await house.grants(bob["id"]) == set()


async def test_an_organisations_groups_give_nothing_outside_of_it(house: House) -> None:
    eve = await house.other.add("eve@example.com")
    for name in ("llm-team", "root"):
        body = {"displayName": name, "members": [{"value": eve["id"]}]}
        assert (await house.other.ask("POST", "/Groups", body))[0] == 201
    assert await house.grants(eve["id"]) == set()


async def test_no_tenant_reaches_anothers_people(house: House) -> None:
    alice = await house.acme.add("alice@example.com")
    _, group = await house.acme.ask("POST", "/Groups", {"displayName": "g"})
    patch = {"Operations": [{"op": "replace", "path": "active", "value": False}]}
    for path in (f"/Users/{alice['id']}", f"/Groups/{group['id']}"):
        body = {"userName": "x", "displayName": "x"}
        asked = (("GET", None), ("PUT", body), ("PATCH", patch), ("DELETE", None))
        assert [(await house.other.ask(method, path, body))[0] for method, body in asked] == [404] * 4
    assert await house.other.listed("/Users", 'userName eq "alice@example.com"') == []
    member = {"displayName": "mine", "members": [{"value": alice["id"]}]}
    assert (await house.other.ask("POST", "/Groups", member))[0] == 400
    assert (await house.platform.ask("GET", f"/Users/{alice['id']}"))[0] == 200


async def test_who_provisions_nothing_or_several_is_refused(house: House) -> None:
    for grants in (
        (),
        (Grant(role=Role.VIEWER, scope=ScopeKind.ORGANISATION, scope_id=house.acme_id),),
        tuple(
            Grant(role=Role.ADMIN, scope=ScopeKind.ORGANISATION, scope_id=id)
            for id in (house.acme_id, house.other_id)
        ),
        (Grant(role=Role.ADMIN, scope=ScopeKind.TEAM, scope_id=house.team_id),),
    ):
        house.acme.principal = msgspec.structs.replace(house.acme.principal, grants=grants)
        assert (await house.acme.ask("GET", "/Users"))[0] == 403


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"userName": ""},
        {"userName": 7},
        {"userName": "a\nb"},
        {"userName": "a" * 1000},
        {"userName": "a", "active": "maybe"},
        {"userName": "a", "name": "Alice"},
        {"userName": "a", "externalId": {}},
        [],
        "x",
        None,
    ],
    ids=str,
)
async def test_what_is_no_user_is_refused(house: House, body: Any) -> None:
    status, error = await house.acme.ask("POST", "/Users", body)
    assert status == 400 and error["schemas"] == [ERROR]


async def test_the_server_describes_itself(house: House) -> None:
    _, configuration = await house.acme.ask("GET", "/ServiceProviderConfig")
    assert configuration["patch"]["supported"] and configuration["etag"]["supported"]
    _, types = await house.acme.ask("GET", "/ResourceTypes")
    assert [one["id"] for one in types["Resources"]] == ["User", "Group"]
    _, schemas = await house.acme.ask("GET", "/Schemas")
    for one in schemas["Resources"]:
        assert (await house.acme.ask("GET", f"/Schemas/{one['id']}"))[1] == one
    assert (await house.acme.ask("GET", "/Schemas/none"))[0] == 404


def operations(*all_of_them: dict[str, Any]) -> Patch:
    return msgspec.convert({"Operations": list(all_of_them)}, Patch)


def test_parts_of_attributes_are_changed_by_path() -> None:
    before = {"name": {"givenName": "A"}, "emails": [{"type": "work", "value": "a"}, {"type": "home"}]}
    urn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
    after = patched(
        before,
        operations(
            {"op": "replace", "path": "NAME.givenname", "value": "B"},
            {"op": "replace", "path": 'emails[type eq "WORK"].value', "value": "b"},
            {"op": "add", "path": 'phoneNumbers[type eq "work"].value', "value": "1"},
            {"op": "remove", "path": 'emails[type eq "home"]'},
            {"op": "add", "path": f"{urn}:department", "value": "ml"},
        ),
    )
    assert after == {
        "name": {"givenName": "B"},
        "emails": [{"type": "work", "value": "b"}],
        "phoneNumbers": [{"type": "work", "value": "1"}],
        urn: {"department": "ml"},
    }
    assert before["name"] == {"givenName": "A"}


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "move", "path": "a"},
        {"op": "remove"},
        {"op": "replace", "path": "id", "value": "x"},
        {"op": "replace", "path": "meta.version", "value": "x"},
        {"op": "replace", "path": "a b", "value": "x"},
        {"op": "replace", "path": "a[b", "value": "x"},
        {"op": "replace", "path": "a[b co 1].c", "value": "x"},
        {"op": "add", "value": "x"},
    ],
    ids=str,
)
def test_operations_that_cannot_be_done_are_refused(operation: dict[str, Any]) -> None:
    with pytest.raises(ScimError):
        patched({"a": [{"b": 1}]}, operations(operation))


@given(st.text(max_size=60))
def test_any_text_is_a_filter_or_is_refused(text: str) -> None:
    try:
        filters.read(text)
    except ScimError as error:
        assert error.kind == "invalidFilter"
