"""What holds for every noun: scopes, versions, pages, events, and no more for a child than for its parent."""

import asyncio
import sqlite3
from typing import Any

import pytest

from llmgw.store import (
    changes,
    events,
    groups,
    ids,
    keys,
    memberships,
    organisations,
    projects,
    service_accounts,
    teams,
    users,
)
from llmgw.store.database import Actor, Store
from llmgw.store.errors import Conflict, Missing, NotWithin, Stale
from llmgw.store.groups import Group
from llmgw.store.keys import Key
from llmgw.store.memberships import Membership
from llmgw.store.noun import Refused
from llmgw.store.organisations import Organisation
from llmgw.store.paging import BadCursor, Paging
from llmgw.store.projects import Project
from llmgw.store.records import Event as Told
from llmgw.store.scope import Scope
from llmgw.store.service_accounts import ServiceAccount
from llmgw.store.teams import Team
from llmgw.store.transaction import Transaction
from llmgw.store.users import User

ALL = Scope.all()
ADA = Actor(kind="user", id="user_ada", name="Ada", ip="10.0.0.1", request="req-1")


class Tenant:
    """An organisation with a team, a project, a person and a key."""

    def __init__(self, organisation: str, team: str, project: str, user: str, key: str) -> None:
        self.organisation, self.team, self.project, self.user, self.key = (
            organisation,
            team,
            project,
            user,
            key,
        )


async def tenant(tx: Transaction, name: str, **policy: Any) -> Tenant:
    organisation = await organisations.create(tx, ALL, Organisation(name=name, **policy))
    team = await teams.create(tx, ALL, Team(name=f"{name} team", organisation_id=organisation.id))
    project = await projects.create(tx, ALL, Project(name=f"{name} project", team_id=team.id))
    user = await users.create(tx, ALL, User(email=f"{name}@Example.com", organisation_id=organisation.id))
    key = await keys.create(tx, ALL, Key(alias=f"{name} key", project_id=project.id), f"{name:0>64}")
    return Tenant(organisation.id, team.id, project.id, user.id, key.id)


async def test_a_key_belongs_to_all_that_its_project_belongs_to(store: Store) -> None:
    async with store.begin() as tx:
        acme = await tenant(tx, "acme")
        key = await keys.get(tx, ALL, acme.key)
    assert (key.project_id, key.team_id, key.organisation_id) == (acme.project, acme.team, acme.organisation)


async def test_nobody_reaches_what_is_another_tenants(store: Store) -> None:
    async with store.begin() as tx:
        mine, theirs = await tenant(tx, "mine"), await tenant(tx, "theirs")
    scope = Scope(organisations=frozenset({mine.organisation}))
    async with store.begin() as tx:
        for noun, seen, hidden in (
            (organisations, mine.organisation, theirs.organisation),
            (teams, mine.team, theirs.team),
            (projects, mine.project, theirs.project),
            (users, mine.user, theirs.user),
            (keys, mine.key, theirs.key),
        ):
            page = await noun.page(tx, scope, Paging())
            assert [each.id for each in page.items] == [seen]
            assert await noun.count(tx, scope) == 1
            assert await noun.find(tx, scope, hidden) is None
            for attempt in (
                noun.update(tx, scope, hidden, {"blocked": True}),
                noun.remove(tx, scope, hidden),
            ):
                with pytest.raises(Missing):
                    await attempt
        with pytest.raises(Missing):
            await keys.block(tx, scope, theirs.key, blocked=True)
        with pytest.raises(Missing):
            await keys.rotate(tx, scope, theirs.key, "b" * 64, "…", valid_until=0)
        with pytest.raises(Missing):
            await keys.digests_of(tx, scope, theirs.key)


@pytest.mark.parametrize("owner", ["team_id", "organisation_id", "user_id", "project_id"])
async def test_nothing_is_made_or_moved_under_another_tenant(store: Store, owner: str) -> None:
    async with store.begin() as tx:
        mine, theirs = await tenant(tx, "mine"), await tenant(tx, "theirs")
    scope = Scope(organisations=frozenset({mine.organisation}))
    place = {owner: getattr(theirs, owner.removesuffix("_id"))}
    async with store.begin() as tx:
        with pytest.raises(Missing):
            await keys.create(tx, scope, Key(alias="intruder", **place), "c" * 64)
        with pytest.raises(Missing):  # with one foot in each
            await keys.create(tx, scope, Key(alias="both", **{"team_id": mine.team} | place), "d" * 64)
        with pytest.raises(Missing):
            await keys.update(tx, scope, mine.key, place)
        with pytest.raises(Missing):  # and nothing of the platform's own
            await keys.create(tx, scope, Key(alias="nobody's"), "e" * 64)
        assert await keys.count(tx, ALL) == 2


