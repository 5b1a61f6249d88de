"""When a run counts as slower than an older one."""

from __future__ import annotations

import pytest

from llmgw.bench.compare import compare, ratios
from tests.unit.bench.made import costs, outcome, results, sample

QUIET = [10.0, 10.1, 9.9, 10.0, 10.1]


def test_a_ratio_pairs_the_neighbours_of_each_round() -> None:
    # The machine is twice as slow in the second round, for both.
    assert ratios(costs([10, 20], [20, 40])) == {"llmgw-plain": pytest.approx([0.5, 0.5])}


def test_streams_are_compared_by_event_and_latencies_not_at_all() -> None:
    rounds = [{"direct": sample(None), "nginx-stream": sample(10), "llmgw-plain": sample(30)}]
    assert ratios(outcome(rounds, "stream")) == {"llmgw-plain": pytest.approx([1 / 3])}
    assert ratios(outcome(rounds, "latency")) == {}


def test_a_fall_beyond_the_noise_of_both_runs_is_a_regression() -> None:
    old, new = results(costs(QUIET, QUIET)), results(costs(QUIET, [cost * 1.25 for cost in QUIET]))
    (change,) = compare(old, new)
    assert change.regressed
    assert str(change).startswith("REGRESSED made llmgw-plain: 1.000 → 0.800")


def test_the_same_fall_among_noisy_rounds_is_not() -> None:
    noisy = [6.0, 14.0, 10.0, 7.0, 15.0]
    old, new = results(costs(QUIET, noisy)), results(costs(QUIET, [cost * 1.25 for cost in noisy]))
    assert not compare(old, new)[0].regressed


def test_a_tiny_fall_is_not_even_when_nothing_is_noisy() -> None:
    old, new = results(costs([10, 10, 10], [10, 10, 10])), results(costs([10, 10, 10], [10.2] * 3))
    assert not compare(old, new)[0].regressed


def test_a_gain_is_not() -> None:
    old, new = results(costs(QUIET, QUIET)), results(costs(QUIET, [cost / 2 for cost in QUIET]))
    assert not compare(old, new)[0].regressed


def test_only_scenarios_of_both_runs_are_compared() -> None:
    old, new = results(costs(QUIET, QUIET, "then")), results(costs(QUIET, QUIET, "now"))
    assert compare(old, new) == []
