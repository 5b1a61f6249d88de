"""What is wrong with the books is found, and nothing is found where nothing is."""

from pathlib import Path

import pytest
from sqlalchemy import delete, update

from llmgw.books.drain import Drain
from llmgw.books.verify import Report, verify
from llmgw.store import tables
from llmgw.store.database import Store
from tests.integration.books.scribe import Scribe


async def booked(store: Store, folder: Path, scribe: Scribe) -> None:
    scribe.sync()
    drain = Drain(store, folder)
    while await drain.step():
        pass


async def problems(store: Store | None, folder: Path) -> dict[str, int]:
    return (await verify(store, folder)).problems


async def test_right_books_are_right(store: Store, folder: Path, scribe: Scribe) -> None:
    scribe.pay(300)
    scribe.void_it(scribe.reserve())
    scribe.call()
    scribe.reserve()
    await booked(store, folder, scribe)
    report = await verify(store, folder)
    assert report.is_right
    assert (report.figures.cost, report.figures.stored_cost, report.figures.open) == (300, 300, 1)


async def test_what_is_not_booked_yet_is_counted_and_not_wrong(
    store: Store, folder: Path, scribe: Scribe
) -> None:
    late = scribe.reserve()
    scribe.pay(100)
    await booked(store, folder, scribe)
    scribe.settle(late, 50)
    scribe.pay(7)
    scribe.sync()
    report = await verify(store, folder)
    assert report.is_right
    assert (report.figures.cost, report.figures.stored_cost) == (157, 100)
    assert (report.figures.waiting, report.figures.waiting_cost) == (3, 57)


@pytest.mark.parametrize("change", [{"cost": 1}, {"state": "void"}])
async def test_a_row_that_was_changed_is_found(
    store: Store, folder: Path, scribe: Scribe, change: dict[str, object]
) -> None:
    scribe.pay()
    await booked(store, folder, scribe)
    async with store.begin() as tx:
        await tx.execute(update(tables.ledger).values(change))
    found = await problems(store, folder)
    assert found["the store says otherwise"] == 1
    assert any("sums" in what for what in found)


async def test_a_row_that_is_gone_is_found(store: Store, folder: Path, scribe: Scribe) -> None:
    scribe.pay()
    await booked(store, folder, scribe)
    async with store.begin() as tx:
        await tx.execute(delete(tables.ledger))
    assert (await problems(store, folder))["not in the store"] == 1


async def test_what_is_settled_twice_or_without_a_reserve_is_found(folder: Path, scribe: Scribe) -> None:
    id = scribe.reserve()
    scribe.settle(id)
    scribe.append({"t": "void", "id": id, "at": 1, "why": "failed"})
    scribe.append({"t": "settle", "id": "0" * 32, "at": 1, "cost": 5})
    scribe.append(b"nothing")
    scribe.sync()
    assert await problems(None, folder) == {
        "settled or void twice": 1,
        "settled or void without a reserve": 1,
        "a record that means nothing": 1,
    }


async def test_damage_in_the_journal_is_found(folder: Path) -> None:
    scribe = Scribe(folder)
    for _ in range(3):
        scribe.pay()
        scribe.sync()
    scribe.close()
    _damage(folder)
    report: Report = await verify(None, folder)
    assert report.problems["damage in the journal"] == 1


def _damage(folder: Path) -> None:
    segment = sorted(folder.glob("*.log"))[0]
    content = bytearray(segment.read_bytes())
    content[content.index(b"req-") + 5] ^= 1
    segment.write_bytes(content)
