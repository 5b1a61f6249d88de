"""A provider's usage export as lines that can be compared: CSV or JSON, as each provider writes it."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Literal

import msgspec
import orjson

from llmgw.errors import LlmgwError

Provider = Literal["openai", "anthropic", "generic"]

_NANO = 10**9
_CENTS = 10**7


class BadExport(LlmgwError):
    """The file is no export of this kind; the text says what is missing."""


class Billed(msgspec.Struct, frozen=True, kw_only=True):
    """A line of an export: one request, or all of a time at one model."""

    starts_at: int
    """Microseconds; 0: the export does not say."""
    ends_at: int
    model: str = ""
    request: str | None = None
    """The provider's id of a request, or ours."""
    input: int | None = None
    """Input tokens, cached ones included."""
    output: int | None = None
    cost: int | None = None
    """Nano-dollars."""


COLUMNS = {
    "request": ("request_id", "request", "x_request_id", "id"),
    "at": ("at", "timestamp", "time", "created_at"),
    "starts_at": ("start_time", "starting_at", "usage_date_utc", "date", "day"),
    "ends_at": ("end_time", "ending_at"),
    "model": ("model", "model_version", "line_item"),
    "input": ("input_tokens", "prompt_tokens"),
    "uncached": ("uncached_input_tokens", "usage_input_tokens_no_cache"),
    "output": ("output_tokens", "completion_tokens", "usage_output_tokens"),
    "cost": ("cost_usd", "cost", "amount_value"),
}
"""What columns may be called; names that are given on the command line count before them."""
_CACHED = (
    "cache_read_input_tokens",
    "usage_input_tokens_cache_read",
    "cache_creation_input_tokens",
    "usage_input_tokens_cache_write_5m",
    "usage_input_tokens_cache_write_1h",
    "ephemeral_5m_input_tokens",
    "ephemeral_1h_input_tokens",
)
"""Input that Anthropic tells beside the input."""
_DAY = 86_400 * 1_000_000


def read(path: Path, provider: Provider, names: Mapping[str, str] | None = None) -> list[Billed]:
    """The lines of an export. `names` says what columns are called where that is not usual.

    Raises:
        BadExport: it cannot be read as one.
        OSError: it cannot be read at all.
    """
    text = path.read_bytes()
    try:
        rows = list(_json(orjson.loads(text)) if text.lstrip()[:1] in (b"{", b"[") else _csv(text))
    except orjson.JSONDecodeError:
        rows = list(_json_lines(text))
    except UnicodeDecodeError as error:
        raise BadExport(f"{path.name} is not UTF-8 text: {error}") from None
    if not rows:
        raise BadExport(f"{path.name} has no lines")
    columns = {field: (*_given(names, field), *known) for field, known in COLUMNS.items()}
    return [_billed(row, provider, columns, number) for number, row in enumerate(rows, 1)]


def _given(names: Mapping[str, str] | None, field: str) -> tuple[str, ...]:
    return (names[field],) if names and field in names else ()


def _csv(text: bytes) -> Iterator[dict[str, Any]]:
    yield from csv.DictReader(text.decode("utf-8-sig").splitlines())


def _json_lines(text: bytes) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            value = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise BadExport(f"line {number} is no JSON: {error}") from None
        yield from _json(value)


def _json(value: Any) -> Iterator[dict[str, Any]]:
    """Rows of a list, of pages and buckets as usage APIs return them, or of one object."""
    match value:
        case list():
            for each in value:
                yield from _json(each)
        case {"data": list(buckets)}:
            yield from _json(buckets)
        case {"results": list(results), **bucket}:
            times = {name: bucket[name] for name in bucket if name in _TIMES}
            for result in results:
                yield times | _flat(result)
        case dict():
            yield _flat(value)
        case _:
            raise BadExport("the file holds something else than objects")


_TIMES = ("start_time", "end_time", "starting_at", "ending_at")


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """Nested amounts and cache figures in their row."""
    flat = {name: value for name, value in row.items() if not isinstance(value, dict)}
    for name, value in row.items():
        if isinstance(value, dict):
            flat |= {f"amount_{key}" if name == "amount" else key: inner for key, inner in value.items()}
    return flat


def _billed(
    row: Mapping[str, Any], provider: Provider, columns: Mapping[str, Iterable[str]], number: int
) -> Billed:
    def value(field: str) -> Any:
        return next((row[name] for name in columns[field] if row.get(name) not in (None, "")), None)

    try:
        at = _time(value("at"))
        starts = at if at is not None else _time(value("starts_at"))
        ends = _time(value("ends_at"))
        if ends is None:
            ends = 0 if starts is None else starts + (1 if at is not None else _DAY)
        return Billed(
            starts_at=starts or 0,
            ends_at=ends,
            model=str(value("model") or ""),
            request=None if value("request") is None else str(value("request")),
            input=_input(row, value("input"), value("uncached")),
            output=_whole(value("output")),
            cost=_cost(row, value("cost"), provider),
        )
    except (ValueError, InvalidOperation, TypeError) as error:
        raise BadExport(f"line {number} of the export cannot be read: {error}") from None


def _input(row: Mapping[str, Any], whole: Any, uncached: Any) -> int | None:
    if whole is not None:
        return _whole(whole)
    if uncached is None:
        return None
    return (_whole(uncached) or 0) + sum(_whole(row.get(name)) or 0 for name in _CACHED)


def _whole(value: Any) -> int | None:
    if value in (None, ""):
        return None
    number = Decimal(str(value))
    if number != int(number) or number < 0:
        raise ValueError(f"{value} is no number of tokens")
    return int(number)


def _cost(row: Mapping[str, Any], value: Any, provider: Provider) -> int | None:
    """Nano-dollars; Anthropic's cost report counts in cents."""
    if provider == "anthropic" and value is None and row.get("amount") not in (None, ""):
        return round(Decimal(str(row["amount"])) * _CENTS)
    if value is None:
        return None
    currency = str(row.get("amount_currency") or row.get("currency") or "usd").lower()
    if currency != "usd":
        raise ValueError(f"costs are in {currency}, and the ledger is in dollars")
    return round(Decimal(str(value)) * _NANO)


def _time(value: Any) -> int | None:
    """Unix seconds, or ISO 8601; UTC unless it says otherwise. In microseconds."""
    if value is None:
        return None
    if isinstance(value, int | float) or str(value).replace(".", "", 1).isdigit():
        return round(Decimal(str(value)) * 1_000_000)
    moment = datetime.fromisoformat(str(value))
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1_000_000)
