"""What a node or key may do, and the rule that a child is never granted more than its parent has."""

from collections.abc import Iterable, Mapping
from fnmatch import translate
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from re import Pattern, compile
from typing import Any

from llmgw.store.kept import Kept

Network = IPv4Network | IPv6Network

PRIORITIES = ("low", "normal", "high")

_DAY = 86_400
_WINDOWS = {"day": _DAY, "week": 7 * _DAY, "month": 31 * _DAY, "year": 366 * _DAY, "total": 2**62}
_PATTERNS = {"models": "model", "endpoints": "endpoint", "regions": "region"}


class Policy(Kept, frozen=True, kw_only=True):
    """The columns that nodes and keys have in common; `None` in a list means: not limited here."""

    models: list[str] | None = None
    endpoints: list[str] | None = None
    networks: list[str] | None = None
    regions: list[str] | None = None
    guardrails: list[str] | None = None
    tags: list[str] | None = None
    metadata: dict[str, Any] | None = None
    limits: list[dict[str, Any]] | None = None
    budgets: list[dict[str, Any]] | None = None
    priority: str | None = None
    blocked: bool = False


def check_within(parent: Policy, child: Policy) -> list[str]:
    """Why the child would have more than its parent: a sentence for each thing, none if it has not.

    A child that says nothing about something has what its parent has. What a parent limits and a child
    limits in another way (a minute here, an hour there) is not compared: both hold.
    """
    return [
        *_beyond_patterns(parent, child),
        *_beyond_networks(parent.networks, child.networks),
        *_beyond_limits(parent.limits or [], child.limits or []),
        *_beyond_budgets(parent.budgets or [], child.budgets or []),
        *_beyond_priority(parent.priority, child.priority),
    ]


def covers(patterns: Iterable[str], pattern: str) -> bool:
    """Whether everything that `pattern` matches is matched by one of `patterns`; `*` stands for any text.

    A star of the child is a character like others here: only a star of the parent can hold it.
    """
    return any(_glob(each).match(pattern) is not None for each in patterns)


@lru_cache(maxsize=4096)
def _glob(pattern: str) -> Pattern[str]:
    """Only `*` is special, unlike in a shell."""
    literal = "".join(f"[{letter}]" if letter in "?[" else letter for letter in pattern)
    return compile(translate(literal))


def _beyond_patterns(parent: Policy, child: Policy) -> Iterable[str]:
    for field, noun in _PATTERNS.items():
        allowed, asked = getattr(parent, field), getattr(child, field)
        if allowed is not None and asked is not None:
            for each in asked:
                if not covers(allowed, each):
                    yield f"{field}: the parent may not use the {noun} {each}"


def _beyond_networks(parent: list[str] | None, child: list[str] | None) -> Iterable[str]:
    if parent is None or child is None:
        return
    allowed = [each for version in (4, 6) for each in _joined(parent, version)]
    for text in child:
        network = ip_network(text, strict=False)
        if not any(_inside(network, each) for each in allowed):
            yield f"networks: {text} is not within the parent's"


def _joined(texts: list[str], version: int) -> Iterable[Network]:
    """The networks of one IP version, neighbours joined: two halves hold what the whole holds."""
    networks = [ip_network(text, strict=False) for text in texts]
    return collapse_addresses([each for each in networks if each.version == version])  # type: ignore[type-var]


def _inside(network: Network, other: Network) -> bool:
    if isinstance(network, IPv4Network):
        return isinstance(other, IPv4Network) and network.subnet_of(other)
    return isinstance(other, IPv6Network) and network.subnet_of(other)


def _beyond_limits(parent: list[dict[str, Any]], child: list[dict[str, Any]]) -> Iterable[str]:
    for rule in child:
        for above in parent:
            alike = all(rule.get(field) == above.get(field) for field in ("of", "per"))
            if alike and _same_models(above, rule):
                yield from _larger(above, rule)


def _larger(above: Mapping[str, Any], rule: Mapping[str, Any]) -> Iterable[str]:
    words = f"limits: {rule['of']}" + (f" per {rule['per']}" if rule.get("per") else "")
    if rule["amount"] > above["amount"]:
        yield f"{words}: {rule['amount']} is more than the parent's {above['amount']}"
        return
    burst, highest = (each.get("burst") or each["amount"] for each in (rule, above))
    if burst > highest:
        yield f"{words}: a burst of {burst} is more than the parent's {highest}"


def _beyond_budgets(parent: list[dict[str, Any]], child: list[dict[str, Any]]) -> Iterable[str]:
    """A budget of a day may not be more than the parent's of a month either."""
    for rule in child:
        for above in parent:
            shorter = _seconds(rule["window"]) <= _seconds(above["window"])
            if shorter and rule["amount"] > above["amount"] and _same_models(above, rule):
                yield f"budgets: {_shown(rule)} is more than the parent's {_shown(above)}"


def _seconds(window: str | Mapping[str, int]) -> int:
    return _WINDOWS[window] if isinstance(window, str) else window["rolling"]


def _shown(rule: Mapping[str, Any]) -> str:
    window = rule["window"]
    every = window if isinstance(window, str) else f"{window['rolling']} s"
    return f"{rule['amount']} per {every}"


def _same_models(above: Mapping[str, Any], rule: Mapping[str, Any]) -> bool:
    """Whether what the child's rule is about is all under the parent's."""
    if above.get("model") is None:
        return True
    return rule.get("model") is not None and covers([above["model"]], rule["model"])


def _beyond_priority(parent: str | None, child: str | None) -> Iterable[str]:
    if parent is not None and child is not None and PRIORITIES.index(child) > PRIORITIES.index(parent):
        yield f"priority: {child} is above the parent's {parent}"
