"""LiteLLM's fields of limits and budgets, as rules of the admin API and back.

Rules that LiteLLM has no field for are left alone by every change that comes this way.
"""

from decimal import Decimal
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from llmgw.endpoints.api.words import shown_budgets, shown_limits
from llmgw.endpoints.litellm.periods import duration_of, window_of
from llmgw.endpoints.litellm.rows import Fields, bad, said

Whole = int | UnsetType | None
Money = Decimal | UnsetType | None
ByModel = dict[str, int] | UnsetType | None


class ModelBudget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may be spent on one model; LiteLLM has two names for each."""

    max_budget: Decimal | None = None
    budget_limit: Decimal | None = None
    budget_duration: str | None = None
    time_period: str | None = None


class Rules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The fields that keys, teams and users have in common."""

    models: list[str] | UnsetType | None = UNSET
    """Empty: all."""
    max_budget: Money = UNSET
    """Dollars."""
    soft_budget: Money = UNSET
    """Is told when it is passed, and stops nothing."""
    budget_duration: str | UnsetType | None = UNSET
    """Of both; without it, for good."""
    model_max_budget: dict[str, ModelBudget] | UnsetType | None = UNSET
    rpm_limit: Whole = UNSET
    tpm_limit: Whole = UNSET
    tpd_limit: Whole = UNSET
    max_parallel_requests: Whole = UNSET
    model_rpm_limit: ByModel = UNSET
    model_tpm_limit: ByModel = UNSET
    metadata: dict[str, Any] | UnsetType | None = UNSET
    """Texts."""
    tags: list[str] | UnsetType | None = UNSET
    guardrails: list[str] | UnsetType | None = UNSET
    blocked: bool | UnsetType | None = UNSET


_LIMITS: dict[str, tuple[str, str | None]] = {
    "rpm_limit": ("requests", "minute"),
    "tpm_limit": ("tokens", "minute"),
    "tpd_limit": ("tokens", "day"),
    "max_parallel_requests": ("concurrent", None),
}
_MODEL_LIMITS: dict[str, tuple[str, str | None]] = {
    "model_rpm_limit": ("requests", "minute"),
    "model_tpm_limit": ("tokens", "minute"),
}
_BUDGETS = ("max_budget", "soft_budget")
_OF_MODEL = "model_max_budget:"
_ALL = {"all-proxy-models", "all-team-models"}
_NONE = ["no-default-models"]
_SAME = {name: name for name in ("metadata", "tags", "guardrails")}


def policy_of(body: Rules, before: Any = None) -> Fields:
    """The fields of the admin API that a body sets; `before`: the record that it changes.

    Raises:
        Problem: a duration or budget cannot be had here.
    """
    fields = said(body, _SAME)
    if body.models is not UNSET:
        fields["models"] = _models(body.models)
    if body.blocked is not UNSET:
        fields["blocked"] = bool(body.blocked)
    limits = _limits(body, msgspec.to_builtins(shown_limits(before and before.limits) or []))
    if limits is not None:
        fields["limits"] = limits or None
    budgets = _budgets(body, msgspec.to_builtins(shown_budgets(before and before.budgets) or []))
    if budgets is not None:
        fields["budgets"] = budgets or None
    return fields


def rules_shown(record: Any) -> Fields:
    """What a record is granted, in LiteLLM's fields."""
    limits, budgets = shown_limits(record.limits) or [], shown_budgets(record.budgets) or []
    found: Fields = dict.fromkeys((*_BUDGETS, "budget_duration", *_LIMITS))
    for name, place in _LIMITS.items():
        whole = [int(each.amount) for each in limits if (each.of, each.per) == place and each.model is None]
        found[name] = whole[0] if whole else None
    for name, place in _MODEL_LIMITS.items():
        at = [each for each in limits if (each.of, each.per) == place]
        found[name] = {each.model: int(each.amount) for each in at if each.model is not None}
    found["model_max_budget"] = {}
    for each in budgets:
        period = duration_of(msgspec.to_builtins(each.window))
        if each.name in _BUDGETS:
            found |= {each.name: each.amount, "budget_duration": period}
        elif each.model is not None and each.name == _OF_MODEL + each.model:
            of_model = {"max_budget": each.amount, "budget_duration": period}
            found["model_max_budget"][each.model] = of_model
    models = _NONE if record.models == [] else record.models or []
    return {
        **found,
        "models": models,
        "metadata": record.metadata or {},
        "tags": record.tags or [],
        "guardrails": record.guardrails or [],
        "blocked": record.blocked,
    }


