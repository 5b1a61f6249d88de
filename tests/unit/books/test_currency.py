"""Rates hold from a day on, and money stays whole."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from llmgw.books.currency import Exchange, NoRate, Rate, units

RATES = {"EUR": [Rate(date(2026, 2, 1), Decimal("0.5")), Rate(date(2026, 1, 1), Decimal("0.9"))]}


def at(month: int, day: int) -> int:
    return int(datetime(2026, month, day, tzinfo=UTC).timestamp()) * 10**6


@pytest.mark.parametrize(("month", "day", "amount"), [(1, 1, 90), (1, 31, 90), (2, 1, 50), (11, 25, 50)])
def test_the_rate_of_the_day_holds(month: int, day: int, amount: int) -> None:
    assert Exchange("EUR", RATES).convert(100, at(month, day)) == amount


def test_dollars_stay_what_they_are() -> None:
    assert Exchange("USD", {}).convert(123, 0) == 123


def test_halves_are_rounded_to_even() -> None:
    assert [Exchange("EUR", RATES).convert(nano, at(3, 1)) for nano in (1, 3, 5)] == [0, 2, 2]


def test_a_day_without_a_rate_is_told() -> None:
    with pytest.raises(NoRate, match="2025-12-31"):
        Exchange("EUR", RATES).convert(1, at(1, 1) - 1)


def test_a_currency_without_rates_is_told() -> None:
    with pytest.raises(NoRate, match="GBP"):
        Exchange("GBP", RATES)


@pytest.mark.parametrize(("nano", "text"), [(0, "0"), (1, "0.000000001"), (-1_500_000_000, "-1.5")])
def test_units_are_exact(nano: int, text: str) -> None:
    assert units(nano) == text
