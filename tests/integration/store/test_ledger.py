"""What the ledger says after records were booked in any order, any number of times."""

import random
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmgw.store import entries, ledger, organisations, positions, repricings, rollups, tables, teams
from llmgw.store.booking import book
from llmgw.store.database import Store, StoreUnavailable
from llmgw.store.entries import Window
from llmgw.store.noun import Refused
from llmgw.store.organisations import Organisation
from llmgw.store.paging import Paging
from llmgw.store.records import LedgerRecord
from llmgw.store.rollups import Sums
from llmgw.store.scope import Scope
from llmgw.store.sums import HOUR
from llmgw.store.teams import Team
from tests.integration.store.books import NOON, all_sums, hit, reserve, settle, void


async def enter(store: Store, *records: LedgerRecord, writer: str | None = "w1") -> ledger.Booked:
    async with store.begin() as tx:
        return await ledger.enter(tx, records, writer)


async def entry(store: Store, id: str) -> entries.Entry:
    async with store.read() as tx:
        found = await entries.get(tx, Scope.all(), id)
    assert found is not None
    return found


async def test_an_attempt_is_open_until_it_is_settled(store: Store) -> None:
    await enter(store, reserve("a"))
    assert await all_sums(store) == Sums(attempts=1, open=1, held=500)
    await enter(store, settle("a"))
    settled = Sums(attempts=1, settled=1, cost=200, charged=200, input_tokens=7, output_tokens=3)
    assert await all_sums(store) == settled


async def test_what_was_never_sent_costs_nothing(store: Store) -> None:
    await enter(store, reserve("a"), void("a"))
    assert await all_sums(store) == Sums(attempts=1, void=1)
    assert (await entry(store, "a")).why == "unreachable"


async def test_a_batch_that_comes_again_is_known(store: Store) -> None:
    batch: list[LedgerRecord] = [reserve("a"), settle("a"), hit("b"), reserve("c")]
    assert await enter(store, *batch) == ledger.Booked(added=3, changed=0, known=0)
    once = await all_sums(store)
    assert await enter(store, *batch) == ledger.Booked(added=0, changed=0, known=4)
    assert await all_sums(store) == once


async def test_the_first_end_counts(store: Store) -> None:
    await enter(store, reserve("a"), settle("a", cost=200), settle("a", cost=900), void("a"))
    await enter(store, settle("a", cost=900), void("a"))
    assert (await entry(store, "a")).cost == 200


async def test_an_end_without_a_beginning_is_money_all_the_same(store: Store) -> None:
    await enter(store, settle("a"))
    assert (await all_sums(store)).cost == 200
    await enter(store, reserve("a"))
    async with store.read() as tx:
        by_key = await rollups.report(tx, Scope.all(), Window(), by=["key_id"])
    assert [(line.by, line.sums.cost) for line in by_key if line.sums.cost] == [({"key_id": "key_a"}, 200)]
    assert (await all_sums(store)).cost == 200


async def test_a_failed_transaction_leaves_neither_rows_nor_sums_nor_position(store: Store) -> None:
    with pytest.raises(RuntimeError, match="cut"):
        async with store.begin() as tx:
            await ledger.enter(tx, [reserve("a"), settle("a")], "w1")
            await positions.advance(tx, "w1", 2)
            raise RuntimeError("cut")
    assert await all_sums(store) == Sums()
    async with store.read() as tx:
        assert await entries.get(tx, Scope.all(), "a") is None
        assert await positions.find(tx, "w1") is None


async def test_a_position_never_goes_back(store: Store) -> None:
    async with store.begin() as tx:
        assert [await positions.advance(tx, "w1", n, {"n": n}) for n in (5, 9, 7)] == [True, True, False]
        found = await positions.find(tx, "w1")
    assert found is not None
    assert (found.sequence, found.place) == (9, {"n": 9})


async def test_margins_of_team_and_organisation_add_up(store: Store) -> None:
    async with store.begin() as tx:
        tenant = Organisation(name="acme", margin_ppm=100_000)
        organisation = await organisations.create(tx, Scope.all(), tenant)
        mine = Team(name="core", organisation_id=organisation.id, margin_ppm=100_000)
        team = await teams.create(tx, Scope.all(), mine)
    await enter(store, reserve("a", team=team.id, organisation=organisation.id), settle("a", cost=1_000))
    assert (await entry(store, "a")).charged == 1_200