def _models(models: list[str] | None) -> list[str] | None:
    if not models or _ALL & set(models):
        return None
    return [] if models == _NONE else models


def _limits(body: Rules, before: list[Fields]) -> list[Fields] | None:
    """The rules as they shall be; `None`: the body says nothing of them."""
    given = said(body, {name: name for name in (*_LIMITS, *_MODEL_LIMITS)})
    if not given:
        return None
    replaced = {(_place(name), name in _MODEL_LIMITS) for name in given}
    kept = [each for each in before if ((each["of"], each["per"]), each["model"] is not None) not in replaced]
    return kept + [rule for name, value in given.items() for rule in _limit(name, value)]


def _place(name: str) -> tuple[str, str | None]:
    return (_LIMITS | _MODEL_LIMITS)[name]


def _limit(name: str, value: Any) -> list[Fields]:
    of, per = _place(name)
    amounts = value if isinstance(value, dict) else {None: value}
    rules = [
        {"of": of, "amount": amount, "per": per, "model": model}
        for model, amount in amounts.items()
        if amount is not None
    ]
    for rule in rules:
        if rule["amount"] < 1:
            raise bad(name, "a limit is 1 at least; to refuse everything, block")
    return rules


def _budgets(body: Rules, before: list[Fields]) -> list[Fields] | None:
    """The rules as they shall be; `None`: the body says nothing of them."""
    given = said(body, {name: name for name in (*_BUDGETS, "budget_duration", "model_max_budget")})
    if not given:
        return None
    own = {each["name"]: each for each in before if each["name"] in _BUDGETS}
    kept = [each for each in before if each["name"] not in _BUDGETS]
    if "model_max_budget" in given:
        kept = [each for each in kept if not each["name"].startswith(_OF_MODEL)]
        kept += [_of_model(model, it) for model, it in (given["model_max_budget"] or {}).items()]
    return kept + _overall(given, own)


def _overall(given: Fields, own: dict[str, Fields]) -> list[Fields]:
    """The budgets over all models, which share a duration."""
    amounts = {name: each["amount"] for name, each in own.items()}
    amounts |= {name: given[name] for name in _BUDGETS if name in given}
    amounts = {name: amount for name, amount in amounts.items() if amount is not None}
    if given.get("budget_duration") is not None and not amounts:
        raise bad("budget_duration", "a duration goes with a budget: give max_budget")
    if "budget_duration" in given:
        window = window_of(given["budget_duration"], "budget_duration")
    else:
        window = next((each["window"] for each in own.values()), "total")
    rules = {name: _budget(name, amount, window) for name, amount in amounts.items()}
    if "soft_budget" in rules:
        rules["soft_budget"] |= {"action": "alert", "soft": [1000]}
    # What the admin API added to a budget of this name stays with it.
    return [{**own.get(name, {}), **rule} for name, rule in rules.items()]


def _of_model(model: str, budget: ModelBudget) -> Fields:
    field = f"model_max_budget/{model}"
    amount = budget.budget_limit if budget.max_budget is None else budget.max_budget
    if amount is None:
        raise bad(field, "a budget has an amount: give max_budget")
    window = window_of(budget.budget_duration or budget.time_period, field)
    return {**_budget(_OF_MODEL + model, amount, window), "model": model}


def _budget(name: str, amount: Any, window: Any) -> Fields:
    return {"name": name, "amount": amount, "window": window}
