"""A provider's word closes what was left open, and what the two do not agree on is told."""

from pathlib import Path
from typing import Any

from llmgw.books import reconcile
from llmgw.books.drain import Drain
from llmgw.books.reconcile import Result
from llmgw.books.usage_export import Billed
from llmgw.store import ledger
from llmgw.store.database import Store
from llmgw.store.entries import Entry
from llmgw.store.ids import now
from tests.integration.books.scribe import Scribe
from tests.integration.books.sums import Books, books

DAY = 86_400_000_000


def price(row: Entry, line: Billed) -> int | None:
    return None if line.output is None else 10 * line.output


def billed(request: str | None = None, **fields: Any) -> Billed:
    return Billed(**{"starts_at": 0, "ends_at": 0, "request": request} | fields)


async def drained(store: Store, folder: Path, scribe: Scribe) -> None:
    scribe.sync()
    drain = Drain(store, folder)
    while await drain.step():
        pass


async def died(store: Store, folder: Path, scribe: Scribe) -> None:
    """As the bookkeeper books what a dead worker left."""
    await drained(store, folder, scribe)
    async with store.begin() as tx:
        await ledger.mark_unsettled(tx, scribe.writer)


async def compared(store: Store, lines: list[Billed], covers: tuple[int, int] | None = None) -> Result:
    async with store.read() as tx:
        return await reconcile.by_request(tx, lines, price, covers=covers, provider=None)


async def close(store: Store, folder: Path, scribe: Scribe, result: Result) -> None:
    for record in result.records:
        scribe.append(record)
    await drained(store, folder, scribe)


async def test_books_that_agree_agree(store: Store, folder: Path, scribe: Scribe) -> None:
    scribe.settle(scribe.reserve(request="r1"), 70)
    await drained(store, folder, scribe)
    result = await compared(store, [billed("r1", cost=70)])
    assert (result.state, result.matched, result.booked, result.billed) == ("agrees", 1, 70, 70)


async def test_an_open_attempt_is_closed_at_what_was_billed(
    store: Store, folder: Path, scribe: Scribe
) -> None:
    scribe.reserve(900, request="r1")
    await died(store, folder, scribe)
    result = await compared(store, [billed("r1", input=5, output=3)])
    assert result.state == "closed"
    await close(store, folder, scribe, result)
    assert await books(store) == Books(settled=1, cost=30)


async def test_an_open_attempt_that_was_not_billed_is_void_if_the_export_is_complete(
    store: Store, folder: Path, scribe: Scribe
) -> None:
    scribe.reserve(900, request="r1")
    await died(store, folder, scribe)
    assert (await compared(store, [billed("other", cost=1)])).records == []
    result = await compared(store, [billed("other", cost=1)], (0, 2**62))
    await close(store, folder, scribe, result)
    assert await books(store) == Books(void=1)


async def test_of_several_attempts_the_settled_one_takes_its_own_line(
    store: Store, folder: Path, scribe: Scribe
) -> None:
    scribe.reserve(900, request="r1", attempt=1)
    scribe.settle(scribe.reserve(request="r1", attempt=2), 70)
    await died(store, folder, scribe)
    result = await compared(store, [billed("r1", cost=55), billed("r1", cost=70)])
    assert result.differences == []
    await close(store, folder, scribe, result)
    assert await books(store) == Books(settled=2, cost=125)


async def test_differences_are_told(store: Store, folder: Path, scribe: Scribe) -> None:
    scribe.settle(scribe.reserve(request="r1"), 70)
    await drained(store, folder, scribe)
    lines = [billed("r1", cost=71), billed("r1", cost=5), billed("unknown", cost=9)]
    result = await compared(store, lines)
    assert [(each.what, each.booked, each.billed) for each in result.differences] == [
        ("the costs differ", 70, 71),
        ("billed once more than it was sent", None, 5),
        ("billed, and unknown here", None, 9),
    ]
    assert (result.booked, result.billed) == (70, 85)


async def test_the_providers_own_id_of_a_request_is_known(store: Store, folder: Path, scribe: Scribe) -> None:
    scribe.settle(scribe.reserve(), 70, upstream_id="chatcmpl-1")
    await drained(store, folder, scribe)
    assert (await compared(store, [billed("chatcmpl-1", cost=70)])).matched == 1


async def test_without_ids_days_are_compared_and_open_attempts_share_the_rest(
    store: Store, folder: Path, scribe: Scribe
) -> None:
    scribe.settle(scribe.reserve(), 70)
    for held in (100, 300):
        scribe.reserve(held)
    await died(store, folder, scribe)
    day = now() // DAY * DAY
    line = billed(starts_at=day, ends_at=day + DAY, model="gpt-4o", cost=172)
    async with store.read() as tx:
        result = await reconcile.by_day(tx, [line])
    assert result.state == "closed"
    await close(store, folder, scribe, result)
    assert await books(store) == Books(settled=3, cost=172)
