"""`/api/v1/budgets`: how much of the budgets of a node or key is spent and held, by the books."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from llmgw import _native
from llmgw.access.rbac import Permission
from llmgw.endpoints.api.calls import Answer, Call, row
from llmgw.endpoints.api.desk import Desk
from llmgw.endpoints.api.words import BudgetRule, Word, moment_of, shown_budgets
from llmgw.endpoints.base import Contract, Endpoint
from llmgw.endpoints.problems import Kind, Problem
from llmgw.store import ids, keys, organisations, projects, rollups, service_accounts, teams, users
from llmgw.store.entries import Window
from llmgw.store.policy import covers

_SECOND = 1_000_000
_OWNERS: Mapping[str, Callable[..., Awaitable[Any]]] = {
    "organisation_id": organisations.get,
    "team_id": teams.get,
    "project_id": projects.get,
    "user_id": users.get,
    "service_account_id": service_accounts.get,
    "key_id": keys.get,
}


class BudgetList(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose budgets to show: one node or key."""

    organisation_id: Word | None = None
    team_id: Word | None = None
    project_id: Word | None = None
    user_id: Word | None = None
    service_account_id: Word | None = None
    key_id: Word | None = None


class BudgetState(msgspec.Struct, frozen=True, kw_only=True):
    """A budget, and how much of it is used in its present window."""

    name: str
    rule: BudgetRule
    amount_nano: int
    spent_nano: int
    """What was settled; of a rolling window, in the whole hours that it touches."""
    held_nano: int
    """Reserved for what is under way."""
    remaining_nano: int
    """What is left; below zero if more was spent than there was."""
    starts_at: datetime
    ends_at: datetime | None
    """`null`: the window moves with the time, or never ends."""


class BudgetStates(msgspec.Struct, frozen=True, kw_only=True):
    """All budgets of one node or key."""

    items: list[BudgetState]


def budget_endpoints(desk: Desk) -> list[Endpoint]:
    """The row of this noun."""
    contract = Contract(query=BudgetList, reply=BudgetStates, problems=(404,))
    summary = "Show how much of the budgets of one node or key is used."
    return [row(desk, "GET", "/api/v1/budgets", Permission.BUDGETS_READ, summary, _list, contract)]


async def _list(call: Call) -> Answer:
    named = {name: id for name in _OWNERS if (id := getattr(call.query, name)) is not None}
    if len(named) != 1:
        raise Problem(Kind.INVALID_REQUEST, "Name one organisation, team, project, user, account or key.")
    ((column, id),) = named.items()
    owner = await _OWNERS[column](call.tx, call.scope, id)
    rules = owner.budgets or []
    shown = shown_budgets(rules) or []
    items = [await _state(call, column, id, rule, each) for rule, each in zip(rules, shown, strict=True)]
    return Answer(value=BudgetStates(items=items))


async def _state(call: Call, column: str, id: str, rule: dict[str, Any], shown: BudgetRule) -> BudgetState:
    starts, ends = _window(rule["window"], ids.now())
    lines = await rollups.report(
        call.tx, call.scope, Window(since=starts), by=["model_group"], filters={column: id}
    )
    model = rule.get("model")
    counted = [line.sums for line in lines if model is None or covers([model], line.by["model_group"])]
    spent, held = sum(each.cost for each in counted), sum(each.held for each in counted)
    return BudgetState(
        name=rule["name"],
        rule=shown,
        amount_nano=rule["amount"],
        spent_nano=spent,
        held_nano=held,
        remaining_nano=rule["amount"] - spent - held,
        starts_at=moment_of(starts),
        ends_at=None if ends is None else moment_of(ends),
    )


def _window(window: Any, now: int) -> tuple[int, int | None]:
    """When the window that the present lies in begins and ends."""
    if isinstance(window, dict):
        return now - window["rolling"] * _SECOND, None
    _, starts, ends = _native.budget_window(msgspec.json.encode(window).decode(), now)
    return starts, ends