async def test_a_caller_of_a_team_makes_keys_for_it(store: Store) -> None:
    async with store.begin() as tx:
        acme = await tenant(tx, "acme")
        made = await keys.create(
            tx, Scope(teams=frozenset({acme.team})), Key(alias="b", team_id=acme.team), "b" * 64
        )
    assert made.organisation_id == acme.organisation


async def test_a_key_that_moves_to_another_team_leaves_its_organisation(store: Store) -> None:
    async with store.begin() as tx:
        one, other = await tenant(tx, "one"), await tenant(tx, "other")
        moved = await keys.update(tx, ALL, one.key, {"team_id": other.team, "project_id": None})
        with pytest.raises(Conflict):
            await keys.update(tx, ALL, other.key, {"team_id": one.team})
    assert (moved.organisation_id, moved.project_id) == (other.organisation, None)


async def test_two_owners_that_do_not_belong_together_are_refused(store: Store) -> None:
    async with store.begin() as tx:
        one, other = await tenant(tx, "one"), await tenant(tx, "other")
        with pytest.raises(Conflict):
            await keys.create(tx, ALL, Key(alias="x", project_id=one.project, team_id=other.team), "a" * 64)


async def test_a_person_is_seen_by_those_of_a_team_that_he_is_a_member_of(store: Store) -> None:
    async with store.begin() as tx:
        acme = await tenant(tx, "acme")
        guest = await users.create(tx, ALL, User(email="guest@example.com"))
        member = Membership(user_id=guest.id, scope_kind="team", scope_id=acme.team, role="developer")
        await memberships.create(tx, ALL, member)
        seen = await users.page(tx, Scope(teams=frozenset({acme.team})), Paging())
        assert await users.find(tx, Scope(teams=frozenset({"team_other"})), guest.id) is None
        assert [each.role for each in await memberships.of_user(tx, guest.id)] == ["developer"]
    assert [each.id for each in seen.items] == [guest.id]


async def test_who_sees_only_a_person_takes_no_role_from_him(store: Store) -> None:
    async with store.begin() as tx:
        acme = await tenant(tx, "acme")
        role = Membership(user_id=acme.user, scope_kind="platform", role="auditor")
        made = await memberships.create(tx, ALL, role)
        with pytest.raises(Missing):
            await memberships.remove(tx, Scope(users=frozenset({acme.user})), made.id)
        with pytest.raises(Missing):
            await memberships.create(tx, Scope(users=frozenset({acme.user})), role)


async def test_a_child_is_not_granted_more_than_any_of_its_parents(store: Store) -> None:
    async with store.begin() as tx:
        acme = await tenant(tx, "acme", models=["gpt-*"])
        with pytest.raises(NotWithin, match="claude"):
            await keys.create(tx, ALL, Key(alias="x", team_id=acme.team, models=["claude"]), "a" * 64)
        with pytest.raises(NotWithin, match="claude"):
            await keys.update(tx, ALL, acme.key, {"models": ["claude"]})
        with pytest.raises(NotWithin, match="claude"):
            await teams.update(tx, ALL, acme.team, {"models": ["claude"]})
        with pytest.raises(NotWithin, match="claude"):
            account = ServiceAccount(name="robot", project_id=acme.project, models=["claude"])
            await service_accounts.create(tx, ALL, account)
        assert (await keys.update(tx, ALL, acme.key, {"models": ["gpt-4o"]})).models == ["gpt-4o"]


async def test_a_version_that_is_past_is_refused(store: Store) -> None:
    async with store.begin() as tx:
        acme = await tenant(tx, "acme")
        changed = await keys.update(tx, ALL, acme.key, {"tags": ["a"]}, version=1)
        assert (changed.version, changed.updated_at > changed.created_at) == (2, True)
        with pytest.raises(Stale) as stale:
            await keys.update(tx, ALL, acme.key, {"tags": ["b"]}, version=1)
        with pytest.raises(Stale):
            await keys.remove(tx, ALL, acme.key, version=1)
    assert stale.value.version == 2


