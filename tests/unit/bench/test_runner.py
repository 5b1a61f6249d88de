"""A run from end to end, against the mock upstream alone."""

from __future__ import annotations

import msgspec

from llmgw.bench.runner import run
from llmgw.bench.scenarios import SUBJECTS, Method, Plan, Scenario

METHOD = Method(rounds=2, seconds=0.05, warm_up=0.01)
OTHERS = [name for name in SUBJECTS if name != "direct"]
SCENARIO = Scenario(name="tiny", title="Tiny", subjects=("direct", "llmgw-plain"), model="m", connections=2)


def plan(script: str) -> Plan:
    return Plan(METHOD, METHOD, {"m": f"bench?{script}"}, (SCENARIO,))


def test_rounds_hold_a_sample_of_each_subject_present() -> None:
    told: list[str] = []
    results = run(plan("reply_bytes=100"), (SCENARIO,), METHOD, told.append, OTHERS)
    (outcome,) = results.outcomes
    assert [set(taken.samples) for taken in outcome.rounds] == [{"direct"}, {"direct"}]
    assert outcome.rounds[0].samples["direct"].requests > 0
    assert "Tiny" in told


def test_errors_fail_the_scenario_and_not_the_run() -> None:
    results = run(plan("status=500"), (SCENARIO,), METHOD, lambda line: None, OTHERS)
    assert "statuses {500:" in results.failures[0]


def test_an_open_loop_runs_at_its_share_of_what_was_measured_first() -> None:
    scenario = msgspec.structs.replace(SCENARIO, load=0.1)
    results = run(plan("delay_ms=2"), (scenario,), METHOD, lambda line: None, OTHERS)
    (outcome,) = results.outcomes
    # Two connections, at 2 ms a request or a little more, answer at most 1,000 a second.
    assert outcome.rate is not None
    assert 0 < outcome.rate <= 100


def test_streams_are_measured_by_their_events() -> None:
    scenario = msgspec.structs.replace(SCENARIO, shows="crowd", requests=4)
    results = run(
        plan("chunks=5&chunk_bytes=9&interval_ms=1"), (scenario,), METHOD, lambda line: None, OTHERS
    )
    sample = results.outcomes[0].rounds[0].samples["direct"]
    assert (sample.requests, sample.events) == (4, 4 * (5 + 3))
