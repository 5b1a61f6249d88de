"""LiteLLM's fields become rules of the admin API, and come back as they were."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from llmgw.endpoints.api.keys import NewKey
from llmgw.endpoints.api.records import fields_of
from llmgw.endpoints.litellm import keys as of_keys
from llmgw.endpoints.litellm import teams as of_teams
from llmgw.endpoints.litellm import users as of_users
from llmgw.endpoints.litellm.keys import UNKEPT, GenerateKey
from llmgw.endpoints.litellm.periods import after, duration_of, window_of
from llmgw.endpoints.litellm.rows import converted, refusal, taken
from llmgw.endpoints.litellm.rules import Rules, policy_of, rules_shown
from llmgw.endpoints.problems import Problem
from llmgw.store.keys import Key

JSON = dict[str, Any]
GRANTED: JSON = {
    "models": ["gpt-*"],
    "max_budget": 12.5,
    "soft_budget": 10,
    "budget_duration": "1mo",
    "model_max_budget": {"gpt-4o": {"max_budget": 1, "budget_duration": "1d"}},
    "rpm_limit": 10,
    "tpm_limit": 2000,
    "tpd_limit": 90_000,
    "max_parallel_requests": 3,
    "model_rpm_limit": {"gpt-4o": 5},
    "model_tpm_limit": {"gpt-4o": 500},
    "metadata": {"cost-centre": "7"},
    "tags": ["a"],
    "guardrails": ["pii"],
    "blocked": True,
}


def kept(fields: JSON, before: Key | None = None) -> Key:
    """The key that the store has after a body of these fields."""
    policy = policy_of(taken(fields, Rules), before)
    body = converted({"alias": "k", **policy}, NewKey)
    stored = {name: it for name, it in fields_of(body).items() if before is None or name in policy}
    return msgspec.structs.replace(before, **stored) if before else Key(**stored)


def shown(fields: JSON, before: Key | None = None) -> JSON:
    """What LiteLLM's clients are shown of it."""
    found: JSON = msgspec.to_builtins(rules_shown(kept(fields, before)), builtin_types=())
    return found | {name: float(it) for name, it in found.items() if name.endswith("_budget") and _text(it)}


def _text(value: object) -> bool:
    return isinstance(value, str)


def test_what_is_granted_is_shown_as_it_was_asked_for() -> None:
    found = shown(GRANTED)
    found["model_max_budget"]["gpt-4o"]["max_budget"] = 1
    assert found == GRANTED


def test_limits_and_budgets_become_rules() -> None:
    key = kept({"max_budget": 0.1, "budget_duration": "7d", "rpm_limit": 10, "max_parallel_requests": 2})
    assert key.budgets == [
        {"name": "max_budget", "amount": 100_000_000, "window": "week", "soft": [], "action": "block"}
    ]
    assert key.limits == [
        {"of": "requests", "amount": 10, "per": "minute"},
        {"of": "concurrent", "amount": 2},
    ]


def test_an_empty_list_of_models_is_all_models() -> None:
    assert [kept({"models": it}).models for it in ([], None, ["all-team-models"])] == [None, None, None]
    assert kept({"models": ["no-default-models"]}).models == []


def test_what_is_not_named_stays_as_it_is() -> None:
    before = kept(GRANTED)
    assert shown({"rpm_limit": 20}, before) | {"rpm_limit": 10} == shown({}, before)


def test_null_takes_a_limit_and_a_budget_away() -> None:
    found = shown({"rpm_limit": None, "max_budget": None, "soft_budget": None}, kept(GRANTED))
    assert (found["rpm_limit"], found["max_budget"], found["budget_duration"]) == (None, None, None)
    assert found["model_rpm_limit"] == {"gpt-4o": 5}


def test_rules_that_litellm_has_no_field_for_are_left_alone() -> None:
    mine = {"of": "cost", "amount": 10**9, "per": "hour"}
    before = Key(alias="k", limits=[mine])
    assert mine in (kept({"rpm_limit": 1}, before).limits or [])


def test_another_duration_alone_moves_the_budgets_there_are() -> None:
    found = shown({"budget_duration": "1d"}, kept({"max_budget": 5, "budget_duration": "30d"}))
    assert (found["max_budget"], found["budget_duration"]) == (5, "1d")


@pytest.mark.parametrize(
    "fields",
    [
        {"budget_duration": "30d"},
        {"max_budget": 1, "budget_duration": "30x"},
        {"max_budget": 1, "budget_duration": "2mo"},
        {"max_budget": 1, "budget_duration": "30s"},
        {"max_budget": 0},
        {"rpm_limit": 0},
        {"metadata": {"a": 1}},
        {"model_max_budget": {"m": {}}},
        {"nobody_knows": None},
    ],
    ids=str,
)
def test_what_cannot_be_had_is_refused_with_its_name(fields: JSON) -> None:
    with pytest.raises(Problem) as caught:
        kept(fields)
    reply = refusal(caught.value)
    error = msgspec.json.decode(reply.body)["error"]
    assert (reply.status, error["type"], error["code"]) == (400, "invalid_request_error", "invalid_body")


def test_fields_that_cannot_be_honoured_are_named() -> None:
    with pytest.raises(Problem) as caught:
        taken({"permissions": {"a": 1}, "auto_rotate": True}, GenerateKey, UNKEPT)
    error = msgspec.json.decode(refusal(caught.value).body)["error"]
    assert "permissions" in error["message"]
    assert "auto_rotate" in error["message"]
    assert error["param"] == "auto_rotate"


def test_fields_that_say_nothing_are_taken() -> None:
    nothing = {"permissions": {}, "spend": 0, "budget_id": None, "auto_rotate": False, "policies": []}
    assert taken(nothing, GenerateKey, UNKEPT) == GenerateKey()


@pytest.mark.parametrize(
    ("kinds", "unkept"),
    [
        ((of_keys.GenerateKey,), of_keys.UNKEPT),
        ((of_teams.CreateTeam,), of_teams.UNKEPT),
        ((of_users.CreateUser,), of_users.UNKEPT),
    ],
)
def test_no_field_is_both_honoured_and_refused(
    kinds: tuple[type[msgspec.Struct], ...], unkept: frozenset[str]
) -> None:
    assert not any(set(kind.__struct_fields__) & unkept for kind in kinds)


@pytest.mark.parametrize("text", ["1d", "7d", "1mo", None, "3600s"])
def test_a_duration_comes_back_from_its_window(text: str | None) -> None:
    assert duration_of(window_of(text, "budget_duration")) == text


@pytest.mark.parametrize(
    ("text", "then"),
    [("90s", "2026-01-31T00:01:30"), ("2w", "2026-02-14T00:00:00"), ("1mo", "2026-02-28T00:00:00")],
)
def test_a_duration_ends_at(text: str, then: str) -> None:
    assert after(datetime(2026, 1, 31, tzinfo=UTC), text, "duration").isoformat() == f"{then}+00:00"


@pytest.mark.parametrize("text", ["", "30", "1y", "-1d", "999999999w"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(Problem):
        after(datetime(2026, 1, 31, tzinfo=UTC), text, "duration")
