"""Reports by any dimension, month and currency, and what is priced once more beside its first price."""

import csv
import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from llmgw._native import PriceList
from llmgw.books import reprice
from llmgw.books.currency import Exchange, Rate
from llmgw.books.export import Format, write
from llmgw.books.reports import NoSuchDimension, SpendReport
from llmgw.store import tables
from llmgw.store.database import Store
from llmgw.store.entries import Window
from llmgw.store.ledger import enter
from llmgw.store.scope import Scope
from tests.integration.store.books import reserve, settle

DOLLARS = Exchange("USD", {})
EUROS = Exchange(
    "EUR", {"EUR": [Rate(date(2026, 1, 1), Decimal("0.5")), Rate(date(2026, 2, 10), Decimal(2))]}
)
PRICE = {
    "source": "another catalogue",
    "rates": {"input": 1000, "output": 2000},
    "tiers": [],
    "services": [],
    "units": {},
}


def at(month: int, day: int) -> int:
    return int(datetime(2026, month, day, 12, tzinfo=UTC).timestamp()) * 10**6


async def spend(store: Store, id: str, when: int, cost: int, **fields: Any) -> None:
    async with store.begin() as tx:
        await enter(tx, [reserve(id, when, **fields), settle(id, when + 1, cost=cost)])


async def report(store: Store, by: list[str], exchange: Exchange = DOLLARS) -> list[dict[str, Any]]:
    async with store.read() as tx:
        return await SpendReport(by, exchange).rows(tx, Scope.all(), Window())


@pytest.fixture
async def spent(store: Store) -> Store:
    await spend(store, "1", at(1, 5), 10**9)
    await spend(store, "2", at(2, 5), 2 * 10**9, team="team_b")
    await spend(store, "3", at(2, 20), 3 * 10**9, team="team_b", tags=("x", "y"))
    return store


async def test_spend_is_told_by_team_and_month(spent: Store) -> None:
    rows = await report(spent, ["team", "month"])
    assert [(row["month"], row["team"], row["cost"]) for row in rows] == [
        ("2026-01", "team_a", "1"),
        ("2026-02", "team_b", "5"),
    ]


async def test_spend_by_tag_counts_under_each(spent: Store) -> None:
    rows = await report(spent, ["tag"])
    assert {row["tag"]: row["cost"] for row in rows} == {"batch": "3", "x": "3", "y": "3"}


async def test_each_day_has_its_own_rate(spent: Store) -> None:
    rows = await report(spent, ["month"], EUROS)
    assert [(row["month"], row["currency"], row["cost"]) for row in rows] == [
        ("2026-01", "EUR", "0.5"),
        ("2026-02", "EUR", "7"),
    ]


async def test_without_a_time_all_is_one_line(spent: Store) -> None:
    (row,) = await report(spent, [], EUROS)
    assert (row["cost"], row["attempts"], row["input_tokens"]) == ("7.5", 3, 21)


async def test_what_is_not_summed_is_told() -> None:
    with pytest.raises(NoSuchDimension, match="by colour"):
        SpendReport(["colour"], DOLLARS)
    with pytest.raises(NoSuchDimension, match="one of"):
        SpendReport(["day", "month"], DOLLARS)


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
async def test_every_form_holds_the_same(spent: Store, tmp_path: Path, form: Format) -> None:
    rows = await report(spent, ["team"])
    file = tmp_path / "report"
    columns = ["team", "attempts", "cost"]
    write(rows, columns, form, file)
    assert _read(file, form) == [
        {"team": "team_b", "attempts": 2, "cost": "5"},
        {"team": "team_a", "attempts": 1, "cost": "1"},
    ]


def _read(file: Path, form: Format) -> list[dict[str, Any]]:
    if form == "parquet":
        parquet = pytest.importorskip("pyarrow.parquet")
        rows: list[dict[str, Any]] = parquet.read_table(file).to_pylist()
        return rows
    if form == "json":
        return [json.loads(line) for line in file.read_text().splitlines()]
    table = csv.DictReader(io.StringIO(file.read_text()))
    return [{**row, "attempts": int(row["attempts"])} for row in table]


def test_a_cell_is_never_a_formula(tmp_path: Path) -> None:
    file = tmp_path / "report"
    write([{"alias": "=1+1"}, {"alias": "-x"}], ["alias"], "csv", file)
    assert file.read_text().split() == ["alias", "'=1+1", "'-x"]


async def test_another_price_stands_beside_the_first(spent: Store) -> None:
    prices = PriceList(json.dumps(PRICE).encode())
    job = await reprice.begin(spent, Window(), None)
    told = await reprice.reprice(spent, job, lambda *_: prices)
    assert (told.attempts, told.changed, told.repriced_cost) == (3, 3, 39)
    async with spent.read() as tx:
        rows = await tx.rows(select(tables.ledger.c.cost, tables.ledger.c.repriced_cost))
        notes = await tx.rows(select(tables.repricings.c.cost, tables.repricings.c.price_source))
    assert sorted(map(tuple, rows)) == [(10**9, 13), (2 * 10**9, 13), (3 * 10**9, 13)]
    assert {note.price_source for note in notes} == {"another catalogue"}
    (row,) = await report(spent, [])
    assert (row["cost"], row["adjustment"]) == ("6", "-5.999999961")


async def test_the_same_prices_again_change_nothing(spent: Store) -> None:
    prices = PriceList(json.dumps(PRICE).encode())
    for changed in (3, 0):
        job = await reprice.begin(spent, Window(), None)
        assert (await reprice.reprice(spent, job, lambda *_: prices)).changed == changed
