"""A transaction: statements with a deadline, and who is said to have asked for them."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from sqlalchemy import Executable, Row, Select
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncConnection

from llmgw.store.failures import within

_PIECE = 2000


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """Who does something: as events tell it."""

    kind: str
    """`master`, `key`, `user`, `service_account`, `jwt`, `cli` or `system`."""
    id: str | None = None
    name: str | None = None
    ip: str | None = None
    request: str | None = None
    """The id of the request by which it was asked for."""


SYSTEM = Actor(kind="system", name="llmgw")
"""The gateway itself."""


class Transaction:
    """One transaction of a `Store`; its statements raise the store's errors only."""

    def __init__(self, connection: AsyncConnection, actor: Actor, statement_seconds: float) -> None:
        self.actor = actor
        self.connection = connection
        self.events: list[dict[str, Any]] = []
        """The events that were recorded in it: once it is committed, for the journal."""
        self._seconds = statement_seconds
        self._interrupting: set[asyncio.Task[None]] = set()
        # Longer than the server's own deadline, so that it is the server that says no while it can.
        self._patience = statement_seconds + 1.0

    @property
    def kind(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.connection.dialect.name

    async def execute(self, statement: Executable) -> CursorResult[Any]:
        """Run one statement; its rows are all here then."""
        async with self._deadline():
            return await self.connection.execute(statement)

    async def rows(self, statement: Executable) -> Sequence[Row[Any]]:
        """All rows of a query."""
        return (await self.execute(statement)).all()

    async def first(self, statement: Executable) -> Row[Any] | None:
        """The first row of a query."""
        return (await self.execute(statement)).first()

    async def value(self, statement: Executable) -> Any:
        """The first column of the first row; `None` without one."""
        return (await self.execute(statement)).scalar()

    async def stream(self, statement: Select[Any], piece: int = _PIECE) -> AsyncIterator[Sequence[Row[Any]]]:
        """The rows of a query in pieces, however many there are, without holding them all."""
        async with self._deadline():
            result = await self.connection.stream(statement)
        while True:
            async with self._deadline():
                rows = await result.fetchmany(piece)
            if not rows:
                return
            yield rows

    async def many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one prepared statement for many rows of values in the driver's form."""
        values = [tuple(row) for row in rows]
        if values:
            async with self._deadline():
                await self.connection.exec_driver_sql(statement, values)

    @asynccontextmanager
    async def _deadline(self) -> AsyncIterator[None]:
        """SQLite has no deadline of its own, and its thread hears of no cancelled task: it is interrupted."""
        timer = None
        if self.kind == "sqlite":
            driver = (await self.connection.get_raw_connection()).driver_connection
            timer = asyncio.get_running_loop().call_later(self._seconds, self._interrupt, driver)
        try:
            async with within(self._patience, "answer"):
                yield
        finally:
            if timer is not None:
                timer.cancel()

    def _interrupt(self, driver: Any) -> None:
        task = asyncio.ensure_future(driver.interrupt())
        self._interrupting.add(task)
        task.add_done_callback(self._interrupting.discard)
