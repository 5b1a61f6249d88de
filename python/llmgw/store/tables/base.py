"""What the tables are made of: the metadata, JSON in a text column, and columns that several tables have."""

from typing import Any

import orjson
from sqlalchemy import BigInteger, Boolean, Column, Dialect, ForeignKey, Integer, MetaData, Text, false, true
from sqlalchemy.types import TypeDecorator

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Json(TypeDecorator[Any]):
    """A JSON value as text, alike in every database; `None` is NULL, not `null`."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Text of a value."""
        return None if value is None else orjson.dumps(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """The value of a text."""
        return None if value is None else orjson.loads(value)


def own_id() -> Column[str]:
    """The primary key of a noun."""
    return Column("id", Text, primary_key=True)


def text(name: str, *, required: bool = False) -> Column[str]:
    """A text."""
    return Column(name, Text, nullable=not required)


def number(name: str, *, required: bool = False) -> Column[int]:
    """A whole number of 64 bits: money, tokens, times."""
    return Column(name, BigInteger, nullable=not required)


def tally(name: str) -> Column[int]:
    """A number that begins at 0."""
    return Column(name, BigInteger, nullable=False, server_default="0")


def flag(name: str, *, default: bool = False) -> Column[bool]:
    """Yes or no."""
    return Column(name, Boolean, nullable=False, server_default=true() if default else false())


def json(name: str) -> Column[Any]:
    """A JSON value, or none."""
    return Column(name, Json)


def reference(name: str, table: str, *, required: bool = False, cascade: bool = False) -> Column[str]:
    """The id of a row elsewhere, which then cannot go (`cascade`: which takes this one along)."""
    to = ForeignKey(f"{table}.id", ondelete="CASCADE" if cascade else "RESTRICT")
    return Column(name, Text, to, nullable=not required)


def edited() -> list[Column[int]]:
    """When a row was made and changed, and how often: the version makes ETags."""
    return [
        Column("created_at", BigInteger, nullable=False),
        Column("updated_at", BigInteger, nullable=False),
        Column("version", Integer, nullable=False, server_default="1"),
    ]


def policy() -> list[Column[Any]]:
    """What a node or key may do; NULL in a list means: not limited here."""
    lists = ("models", "endpoints", "networks", "regions", "guardrails", "tags", "metadata")
    return [
        *(json(name) for name in lists),
        json("limits"),
        json("budgets"),
        text("priority"),
        flag("blocked"),
    ]