async def test_tags_are_summed_apart(store: Store) -> None:
    await enter(store, reserve("a", tags=("x", "y")), settle("a"), reserve("b", tags=("y",)), settle("b"))
    async with store.read() as tx:
        lines = await rollups.report(tx, Scope.all(), Window(), by=["tag"])
        days = await rollups.of_days(tx, Scope.all(), "tag", ["x", "y", "z"], Window())
    assert {line.by["tag"]: line.sums.cost for line in lines} == {"x": 200, "y": 400}
    assert {tag: sums.cost for tag, sums in days.items()} == {"x": 200, "y": 400}


async def test_months_are_made_of_days_in_utc(store: Store) -> None:
    last_of_september, first_of_october = 1_790_812_799_000_000, 1_790_812_800_000_000
    await enter(store, reserve("a", at=last_of_september), settle("a"))
    await enter(store, reserve("b", at=first_of_october), settle("b"))
    async with store.read() as tx:
        lines = await rollups.report(tx, Scope.all(), Window(), grain="month")
    assert [(line.at, line.sums.cost) for line in lines] == [
        (1_788_220_800_000_000, 200),
        (1_790_812_800_000_000, 200),
    ]


async def test_a_report_of_more_lines_than_are_wanted_is_refused(store: Store) -> None:
    await enter(store, *(reserve(str(n), at=NOON + n * HOUR) for n in range(3)))
    async with store.read() as tx:
        assert len(await rollups.report(tx, Scope.all(), Window(), grain="hour", most=3)) == 3
        with pytest.raises(Refused):
            await rollups.report(tx, Scope.all(), Window(), grain="hour", most=2)


async def test_a_report_takes_whole_hours(store: Store) -> None:
    hour = NOON - NOON % HOUR
    await enter(store, *(reserve(str(n), at=hour + n * HOUR) for n in range(4)))
    async with store.read() as tx:
        window = Window(since=hour + HOUR + 1, until=hour + 3 * HOUR)
        lines = await rollups.report(tx, Scope.all(), window, grain="hour")
    assert [line.at for line in lines] == [hour + HOUR, hour + 2 * HOUR]


async def test_a_later_price_leaves_both_visible(store: Store) -> None:
    await enter(store, reserve("a"), settle("a", cost=200), reserve("b"))
    async with store.begin() as tx:
        assert await repricings.create(tx, "job_1", {"a": (260, "prices 2"), "b": (9, "prices 2")}) == 1
        assert await repricings.create(tx, "job_1", {"a": (260, "prices 2")}) == 0
        notes = await repricings.of_entry(tx, "a")
    found = await entry(store, "a")
    assert (found.cost, found.repriced_cost) == (200, 260)
    assert [(note.cost, note.repriced_cost) for note in notes] == [(200, 260)]
    sums = await all_sums(store)
    assert (sums.cost, sums.adjustment) == (200, 60)


async def test_what_a_dead_writer_left_open_is_told(store: Store) -> None:
    await enter(store, reserve("a"), reserve("b"), settle("b"), writer="dead")
    await enter(store, reserve("c"), writer="alive")
    async with store.begin() as tx:
        assert [each.id for each in await entries.open_of(tx, "dead")] == ["a"]
        assert await ledger.mark_unsettled(tx, "dead") == 1
        still = await entries.open_before(tx, Scope.all(), NOON + 1)
    assert [(each.id, each.price_status) for each in still] == [("a", "unsettled"), ("c", None)]
    await enter(store, settle("a", price="reconciled"))
    assert (await entry(store, "a")).price_status == "reconciled"


