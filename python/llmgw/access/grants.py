"""What roles somebody has: by membership, by group, and by claims that an identity provider vouches for."""

from collections.abc import Iterable, Mapping
from ipaddress import ip_address, ip_network

from llmgw.access.rbac import Grant, Role, ScopeKind
from llmgw.errors import PermissionDenied, Unauthenticated
from llmgw.settings.identity import RoleRule
from llmgw.store import groups, memberships, organisations, users
from llmgw.store.database import Transaction
from llmgw.store.policy import Policy
from llmgw.store.scope import Scope


async def grants_of(tx: Transaction, user_id: str) -> tuple[Grant, ...]:
    """A person's roles, each once: their own, and those of the groups that they are in."""
    found = [
        Grant(role=Role(one.role), scope=ScopeKind(one.scope_kind), scope_id=one.scope_id or None)
        for one in await memberships.of_user(tx, user_id)
    ]
    for group in await groups.of_user(tx, user_id):
        found += [_of_group(one) for one in group.grants or ()]
    return tuple(dict.fromkeys(found))


async def check_person(tx: Transaction, user: users.User, address: str) -> None:
    """Refuse a person who is blocked, was deactivated, or of a blocked organisation, or elsewhere.

    Raises:
        Unauthenticated: they may not come in.
        PermissionDenied: they may not come in from this address.
    """
    if user.blocked or not user.active:
        raise Unauthenticated("Your user is blocked.")
    check_address(user, address, "You may not come in from this address.")
    if user.organisation_id is not None:
        organisation = await organisations.find(tx, Scope.all(), user.organisation_id)
        if organisation is None or organisation.blocked:
            raise Unauthenticated("Your organisation is blocked.")
        check_address(organisation, address, "You may not come in from this address.")


def check_address(policy: Policy, address: str, refusal: str) -> None:
    """Refuse whoever calls from outside of the networks of a policy; an unknown address is in none.

    Raises:
        PermissionDenied: with the sentence `refusal`.
    """
    if policy.networks is None:
        return
    try:
        client = ip_address(address)
    except ValueError:
        client = None
    if client is None or not any(client in ip_network(text, strict=False) for text in policy.networks):
        raise PermissionDenied(refusal)


def by_claims(
    rules: Iterable[RoleRule], values: Iterable[str], places: Mapping[str, str | None]
) -> tuple[Grant, ...]:
    """The grants that values of a claim give; `places` are the ids that the claims name, by kind of node.

    A rule that holds in a place which is not known gives nothing.
    """
    values = tuple(values)
    found = []
    for rule in rules:
        if not any(matches(rule.value, value) for value in values):
            continue
        place = None if rule.on == "platform" else rule.id or places.get(rule.on)
        if place is not None or rule.on == "platform":
            found.append(Grant(role=Role(rule.role), scope=ScopeKind(rule.on), scope_id=place))
    return tuple(dict.fromkeys(found))


def matches(pattern: str, value: str) -> bool:
    """Whether a value is the one of a rule; only `*` is special, as in the native core."""
    before, star, after = pattern.partition("*")
    if not star:
        return pattern == value
    return len(value) >= len(before) + len(after) and value.startswith(before) and value.endswith(after)


def _of_group(grant: Mapping[str, str]) -> Grant:
    kind = ScopeKind(grant["scope_kind"])
    return Grant(role=Role(grant["role"]), scope=kind, scope_id=grant.get("scope_id") or None)
