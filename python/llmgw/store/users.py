"""Users: people, as an operator, a login or SCIM made them known."""

import msgspec

from llmgw.store.noun import Noun
from llmgw.store.policy import Policy
from llmgw.store.scope import Scope
from llmgw.store.tables import users as table
from llmgw.store.transaction import Transaction


class User(Policy, frozen=True, kw_only=True):
    """One person."""

    organisation_id: str | None = None
    email: str | None = None
    """In lower case; unique."""
    name: str | None = None
    external_id: str | None = None
    """What the system that provisions it calls it."""
    issuer: str | None = None
    """The identity provider that it logs in by; a pair with `subject`."""
    subject: str | None = None
    active: bool = True
    scim: dict[str, object] | None = None
    """Attributes of SCIM that llmgw keeps and does not use."""


_users = Noun(
    "user",
    "user",
    table,
    User,
    filters=("organisation_id", "email", "external_id", "issuer", "subject", "active", "blocked"),
    search="email",
)

find = _users.find
get = _users.get
page = _users.page
window = _users.window
count = _users.count
stream = _users.stream
remove = _users.remove


async def create(tx: Transaction, scope: Scope, user: User) -> User:
    """Add one.

    Raises:
        Missing, NotWithin, Conflict: as for every noun; an email or subject is taken once.
    """
    return await _users.create(tx, scope, msgspec.structs.replace(user, email=_lower(user.email)))


async def update(
    tx: Transaction, scope: Scope, id: str, fields: dict[str, object], version: int | None = None
) -> User:
    """Change fields.

    Raises:
        Missing, Stale, Refused, NotWithin, Conflict: as for every noun.
    """
    if isinstance(email := fields.get("email"), str):
        fields = {**fields, "email": _lower(email)}
    return await _users.update(tx, scope, id, fields, version)


async def find_by_subject(tx: Transaction, issuer: str, subject: str) -> User | None:
    """Who an identity provider calls this: for a login, before there is anyone to have a scope."""
    query = _users.query(Scope.all()).where(table.c.issuer == issuer, table.c.subject == subject)
    row = await tx.first(query)
    return None if row is None else _users.read(row)


async def find_by_email(tx: Transaction, email: str) -> User | None:
    """Who has this address, in any case of letters: as `find_by_subject`."""
    row = await tx.first(_users.query(Scope.all()).where(table.c.email == _lower(email)))
    return None if row is None else _users.read(row)


def _lower(email: str | None) -> str | None:
    return None if email is None else email.strip().lower()
