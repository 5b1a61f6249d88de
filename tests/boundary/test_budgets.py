"""Budgets in shared memory, as the bookkeeper sees them."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from llmgw import _native

DAY = 24 * 3600 * 1_000_000


@pytest.fixture
def shared(tmp_path: Path) -> _native.SharedState:
    """Memory of this test alone."""
    return _native.SharedState(tmp_path / "shared")


def microseconds(text: str) -> int:
    """An ISO 8601 time as Unix microseconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("window", "starts", "ends"),
    [
        ("day", "2024-02-29", "2024-03-01"),
        ("week", "2024-02-26", "2024-03-04"),
        ("month", "2024-02-01", "2024-03-01"),
        ("year", "2024-01-01", "2025-01-01"),
    ],
)
def test_calendar_windows_are_those_of_utc(window: str, starts: str, ends: str) -> None:
    at = microseconds("2024-02-29T13:14:15")
    found = _native.budget_window(json.dumps(window), at)
    assert found[1:] == (microseconds(starts), microseconds(ends))


def test_all_time_has_no_end() -> None:
    assert _native.budget_window('"total"', 5) == (0, 0, None)


def test_numbers_of_windows_grow_with_time() -> None:
    for window in ('"day"', '"month"', '{"rolling": 3600}'):
        numbers = [_native.budget_window(window, day * DAY)[0] for day in range(1, 800)]
        assert numbers == sorted(numbers)


def test_a_word_that_is_no_window_is_refused() -> None:
    with pytest.raises(ValueError, match="window"):
        _native.budget_window('"fortnight"', 5)


def test_a_slot_is_the_same_everywhere_and_another_for_another_name() -> None:
    names = [("team_a", "b"), ("team_a", "c"), ("team_b", "b")]
    slots = [_native.budget_slot(*one) for one in names]
    assert slots == [_native.budget_slot(*one) for one in names]
    assert len(set(slots)) == len(names)
    assert all(len(slot) == 16 for slot in slots)


def test_what_was_spent_is_restored_once_and_corrected(shared: _native.SharedState) -> None:
    slot, (window, _, _) = _native.budget_slot("team_a", "b"), _native.budget_window('"month"', 800 * DAY)
    assert shared.restore_budget(slot, window, 100)
    assert not shared.restore_budget(slot, window, 100)
    assert shared.budgets() == [(slot, window, 100)]
    assert shared.correct_budget(slot, window, -30) == 70
    assert shared.lose_hold(slot, window, 20)
    assert shared.budgets() == [(slot, window, 70)]


def test_a_window_that_is_over_is_left_alone(shared: _native.SharedState) -> None:
    slot = _native.budget_slot("team_a", "b")
    old, new = (_native.budget_window('"day"', day * DAY)[0] for day in (800, 801))
    shared.restore_budget(slot, new, 100)
    assert not shared.restore_budget(slot, old, 50)
    assert shared.correct_budget(slot, old, 5) is None
    assert not shared.lose_hold(slot, old, 5)


def test_parts_of_a_rolling_budget_are_seen_under_its_slot(shared: _native.SharedState) -> None:
    slot = _native.budget_slot("team_a", "b")
    parts = {_native.budget_window('{"rolling": 1600}', 800 * DAY + at * 100_000_000)[0] for at in range(5)}
    for part in parts:
        assert shared.restore_budget(slot, part, 10)
    assert {found[:2] for found in shared.budgets()} == {(slot, part) for part in parts}


def test_rules_are_tried() -> None:
    _native.check_rules('{"limits": [{"of": "concurrent", "amount": 1}], "budgets": []}')
    with pytest.raises(ValueError, match="per which time"):
        _native.check_rules('{"limits": [{"of": "requests", "amount": 1}], "budgets": []}')
