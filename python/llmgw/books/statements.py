"""Statements for many rows at once, in the words of each driver: SQLAlchemy's own cost more than the rows do."""

from collections.abc import Sequence
from functools import cache

from sqlalchemy import Table

from llmgw.store.tables import SUMS


@cache
def insert(kind: str, table: Table, columns: tuple[str, ...], *, if_new: bool = False) -> str:
    """Insert rows of these columns; with `if_new`, only those whose key is not there yet."""
    names = ", ".join(columns)
    end = " ON CONFLICT DO NOTHING" if if_new else ""
    return f"INSERT INTO {table.name} ({names}) VALUES ({_places(kind, len(columns))}){end}"  # noqa: S608


@cache
def replace(kind: str, table: Table, columns: tuple[str, ...]) -> str:
    """Insert rows, or put them in the place of those that have their key."""
    key = [column.name for column in table.primary_key]
    changes = ", ".join(f"{name} = excluded.{name}" for name in columns if name not in key)
    return f"{insert(kind, table, columns)} ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes}"


@cache
def add(kind: str, table: Table) -> str:
    """Add figures to rows of sums, which are made if need be."""
    key = [column.name for column in table.primary_key]
    changes = ", ".join(f"{name} = {table.name}.{name} + excluded.{name}" for name in SUMS)
    start = insert(kind, table, tuple(column.name for column in table.columns))
    return f"{start} ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes}"


@cache
def update(kind: str, table: Table, columns: tuple[str, ...]) -> str:
    """Set these columns of rows; the values end with the id."""
    places = _each(kind, len(columns) + 1)
    changes = ", ".join(f"{name} = {place}" for name, place in zip(columns, places, strict=False))
    return f"UPDATE {table.name} SET {changes} WHERE id = {places[-1]}"  # noqa: S608 - names of our own


def _places(kind: str, count: int) -> str:
    return ", ".join(_each(kind, count))


def _each(kind: str, count: int) -> Sequence[str]:
    if kind == "postgresql":
        return [f"${number}" for number in range(1, count + 1)]
    return ["?"] * count
