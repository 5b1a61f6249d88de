"""Limits and budgets as the native core takes them: whole units, whole nano-dollars."""

from collections.abc import Sequence

from llmgw.gateway.snapshot import BudgetRule, LimitRule, SharedLimit
from llmgw.settings.limits import BudgetEntry, LimitEntry, RollingWindow, SharedLimitEntry, units
from llmgw.settings.problems import Report, did_you_mean
from llmgw.settings.schema import Settings
from llmgw.settings.values import nano_dollars
from llmgw.wiring.groups import Catalogue


def compile_limits(entries: Sequence[LimitEntry]) -> tuple[LimitRule, ...]:
    """The limits of a key or of what it belongs to."""
    return tuple(_limit(entry) for entry in entries)


def compile_budgets(entries: Sequence[BudgetEntry]) -> tuple[BudgetRule, ...]:
    """The budgets of a key or of what it belongs to."""
    return tuple(_budget(entry) for entry in entries)


def compile_shared_limits(entries: Sequence[SharedLimitEntry]) -> tuple[SharedLimit, ...]:
    """The limits that all of a kind have."""
    return tuple(SharedLimit(by=entry.by, matching=entry.match, rule=_limit(entry)) for entry in entries)


def check_budgets(settings: Settings, catalogue: Catalogue, report: Report) -> None:
    """Report budgets that send requests to a model group that nothing serves."""
    for position, key in enumerate(settings.keys):
        for index, budget in enumerate(key.budgets):
            name = budget.downgrade_to
            if name is not None and not catalogue.serves(name):
                hint = did_you_mean(name, catalogue.models)
                path = ("keys", position, "budgets", index, "downgrade_to")
                report.error(path, f"no model of the name '{name}' is served{hint}")


def _limit(entry: LimitEntry) -> LimitRule:
    return LimitRule(
        of=entry.of,
        amount=units(entry.of, entry.amount),
        per=entry.per,
        burst=None if entry.burst is None else units(entry.of, entry.burst),
        model=entry.model,
    )


def _budget(entry: BudgetEntry) -> BudgetRule:
    window = entry.window
    return BudgetRule(
        amount=nano_dollars(entry.amount),
        window={"rolling": window.rolling} if isinstance(window, RollingWindow) else window,
        soft=entry.soft,
        action=entry.action,
        throttle=None if entry.throttle is None else _limit(entry.throttle),
        downgrade_to=entry.downgrade_to,
        model=entry.model,
        name=entry.name,
    )
