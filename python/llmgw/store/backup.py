"""Backups: every table as lines of JSON, the same from each kind of database, so that one moves to another.

The first line says what it is and at which version the tables were. A line with a table's columns is followed
by its rows as arrays. The last line counts the rows, so that a file that was cut is known for one.
"""

import base64
import gzip
import os
import sqlite3
from asyncio import to_thread
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Any

import orjson
import sqlalchemy as sa

from llmgw.store import ids, upgrade
from llmgw.store.bulk import insertion
from llmgw.store.database import Store
from llmgw.store.errors import StoreError
from llmgw.store.failures import within
from llmgw.store.tables import METADATA, Json, changes
from llmgw.store.transaction import Transaction

_SECONDS = 24 * 3600.0
_PIECE = 1000


class BackupError(StoreError):
    """A backup cannot be written or taken back; the text says why. Nothing was changed."""


async def write(store: Store, path: Path) -> int:
    """Write a backup of one instant, for its owner alone, while the store is in use; how many rows.

    Of SQLite, a path that ends with `.db` becomes a copy of the database itself. One that ends with `.gz` is
    compressed.

    Raises:
        BackupError: the file is there already, or cannot be written.
        StoreUnavailable: the database does not answer.
    """
    if path.suffix == ".db":
        return await to_thread(_copy, _file_of(store), path)
    async with store.read() as tx:
        if tx.kind == "postgresql":
            await tx.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        version = await tx.connection.run_sync(upgrade.version_of)
        with _created(path) as file:
            return await _dump(tx, file, version)


async def restore(store: Store, path: Path) -> int:
    """Fill an empty store, and bring it to this version; all of it or nothing. How many rows.

    Raises:
        BackupError: the store is not empty, or the file is no backup, damaged or cut.
        StoreMisfit: the backup is of a later version of llmgw.
        StoreUnavailable: the database does not answer.
    """
    if path.suffix == ".db":
        await upgrade.upgrade(store)
        await _empty(store)
        await store.close()
        rows = await to_thread(_copy, path, _file_of(store), replace=True)
    else:
        rows = await _load(store, path)
    await upgrade.upgrade(store)
    return rows


async def _dump(tx: Transaction, file: IO[bytes], version: str | None) -> int:
    _write(file, {"llmgw": "backup", "version": version, "at": ids.now()})
    rows = 0
    for table in METADATA.sorted_tables:
        _write(file, {"table": table.name, "columns": [column.name for column in table.columns]})
        query = sa.select(*(_raw(column) for column in table.columns))
        async for piece in tx.stream(query.order_by(*table.primary_key.columns)):
            rows += len(piece)
            for row in piece:
                _write(file, [_plain(value) for value in row])
    _write(file, {"rows": rows})
    return rows


async def _load(store: Store, path: Path) -> int:
    with _opened(path) as lines:
        head = _object(next(lines, b""))
        if head.get("llmgw") != "backup":
            raise BackupError(f"{path} is no backup of llmgw")
        await upgrade.upgrade(store, str(head["version"]))
        await _empty(store)
        async with store.begin() as tx, within(_SECONDS, "take the backup"):
            rows = await _fill(tx, lines)
            if tx.kind == "postgresql":
                await _move_sequence(tx)
    return rows


async def _fill(tx: Transaction, lines: Iterator[bytes]) -> int:
    """Insert what the lines hold."""
    table, columns, rows = "", [""], 0
    piece: list[list[Any]] = []
    for line in lines:
        value = _value(line)
        if isinstance(value, list):
            piece.append(value)
            rows += 1
        if piece and (isinstance(value, dict) or len(piece) >= _PIECE):
            await _insert(tx, table, columns, piece)
            piece = []
        if isinstance(value, dict) and "table" in value:
            table, columns = value["table"], value["columns"]
        elif isinstance(value, dict):
            if value.get("rows") != rows:
                break
            return rows
    raise BackupError("the backup is cut: its last line is missing, or rows are")


async def _insert(tx: Transaction, name: str, columns: Sequence[str], rows: list[list[Any]]) -> None:
    table = METADATA.tables.get(name)
    if table is None or not set(columns) <= set(table.columns.keys()):
        raise BackupError(f"the backup has a table that this version of llmgw does not know: {name}")
    binary = [place for place, each in enumerate(columns) if isinstance(table.c[each].type, sa.LargeBinary)]
    for row in rows:
        for place in binary:
            row[place] = None if row[place] is None else base64.b64decode(row[place])
    statement, names = insertion(table, tx.connection.dialect, tuple(columns))
    order = [columns.index(each) for each in names]
    await tx.many(statement, [tuple(row[place] for place in order) for row in rows])


async def _empty(store: Store) -> None:
    async with store.read() as tx:
        for table in METADATA.sorted_tables:
            if await tx.first(sa.select(sa.literal(1)).select_from(table).limit(1)) is not None:
                raise BackupError(f"{store.name} is not empty: its table {table.name} has rows")


async def _move_sequence(tx: Transaction) -> None:
    """Changes are numbered on from the last one that was taken back."""
    last = sa.select(sa.func.coalesce(sa.func.max(changes.c.seq), 0) + 1).scalar_subquery()
    sequence = sa.func.pg_get_serial_sequence("changes", "seq")
    await tx.execute(sa.select(sa.func.setval(sequence, last, sa.false())))


def _raw(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """A column as the database has it: JSON stays text."""
    return sa.type_coerce(column, sa.Text) if isinstance(column.type, Json) else column


def _plain(value: Any) -> Any:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _write(file: IO[bytes], value: Any) -> None:
    file.write(orjson.dumps(value) + b"\n")


def _value(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        raise BackupError("the backup is damaged: a line is no JSON") from None


def _object(line: bytes) -> dict[str, Any]:
    value = _value(line) if line else None
    return value if isinstance(value, dict) else {}


@contextmanager
def _created(path: Path) -> Iterator[IO[bytes]]:
    """A new file (mode 0600), synced; removed again if it does not become whole."""
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise BackupError(f"cannot write {path}: {error.strerror}") from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            if path.suffix == ".gz":
                with gzip.GzipFile(fileobj=file, mode="wb") as packed:
                    yield packed  # type: ignore[misc]
            else:
                yield file
            file.flush()
            os.fsync(file.fileno())
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise BackupError(f"cannot write {path}: {error.strerror}") from None
        raise


@contextmanager
def _opened(path: Path) -> Iterator[Iterator[bytes]]:
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            yield iter(file)
    except (OSError, EOFError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise BackupError(f"cannot read {path}: {reason}") from None


def _file_of(store: Store) -> Path:
    if store.file is None:
        raise BackupError("only SQLite has a .db file; give another name for lines of JSON")
    return store.file


def _copy(source: Path, target: Path, *, replace: bool = False) -> int:
    """Copy a database by SQLite's own means, which sees what is in its log; how many rows."""
    if not source.is_file():
        raise BackupError(f"there is no file {source}")
    if not replace:
        with _created(target):
            pass
    try:
        with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
            one.execute("SELECT version_num FROM alembic_version")
            one.backup(other)
            return sum(_count(other, table) for table in METADATA.sorted_tables)
    except sqlite3.Error as error:
        raise BackupError(f"cannot copy {source} to {target}: {error}") from None


def _count(connection: sqlite3.Connection, table: sa.Table) -> int:
    query = sa.select(sa.func.count()).select_from(table)
    return int(connection.execute(str(query)).fetchone()[0])