async def test_of_changes_at_once_one_wins(store: Store) -> None:
    async with store.begin() as tx:
        acme = await tenant(tx, "acme")

    async def change(tag: str) -> bool:
        try:
            async with store.begin() as tx:
                await keys.update(tx, ALL, acme.key, {"tags": [tag]}, version=1)
        except Stale:
            return False
        return True

    assert sum(await asyncio.gather(*(change(str(number)) for number in range(6)))) == 1


@pytest.mark.parametrize("field", ["id", "version", "created_at", "hint", "sealed", "no_such"])
async def test_a_field_that_is_not_edited_is_refused(store: Store, field: str) -> None:
    async with store.begin() as tx:
        acme = await tenant(tx, "acme")
        with pytest.raises(Refused, match=field):
            await keys.update(tx, ALL, acme.key, {field: "x"})


async def test_what_something_belongs_to_stays(store: Store) -> None:
    async with store.begin() as tx:
        acme = await tenant(tx, "acme")
    with pytest.raises(Conflict):
        async with store.begin() as tx:
            await teams.remove(tx, ALL, acme.team)
    async with store.begin() as tx:
        assert (await teams.get(tx, ALL, acme.team)).name == "acme team"


async def test_a_name_is_taken_once(store: Store) -> None:
    async with store.begin() as tx:
        await keys.create(tx, ALL, Key(alias="app"), "a" * 64)
    for alias, digest in (("app", "b" * 64), ("other", "a" * 64)):
        with pytest.raises(Conflict):
            async with store.begin() as tx:
                await keys.create(tx, ALL, Key(alias=alias), digest)
    async with store.read() as tx:
        assert await keys.count(tx, ALL) == 1


async def test_a_search_takes_wildcards_for_what_they_are(store: Store) -> None:
    async with store.begin() as tx:
        for number, alias in enumerate(["100% app", "100 app", "a_b", "aXb", "back\\slash"]):
            await keys.create(tx, ALL, Key(alias=alias), f"{number:0>64}")
        found = {
            text: [each.alias for each in (await keys.page(tx, ALL, Paging(), None, text)).items]
            for text in ("%", "_", "APP", "\\", "' OR 1=1 --")
        }
    assert found == {
        "%": ["100% app"],
        "_": ["a_b"],
        "APP": ["100% app", "100 app"],
        "\\": ["back\\slash"],
        "' OR 1=1 --": [],
    }


@pytest.mark.parametrize("newest_first", [False, True])
async def test_pages_show_each_once_also_of_one_instant(
    store: Store, newest_first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ids, "now", lambda: 1_790_000_000_000_000)
    async with store.begin() as tx:
        for number in range(7):
            await keys.create(tx, ALL, Key(alias=f"key {number}"), f"{number:0>64}")
    seen: list[str] = []
    cursor: str | None = None
    while True:
        async with store.read() as tx:
            page = await keys.page(tx, ALL, Paging(limit=3, cursor=cursor, newest_first=newest_first))
        seen += [each.alias for each in page.items]
        cursor = page.next
        if cursor is None:
            break
    expected = [f"key {number}" for number in range(7)]
    assert seen == (expected[::-1] if newest_first else expected)


@pytest.mark.parametrize("cursor", ["", "x", "MTp4'", "OjE", "é", "LTE6YQ", "A" * 5000])
async def test_a_cursor_that_was_not_handed_out_is_refused(store: Store, cursor: str) -> None:
    async with store.read() as tx:
        with pytest.raises(BadCursor):
            await keys.page(tx, ALL, Paging(cursor=cursor))


async def test_every_change_leaves_an_event_and_its_number(store: Store) -> None:
    async with store.begin() as tx:
        acme = await tenant(tx, "acme")
        start = await changes.last(tx)
    async with store.begin(ADA) as tx:
        await keys.block(tx, ALL, acme.key, blocked=True)
        await keys.rotate(tx, ALL, acme.key, "f" * 64, "sk-…ffff", valid_until=ids.now() + 60_000_000)
        await keys.remove(tx, ALL, acme.key)
    async with store.read() as tx:
        noted = await changes.after(tx, start)
        page = await events.page(tx, ALL, Paging(), {"actor_id": "user_ada"})
        of_tenant = await events.page(
            tx, Scope(organisations=frozenset({acme.organisation})), Paging(limit=1000)
        )
        of_other = await events.page(tx, Scope(organisations=frozenset({"org_other"})), Paging())
    assert [(each.kind, each.object_id) for each in noted] == [("key", acme.key)] * 3
    assert [(each.action, each.ip, each.request_id) for each in page.items] == [
        (f"key.{verb}", "10.0.0.1", "req-1") for verb in ("block", "rotate", "delete")
    ]
    assert (page.items[0].before, page.items[0].after) == ({"blocked": False}, {"blocked": True})
    assert {each.action for each in of_tenant.items} >= {"organisation.create", "team.create", "key.delete"}
    assert of_other.items == []
    assert "f" * 64 not in str(page.items)


