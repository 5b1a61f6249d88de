"""What a user may write of limits and budgets. The admin API takes the same shape.

The string below a field is its documentation; `docs/configuration.md` is made of them.
"""

from decimal import Decimal
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from llmgw.settings.values import ModelName, Money, Section, nano_dollars

Counted: TypeAlias = Literal[
    "requests", "tokens", "input_tokens", "output_tokens", "concurrent", "bytes", "cost"
]
Period: TypeAlias = Literal["second", "minute", "hour", "day"]
PerMille: TypeAlias = Annotated[int, Meta(ge=1, le=1000)]
BudgetName: TypeAlias = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._:/-]{0,63}$")]
MatchText: TypeAlias = Annotated[str, Meta(min_length=1, max_length=256)]

LARGEST = 2**53
"""Amounts above this are not exact in every JSON reader."""
LONGEST_ROLLING = 10 * 366 * 24 * 3600
"""Ten years, in seconds."""


class LimitEntry(Section, frozen=True):
    """How much may pass in a time, or be in hand at once. Exact over all workers of a machine."""

    of: Counted
    """What is counted: requests; tokens, of both sides or of one; requests in hand at the same time; bytes of
    bodies, both the request's and the reply's; or what replies cost. Tokens and cost are estimated before a
    request is sent, and corrected after it."""
    amount: Money
    """How much of it: a whole number, or, of a cost, dollars."""
    per: Period | None = None
    """The time in which the amount flows in. Not for `concurrent`."""
    burst: Money | None = None
    """How much of it may come at once; without it, all."""
    model: ModelName | None = None
    """Only requests at this model group count; may hold one `*`."""

    def __post_init__(self) -> None:
        if (self.of == "concurrent") == (self.per is not None):
            raise ValueError("give 'per' with everything but 'concurrent'")
        if self.of == "concurrent" and self.burst is not None:
            raise ValueError("'concurrent' has no burst")
        units(self.of, self.amount)
        if self.burst is not None:
            units(self.of, self.burst)
        _check_model(self.model)


class SharedLimitEntry(LimitEntry, frozen=True, kw_only=True):
    """A limit that all of a kind have, each for itself."""

    by: Literal["key", "user", "team", "project", "organisation", "model", "ip", "tag"]
    """Of what kind: with `team`, every team has this limit, with `ip`, every address (of IPv6, every /64)."""
    match: MatchText | None = None
    """Only those whose name matches: the key's alias, the team's name, the model group, the address, the tag;
    may hold one `*`."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.match is not None and self.match.count("*") > 1:
            raise ValueError("only one '*' is allowed in 'match'")


class RollingWindow(Section, frozen=True):
    """The last so many seconds, at any instant. What was spent counts up to a sixteenth of that longer."""

    rolling: Annotated[int, Meta(ge=1, le=LONGEST_ROLLING)]
    """Seconds."""


class BudgetEntry(Section, frozen=True):
    """How much may be spent in a time. Before a request is sent, the most that it can cost is held; when it
    is over, that is corrected to what it did cost. What costs nothing is never refused."""

    name: BudgetName
    """Its name, of which a key has one only."""
    amount: Money
    """Dollars."""
    window: Literal["day", "week", "month", "year", "total"] | RollingWindow
    """The time that they are for: a day, week (from Monday), month or year of the calendar in UTC, all time,
    or the last so many seconds (`{rolling: 3600}`)."""
    soft: Annotated[tuple[PerMille, ...], Meta(max_length=8)] = ()
    """Thresholds in thousandths of the amount: `[800]`. Each is told once in a window, by a line in the log
    and a metric."""
    action: Literal["block", "alert", "throttle", "downgrade"] = "block"
    """What happens where it is not enough. `block`: the request is refused. `alert`: nothing but a line in
    the log. `throttle`: as `block`, and from the first threshold on (without any, from the amount on) the
    limit of `throttle` applies. `downgrade`: from there on, requests go to the model group of `downgrade_to`;
    what it cannot pay even there is refused, unless `model` says that the other group does not count."""
    throttle: LimitEntry | None = None
    """The limit that applies, with `throttle`."""
    downgrade_to: ModelName | None = None
    """The model group that is asked instead, with `downgrade`."""
    model: ModelName | None = None
    """Only requests at this model group count; may hold one `*`."""

    def __post_init__(self) -> None:
        if nano_dollars(self.amount) == 0:
            raise ValueError("the amount must be more than nothing")
        if (self.action == "throttle") != (self.throttle is not None):
            raise ValueError("give 'throttle' with the action of that name, and with no other")
        if (self.action == "downgrade") != (self.downgrade_to is not None):
            raise ValueError("give 'downgrade_to' with the action 'downgrade', and with no other")
        _check_model(self.model)


def units(of: Counted, amount: Money) -> int:
    """A limit's amount as it is counted: nano-dollars of a cost.

    Raises:
        ValueError: there are no such amounts.
    """
    if of == "cost":
        counted = nano_dollars(amount)
    else:
        exact = Decimal(str(amount))
        if exact != int(exact):
            raise ValueError(f"an amount of {of} is a whole number")
        counted = int(exact)
    if not 1 <= counted <= LARGEST:
        raise ValueError(f"an amount of {of} is more than nothing, and below {LARGEST}")
    return counted


def _check_model(model: str | None) -> None:
    if model is not None and model.count("*") > 1:
        raise ValueError("only one '*' is allowed in 'model'")
