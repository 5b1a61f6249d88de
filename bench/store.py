"""How fast the store is with much in it: keys for the directory, records to book, lists to show.

    python bench/store.py --keys 200000 --rows 1000000 [--url postgresql://…]

It builds the data in a folder that is removed, and prints a JSON object of figures.
"""

import argparse
import asyncio
import json
import random
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from statistics import median
from typing import Any, NamedTuple

from llmgw.store import bulk, entries, events, keys, ledger, rollups, tables, upgrade
from llmgw.store.database import Store
from llmgw.store.entries import Window
from llmgw.store.paging import Paging, make_cursor
from llmgw.store.records import LedgerRecord, Reserve, Settle
from llmgw.store.scope import Scope

BATCH = 5_000
TEAMS = 500
MONTH = 30 * 24 * 3600 * 1_000_000
START = 1_790_000_000_000_000
LISTS = 20


def key_rows(count: int) -> list[dict[str, Any]]:
    """Keys of teams of ten organisations."""
    common = {
        "version": 1,
        "blocked": False,
        "models": ["gpt-*"],
        "limits": [{"of": "requests", "amount": 60}],
    }
    return [
        {
            **common,
            "id": f"key_{number:026}",
            "alias": f"key number {number}",
            "team_id": f"team_{number % TEAMS:026}",
            "organisation_id": f"org_{number % 10:026}",
            "created_at": START + number,
            "updated_at": START + number,
        }
        for number in range(count)
    ]


async def fill_nodes(store: Store) -> None:
    common = {"version": 1, "blocked": False, "margin_ppm": 0, "created_at": START, "updated_at": START}
    organisations = [{**common, "id": f"org_{n:026}", "name": f"org {n}"} for n in range(10)]
    teams = [
        {**common, "id": f"team_{n:026}", "name": f"team {n}", "organisation_id": f"org_{n % 10:026}"}
        for n in range(TEAMS)
    ]
    async with store.begin() as tx:
        await bulk.insert_rows(tx, tables.organisations, organisations)
        await bulk.insert_rows(tx, tables.teams, teams)


async def fill_keys(store: Store, count: int) -> None:
    rows = key_rows(count)
    for start in range(0, count, BATCH):
        piece = rows[start : start + BATCH]
        digests = [
            {"digest": f"{row['id']:0>64}", "key_id": row["id"], "valid_until": None, "created_at": START}
            for row in piece
        ]
        async with store.begin() as tx:
            await bulk.insert_rows(tx, tables.keys, piece)
            await bulk.insert_rows(tx, tables.key_digests, digests)


def batches(rows: int, keys_: int, chance: random.Random) -> Iterator[list[LedgerRecord]]:
    """Reserve and settle of each attempt; a few keys make most of them, as it is."""
    for start in range(0, rows, BATCH):
        batch: list[LedgerRecord] = []
        for number in range(start, min(start + BATCH, rows)):
            key = min(int(chance.paretovariate(0.5)), keys_) - 1
            at = START + number * MONTH // rows
            deployment = number % 30
            identity: dict[str, Any] = {
                "request": f"req_{number:026}",
                "key": f"key_{key:026}",
                "alias": f"key number {key}",
                "team": f"team_{key % TEAMS:026}",
                "organisation": f"org_{key % 10:026}",
                "tags": ("nightly",) if number % 4 == 0 else (),
                "group": f"group-{deployment % 12}",
                "deployment": f"deployment-{deployment}",
                "provider": f"provider-{deployment % 5}",
            }
            id = f"{chance.getrandbits(128):032x}"
            batch.append(
                Reserve(id=id, at=at, endpoint="chat_completions", held=9_000, input=800, **identity)
            )
            usage = {"input": 800, "output": 200, "cache_read": 100}
            batch.append(Settle(id=id, at=at + 900_000, cost=4_000, price="priced", usage=usage, status=200))
        yield batch


class Taken(NamedTuple):
    """Seconds by the clock, and of CPU in all threads: on a busy machine the second says more."""

    wall: float
    cpu: float

    def rate(self, count: int) -> dict[str, int]:
        return {"wall": round(count / self.wall), "cpu": round(count / self.cpu)}


async def timed(run: Callable[[], Awaitable[object]]) -> Taken:
    wall, cpu = time.perf_counter(), time.process_time()
    await run()
    return Taken(time.perf_counter() - wall, time.process_time() - cpu)


async def plain_inserts(store: Store, rows: int) -> dict[str, int]:
    """Rows a second that the bare insert of the ledger takes, without sums."""
    made = [
        {
            "id": f"plain{number:027}",
            "kind": "attempt",
            "state": "settled",
            "at": START + number,
            "key_id": f"key_{number % 1000:026}",
            "team_id": f"team_{number % TEAMS:026}",
            "organisation_id": f"org_{number % 10:026}",
            "request_id": f"req_{number:026}",
            "cost": 4_000,
            "usage": {"audio": 3},
        }
        for number in range(rows)
    ]

    async def run() -> None:
        for start in range(0, rows, BATCH):
            async with store.begin() as tx:
                await bulk.insert_rows(tx, tables.ledger, made[start : start + BATCH])

    return (await timed(run)).rate(rows)


