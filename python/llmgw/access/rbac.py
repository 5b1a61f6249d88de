"""Who may do what: roles × permissions as one table, and grants of roles in scopes.

A row of the endpoint table declares one permission. Whoever holds a role with it, in any scope, may call
the endpoint; what they then see and change is what lies in the scopes in which they hold it.
"""

from collections.abc import Iterable
from enum import StrEnum

import msgspec


class Role(StrEnum):
    """What somebody is in a scope."""

    OWNER = "owner"
    """Everything, and the only one to make other owners."""
    ADMIN = "admin"
    """Everything but the configuration and owners."""
    OPERATOR = "operator"
    """Runs the gateway: models, credentials, blocking keys; gives nobody anything."""
    AUDITOR = "auditor"
    """Reads everything, changes nothing."""
    DEVELOPER = "developer"
    """Makes keys within the limits that are set."""
    VIEWER = "viewer"
    """Looks at structure and spend."""


class Permission(StrEnum):
    """What an endpoint asks of its caller: `noun.verb`."""

    ORGANISATIONS_READ = "organisations.read"
    ORGANISATIONS_WRITE = "organisations.write"
    TEAMS_READ = "teams.read"
    TEAMS_WRITE = "teams.write"
    PROJECTS_READ = "projects.read"
    PROJECTS_WRITE = "projects.write"
    USERS_READ = "users.read"
    USERS_WRITE = "users.write"
    SERVICE_ACCOUNTS_READ = "service_accounts.read"
    SERVICE_ACCOUNTS_WRITE = "service_accounts.write"
    MEMBERSHIPS_READ = "memberships.read"
    MEMBERSHIPS_WRITE = "memberships.write"
    """Give and take roles: at most those whose permissions one holds oneself."""
    OWNERS_WRITE = "owners.write"
    """Make and unmake owners."""
    KEYS_READ = "keys.read"
    KEYS_WRITE = "keys.write"
    KEYS_BLOCK = "keys.block"
    BUDGETS_READ = "budgets.read"
    BUDGETS_WRITE = "budgets.write"
    """Set limits, budgets, priorities and margins, wherever they stand."""
    CREDENTIALS_READ = "credentials.read"
    """Names and origins; nobody reads the secrets."""
    CREDENTIALS_WRITE = "credentials.write"
    MODELS_READ = "models.read"
    MODELS_WRITE = "models.write"
    SPEND_READ = "spend.read"
    LEDGER_READ = "ledger.read"
    EVENTS_READ = "events.read"
    CONFIG_READ = "config.read"
    CONFIG_WRITE = "config.write"
    METRICS_READ = "metrics.read"
    SCIM = "scim.write"
    """Provision users and groups, as identity providers do."""


class ScopeKind(StrEnum):
    """Where a role holds: there, and in everything below."""

    PLATFORM = "platform"
    ORGANISATION = "organisation"
    TEAM = "team"
    PROJECT = "project"


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """A role in a scope.

    Raises:
        ValueError: the platform has no id, everything else has one.
    """

    role: Role
    scope: ScopeKind
    scope_id: str | None = None
    """Of the organisation, team or project; `None` for the platform."""

    def __post_init__(self) -> None:
        if (self.scope_id is None) != (self.scope is ScopeKind.PLATFORM) or self.scope_id == "":
            raise ValueError("a grant names what it holds in, unless that is the platform")


_P = Permission
_STRUCTURE = frozenset(
    {_P.ORGANISATIONS_READ, _P.TEAMS_READ, _P.PROJECTS_READ, _P.SERVICE_ACCOUNTS_READ, _P.MODELS_READ}
)
_LOOK = _STRUCTURE | {_P.KEYS_READ, _P.BUDGETS_READ, _P.SPEND_READ}
_OWNERS_ALONE = frozenset({_P.CONFIG_WRITE, _P.OWNERS_WRITE})

ROLES: dict[Role, frozenset[Permission]] = {
    Role.OWNER: frozenset(Permission),
    Role.ADMIN: frozenset(Permission) - _OWNERS_ALONE,
    Role.OPERATOR: _LOOK
    | {_P.USERS_READ, _P.KEYS_BLOCK, _P.CREDENTIALS_READ, _P.CREDENTIALS_WRITE, _P.MODELS_WRITE}
    | {_P.LEDGER_READ, _P.EVENTS_READ, _P.CONFIG_READ, _P.METRICS_READ},
    Role.AUDITOR: frozenset(each for each in Permission if each.endswith(".read")),
    Role.DEVELOPER: _LOOK | {_P.KEYS_WRITE, _P.KEYS_BLOCK},
    Role.VIEWER: _LOOK,
}
"""The table."""

PLATFORM_ONLY = frozenset(
    {
        *(_P.CREDENTIALS_READ, _P.CREDENTIALS_WRITE, _P.MODELS_WRITE),
        *(_P.CONFIG_READ, _P.CONFIG_WRITE, _P.METRICS_READ),
    }
)
"""What belongs to no tenant: a role has these only where it is granted on the platform."""


def permissions_of(grant: Grant) -> frozenset[Permission]:
    """What a grant lets do, within its scope."""
    held = ROLES[grant.role]
    return held if grant.scope is ScopeKind.PLATFORM else held - PLATFORM_ONLY


def grants_with(grants: Iterable[Grant], permission: Permission) -> tuple[Grant, ...]:
    """The grants that hold the permission: where their holder may use it."""
    return tuple(grant for grant in grants if permission in permissions_of(grant))


def may_give(giver: Iterable[Grant], given: Grant) -> bool:
    """Whether grants hold all that another would give, and may give roles at all.

    `giver` are those grants of somebody that reach the scope in which the role is to be given: nobody
    gives what they do not have there.
    """
    held = {permission for grant in giver for permission in permissions_of(grant)}
    return Permission.MEMBERSHIPS_WRITE in held and permissions_of(given) <= held
