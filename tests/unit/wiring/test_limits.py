"""Limits and budgets of the settings to rules."""

import pytest

from llmgw.gateway.snapshot import BudgetRule, LimitRule, SharedLimit, VirtualKey
from tests.unit.configurations import compiled, problems

LONG = "a-long-enough-key-of-our-own"


def key(rules: str) -> VirtualKey:
    """A key with these rules, compiled."""
    return compiled(f"keys: [{{alias: a, key: env:K, {rules}}}]", K=LONG).auth.keys[1]


def wrong(rules: str) -> str:
    """What is told of a key with these rules."""
    (found,) = problems(f"keys: [{{alias: a, key: env:K, {rules}}}]", K=LONG)
    return found


def test_a_limit_is_compiled_to_whole_units() -> None:
    rules = """limits: [{of: tokens, amount: 5000000000, per: day, burst: 10, model: gpt-*},
        {of: concurrent, amount: 3}]"""
    assert key(rules).limits == (
        LimitRule(of="tokens", amount=5_000_000_000, per="day", burst=10, model="gpt-*"),
        LimitRule(of="concurrent", amount=3),
    )


@pytest.mark.parametrize(
    ("dollars", "nano"),
    [("5", 5_000_000_000), ("0.1", 100_000_000), ('"0.000000001"', 1), ("2.5", 2_500_000_000)],
)
def test_dollars_become_nano_dollars_exactly(dollars: str, nano: int) -> None:
    assert key(f"limits: [{{of: cost, amount: {dollars}, per: hour}}]").limits[0].amount == nano
    assert key(f"budgets: [{{name: b, amount: {dollars}, window: day}}]").budgets[0].amount == nano


def test_a_budget_is_compiled_with_all_it_says() -> None:
    rules = """budgets: [{name: monthly, amount: 10, window: {rolling: 3600}, soft: [500, 800],
        action: throttle, throttle: {of: requests, amount: 1, per: second}, model: gpt-*}]"""
    assert key(rules).budgets == (
        BudgetRule(
            name="monthly",
            amount=10_000_000_000,
            window={"rolling": 3600},
            soft=(500, 800),
            action="throttle",
            throttle=LimitRule(of="requests", amount=1, per="second"),
            model="gpt-*",
        ),
    )


def test_a_shared_limit_says_of_what_kind_it_is() -> None:
    text = "limits: [{by: ip, match: 10.*, of: requests, amount: 5, per: minute}]"
    rule = LimitRule(of="requests", amount=5, per="minute")
    assert compiled(text).limits == (SharedLimit(by="ip", matching="10.*", rule=rule),)


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ("limits: [{of: requests, amount: 5}]", "give 'per'"),
        ("limits: [{of: concurrent, amount: 5, per: day}]", "give 'per'"),
        ("limits: [{of: requests, amount: 1.5, per: day}]", "a whole number"),
        ("limits: [{of: requests, amount: 0, per: day}]", "more than nothing"),
        ("limits: [{of: requests, amount: 5, per: day, model: a*b*}]", "only one '*'"),
        ("budgets: [{name: b, amount: 0, window: day}]", "more than nothing"),
        ('budgets: [{name: b, amount: "0.0000000001", window: day}]', "amount"),
        ("budgets: [{name: b, amount: 0.00000000015, window: day}]", "no whole number of nano-dollars"),
        ("budgets: [{name: b, amount: 1, window: day, action: throttle}]", "give 'throttle'"),
        ("budgets: [{name: b, amount: 1, window: day, downgrade_to: x}]", "give 'downgrade_to'"),
        (
            "budgets: [{name: b, amount: 1, window: day, action: downgrade, downgrade_to: nobody}]",
            "no model of the name 'nobody'",
        ),
        (
            "budgets: [{name: b, amount: 1, window: day}, {name: b, amount: 2, window: day}]",
            "another budget has the name 'b'",
        ),
    ],
)
def test_rules_that_make_no_sense_are_told(rules: str, told: str) -> None:
    assert told in wrong(rules)
