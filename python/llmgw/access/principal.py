"""Who is calling: what every way to authenticate ends in, unless it ends in an error."""

from enum import StrEnum

import msgspec

from llmgw.access.rbac import Grant, Role, ScopeKind

MASTER_ID = "master"
"""The id of the master key's holder."""


class PrincipalKind(StrEnum):
    """How somebody has shown who they are."""

    MASTER = "master"
    """The master key: owner of the platform."""
    KEY = "key"
    """A virtual key that belongs to no person and no service account."""
    USER = "user"
    """A person, by session or by a key of theirs."""
    SERVICE_ACCOUNT = "service_account"
    """A program, by a key of its service account."""
    CLI = "cli"
    """Whoever may write the store's own file, at the command line."""
    JWT = "jwt"
    """A token of an identity provider, whose claims name nobody of the directory."""


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Who is calling. There is no empty one: a failed authentication is an error, never a principal.

    Raises:
        ValueError: it has no id or no name.
    """

    kind: PrincipalKind
    id: str
    """Of the key, user or service account; `master` for the master key, the subject for a token."""
    name: str
    """The alias of the key by which the data plane knows the caller, else what people call them."""
    grants: tuple[Grant, ...] = ()
    """Roles, and where they hold; none: the admin API shows the caller nothing but themselves."""
    organisation: str | None = None
    team: str | None = None
    project: str | None = None
    user: str | None = None
    """Where the caller belongs, which is no right to anything."""
    session: bool = False
    """A browser's session: its cookie came by itself, so that changes need the CSRF header."""

    def __post_init__(self) -> None:
        if not self.id or not self.name:
            raise ValueError("a principal has an id and a name")


def master(name: str) -> Principal:
    """The holder of the master key."""
    grant = Grant(role=Role.OWNER, scope=ScopeKind.PLATFORM)
    return Principal(kind=PrincipalKind.MASTER, id=MASTER_ID, name=name, grants=(grant,))
