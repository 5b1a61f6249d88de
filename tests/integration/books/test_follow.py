"""Workers are told of keys and of what keys belong to, and of each change soon after it is made."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from llmgw.books.budgets import Budgets
from llmgw.books.directory import DirectoryFile, whole_length
from llmgw.books.follow import Follow
from llmgw.store import jwks, keys, organisations, tables, teams, users
from llmgw.store.database import Store
from llmgw.store.keys import Key
from llmgw.store.organisations import Organisation
from llmgw.store.scope import Scope
from llmgw.store.teams import Team
from llmgw.store.users import User
from tests.integration.books.memory import FakeMemory

ALL = Scope.all()
DIGEST = "ab" * 32


class Stage:
    """A store that is followed, and the memory in which workers are told of it."""

    def __init__(self, store: Store, folder: Path, copy: Path) -> None:
        self.store = store
        self.memory = FakeMemory(folder)
        self.copy = copy
        self.directory = DirectoryFile(folder, self.memory, copy)
        self.follow = Follow(store, self.directory, Budgets(self.memory))


@pytest.fixture
async def stage(store: Store, tmp_path: Path) -> AsyncIterator[Stage]:
    for name in ("run", "kept"):
        (tmp_path / name).mkdir()
    stage = Stage(store, tmp_path / "run", tmp_path / "kept" / "directory")
    yield stage
    stage.directory.close()


async def make_key(store: Store, digest: str = DIGEST, **fields: Any) -> Key:
    async with store.begin() as tx:
        return await keys.create(tx, ALL, Key(**{"alias": f"app-{digest[-4:]}"} | fields), digest)


async def test_the_whole_state_is_told_at_the_start(stage: Stage) -> None:
    async with stage.store.begin() as tx:
        organisation = await organisations.create(tx, ALL, Organisation(name="Acme", margin_ppm=5))
        team = await teams.create(
            tx, ALL, Team(name="Core", organisation_id=organisation.id, models=["gpt-*"])
        )
        user = await users.create(tx, ALL, User(email="a@example.com", organisation_id=organisation.id))
        await jwks.put(tx, "https://issuer.example", [{"kid": "1"}])
    budget = {"name": "b", "amount": 7, "window": {"rolling": 60}, "action": "block"}
    limit = {"of": "requests", "amount": 5, "per": "minute"}
    key = await make_key(
        stage.store,
        team_id=team.id,
        user_id=user.id,
        expires_at=9,
        networks=["10.0.0.0/8"],
        limits=[limit],
        budgets=[budget],
        metadata={"a": "b"},
        admin_role="owner",
    )
    await stage.follow.begin()
    known = stage.memory.known()
    assert known == {
        organisation.id: {
            "put": "node",
            "id": organisation.id,
            "kind": "organisation",
            "name": "Acme",
            "margin_ppm": 5,
        },
        team.id: {
            "put": "node",
            "id": team.id,
            "kind": "team",
            "name": "Core",
            "parent": organisation.id,
            "models": ["gpt-*"],
        },
        user.id: {
            "put": "node",
            "id": user.id,
            "kind": "user",
            "name": "a@example.com",
            "parent": organisation.id,
        },
        key.id: {
            "put": "key",
            "id": key.id,
            "alias": "app-abab",
            "digests": [[DIGEST, None]],
            "organisation": organisation.id,
            "team": team.id,
            "user": user.id,
            "expires_at": 9,
            "networks": ["10.0.0.0/8"],
            "limits": [limit],
            "budgets": [budget],
            "metadata": {"a": "b"},
        },
        "https://issuer.example": known["https://issuer.example"],
    }


async def test_what_a_key_belongs_to_is_told_before_it(stage: Stage) -> None:
    async with stage.store.begin() as tx:
        team = await teams.create(tx, ALL, Team(name="Core"))
    key = await make_key(stage.store, team_id=team.id)
    await stage.follow.begin()
    ids = [line.get("id") for line in stage.memory.lines()]
    assert ids.index(team.id) < ids.index(key.id)


async def test_changes_are_told_as_they_come(stage: Stage) -> None:
    await stage.follow.begin()
    key = await make_key(stage.store)
    await stage.follow.step()
    assert stage.memory.known()[key.id]["digests"] == [[DIGEST, None]]
    async with stage.store.begin() as tx:
        await keys.block(tx, ALL, key.id, blocked=True)
    await stage.follow.step()
    assert stage.memory.known()[key.id]["blocked"] is True
    async with stage.store.begin() as tx:
        await keys.remove(tx, ALL, key.id)
    await stage.follow.step()
    assert stage.memory.known() == {}


async def test_a_rotated_key_has_two_digests(stage: Stage) -> None:
    keys_made = [await make_key(stage.store, f"{number:064x}") for number in range(3)]
    async with stage.store.begin() as tx:
        await keys.rotate(tx, ALL, keys_made[1].id, "cd" * 32, "hint", valid_until=2**60)
    await stage.follow.begin()
    digests = [stage.memory.known()[key.id]["digests"] for key in keys_made]
    assert [len(each) for each in digests] == [1, 2, 1]
    assert [f"{1:064x}", 2**60] in digests[1]


async def test_a_user_who_left_is_blocked(stage: Stage) -> None:
    async with stage.store.begin() as tx:
        user = await users.create(tx, ALL, User(email="a@example.com"))
        await users.update(tx, ALL, user.id, {"active": False})
    await stage.follow.begin()
    assert stage.memory.known()[user.id]["blocked"] is True


@pytest.mark.parametrize(
    "columns",
    [
        {"networks": ["not a network"]},
        {"limits": [{"of": "colours", "amount": 1, "per": "minute"}]},
        {"budgets": [{"name": "b", "amount": 1, "window": "day", "surprise": 1}]},
        {"certificates": ["short"]},
    ],
)
async def test_a_key_that_no_worker_could_read_is_told_of_to_nobody(
    stage: Stage, columns: dict[str, Any]
) -> None:
    good, bad = await make_key(stage.store), await make_key(stage.store, "cd" * 32)
    async with stage.store.begin() as tx:
        await tx.execute(update(tables.keys).where(tables.keys.c.id == bad.id).values(columns))
    await stage.follow.begin()
    assert set(stage.memory.known()) == {good.id}
    assert stage.follow.misshapen == 1


async def test_the_next_file_takes_over_where_the_first_is_damaged(stage: Stage) -> None:
    key = await make_key(stage.store)
    await stage.follow.begin()
    stage.memory.damaged_directory = stage.memory.directory[0]
    assert stage.directory.is_to_compact()
    await stage.follow.begin()
    assert not stage.directory.is_to_compact()
    assert stage.memory.directory[0] == 2
    assert set(stage.memory.known()) == {key.id}


async def test_the_copy_is_good_for_a_start_without_the_store(stage: Stage, tmp_path: Path) -> None:
    await stage.follow.begin()
    key = await make_key(stage.store)
    await stage.follow.step()
    with stage.copy.open("ab") as copy:
        copy.write(b'{"put":"key","id":"key_half')
    later = tmp_path / "later"
    later.mkdir()
    memory = FakeMemory(later)
    directory = DirectoryFile(later, memory, stage.copy)
    directory.adopt(whole_length(stage.copy))
    directory.close()
    assert set(memory.known()) == {key.id}
    assert stage.copy.stat().st_mode & 0o777 == 0o600


async def test_a_change_is_told_within_300_milliseconds(stage: Stage) -> None:
    await stage.follow.begin()
    stop = asyncio.Event()
    running = asyncio.create_task(stage.follow.run(stop))
    try:
        took = []
        for number in range(5):
            await make_key(stage.store, f"{number:064x}")
            begun, told = time.monotonic(), stage.memory.directory
            while stage.memory.directory == told:  # noqa: ASYNC110 - nobody tells a test
                await asyncio.sleep(0.005)
            took.append(time.monotonic() - begun)
        assert sorted(took)[2] < 0.3
    finally:
        stop.set()
        await running


async def test_two_gateways_on_one_store_tell_of_the_same_changes(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Stage(stage.store, tmp_path / "other", tmp_path / "other" / "copy")
    await stage.follow.begin()
    await other.follow.begin()
    key = await make_key(stage.store)
    await stage.follow.step()
    await other.follow.step()
    assert stage.memory.known() == other.memory.known()
    assert set(other.memory.known()) == {key.id}
    other.directory.close()
