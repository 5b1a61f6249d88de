"""The words that bodies of the admin API are made of: names, patterns, limits, budgets, times, money.

Money is dollars here and whole nano-dollars in the store; times are RFC 3339 here and microseconds there.
"""

from datetime import UTC, datetime
from decimal import Decimal
from ipaddress import ip_network
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

NANO = 1_000_000_000
_MOST = 2**63 - 1

Name = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$(?!\n)")]
"""What people call something."""
Word = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[!-~]+$(?!\n)")]
"""An id, an alias, a pattern: printable, without spaces."""
Text = Annotated[str, Meta(max_length=2000, pattern=r"^[^\x00]*$(?!\n)")]
Words = Annotated[list[Word], Meta(max_length=1000)]
Amount = Annotated[Decimal, Meta(extra_json_schema={"exclusiveMinimum": 0, "maximum": 9_223_372_036})]
Metadata = Annotated[dict[Word, Text], Meta(max_length=64)]
Priority = Literal["low", "normal", "high"]
Certificate = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]


class LimitRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much may pass in a time, or be in hand at once."""

    of: Literal["requests", "tokens", "input_tokens", "output_tokens", "concurrent", "bytes", "cost"]
    amount: Amount
    """Dollars of cost; of all else a whole number."""
    per: Literal["second", "minute", "hour", "day"] | None = None
    """Needed, but for `concurrent`, which has none."""
    burst: Amount | None = None
    """How much may come at once; without it, all."""
    model: Word | None = None
    """Only requests at this model group count; a pattern."""

    def __post_init__(self) -> None:
        if (self.per is None) != (self.of == "concurrent"):
            raise ValueError("`per` is for everything but `concurrent`, and needed there")
        _one_star(self.model)
        _stored_amount(self.of, self.amount)
        if self.burst is not None:
            _stored_amount(self.of, self.burst)


class Rolling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The last so many seconds, at any instant."""

    rolling: Annotated[int, Meta(ge=60, le=366 * 86_400)]


class BudgetRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much may be spent in a time."""

    name: Word
    """Tells it from the others of the same node or key."""
    amount: Amount
    """Dollars."""
    window: Literal["day", "week", "month", "year", "total"] | Rolling
    """By the calendar (UTC), or rolling."""
    soft: Annotated[list[Annotated[int, Meta(ge=1, le=1000)]], Meta(max_length=10)] = []
    """Thresholds in thousandths of the amount, that are told when they are passed."""
    action: Literal["block", "alert", "throttle", "downgrade"] = "block"
    throttle: LimitRule | None = None
    """The limit from the first threshold on, if the action is to throttle."""
    downgrade_to: Word | None = None
    """The model group that requests go to instead, if the action is to downgrade."""
    model: Word | None = None
    """Only requests at this model group count; a pattern."""

    def __post_init__(self) -> None:
        nano_of(self.amount)
        _one_star(self.model)
        for action, needs in (("throttle", self.throttle), ("downgrade", self.downgrade_to)):
            if (self.action == action) != (needs is not None):
                raise ValueError(f"the action {action} and what it needs go together")


Limits = Annotated[list[LimitRule], Meta(max_length=100)]
Budgets = Annotated[list[BudgetRule], Meta(max_length=100)]


def check_networks(networks: object) -> None:
    """Whether each is an address or network (CIDR).

    Raises:
        ValueError: one is not.
    """
    for text in networks if isinstance(networks, list) else ():
        try:
            ip_network(text, strict=False)
        except ValueError:
            raise ValueError(f"`{text[:50]}` is no address and no network") from None


def check_budgets(budgets: object) -> None:
    """Whether their names differ.

    Raises:
        ValueError: two have the same.
    """
    names = (
        [each.name for each in budgets if isinstance(each, BudgetRule)] if isinstance(budgets, list) else []
    )
    if len(set(names)) < len(names):
        raise ValueError("two budgets have the same name")


def nano_of(dollars: Decimal) -> int:
    """Whole nano-dollars.

    Raises:
        ValueError: it is not above zero, has more than nine decimals, or is more than can be counted.
    """
    return _whole(dollars, 9)


def dollars_of(nano: int) -> Decimal:
    """Dollars, with the decimals that it takes."""
    whole, rest = divmod(abs(nano), NANO)
    text = f"{'-' if nano < 0 else ''}{whole}.{rest:09d}".rstrip("0").rstrip(".")
    return Decimal(text)


def stored(value: Any) -> Any:
    """A value of a body as the store has it."""
    match value:
        case LimitRule():
            return _stored_limit(value)
        case BudgetRule():
            fields = _without_none(value)
            fields["amount"] = nano_of(value.amount)
            if value.throttle is not None:
                fields["throttle"] = _stored_limit(value.throttle)
            if isinstance(value.window, Rolling):
                fields["window"] = {"rolling": value.window.rolling}
            return fields
        case datetime():
            return micros_of(value)
        case list():
            return [stored(each) for each in value]
        case msgspec.Struct():
            return msgspec.to_builtins(value)
        case _:
            return value


def shown_limits(rules: list[dict[str, Any]] | None) -> list[LimitRule] | None:
    """Limits of the store as bodies have them."""
    return None if rules is None else [_shown_limit(rule) for rule in rules]


def shown_budgets(rules: list[dict[str, Any]] | None) -> list[BudgetRule] | None:
    """Budgets of the store as bodies have them."""
    return None if rules is None else [_shown_budget(rule) for rule in rules]


def micros_of(moment: datetime) -> int:
    """Unix microseconds; a time without a zone is UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    since = aware - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def moment_of(micros: int) -> datetime:
    """The time of Unix microseconds; the end of time for what is beyond it."""
    try:
        return datetime.fromtimestamp(micros // 1_000_000, UTC).replace(microsecond=micros % 1_000_000)
    except (ValueError, OverflowError, OSError):
        return datetime.max.replace(tzinfo=UTC)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _whole(number: Decimal, decimals: int) -> int:
    if not number.is_finite() or number <= 0:
        raise ValueError("an amount is above zero")
    if number.adjusted() > 18 or number != (kept := round(number, decimals)):
        raise ValueError(f"an amount has at most {decimals} decimals" if decimals else "it is a whole number")
    whole = int(kept.scaleb(decimals))
    if whole > _MOST:
        raise ValueError("the amount is more than can be counted")
    return whole


def _stored_amount(of: str, amount: Decimal) -> int:
    return _whole(amount, 9 if of == "cost" else 0)


def _stored_limit(rule: LimitRule) -> dict[str, Any]:
    fields = _without_none(rule)
    for name in ("amount", "burst"):
        if name in fields:
            fields[name] = _stored_amount(rule.of, fields[name])
    return fields


def _shown_limit(rule: dict[str, Any]) -> LimitRule:
    amounts = {name: rule[name] for name in ("amount", "burst") if rule.get(name) is not None}
    shown = {name: dollars_of(it) if rule["of"] == "cost" else Decimal(it) for name, it in amounts.items()}
    return LimitRule(**{**rule, **shown})


def _shown_budget(rule: dict[str, Any]) -> BudgetRule:
    fields = {**rule, "amount": dollars_of(rule["amount"])}
    if rule.get("throttle"):
        fields["throttle"] = _shown_limit(rule["throttle"])
    if isinstance(window := rule["window"], dict):
        fields["window"] = Rolling(window["rolling"])
    return BudgetRule(**fields)


def _without_none(value: msgspec.Struct) -> dict[str, Any]:
    return {name: each for name, each in msgspec.structs.asdict(value).items() if each is not None}


def _one_star(pattern: str | None) -> None:
    if pattern is not None and pattern.count("*") > 1:
        raise ValueError("a pattern has one `*` at most")
