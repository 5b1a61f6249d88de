"""Rows as CSV, JSON lines or Parquet, in a stream or a file."""

import csv
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, Literal, Protocol

import orjson

from llmgw.errors import LlmgwError

Format = Literal["csv", "json", "parquet"]


class ExportError(LlmgwError):
    """The form is not to be had; the text says what to install."""


class _Writer(Protocol):
    def write(self, rows: Sequence[dict[str, Any]]) -> None: ...
    def close(self) -> None: ...


async def export(
    rows: AsyncIterator[Sequence[dict[str, Any]]],
    columns: Sequence[str],
    form: Format,
    path: Path | None,
) -> int:
    """Write rows, a piece at a time, to a file or to standard output; how many.

    Raises:
        ExportError: Parquet is asked for and not installed, or without a file.
        OSError: the file cannot be written.
    """
    count = 0
    with _opened(columns, form, path) as writer:
        async for piece in rows:
            writer.write(piece)
            count += len(piece)
    return count


def write(rows: Sequence[dict[str, Any]], columns: Sequence[str], form: Format, path: Path | None) -> None:
    """The same for rows that are all there.

    Raises:
        ExportError, OSError: as `export`.
    """
    with _opened(columns, form, path) as writer:
        writer.write(rows)


@contextmanager
def _opened(columns: Sequence[str], form: Format, path: Path | None) -> Iterator[_Writer]:
    if form == "parquet" and path is None:
        raise ExportError("Parquet needs a file: --output FILE")
    file = sys.stdout.buffer if path is None else path.open("wb")
    try:
        writer = _writer(file, columns, form)
        yield writer
        writer.close()
        file.flush()
    finally:
        if path is not None:
            file.close()


def _writer(file: BinaryIO, columns: Sequence[str], form: Format) -> _Writer:
    if form == "csv":
        return _Csv(file, columns)
    return _Json(file, columns) if form == "json" else _Parquet(file, columns)


class _Csv:
    """A line a row; lists and objects as JSON. What spreadsheets would take for a formula is quoted."""

    def __init__(self, file: BinaryIO, columns: Sequence[str]) -> None:
        self._file = file
        self._columns = columns
        self._writer = csv.writer(self)
        self._writer.writerow(columns)

    def write(self, rows: Sequence[dict[str, Any]] | str) -> None:
        if isinstance(rows, str):  # the other side: csv.writer writes here
            self._file.write(rows.encode())
            return
        for row in rows:
            self._writer.writerow([_cell(row.get(name)) for name in self._columns])

    def close(self) -> None:
        return


def _cell(value: Any) -> Any:
    if isinstance(value, list | dict):
        return orjson.dumps(value).decode()
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return value


class _Json:
    """An object a line."""

    def __init__(self, file: BinaryIO, columns: Sequence[str]) -> None:
        self._file = file
        self._columns = columns

    def write(self, rows: Sequence[dict[str, Any]]) -> None:
        for row in rows:
            line = {name: row.get(name) for name in self._columns}
            self._file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))

    def close(self) -> None:
        return


class _Parquet:
    """A row group a piece. A column's type is that of its first values; lists and objects are JSON."""

    def __init__(self, file: BinaryIO, columns: Sequence[str]) -> None:
        try:
            pyarrow = import_module("pyarrow")  # an extra
            self._parquet = import_module("pyarrow.parquet")
        except ImportError:
            raise ExportError("Parquet is an extra: pip install 'llmgw[parquet]'") from None
        self._arrow: Any = pyarrow
        self._file = file
        self._columns = columns
        self._writer: Any = None
        self._schema: Any = None

    def write(self, rows: Sequence[dict[str, Any]]) -> None:
        flat = [{name: _flat(row.get(name)) for name in self._columns} for row in rows]
        if self._writer is None:
            self._schema = self._arrow.schema([(name, self._kind(flat, name)) for name in self._columns])
            self._writer = self._parquet.ParquetWriter(self._file, self._schema)
        self._writer.write_table(self._arrow.Table.from_pylist(flat, schema=self._schema))

    def close(self) -> None:
        if self._writer is None:
            self.write([])
        self._writer.close()

    def _kind(self, rows: Sequence[dict[str, Any]], name: str) -> Any:
        first = next((row[name] for row in rows if row[name] is not None), None)
        if isinstance(first, bool):
            return self._arrow.bool_()
        if isinstance(first, int) or (first is None and name in _NUMBERS):
            return self._arrow.int64()
        return self._arrow.string()


_NUMBERS = frozenset(
    {
        *("at", "settled_at", "attempt", "status", "held", "cost", "charged", "saved", "repriced_cost"),
        *("input_estimate", "output_ceiling", "input_tokens", "output_tokens", "cache_read_tokens"),
        *("cache_write_tokens", "reasoning_tokens", "duration_ms", "first_ms"),
    }
)
"""Columns that are numbers, also where the first rows have none."""


def _flat(value: Any) -> Any:
    return orjson.dumps(value).decode() if isinstance(value, list | dict) else value
