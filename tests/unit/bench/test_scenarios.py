"""The table of scenarios."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from llmgw.bench.scenarios import choose, load_plan

HEAD = """
models = {m = "bench"}
method = {rounds = 1, seconds = 1.0, warm_up = 0.0}
quick = {rounds = 1, seconds = 1.0, warm_up = 0.0}
"""
SCENARIO = """
[[scenario]]
name = "a"
title = "A"
subjects = ["nginx-proxy"]
model = "m"
connections = 1
"""


def test_the_table_of_the_package_is_valid() -> None:
    assert len(load_plan().scenario) > 5


def test_every_scenario_but_those_of_one_variant_has_a_yardstick() -> None:
    assert all(scenario.yardstick for scenario in load_plan().scenario)


def test_the_quick_run_is_a_part_of_the_whole() -> None:
    plan = load_plan()
    assert 0 < len(choose(plan, [], quick=True)) < len(choose(plan, [], quick=False))


def test_a_named_scenario_is_chosen_even_if_it_is_not_quick() -> None:
    plan = load_plan()
    assert [chosen.name for chosen in choose(plan, ["crowd"], quick=True)] == ["crowd"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (SCENARIO + SCENARIO, "two scenarios have the same name"),
        (SCENARIO.replace('"m"', '"n"'), "a: no model n"),
        (SCENARIO.replace("nginx-proxy", "apache"), "a: unknown subjects"),
        (SCENARIO + "connexions = 2", "connexions"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "scenarios.toml"
    path.write_text(HEAD + text)
    with pytest.raises(msgspec.ValidationError, match=reason):
        load_plan(path)
