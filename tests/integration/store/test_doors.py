"""Sessions, idempotency keys, signing keys of others, and jobs."""

import asyncio

import pytest

from llmgw.store import changes, idempotency, ids, jobs, jwks, sessions, users
from llmgw.store.database import Store
from llmgw.store.errors import Conflict
from llmgw.store.idempotency import Answer
from llmgw.store.jobs import Job
from llmgw.store.scope import Scope
from llmgw.store.sessions import Session
from llmgw.store.users import User

ALL = Scope.all()
MINUTE = 60_000_000


async def test_a_session_ends_when_it_is_over(store: Store) -> None:
    async with store.begin() as tx:
        user = await users.create(tx, ALL, User(email="a@example.com"))
        await sessions.create(tx, Session(digest="d1", user_id=user.id, expires_at=ids.now() + MINUTE))
        await sessions.create(tx, Session(digest="d2", user_id=user.id, expires_at=ids.now() - 1))
        assert await sessions.find(tx, "d1") is not None
        assert await sessions.find(tx, "d2") is None
        assert await sessions.sweep(tx) == 1
        assert [await sessions.remove(tx, "d1") for _ in range(2)] == [True, False]
        await sessions.create(tx, Session(digest="d3", user_id=user.id, expires_at=ids.now() + MINUTE))
        assert await sessions.remove_all_of(tx, user.id) == 1


async def test_sessions_go_with_their_person(store: Store) -> None:
    async with store.begin() as tx:
        user = await users.create(tx, ALL, User(email="a@example.com"))
        await sessions.create(tx, Session(digest="d1", user_id=user.id, expires_at=ids.now() + MINUTE))
        await users.remove(tx, ALL, user.id)
        assert await sessions.find(tx, "d1") is None


async def test_a_request_that_comes_again_gets_the_first_answer(store: Store) -> None:
    answer = Answer(status=201, headers={"etag": '"1"'}, body=b"\x00made")
    async with store.begin() as tx:
        assert await idempotency.begin(tx, "p", "k", "f", keep=MINUTE) == "new"
        assert await idempotency.begin(tx, "p", "k", "f", keep=MINUTE) == "running"
        await idempotency.finish(tx, "p", "k", answer)
    async with store.begin() as tx:
        assert await idempotency.begin(tx, "p", "k", "f", keep=MINUTE) == answer
        assert await idempotency.begin(tx, "p", "k", "g", keep=MINUTE) == "other"
        assert await idempotency.begin(tx, "q", "k", "f", keep=MINUTE) == "new"
        await idempotency.give_up(tx, "q", "k")
        assert await idempotency.begin(tx, "q", "k", "f", keep=-1) == "new"
        assert await idempotency.sweep(tx) == 1


async def test_of_two_requests_at_once_one_is_new(store: Store) -> None:
    async def ask() -> str:
        try:
            async with store.begin() as tx:
                state = await idempotency.begin(tx, "p", "k", "f", keep=MINUTE)
                await asyncio.sleep(0.05)
        except Conflict:
            return "running"
        return str(state)

    assert sorted(await asyncio.gather(*(ask() for _ in range(4)))) == ["new", *["running"] * 3]


async def test_signing_keys_are_a_change_when_they_are_others(store: Store) -> None:
    async with store.begin() as tx:
        for keys in ([{"kid": "1"}], [{"kid": "1"}], [{"kid": "2"}]):
            await jwks.put(tx, "https://id.example", keys)
        noted = await changes.after(tx, 0)
        found = await jwks.find(tx, "https://id.example")
    assert [each.kind for each in noted] == ["jwks", "jwks"]
    assert found is not None
    assert found.keys == [{"kid": "2"}]


async def test_a_job_is_taken_once_and_again_when_its_worker_is_gone(store: Store) -> None:
    async with store.begin() as tx:
        made = await jobs.create(tx, ALL, Job(kind="reprice", due_at=ids.now()))
        await jobs.create(tx, ALL, Job(kind="reprice", due_at=ids.now() + MINUTE))
    async with store.begin() as tx:
        first = await jobs.take(tx, "w1", ["reprice"], seconds=0)
        second = await jobs.take(tx, "w2", ["reprice"], seconds=60)
        assert await jobs.take(tx, "w3", ["reprice"], seconds=60) is None
        assert first is not None
        assert second is not None
        assert (first.id, second.id, second.attempts) == (made.id, made.id, 2)
        assert not await jobs.finish(tx, first)
        assert await jobs.finish(tx, second, {"rows": 3})
        assert (await jobs.get(tx, ALL, made.id)).result == {"rows": 3}


async def test_a_job_that_failed_is_tried_again_at_its_time(store: Store) -> None:
    async with store.begin() as tx:
        await jobs.create(tx, ALL, Job(kind="sweep", due_at=ids.now()))
        taken = await jobs.take(tx, "w1", ["sweep"], seconds=60)
        assert taken is not None
        assert await jobs.fail(tx, taken, "no luck", again_at=ids.now())
        again = await jobs.take(tx, "w1", ["sweep"], seconds=60)
        assert again is not None
        assert await jobs.fail(tx, again, "never")
        assert await jobs.take(tx, "w1", ["sweep"], seconds=60) is None


async def test_workers_that_ask_at_once_share_the_jobs(store: Store) -> None:
    async with store.begin() as tx:
        for _ in range(5):
            await jobs.create(tx, ALL, Job(kind="sweep", due_at=ids.now()))

    async def take(worker: str) -> str | None:
        async with store.begin() as tx:
            job = await jobs.take(tx, worker, ["sweep"], seconds=60)
        return None if job is None else job.id

    taken = await asyncio.gather(*(take(str(number)) for number in range(5)))
    assert len({each for each in taken if each}) == len([each for each in taken if each]) >= 1


@pytest.mark.parametrize("count", [2000])
def test_ids_ascend_and_are_never_alike(count: int) -> None:
    made = [ids.new("key") for _ in range(count)]
    assert made == sorted(set(made))
    assert all(len(each) == len("key_") + 26 for each in made)
