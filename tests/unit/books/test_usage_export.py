"""Exports as providers write them come to the same lines."""

import json
from pathlib import Path
from typing import Any

import pytest

from llmgw.books.usage_export import BadExport, Billed, Provider, read

NOON = 1_790_000_000
DAY = 86_400_000_000


def lines(
    tmp_path: Path, text: str | list[Any] | dict[str, Any], provider: Provider = "generic"
) -> list[Billed]:
    file = tmp_path / "export"
    file.write_text(text if isinstance(text, str) else json.dumps(text))
    return read(file, provider)


def test_pages_of_openais_usage_are_read(tmp_path: Path) -> None:
    result = {"input_tokens": 1000, "output_tokens": 500, "input_cached_tokens": 800, "model": "gpt-4o"}
    bucket = {"object": "bucket", "start_time": NOON, "end_time": NOON + 60, "results": [result]}
    page = {"object": "page", "data": [bucket], "has_more": False}
    assert lines(tmp_path, page, "openai") == [
        Billed(starts_at=NOON * 10**6, ends_at=(NOON + 60) * 10**6, model="gpt-4o", input=1000, output=500)
    ]


def test_pages_of_openais_costs_are_read(tmp_path: Path) -> None:
    result = {"amount": {"value": 0.06, "currency": "usd"}, "line_item": "gpt-4o"}
    page = {"data": [{"start_time": NOON, "end_time": NOON + 60, "results": [result]}]}
    (line,) = lines(tmp_path, page, "openai")
    assert (line.cost, line.model) == (60_000_000, "gpt-4o")


def test_input_that_anthropic_tells_apart_is_added_up(tmp_path: Path) -> None:
    result = {
        "uncached_input_tokens": 10,
        "cache_creation": {"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 4},
        "cache_read_input_tokens": 5,
        "output_tokens": 6,
        "model": "claude",
    }
    bucket = {"starting_at": "2026-11-25T00:00:00Z", "ending_at": "2026-11-26T00:00:00Z", "results": [result]}
    (line,) = lines(tmp_path, {"data": [bucket]}, "anthropic")
    assert (line.input, line.output, line.ends_at - line.starts_at) == (22, 6, DAY)


def test_anthropics_costs_are_in_cents(tmp_path: Path) -> None:
    bucket = {"starting_at": "2026-11-25T00:00:00Z", "results": [{"amount": "123.45", "currency": "USD"}]}
    (line,) = lines(tmp_path, {"data": [bucket]}, "anthropic")
    assert line.cost == 1_234_500_000


def test_a_table_is_read(tmp_path: Path) -> None:
    head = "request_id,at,model,prompt_tokens,completion_tokens,cost"
    text = f"{head}\nr1,2026-11-25T12:00:00,gpt,5,6,0.000000001\n"
    (line,) = lines(tmp_path, text)
    assert (line.request, line.model, line.input, line.output, line.cost) == ("r1", "gpt", 5, 6, 1)


def test_an_object_a_line_is_read(tmp_path: Path) -> None:
    text = '{"request_id": "r1", "input_tokens": 5}\n{"request_id": "r2", "output_tokens": 6}\n'
    assert [line.request for line in lines(tmp_path, text)] == ["r1", "r2"]


def test_columns_may_have_other_names(tmp_path: Path) -> None:
    file = tmp_path / "export.csv"
    file.write_text("what,dollars\nr1,2\n")
    (line,) = read(file, "generic", {"request": "what", "cost": "dollars"})
    assert (line.request, line.cost) == ("r1", 2 * 10**9)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no lines"),
        ("cost,amount_currency\n1,eur\n", "in eur"),
        ("input_tokens\nmany\n", "line 1"),
        ("input_tokens\n1.5\n", "no number of tokens"),
        ("at\nyesterday\n", "line 1"),
        ("[1]", "something else"),
    ],
)
def test_what_is_no_export_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(BadExport, match=problem):
        lines(tmp_path, text)
