"""The store: one database, and the transactions that everything happens in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from llmgw.store.engine import CONNECT_SECONDS, STATEMENT_SECONDS, WRITES, open_engine
from llmgw.store.errors import StoreError, StoreUnavailable
from llmgw.store.failures import within
from llmgw.store.transaction import SYSTEM, Actor, Transaction
from llmgw.store.urls import read_url, shown

__all__ = ["SYSTEM", "Actor", "Store", "StoreError", "StoreUnavailable", "Transaction"]


class Store:
    """One database. Made by `open`, for one event loop; nothing is connected before it is used."""

    def __init__(self, engine: AsyncEngine, statement_seconds: float) -> None:
        self._engine = engine
        self._statement_seconds = statement_seconds
        self._up: bool | None = None

    @classmethod
    def open(cls, url: str, *, statement_seconds: float = STATEMENT_SECONDS) -> Self:
        """The store at `sqlite:///relative`, `sqlite:////absolute` or `postgresql://…`.

        Raises:
            StoreError: the address is none.
            StoreUnavailable: SQLite's file cannot be made.
        """
        return cls(open_engine(read_url(url), statement_seconds), statement_seconds)

    @property
    def is_up(self) -> bool:
        """Whether the last thing that was asked of the database worked; before the first, true."""
        return self._up is not False

    @property
    def kind(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._engine.dialect.name

    @property
    def name(self) -> str:
        """The address without its password."""
        return shown(self._engine.url)

    @property
    def file(self) -> Path | None:
        """SQLite's file."""
        return Path(str(self._engine.url.database)) if self.kind == "sqlite" else None

    @asynccontextmanager
    async def begin(self, actor: Actor = SYSTEM) -> AsyncIterator[Transaction]:
        """A transaction that writes: committed at the end, rolled back by any exception.

        `actor` is who is said to have done what happens in it.

        Raises:
            StoreUnavailable: the database does not answer in time. If the commit was cut off, it is not
                known whether it took place.
            Conflict: a constraint says no.
        """
        async with self._transaction(actor, writes=True) as transaction:
            yield transaction

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Transaction]:
        """A transaction that only reads, without waiting for those that write.

        Raises:
            StoreUnavailable: the database does not answer in time.
        """
        async with self._transaction(SYSTEM, writes=False) as transaction:
            yield transaction

    async def ping(self) -> bool:
        """Whether the database answers now."""
        try:
            async with self.read() as transaction:
                await transaction.execute(text("SELECT 1"))
        except StoreUnavailable:
            return False
        return True

    async def close(self) -> None:
        """Give every connection up."""
        await self._engine.dispose()

    @asynccontextmanager
    async def _transaction(self, actor: Actor, *, writes: bool) -> AsyncIterator[Transaction]:
        connection = await self._connect(writes=writes)
        transaction = Transaction(connection, actor, self._statement_seconds)
        try:
            yield transaction
            async with within(self._statement_seconds, "commit"):
                await connection.commit()
        except StoreUnavailable:
            self._up = False
            raise
        else:
            self._up = True
        finally:
            await self._release(connection)

    async def _connect(self, *, writes: bool) -> AsyncConnection:
        """A connection whose transaction has begun."""
        wait = CONNECT_SECONDS + (self._statement_seconds if self.kind == "sqlite" and writes else 0)
        connection = self._engine.connect()
        try:
            async with within(wait, "answer"):
                await connection.start()
                await connection.execution_options(**{WRITES: writes})
                await connection.begin()
        except StoreUnavailable:
            self._up = False
            await self._release(connection)
            raise
        return connection

    async def _release(self, connection: AsyncConnection) -> None:
        """Back into the pool, or out of the world if it does not even take a rollback."""
        try:
            async with within(CONNECT_SECONDS, "roll back"):
                await connection.close()
        except StoreError:
            self._up = False
