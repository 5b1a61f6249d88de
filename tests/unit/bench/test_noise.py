"""Medians and their intervals."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmgw.bench.noise import estimate

ROUNDS = st.lists(st.floats(0.1, 100), min_size=1, max_size=15)


@given(ROUNDS)
def test_the_interval_holds_the_median_and_lies_within_the_rounds(values: list[float]) -> None:
    found = estimate(values)
    assert min(values) <= found.low <= found.median <= found.high <= max(values)


def test_one_wild_round_hardly_moves_the_estimate() -> None:
    calm = estimate([10.0, 10.1, 9.9, 10.0, 10.1, 9.9, 10.0])
    wild = estimate([10.0, 10.1, 9.9, 10.0, 10.1, 9.9, 1000.0])
    assert wild.median == pytest.approx(calm.median, rel=0.02)
    assert wild.spread <= 2 * calm.spread


def test_more_rounds_of_the_same_spread_are_trusted_more() -> None:
    assert estimate([9.0, 10.0, 11.0] * 9).standard_error < estimate([9.0, 10.0, 11.0]).standard_error


def test_the_same_rounds_always_give_the_same_interval() -> None:
    values = [3.0, 1.0, 2.0, 5.0]
    assert estimate(values) == estimate(values)
