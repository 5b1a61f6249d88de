"""Sessions of people: how they begin, what ends them, and whose they are."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from llmgw.access.callers import Callers
from llmgw.access.cookies import Cookies
from llmgw.access.oidc import Person
from llmgw.access.principal import PrincipalKind
from llmgw.access.rbac import Grant, Role, ScopeKind
from llmgw.access.sessions import Sessions
from llmgw.access.terms import OidcOptions
from llmgw.errors import PermissionDenied, Unauthenticated
from llmgw.settings.identity import RoleRule
from llmgw.settings.secrets import Secret
from llmgw.store import groups, ids, memberships, organisations, users
from llmgw.store.database import Store
from llmgw.store.errors import StoreUnavailable
from llmgw.store.groups import Group
from llmgw.store.memberships import Membership
from llmgw.store.organisations import Organisation
from llmgw.store.scope import Scope
from llmgw.store.tables import sessions as table
from llmgw.store.upgrade import upgrade
from llmgw.store.users import User

ALL = Scope.all()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = Store.open(f"sqlite:///{tmp_path}/llmgw.db")
    await upgrade(store)
    yield store
    await store.close()


def terms(**more: Any) -> OidcOptions:
    usual: dict[str, Any] = {
        "issuer": "https://login.example",
        "client_id": "llmgw",
        "client_secret": None,
        "public_url": "https://llm.example",
        "scopes": ("openid",),
        "algorithms": ("RS256",),
        "email_claim": "email",
        "name_claim": "name",
        "groups_claim": "groups",
        "allowed_domains": (),
        "create_users": True,
        "organisation": None,
        "roles": (),
        "session_idle": 3600.0,
        "session_lifetime": 36000.0,
        "ca_file": None,
    }
    return OidcOptions(**{**usual, **more})


def person(subject: str = "alice", email: str | None = "alice@example.com", *groups: str) -> Person:
    return Person(issuer="https://login.example", subject=subject, email=email, name="Alice", groups=groups)


async def make_user(store: Store, **fields: Any) -> User:
    async with store.begin() as tx:
        return await users.create(tx, ALL, User(**fields))


async def change(store: Store, user: User, **fields: object) -> None:
    async with store.begin() as tx:
        await users.update(tx, ALL, user.id, fields)


async def age(store: Store, **columns: int) -> None:
    async with store.begin() as tx:
        await tx.execute(sa.update(table).values(columns))


async def test_a_login_makes_a_user_and_a_session(store: Store) -> None:
    sessions = Sessions(store, terms())
    begun = await sessions.begin(person(), "192.0.2.1", None)
    principal = await sessions.principal(begun.value)
    assert (principal.kind, principal.id, principal.name) == (
        PrincipalKind.USER,
        begun.user.id,
        "alice@example.com",
    )
    assert principal.session and principal.grants == ()
    assert (await sessions.begin(person(), None, None)).user.id == begun.user.id


async def test_the_cookies_value_is_stored_nowhere(store: Store) -> None:
    begun = await Sessions(store, terms()).begin(person(), None, None)
    assert store.file is not None
    kept = b"".join(path.read_bytes() for path in store.file.parent.iterdir())
    assert len(begun.value) == 43
    assert begun.value.encode() not in kept


async def test_a_logout_ends_it_at_once(store: Store) -> None:
    sessions, other_worker = Sessions(store, terms()), Sessions(store, terms())
    begun = await sessions.begin(person(), None, None)
    await sessions.end(begun.value)
    with pytest.raises(Unauthenticated):
        await other_worker.principal(begun.value)


async def test_a_new_login_replaces_the_session_that_the_browser_had(store: Store) -> None:
    sessions = Sessions(store, terms())
    before = await sessions.begin(person(), None, None)
    after = await sessions.begin(person(), None, before.value)
    assert after.value != before.value
    with pytest.raises(Unauthenticated):
        await sessions.principal(before.value)


async def test_a_value_that_somebody_else_has_chosen_begins_nothing(store: Store) -> None:
    sessions = Sessions(store, terms())
    fixed = "A" * 43
    assert (await sessions.begin(person(), None, fixed)).value != fixed
    for value in (fixed, "", "x", "' OR 1=1 --", "é" * 43):
        with pytest.raises(Unauthenticated):
            await sessions.principal(value)


async def test_rest_ends_a_session_and_use_keeps_it(store: Store) -> None:
    sessions = Sessions(store, terms(session_idle=600.0))
    begun = await sessions.begin(person(), None, None)
    await age(store, seen_at=ids.now() - 500 * 1_000_000)
    await sessions.principal(begun.value)
    async with store.read() as tx:
        seen = await tx.value(sa.select(table.c.seen_at))
    assert ids.now() - seen < 60 * 1_000_000
    await age(store, seen_at=ids.now() - 601 * 1_000_000)
    with pytest.raises(Unauthenticated):
        await sessions.principal(begun.value)


@pytest.mark.parametrize("whose", ["user", "organisation"])
async def test_a_session_is_of_use_in_the_networks_of_its_person_only(store: Store, whose: str) -> None:
    networks = {"networks": ["192.0.2.0/24"]}
    async with store.begin() as tx:
        above = networks if whose == "organisation" else {}
        acme = await organisations.create(tx, ALL, Organisation(name="acme", **above))
    own = networks if whose == "user" else {}
    await make_user(store, email="alice@example.com", organisation_id=acme.id, **own)
    sessions = Sessions(store, terms())
    begun = await sessions.begin(person(), "192.0.2.1", None)
    await sessions.principal(begun.value, "192.0.2.7")
    for address in ("198.51.100.1", ""):
        with pytest.raises(PermissionDenied):
            await sessions.principal(begun.value, address)
        with pytest.raises(PermissionDenied):
            await sessions.begin(person(), address, None)


async def test_age_ends_a_session_however_much_it_is_used(store: Store) -> None:
    sessions = Sessions(store, terms())
    begun = await sessions.begin(person(), None, None)
    await age(store, expires_at=ids.now() - 1)
    with pytest.raises(Unauthenticated):
        await sessions.principal(begun.value)


@pytest.mark.parametrize("fields", [{"active": False}, {"blocked": True}], ids=str)
async def test_whoever_is_blocked_is_out_at_once_and_does_not_come_back(
    store: Store, fields: dict[str, object]
) -> None:
    sessions = Sessions(store, terms())
    begun = await sessions.begin(person(), None, None)
    await change(store, begun.user, **fields)
    with pytest.raises(Unauthenticated, match="blocked"):
        await sessions.principal(begun.value)
    with pytest.raises(Unauthenticated, match="blocked"):
        await sessions.begin(person(), None, None)


async def test_a_blocked_organisation_takes_its_people_along(store: Store) -> None:
    async with store.begin() as tx:
        organisation = await organisations.create(tx, ALL, Organisation(name="acme"))
    sessions = Sessions(store, terms(organisation=organisation.id))
    begun = await sessions.begin(person(), None, None)
    async with store.begin() as tx:
        await organisations.update(tx, ALL, organisation.id, {"blocked": True})
    with pytest.raises(Unauthenticated, match="organisation"):
        await sessions.principal(begun.value)


async def test_a_user_who_was_made_before_is_found_by_a_verified_address(store: Store) -> None:
    user = await make_user(store, email="alice@example.com")
    begun = await Sessions(store, terms(create_users=False)).begin(person(), None, None)
    assert (begun.user.id, begun.user.subject) == (user.id, "alice")


async def test_an_address_is_not_taken_over_by_another_subject(store: Store) -> None:
    sessions = Sessions(store, terms())
    await sessions.begin(person(), None, None)
    with pytest.raises(PermissionDenied, match="belongs to a user"):
        await sessions.begin(person(subject="mallory"), None, None)


async def test_strangers_stay_out_if_users_are_not_made_by_logins(store: Store) -> None:
    sessions = Sessions(store, terms(create_users=False))
    await make_user(store, email="alice@example.com")
    for stranger in (person(email=None), person(email="bob@example.com")):
        with pytest.raises(PermissionDenied, match="not known here"):
            await sessions.begin(stranger, None, None)


async def test_roles_follow_the_groups_of_each_login(store: Store) -> None:
    async with store.begin() as tx:
        organisation = await organisations.create(tx, ALL, Organisation(name="acme"))
    rules = (
        RoleRule(value="llm-admins", role="admin"),
        RoleRule(value="llm-*", role="viewer"),
        RoleRule(value="root", role="owner", on="platform"),
    )
    sessions = Sessions(store, terms(organisation=organisation.id, roles=rules))

    async def roles(*told: str) -> set[str]:
        begun = await sessions.begin(person("alice", "alice@example.com", *told), None, None)
        return {grant.role.value for grant in (await sessions.principal(begun.value)).grants}

    assert await roles("llm-admins") == {"admin", "viewer"}
    assert await roles("llm-x", "root") == {"viewer", "owner"}
    assert await roles() == set()


async def test_roles_that_people_granted_survive_a_login(store: Store) -> None:
    sessions = Sessions(store, terms())
    begun = await sessions.begin(person(), None, None)
    async with store.begin() as tx:
        await memberships.create(
            tx, ALL, Membership(user_id=begun.user.id, scope_kind="platform", role="auditor")
        )
        group = await groups.create(
            tx,
            ALL,
            Group(name="g", grants=[{"role": "viewer", "scope_kind": "platform", "scope_id": ""}]),
        )
        await groups.set_members(tx, ALL, group.id, [begun.user.id])
    again = await sessions.begin(person(), None, None)
    grants = (await sessions.principal(again.value)).grants
    platform = ScopeKind.PLATFORM
    assert set(grants) == {Grant(role=Role.AUDITOR, scope=platform), Grant(role=Role.VIEWER, scope=platform)}


def test_cookies_are_bound_to_the_host_and_kept_from_scripts() -> None:
    cookies = Cookies("https://llm.example")
    assert cookies.set("llmgw", "v", 60) == (
        "set-cookie",
        "__Host-llmgw=v; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure",
    )
    assert cookies.read("a=b; __Host-llmgw=v", "llmgw") == "v"
    assert cookies.read("llmgw=v", "llmgw") is None
    assert cookies.read("__Host-llmgw=v; __Host-llmgw=w", "llmgw") is None


async def test_without_the_database_nobody_is_somebody(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = Sessions(store, terms())
    begun = await sessions.begin(person(), None, None)
    callers = Callers(None, store, Secret("00" * 32), terms())  # type: ignore[arg-type]
    assert (await callers.of_session(f"__Host-llmgw={begun.value}")).principal.id == begun.user.id

    def fail(*_: object, **__: object) -> None:
        raise StoreUnavailable("gone")

    monkeypatch.setattr(users, "find", fail)
    with pytest.raises(StoreUnavailable):
        await callers.of_session(f"__Host-llmgw={begun.value}")
