"""Statements for many rows: prepared once, and run with tuples, past all that costs time for each row."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

import orjson
from sqlalchemy import BindParameter, Dialect, Table, bindparam, insert, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql import ClauseElement

from llmgw.store.tables import SUMS, Json
from llmgw.store.transaction import Transaction

_OLD_ID = "old_id"


async def insert_rows(tx: Transaction, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add rows; columns that a row does not have are NULL."""
    statement, names = insertion(table, tx.connection.dialect, tuple(table.columns.keys()))
    await tx.many(statement, _tuples(table, names, rows))


async def update_rows(
    tx: Transaction, table: Table, rows: Sequence[Mapping[str, Any]], columns: tuple[str, ...] = ()
) -> None:
    """Write rows in the place of those with their ids: whole, or only these columns of them.

    A column that is not written costs no change of its indexes.
    """
    statement, names = _updating(table, tx.connection.dialect, columns or tuple(table.columns.keys()))
    await tx.many(statement, _tuples(table, names, [{**row, _OLD_ID: row["id"]} for row in rows]))


async def add_sums(tx: Transaction, table: Table, rows: Sequence[Sequence[Any]]) -> None:
    """Add amounts to sums; rows are in the order of the table's columns."""
    statement, names = _adding(table, tx.connection.dialect)
    order = [[column.name for column in table.columns].index(name) for name in names]
    pick = itemgetter(*order)
    await tx.many(statement, [pick(row) for row in rows])


def _tuples(table: Table, names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    """Values in the statement's order, JSON as text."""
    texts = [column.name for column in table.columns if isinstance(column.type, Json)]
    nothing: dict[str, Any] = dict.fromkeys(names)
    pick = itemgetter(*names)
    tuples = []
    for row in rows:
        values = {**nothing, **row}
        for name in texts:
            if values[name] is not None:
                values[name] = orjson.dumps(values[name]).decode()
        tuples.append(pick(values))
    return tuples


@lru_cache(maxsize=64)
def insertion(table: Table, dialect: Dialect, columns: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """The text of an insert of these columns, and their order in it."""
    return _prepared(insert(table).values({name: bindparam(name) for name in columns}), dialect)


@lru_cache(maxsize=64)
def _updating(table: Table, dialect: Dialect, columns: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    values: dict[str, BindParameter[Any]] = {name: bindparam(name) for name in columns}
    return _prepared(update(table).where(table.c.id == bindparam(_OLD_ID)).values(values), dialect)


@lru_cache(maxsize=64)
def _adding(table: Table, dialect: Dialect) -> tuple[str, tuple[str, ...]]:
    """An insert that adds where there is a row already."""
    make = postgresql.insert if dialect.name == "postgresql" else sqlite.insert
    statement = make(table).values(_parameters(table))
    sums = {name: table.c[name] + statement.excluded[name] for name in SUMS}
    keys = [column.name for column in table.primary_key.columns]
    return _prepared(statement.on_conflict_do_update(index_elements=keys, set_=sums), dialect)


def _parameters(table: Table) -> dict[str, BindParameter[Any]]:
    return {column.name: bindparam(column.name) for column in table.columns}


def _prepared(statement: ClauseElement, dialect: Dialect) -> tuple[str, tuple[str, ...]]:
    """The text of a statement, and the names of its parameters in order."""
    compiled = statement.compile(dialect=dialect)
    return str(compiled), tuple(compiled.positiontup or ())  # type: ignore[attr-defined]
