"""A child is never granted more than its parent has."""

from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmgw.store.policy import PRIORITIES, Policy, check_within, covers

SMALL = st.text(alphabet="ab*", min_size=1, max_size=5)
NAMES = st.text(alphabet="ab", max_size=7)


def limit(amount: int, **fields: Any) -> dict[str, Any]:
    return {"of": "requests", "amount": amount, "per": "minute", **fields}


def budget(amount: int, window: Any = "month", **fields: Any) -> dict[str, Any]:
    return {"amount": amount, "window": window, **fields}


@given(parent=st.lists(SMALL, max_size=3), child=SMALL, name=NAMES)
def test_what_a_covered_pattern_matches_is_matched_by_the_parent(
    parent: list[str], child: str, name: str
) -> None:
    if covers(parent, child) and fnmatchcase(name, child):
        assert any(fnmatchcase(name, each) for each in parent)


@given(parent=st.lists(SMALL, max_size=3), child=st.lists(SMALL, max_size=3), name=NAMES)
def test_a_child_without_problems_reaches_no_model_that_its_parent_does_not(
    parent: list[str], child: list[str], name: str
) -> None:
    if not check_within(Policy(models=parent), Policy(models=child)):
        reached = any(fnmatchcase(name, each) for each in child)
        assert not reached or any(fnmatchcase(name, each) for each in parent)


_RULES = st.lists(
    st.builds(limit, st.integers(1, 9), per=st.sampled_from(["minute", "day"]), model=st.none() | SMALL),
    max_size=3,
)
_BUDGETS = st.lists(
    st.builds(budget, st.integers(1, 9), st.sampled_from(["day", "month", {"rolling": 3600}])), max_size=3
)
_POLICIES = st.builds(
    Policy,
    models=st.none() | st.lists(SMALL, max_size=2),
    networks=st.none()
    | st.lists(st.sampled_from(["10.0.0.0/8", "10.1.0.0/16", "::/0", "fd00::/8"]), max_size=2),
    limits=_RULES,
    budgets=_BUDGETS,
    priority=st.none() | st.sampled_from(PRIORITIES),
)


@given(policy=_POLICIES)
def test_a_policy_that_says_nothing_is_within_every_other(policy: Policy) -> None:
    assert check_within(policy, Policy()) == []


@given(policy=_POLICIES)
def test_everything_is_within_a_policy_that_says_nothing(policy: Policy) -> None:
    assert check_within(Policy(), policy) == []


@given(parent=_POLICIES, child=_POLICIES)
def test_a_child_without_problems_has_no_larger_limit(parent: Policy, child: Policy) -> None:
    if not check_within(parent, child):
        for rule in child.limits or []:
            same = [each for each in parent.limits or [] if each["per"] == rule["per"] and not each["model"]]
            assert all(rule["amount"] <= each["amount"] for each in same)


@pytest.mark.parametrize(
    ("parent", "child", "words"),
    [
        (Policy(models=["gpt-*"]), Policy(models=["gpt-4o", "claude"]), "claude"),
        (Policy(models=["a?"]), Policy(models=["ab"]), "ab"),
        (Policy(models=["a[b]"]), Policy(models=["ab"]), "ab"),
        (Policy(models=[]), Policy(models=["a"]), "a"),
        (Policy(endpoints=["chat_completions"]), Policy(endpoints=["*"]), "endpoint"),
        (Policy(regions=["eu"]), Policy(regions=["eu", "us"]), "us"),
        (Policy(networks=["10.0.0.0/8"]), Policy(networks=["0.0.0.0/0"]), "networks"),
        (Policy(networks=["10.0.0.0/8"]), Policy(networks=["::/0"]), "networks"),
        (Policy(limits=[limit(10)]), Policy(limits=[limit(11)]), "more than the parent's 10"),
        (Policy(limits=[limit(10)]), Policy(limits=[limit(10, burst=20)]), "burst of 20"),
        (Policy(limits=[limit(10)]), Policy(limits=[limit(11, model="gpt-4o")]), "requests per minute"),
        (Policy(budgets=[budget(100)]), Policy(budgets=[budget(101)]), "101 per month"),
        (Policy(budgets=[budget(100)]), Policy(budgets=[budget(101, "day")]), "101 per day"),
        (Policy(budgets=[budget(100)]), Policy(budgets=[budget(101, {"rolling": 60})]), "101 per 60 s"),
        (Policy(priority="normal"), Policy(priority="high"), "priority"),
    ],
)
def test_what_a_child_would_have_beyond_its_parent_is_told(parent: Policy, child: Policy, words: str) -> None:
    problems = check_within(parent, child)
    assert len(problems) == 1
    assert words in problems[0]


@pytest.mark.parametrize(
    ("parent", "child"),
    [
        (Policy(models=["gpt-*"]), Policy(models=["gpt-4*", "gpt-5"])),
        (Policy(networks=["10.0.0.0/9", "10.128.0.0/9"]), Policy(networks=["10.0.0.0/8"])),
        (Policy(limits=[limit(10, model="gpt-*")]), Policy(limits=[limit(99, model="claude")])),
        (Policy(limits=[limit(10)]), Policy(limits=[limit(99, of="tokens"), limit(99, per="day")])),
        (Policy(budgets=[budget(100, "day")]), Policy(budgets=[budget(3000, "month")])),
        (Policy(priority="high"), Policy(priority="low")),
    ],
)
def test_what_a_child_has_within_its_parent_is_no_problem(parent: Policy, child: Policy) -> None:
    assert check_within(parent, child) == []