async def test_pages_hold_every_row_once(store: Store) -> None:
    await enter(store, *(reserve(f"{n:02}", at=NOON + n // 3) for n in range(10)))
    seen: list[str] = []
    cursor = None
    while True:
        async with store.read() as tx:
            paging = Paging(limit=3, cursor=cursor, newest_first=True)
            page = await entries.page(tx, Scope.all(), paging, {"key_id": "key_a"})
        seen += [each.id for each in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert seen == [f"{n:02}" for n in reversed(range(10))]


async def test_a_caller_sees_the_rows_of_its_nodes_once_each(store: Store) -> None:
    await enter(store, reserve("a", organisation="o1", team="t1"), reserve("b", organisation="o1", team="t2"))
    await enter(store, reserve("c", organisation="o2", team="t3"), reserve("d", organisation="o3", team="t4"))
    scope = Scope(organisations=frozenset({"o1"}), teams=frozenset({"t1", "t3"}))
    async with store.read() as tx:
        page = await entries.page(tx, scope, Paging())
        of_key = await entries.page(tx, scope, Paging(), {"key_id": "key_a"})
        foreign = await entries.page(tx, scope, Paging(), {"team_id": "t4"})
        nothing = await entries.page(tx, Scope.none(), Paging())
        lines = await rollups.report(tx, scope, Window(), by=["team_id"])
        tags = await rollups.report(tx, scope, Window(), by=["tag"])
        assert await entries.get(tx, scope, "d") is None
    assert [each.id for each in page.items] == ["a", "b", "c"]
    assert [each.id for each in of_key.items] == ["a", "b", "c"]
    assert [*foreign.items, *nothing.items] == []
    assert sorted(line.by["team_id"] for line in lines) == ["t1", "t2", "t3"]
    assert [line.sums.attempts for line in tags] == [3]


async def test_sums_of_what_is_not_a_node_are_the_platforms(store: Store) -> None:
    scope = Scope(teams=frozenset({"team_a"}))
    await enter(store, reserve("a"), settle("a"))
    async with store.read() as tx:
        with pytest.raises(Refused):
            await rollups.of_days(tx, scope, "provider", ["openai"], Window())
        mine = await rollups.of_days(tx, scope, "team_id", ["team_a", "team_b"], Window())
        theirs = await rollups.of_days(tx, scope, "organisation_id", ["org_a"], Window())
    assert {name: sums.cost for name, sums in mine.items()} == {"team_a": 200}
    assert theirs == {}


async def test_the_largest_come_first(store: Store) -> None:
    await enter(
        store, reserve("a", group="x"), settle("a", cost=1), reserve("b", group="y"), settle("b", cost=2)
    )
    async with store.read() as tx:
        found = await rollups.largest(tx, Scope.all(), "model_group", Window())
    assert [(name, sums.cost) for name, sums in found] == [("y", 2), ("x", 1)]


async def test_a_rolling_window_is_summed_from_the_rows(store: Store) -> None:
    await enter(store, reserve("a"), settle("a", cost=200), reserve("b", at=NOON + 50, held=30))
    async with store.read() as tx:
        assert await entries.spent(tx, "key_id", "key_a", Window(since=NOON)) == 230
        assert await entries.spent(tx, "key_id", "key_a", Window(since=NOON + 1)) == 30


def _records() -> st.SearchStrategy[list[LedgerRecord]]:
    ids = st.sampled_from(["a", "b", "c"])
    cost = st.integers(0, 1000)
    kinds: list[st.SearchStrategy[LedgerRecord]] = [
        st.builds(lambda i, h, k: reserve(i, held=h, key=k), ids, cost, st.sampled_from(["k1", "k2"])),
        st.builds(lambda i, c: settle(i, cost=c), ids, cost),
        st.builds(void, ids),
        st.builds(hit, st.sampled_from(["d", "e"])),
    ]
    return st.lists(st.one_of(kinds), max_size=12)


def _model(records: list[LedgerRecord]) -> dict[str, Any]:
    """The rows as the rules make them one by one, without a database."""
    rows: dict[str, Any] = {}
    for record in records:
        row = book(rows.get(record.id), record, None, {})
        if row is not None:
            rows[record.id] = row
    return rows


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records=_records(), seed=st.integers(0, 1000))
async def test_however_records_are_cut_into_batches_the_sums_are_those_of_the_rows(
    store: Store, records: list[LedgerRecord], seed: int
) -> None:
    async with store.begin() as tx:
        for table in (tables.ledger, tables.rollups, tables.tag_rollups, tables.totals):
            await tx.execute(sa.delete(table))
    cuts = random.Random(seed)
    rest = list(records)
    while rest:
        size = cuts.randint(1, len(rest))
        await enter(store, *rest[:size])
        if cuts.random() < 0.3:  # the process died after the commit, and reads on from before it
            await enter(store, *rest[:size])
        rest = rest[size:]
    rows = _model(records).values()
    sums = await all_sums(store)
    assert sums.cost == sum(row.get("cost") or 0 for row in rows)
    assert sums.held == sum(row["held"] for row in rows if row["state"] == "open" and row.get("held"))
    assert sums.attempts + sums.calls == len(rows)


async def test_a_store_that_failed_is_up_again_with_its_next_answer(store: Store) -> None:
    with pytest.raises(StoreUnavailable):
        async with store.begin() as tx:
            await ledger.enter(tx, [reserve("a")])
            raise StoreUnavailable("gone")
    assert not store.is_up
    assert await all_sums(store) == Sums()
    assert store.is_up