async def test_an_event_of_a_journal_is_noted_once(store: Store) -> None:
    told = Told(
        id="evt_1", at=5, actor={"kind": "cli"}, action="key.create", object={"kind": "key", "id": "key_1"}
    )
    for expected in (1, 0):
        async with store.begin() as tx:
            assert await events.enter(tx, [told]) == expected
    async with store.read() as tx:
        page = await events.page(tx, ALL, Paging(), {"object_id": "key_1"})
    assert [(each.id, each.actor_kind) for each in page.items] == [("evt_1", "cli")]


async def test_a_change_that_is_rolled_back_leaves_nothing(store: Store) -> None:
    async with store.read() as tx:
        before = await changes.last(tx)
    with pytest.raises(ZeroDivisionError):
        async with store.begin() as tx:
            await tenant(tx, "acme")
            raise ZeroDivisionError
    async with store.read() as tx:
        assert await changes.after(tx, before) == []
        assert (await events.page(tx, ALL, Paging())).items == []


async def test_a_reader_of_changes_misses_none_that_is_committed_late(store: Store) -> None:
    seen: list[int] = []

    async def write(number: int) -> None:
        async with store.begin() as tx:
            await keys.create(tx, ALL, Key(alias=f"key {number}"), f"{number:0>64}")
            await asyncio.sleep(0.01 * (number % 3))

    async def follow(writers: "asyncio.Future[Any]") -> None:
        while True:
            done = writers.done()
            async with store.read() as tx:
                found = await changes.after(tx, seen[-1] if seen else 0)
            seen.extend(each.seq for each in found)
            if done and not found:
                return
            await asyncio.sleep(0)

    writers = asyncio.gather(*(write(number) for number in range(6)))
    await asyncio.gather(writers, follow(writers))
    assert len(seen) == len(set(seen)) == 6


async def test_a_rotated_key_is_known_by_both_until_its_time(store: Store) -> None:
    async with store.begin() as tx:
        made = await keys.create(tx, ALL, Key(alias="app"), "a" * 64)
        await keys.rotate(tx, ALL, made.id, "b" * 64, "…", valid_until=ids.now() + 60_000_000)
        both = [await keys.find_by_digest(tx, each * 64) for each in "abc"]
        await keys.rotate(tx, ALL, made.id, "c" * 64, "…", valid_until=ids.now() - 1)
        now = [await keys.find_by_digest(tx, each * 64) for each in "abc"]
        fed = [each async for each in keys.feed(tx)]
    assert [None if each is None else each.id for each in both] == [made.id, made.id, None]
    assert [None if each is None else each.id for each in now] == [None, None, made.id]
    assert [digest.valid_until is None for digest in fed[0][0][1]].count(True) == 1


async def test_an_address_is_one_in_any_case_of_letters(store: Store) -> None:
    async with store.begin() as tx:
        acme = await tenant(tx, "acme")
        found = await users.find_by_email(tx, " ACME@example.COM ")
    assert found is not None
    assert found.id == acme.user
    with pytest.raises(Conflict):
        async with store.begin() as tx:
            await users.create(tx, ALL, User(email="Acme@example.com"))


async def test_a_group_has_the_members_it_was_given_last(store: Store) -> None:
    async with store.begin() as tx:
        one, other = [await users.create(tx, ALL, User(email=f"{n}@example.com")) for n in range(2)]
        group = await groups.create(tx, ALL, Group(name="staff"))
        await groups.set_members(tx, ALL, group.id, [one.id, other.id])
        changed = await groups.set_members(tx, ALL, group.id, [other.id], version=2)
        assert await groups.members(tx, ALL, group.id) == [other.id]
        assert [each.id for each in await groups.of_user(tx, other.id)] == [group.id]
    assert changed.version == 3


def test_sqlite_is_new_enough_for_what_is_asked_of_it() -> None:
    assert sqlite3.sqlite_version_info >= (3, 35)  # RETURNING, and ON CONFLICT DO UPDATE
