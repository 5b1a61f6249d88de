"""The ledger: a row for every attempt and for every request that was answered without one."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
import sqlalchemy as sa

from llmgw.store import bulk
from llmgw.store.booking import OPEN, Row, book
from llmgw.store.records import LedgerRecord
from llmgw.store.sums import Deltas
from llmgw.store.tables import ledger as table
from llmgw.store.tables import organisations, repricings, rollups, tag_rollups, teams, totals
from llmgw.store.transaction import Transaction

_LOCK = 0x6C6564676572  # "ledger"
_IDS_AT_ONCE = 1000
_INDEXED = tuple(
    dict.fromkeys(
        column.name for index in table.indexes for column in index.columns if column.name != "state"
    )
)
"""What an attempt is found by: told when it begins, and the same ever after."""
_REST = tuple(column.name for column in table.columns if column.name not in _INDEXED)


class Booked(msgspec.Struct, frozen=True):
    """What became of a batch."""

    added: int
    """Rows that are new."""
    changed: int
    """Rows that were there, and went on."""
    known: int
    """Records that said nothing new."""


async def enter(tx: Transaction, records: Iterable[LedgerRecord], writer: str | None = None) -> Booked:
    """Book records, in their order, and add to every sum what they change, in this transaction.

    It may be done again with the same records, also with some of them: what is booked is not booked twice.
    `writer` is the journal that they come from.
    """
    await _alone(tx)
    batch = list(records)
    before = await _rows_of(tx, {record.id for record in batch})
    margins = await _margins(tx)
    after: dict[str, Row] = {}
    known = 0
    for record in batch:
        row = book(after.get(record.id) or before.get(record.id), record, writer, margins)
        if row is None:
            known += 1
        else:
            after[record.id] = row
    await _write(tx, before, list(after.values()))
    added = sum(id not in before for id in after)
    return Booked(added, len(after) - added, known)


async def mark_unsettled(tx: Transaction, writer: str) -> int:
    """Say of what a dead writer left open that nobody will settle it; it stays booked at what was held."""
    mine = sa.and_(table.c.state == OPEN, table.c.writer == writer)
    result = await tx.execute(sa.update(table).where(mine).values(price_status="unsettled"))
    return result.rowcount


async def reprice(
    tx: Transaction, job_id: str, prices: Mapping[str, tuple[int, str]], made: Sequence[tuple[str, int]]
) -> int:
    """Note what attempts would have cost: `prices` by ledger id, cost and source. The first cost stays.

    `made` are the ids and times of the rows in `repricings`, one for each. How many attempts there were.
    """
    await _alone(tx)
    before = {id: row for id, row in (await _rows_of(tx, set(prices))).items() if row["state"] == "settled"}
    after = [{**row, "repriced_cost": prices[id][0]} for id, row in before.items()]
    await _write(tx, before, after)
    notes = [
        {
            "id": id,
            "ledger_id": row["id"],
            "job_id": job_id,
            "at": at,
            "cost": row["cost"],
            "repriced_cost": row["repriced_cost"],
            "price_source": prices[row["id"]][1],
        }
        for row, (id, at) in zip(after, made, strict=False)
    ]
    await bulk.insert_rows(tx, repricings, notes)
    return len(after)


async def _write(tx: Transaction, before: Mapping[str, Row], after: Sequence[Row]) -> None:
    """Rows and the sums that they change."""
    deltas = Deltas()
    for row in after:
        deltas.change(before.get(row["id"]), row)
    await bulk.insert_rows(tx, table, [row for row in after if row["id"] not in before])
    changed = [row for row in after if row["id"] in before]
    same = [row for row in changed if all(row[name] == before[row["id"]][name] for name in _INDEXED)]
    await bulk.update_rows(tx, table, same, _REST)
    written = {row["id"] for row in same}
    # What is told of an attempt may come after its end.
    await bulk.update_rows(tx, table, [row for row in changed if row["id"] not in written])
    await bulk.add_sums(tx, rollups, deltas.hours())
    await bulk.add_sums(tx, tag_rollups, deltas.tags())
    await bulk.add_sums(tx, totals, deltas.days())


async def _alone(tx: Transaction) -> None:
    """Only one transaction books at a time, so that a row that was read is the row that is changed."""
    if tx.kind == "postgresql":  # SQLite's have the whole file
        await tx.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)").bindparams(lock=_LOCK))


async def _rows_of(tx: Transaction, ids: set[str]) -> dict[str, Row]:
    found: dict[str, Row] = {}
    wanted = sorted(ids)
    for start in range(0, len(wanted), _IDS_AT_ONCE):
        query = sa.select(table).where(table.c.id.in_(wanted[start : start + _IDS_AT_ONCE]))
        found |= {row.id: dict(row._mapping) for row in await tx.rows(query)}
    return found


async def _margins(tx: Transaction) -> dict[str, int]:
    """The parts per million of the teams and organisations that have a margin."""
    parts = [
        sa.select(each.c.id, each.c.margin_ppm).where(each.c.margin_ppm != 0)
        for each in (teams, organisations)
    ]
    return {row.id: row.margin_ppm for row in await tx.rows(sa.union_all(*parts))}
