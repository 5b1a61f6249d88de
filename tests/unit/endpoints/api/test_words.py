"""Amounts, times and rules of the admin API's bodies, to the store's units and back."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmgw.endpoints.api.words import (
    BudgetRule,
    LimitRule,
    dollars_of,
    micros_of,
    moment_of,
    nano_of,
    shown_budgets,
    shown_limits,
    stored,
)

MOST = 2**63 - 1


@given(st.integers(min_value=1, max_value=MOST))
def test_no_nano_dollar_is_lost_either_way(nano: int) -> None:
    assert nano_of(dollars_of(nano)) == nano


@given(st.integers(min_value=-MOST, max_value=MOST))
def test_dollars_have_no_digits_too_many(nano: int) -> None:
    text = f"{dollars_of(nano):f}"
    assert not ("." in text and text.endswith("0"))


@pytest.mark.parametrize("text", ["0", "-1", "NaN", "Infinity", "1e-10", "1e30", "9223372036.854775808"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="amount"):
        nano_of(Decimal(text))


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(9999, 1, 1)))
def test_no_microsecond_is_lost_either_way(moment: datetime) -> None:
    assert moment_of(micros_of(moment)) == moment.replace(tzinfo=UTC)


def test_a_time_of_another_zone_is_the_same_instant() -> None:
    there = datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))
    assert micros_of(there) == micros_of(datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    "body",
    [
        {"of": "cost", "amount": 0.5, "per": "day", "burst": 0.25},
        {"of": "requests", "amount": 10, "per": "minute", "model": "gpt-*"},
        {"of": "concurrent", "amount": 3},
    ],
)
def test_a_limit_is_shown_as_it_was_written(body: dict[str, object]) -> None:
    rule = msgspec.json.decode(msgspec.json.encode(body), type=LimitRule)
    kept = stored([rule])
    assert all(isinstance(kept[0][name], int) for name in ("amount", "burst") if name in kept[0])
    assert shown_limits(kept) == [rule]


def test_a_budget_is_shown_as_it_was_written() -> None:
    throttle = {"of": "cost", "amount": 0.1, "per": "hour"}
    body = {"name": "b", "amount": "12.5", "window": {"rolling": 3600}, "soft": [800], "action": "throttle"}
    rule = msgspec.json.decode(msgspec.json.encode({**body, "throttle": throttle}), type=BudgetRule)
    kept = stored([rule])
    assert (kept[0]["amount"], kept[0]["window"]) == (12_500_000_000, {"rolling": 3600})
    assert kept[0]["throttle"]["amount"] == 100_000_000
    assert shown_budgets(kept) == [rule]


@pytest.mark.parametrize(
    "body",
    [
        {"of": "requests", "amount": 1.5, "per": "day"},
        {"of": "requests", "amount": 1},
        {"of": "concurrent", "amount": 1, "per": "day"},
        {"of": "requests", "amount": 1, "per": "day", "model": "*a*"},
        {"of": "nothing", "amount": 1, "per": "day"},
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(body: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode(body), type=LimitRule)


@pytest.mark.parametrize("action", ["throttle", "downgrade"])
def test_an_action_without_what_it_needs_is_refused(action: str) -> None:
    body = {"name": "b", "amount": 1, "window": "day", "action": action}
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode(body), type=BudgetRule)
