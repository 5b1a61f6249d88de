"""Engines: how each kind of database is opened, and the deadlines that its driver keeps itself."""

import os
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from llmgw.store.errors import StoreUnavailable

CONNECT_SECONDS = 2.0
STATEMENT_SECONDS = 5.0
CONNECTIONS = 8
"""At a time, of one process."""

WRITES = "llmgw_writes"
"""The execution option of a transaction that is going to write."""

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",  # what the journal may forget has to be on the disk
    "PRAGMA foreign_keys=ON",
    "PRAGMA trusted_schema=OFF",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA cache_size=-65536",  # KiB
    "PRAGMA journal_size_limit=67108864",
)


def open_engine(url: URL, statement_seconds: float = STATEMENT_SECONDS) -> AsyncEngine:
    """An engine that has not connected yet.

    Raises:
        StoreUnavailable: SQLite's file cannot be made.
    """
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, statement_seconds)
    return _postgres(url, statement_seconds)


def _sqlite(url: URL, statement_seconds: float) -> AsyncEngine:
    path = Path(str(url.database))
    _make_private(path)
    engine = create_async_engine(
        url,
        connect_args={"timeout": statement_seconds, "isolation_level": None},
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_timeout=CONNECT_SECONDS,
    )
    event.listen(engine.sync_engine, "connect", _prepare)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _postgres(url: URL, statement_seconds: float) -> AsyncEngine:
    milliseconds = str(int(statement_seconds * 1000))
    return create_async_engine(
        url,
        connect_args={
            "timeout": CONNECT_SECONDS,
            "command_timeout": statement_seconds,
            "server_settings": {
                "application_name": "llmgw",
                "statement_timeout": milliseconds,
                "lock_timeout": milliseconds,
                "idle_in_transaction_session_timeout": "60000",
                "timezone": "UTC",
            },
        },
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_timeout=CONNECT_SECONDS,
        pool_pre_ping=True,  # a server that was restarted is not met with an error
        pool_recycle=1800,
    )


def _make_private(path: Path) -> None:
    """The file, for its owner alone; what SQLite puts beside it has the same mode."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StoreUnavailable(f"cannot open {path}: {error.strerror}") from None


def _prepare(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin(connection: Connection) -> None:
    """Whoever is going to write takes the lock at once: to take it later may fail without a wait."""
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
