"""What drivers raise, in the words of the store; and a deadline on everything that is waited for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import (
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as NoConnection

from llmgw.store.errors import Conflict, StoreError, StoreMisfit, StoreUnavailable

_NO_TABLE = ("no such table", "no such column", "has no column named")
_NO_TABLE_STATES = ("42P01", "42703")
_DOWN = (OperationalError, InterfaceError)


@asynccontextmanager
async def within(seconds: float, what: str) -> AsyncIterator[None]:
    """Turn what a driver raises, or does not do in time, into an error of the store.

    Raises:
        StoreUnavailable: it takes longer than `seconds`, or the database cannot be used now.
        Conflict: a constraint says no.
        StoreMisfit: a table is not there.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise StoreUnavailable(f"the database did not {what} within {seconds:g} s") from None
    except NoConnection:
        raise StoreUnavailable("all connections to the database are in use") from None
    except SQLAlchemyError as error:
        raise translated(error) from error
    except OSError as error:
        raise StoreUnavailable(f"the database cannot be reached: {error.strerror or error}") from error


def translated(error: SQLAlchemyError) -> StoreError:
    """The store's error for one of SQLAlchemy's."""
    reason = _reason(error)
    if _is_misfit(error, reason):
        return StoreMisfit("the database is not at this version's tables: run llmgw db upgrade")
    if isinstance(error, IntegrityError):
        return Conflict(f"the database refuses it: {reason}")
    if isinstance(error, ProgrammingError):
        return StoreError(f"the database does not understand: {reason}")
    if isinstance(error, _DOWN) or (isinstance(error, DBAPIError) and error.connection_invalidated):
        return StoreUnavailable(f"the database cannot be used: {reason}")
    return StoreUnavailable(f"the database fails: {reason}")


def _is_misfit(error: SQLAlchemyError, reason: str) -> bool:
    """Whether a table or column is not there."""
    state = getattr(error.orig, "sqlstate", None) if isinstance(error, DBAPIError) else None
    return state in _NO_TABLE_STATES or any(words in reason for words in _NO_TABLE)


def _reason(error: SQLAlchemyError) -> str:
    """The driver's own words, in one line and without what was asked: that may hold personal data."""
    origin = error.orig if isinstance(error, DBAPIError) else None
    words = str(origin or type(error).__name__).splitlines()
    return words[0][:300] if words else type(error).__name__
