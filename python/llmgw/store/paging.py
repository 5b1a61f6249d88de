"""Lists in pages, cut by time and id of a row: none is skipped or shown twice while others come and go."""

import base64
import re
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy import ColumnElement, Select, literal, tuple_

from llmgw.store.errors import StoreError

LARGEST = 1000
_CURSOR = re.compile("([0-9]{1,18}):([\x21-\x7e]{1,200})")

T = TypeVar("T")


class BadCursor(StoreError):
    """The cursor is none that was handed out."""


class Paging(msgspec.Struct, frozen=True, kw_only=True):
    """Which page is wanted."""

    limit: int = 100
    """Rows, at most 1000."""
    cursor: str | None = None
    """`next` of the page before."""
    newest_first: bool = False


class Page(msgspec.Struct, Generic[T], frozen=True):
    """A page of a list."""

    items: Sequence[T]
    next: str | None
    """The cursor of the next page; `None` on the last."""


def paged(query: Select[Any], at: ColumnElement[int], id: ColumnElement[str], paging: Paging) -> Select[Any]:
    """The query for one page, and a row more that tells whether another follows.

    Raises:
        BadCursor: the cursor is none.
    """
    limit = max(1, min(paging.limit, LARGEST))
    if paging.cursor is not None:
        last = tuple_(*(literal(value) for value in read_cursor(paging.cursor)))
        here = tuple_(at, id)
        query = query.where(here < last if paging.newest_first else here > last)
    order = (at.desc(), id.desc()) if paging.newest_first else (at, id)
    return query.order_by(*order).limit(limit + 1)


def page_of(items: Sequence[T], paging: Paging, at: str = "created_at") -> Page[T]:
    """The page, of what `paged` fetched."""
    limit = max(1, min(paging.limit, LARGEST))
    if len(items) <= limit:
        return Page(items, None)
    last = items[limit - 1]
    return Page(items[:limit], make_cursor(getattr(last, at), last.id))  # type: ignore[attr-defined]


def make_cursor(at: int, id: str) -> str:
    """The cursor behind this row."""
    return base64.urlsafe_b64encode(f"{at}:{id}".encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[int, str]:
    """Time and id of the row that the cursor is behind.

    Raises:
        BadCursor: it is none.
    """
    padding = "=" * (-len(cursor) % 4)
    try:
        text = base64.b64decode(cursor + padding, altchars=b"-_", validate=True).decode()
    except ValueError:
        text = ""
    match = _CURSOR.fullmatch(text)
    if match is None:
        raise BadCursor("the cursor is none that was handed out")
    return int(match[1]), match[2]
