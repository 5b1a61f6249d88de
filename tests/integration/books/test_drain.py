"""The drain brings every record into the store, once, whatever happens on the way."""

from pathlib import Path

import pytest
from sqlalchemy import select

from llmgw.books.drain import Drain
from llmgw.store import entries, positions, tables
from llmgw.store.database import Store
from llmgw.store.entries import Window
from llmgw.store.scope import Scope
from tests.integration.books.scribe import HELD, Scribe
from tests.integration.books.sums import Books, books


async def drain_all(drain: Drain) -> None:
    while await drain.step():
        pass


async def test_what_was_sent_refused_and_answered_from_memory_is_booked(
    store: Store, folder: Path, scribe: Scribe
) -> None:
    scribe.pay(300)
    scribe.void_it(scribe.reserve())
    scribe.call()
    scribe.reserve()
    scribe.sync()
    await drain_all(Drain(store, folder))
    assert await books(store) == Books(settled=1, cost=300, void=1, calls=1, open=1, held=HELD)


async def test_a_settle_that_comes_later_closes_its_reserve(
    store: Store, folder: Path, scribe: Scribe
) -> None:
    drain = Drain(store, folder)
    paid, unsent = scribe.reserve(), scribe.reserve()
    scribe.sync()
    await drain_all(drain)
    assert await books(store) == Books(open=2, held=2 * HELD)
    scribe.settle(paid, 70)
    scribe.void_it(unsent)
    scribe.sync()
    await drain_all(drain)
    assert await books(store) == Books(settled=1, cost=70, void=1)


async def test_another_bookkeeper_goes_on_where_the_last_one_stopped(
    store: Store, folder: Path, scribe: Scribe
) -> None:
    for _ in range(3):
        scribe.pay()
        scribe.sync()
        drain = Drain(store, folder)
        await drain_all(drain)
        assert (drain.records, drain.repeated) == (2, 0)
    assert await books(store) == Books(settled=3, cost=600)


async def test_a_journal_that_is_read_again_changes_nothing(
    store: Store, folder: Path, scribe: Scribe
) -> None:
    for _ in range(5):
        scribe.pay()
    scribe.sync()
    await drain_all(Drain(store, folder))
    before = await books(store)
    async with store.begin() as tx:
        await positions.forget(tx, scribe.writer)
    drain = Drain(store, folder)
    await drain_all(drain)
    assert (drain.records, drain.repeated) == (10, 10)
    assert await books(store) == before


async def test_a_store_that_was_put_back_is_brought_up_again(
    store: Store, folder: Path, scribe: Scribe
) -> None:
    drain = Drain(store, folder)
    scribe.pay()
    scribe.sync()
    await drain_all(drain)
    async with store.begin() as tx:
        for table in (tables.positions, tables.ledger, tables.rollups, tables.tag_rollups, tables.totals):
            await tx.execute(table.delete())
    scribe.pay()
    scribe.sync()
    await drain_all(drain)
    assert await books(store) == Books(settled=2, cost=400)


async def test_many_writers_are_booked_side_by_side(store: Store, folder: Path) -> None:
    scribes = [Scribe(folder) for _ in range(4)]
    for scribe in scribes:
        for cost in range(50):
            scribe.pay(cost)
        scribe.sync()
    await drain_all(Drain(store, folder))
    assert await books(store) == Books(settled=200, cost=sum(scribe.cost for scribe in scribes))
    for scribe in scribes:
        scribe.close()


async def test_a_record_that_means_nothing_is_put_aside_and_the_rest_is_booked(
    store: Store, folder: Path, scribe: Scribe
) -> None:
    scribe.append(b"not even JSON")
    scribe.append({"t": "from the future", "id": "x", "at": 1})
    scribe.pay()
    scribe.sync()
    drain = Drain(store, folder)
    await drain_all(drain)
    assert await books(store) == Books(settled=1, cost=200)
    assert drain.journal is not None
    assert drain.journal.refused == 2
    assert "not even JSON" in (folder / "refused.jsonl").read_text()
    assert Drain(store, folder).journal is None


async def test_a_record_that_the_store_refuses_is_put_aside_and_the_rest_is_booked(
    store: Store, folder: Path, scribe: Scribe, monkeypatch: pytest.MonkeyPatch
) -> None:
    from llmgw.store import ledger  # noqa: PLC0415 - it is changed for this test alone
    from llmgw.store.errors import StoreError  # noqa: PLC0415

    enter = ledger.enter

    async def picky(tx, records, writer=None):  # type: ignore[no-untyped-def]
        if any(getattr(record, "alias", None) == "poison" for record in records):
            raise StoreError("no")
        return await enter(tx, records, writer)

    monkeypatch.setattr(ledger, "enter", picky)
    for _ in range(20):
        scribe.pay()
    scribe.call(alias="poison")
    for _ in range(20):
        scribe.pay()
    scribe.sync()
    drain = Drain(store, folder)
    await drain_all(drain)
    assert await books(store) == Books(settled=40, cost=8000)
    assert drain.journal is not None
    assert drain.journal.refused == 1


async def test_what_clients_write_with_zero_characters_is_booked(
    store: Store, folder: Path, scribe: Scribe
) -> None:
    scribe.settle(scribe.reserve(end_user="a\0b"))
    scribe.sync()
    await drain_all(Drain(store, folder))
    async with store.read() as tx:
        (entry,) = [entry async for page in entries.stream(tx, Scope.all(), Window()) for entry in page]
    assert entry.end_user == "a\N{REPLACEMENT CHARACTER}b"


async def test_events_are_booked_once(store: Store, folder: Path, scribe: Scribe) -> None:
    event = {"t": "event", "id": "evt_1", "at": 5, "actor": {"kind": "master"}, "action": "key.create"}
    event |= {"object": {"kind": "key", "id": "key_1"}, "after": {"alias": "app"}}
    scribe.append(event)
    scribe.sync()
    await drain_all(Drain(store, folder))
    async with store.begin() as tx:
        await positions.forget(tx, scribe.writer)
    await drain_all(Drain(store, folder))
    async with store.read() as tx:
        rows = await tx.rows(select(tables.events.c.action, tables.events.c.object_id, tables.events.c.after))
    assert [tuple(row) for row in rows] == [("key.create", "key_1", {"alias": "app"})]


async def test_the_margin_of_the_team_is_charged(store: Store, folder: Path, scribe: Scribe) -> None:
    async with store.begin() as tx:
        team = {"id": "team_a", "name": "a", "margin_ppm": 100_000, "created_at": 1, "updated_at": 1}
        await tx.execute(tables.teams.insert().values(team))
    scribe.pay(1000)
    scribe.sync()
    await drain_all(Drain(store, folder))
    async with store.read() as tx:
        row = await tx.first(select(tables.ledger.c.cost, tables.ledger.c.charged))
    assert row is not None
    assert tuple(row) == (1000, 1100)


async def test_a_torn_end_is_told_and_what_is_before_it_is_booked(
    store: Store, folder: Path, scribe: Scribe
) -> None:
    scribe.pay()
    scribe.sync()
    scribe.close()
    _tear(folder, scribe.writer)
    drain = Drain(store, folder)
    await drain_all(drain)
    assert await books(store) == Books(settled=1, cost=200)
    assert drain.journal is not None
    assert [finding[0] for finding in drain.journal.findings] == ["torn"]
    assert drain.ended() == [scribe.writer]


def _tear(folder: Path, writer: str) -> None:
    segment = sorted(folder.glob(f"{writer}-*.log"))[0]
    with segment.open("ab") as file:
        file.write(b"half a frame")