async def booking(store: Store, rows: int, keys_: int) -> dict[str, int]:
    """Attempts a second that are booked whole: reserve, settle, every sum."""
    wall = cpu = 0.0
    for batch in batches(rows, keys_, random.Random(7)):

        async def run(batch: list[LedgerRecord] = batch) -> None:
            async with store.begin() as tx:
                await ledger.enter(tx, batch, "bench")

        taken = await timed(run)
        wall, cpu = wall + taken.wall, cpu + taken.cpu
    return Taken(wall, cpu).rate(rows)


async def feeding(store: Store) -> dict[str, float]:
    """Seconds to read every key and its digests."""

    async def run() -> None:
        async with store.read() as tx:
            async for _ in keys.feed(tx):
                pass

    taken = await timed(run)
    return {"wall": round(taken.wall, 2), "cpu": round(taken.cpu, 2)}


async def lists(store: Store, keys_: int) -> dict[str, dict[str, float]]:
    """Milliseconds (median) of what admin lists ask."""
    chance = random.Random(3)
    team = frozenset({f"team_{5:026}"})
    scopes = {
        "platform": Scope.all(),
        "team": Scope(teams=team),
        "organisation": Scope(organisations=frozenset({f"org_{3:026}"})),
    }
    half = Paging(limit=100, cursor=_cursor(keys_ // 2))
    window = Window(since=START, until=START + MONTH)
    newest = Paging(limit=100, newest_first=True)
    asked: dict[str, Callable[[Any, Scope], Awaitable[object]]] = {
        "keys": lambda tx, scope: keys.page(tx, scope, Paging(limit=100)),
        "keys, half way": lambda tx, scope: keys.page(tx, scope, half),
        "keys, searched": lambda tx, scope: keys.page(
            tx, scope, Paging(limit=100), None, f"{chance.randrange(keys_)}"
        ),
        "keys, counted": keys.count,
        "ledger": lambda tx, scope: entries.page(tx, scope, newest),
        "ledger of a key": lambda tx, scope: entries.page(tx, scope, newest, {"key_id": f"key_{5:026}"}),
        "events": lambda tx, scope: events.page(tx, scope, newest),
        "spending of 100 keys": lambda tx, scope: rollups.of_days(
            tx, scope, "key_id", [f"key_{chance.randrange(keys_):026}" for _ in range(100)], window
        ),
    }
    figures = {}
    for name, ask in asked.items():
        for who, scope in scopes.items():
            figures[f"{name} ({who})"] = await _milliseconds(store, ask, scope)
    top = lambda tx, scope: rollups.largest(tx, scope, "key_id", window)  # noqa: E731
    figures["dearest keys of the month (platform)"] = await _milliseconds(store, top, Scope.all())
    day = Window(since=START + 10 * MONTH // 30, until=START + 11 * MONTH // 30)
    report = lambda tx, scope: rollups.report(tx, scope, day, by=["model_group"])  # noqa: E731
    figures["report of a day by group (platform)"] = await _milliseconds(store, report, Scope.all())
    return figures


async def _milliseconds(
    store: Store, ask: Callable[[Any, Scope], Awaitable[object]], scope: Scope
) -> dict[str, float]:
    times: list[Taken] = []
    for _ in range(LISTS):

        async def run() -> None:
            async with store.read() as tx:
                await ask(tx, scope)

        times.append(await timed(run))
    return {name: round(median(getattr(each, name) for each in times) * 1000, 1) for name in Taken._fields}


def _cursor(number: int) -> str:
    return make_cursor(START + number, f"key_{number:026}")


async def measure(url: str, keys_: int, rows: int) -> dict[str, Any]:
    store = Store.open(url, statement_seconds=120)
    await upgrade.upgrade(store)
    await fill_nodes(store)
    await fill_keys(store, keys_)
    figures: dict[str, Any] = {"store": store.kind, "keys": keys_, "ledger rows": rows}
    figures["seconds to feed all keys"] = await feeding(store)
    figures["plain ledger inserts a second"] = await plain_inserts(store, min(rows, 100_000))
    figures["attempts booked a second"] = await booking(store, rows, keys_)
    figures["milliseconds"] = await lists(store, keys_)
    await store.close()
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=200_000)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--url")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = options.url or f"sqlite:///{folder}/llmgw.db"
        print(json.dumps(asyncio.run(measure(url, options.keys, options.rows)), indent=2))


if __name__ == "__main__":
    main()
