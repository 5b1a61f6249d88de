"""Lists by numbered pages, as LiteLLM has them."""

from typing import Annotated, Any

import msgspec
import sqlalchemy as sa
from msgspec import Meta

from llmgw.endpoints.litellm.rows import Fields


class Pages(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The query of a list."""

    page: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    page_size: Annotated[int, Meta(ge=1, le=100)] = 25


def where(table: sa.Table, **columns: Any) -> sa.ColumnElement[bool]:
    """The condition that these columns have these values; `None`: any."""
    parts = [table.c[name] == value for name, value in columns.items() if value is not None]
    return sa.and_(sa.true(), *parts)


def paged(name: str, items: list[Any], total: int, query: Pages) -> Fields:
    """A page, and where it stands."""
    return {
        name: items,
        "total": total,
        "page": query.page,
        "page_size": query.page_size,
        "total_pages": pages(total, query.page_size),
    }


def pages(total: int, size: int) -> int:
    """How many pages there are."""
    return -(-total // size)
