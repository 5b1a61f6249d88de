"""Memberships: which role a person has, and where."""

from collections.abc import Sequence

import sqlalchemy as sa

from llmgw.store import projects, teams
from llmgw.store.errors import Missing
from llmgw.store.kept import Kept
from llmgw.store.noun import Noun
from llmgw.store.scope import Scope
from llmgw.store.tables import memberships as table
from llmgw.store.transaction import Transaction

PLATFORM = ""
"""The scope's id of the platform, which is one."""


class Membership(Kept, frozen=True, kw_only=True):
    """A role of a person in one place."""

    user_id: str
    scope_kind: str
    """`platform`, `organisation`, `team` or `project`."""
    scope_id: str = PLATFORM
    role: str
    source: str = ""
    """What keeps it: the id of a group, `login` for the claims of one; empty for a person's word."""


class _Memberships(Noun[Membership]):
    """Seen by those who see the place or the person."""

    def seen(self, scope: Scope) -> sa.ColumnElement[bool]:
        if scope.everything:
            return sa.true()
        return sa.or_(table.c.user_id.in_(sorted(scope.users)), scope.over_places())


_memberships = _Memberships(
    "membership",
    "mem",
    table,
    Membership,
    fixed=("user_id", "scope_kind", "scope_id", "source"),
    filters=("user_id", "scope_kind", "scope_id", "role", "source"),
    search=None,
)

find = _memberships.find
get = _memberships.get
page = _memberships.page
count = _memberships.count
update = _memberships.update


async def create(tx: Transaction, scope: Scope, membership: Membership) -> Membership:
    """Give a person a role in a place; which roles the caller may give is not judged here.

    Raises:
        Missing: the person or the place is not there, or not for this caller.
        Conflict: that role is there already.
    """
    await _reach(tx, scope, membership.scope_kind, membership.scope_id)
    return await _memberships.create(tx, scope, membership)


async def remove(tx: Transaction, scope: Scope, id: str, version: int | None = None) -> Membership:
    """Take a role away, where the caller reaches the place: to see the person is not enough.

    Raises:
        Missing: it is not there, or not for this caller.
        Stale: it is at another version.
    """
    membership = await _memberships.get(tx, scope, id)
    await _reach(tx, scope, membership.scope_kind, membership.scope_id)
    return await _memberships.remove(tx, scope, id, version)


async def of_user(tx: Transaction, user_id: str) -> Sequence[Membership]:
    """Every role of a person: what its grants are made of, before there is a scope."""
    query = _memberships.query(Scope.all()).where(table.c.user_id == user_id).order_by(table.c.id)
    return [_memberships.read(row) for row in await tx.rows(query)]


async def _reach(tx: Transaction, scope: Scope, kind: str, id: str) -> None:
    if scope.everything:
        return
    if kind == "team":
        await teams.get(tx, scope, id)
    elif kind == "project":
        await projects.get(tx, scope, id)
    elif kind != "organisation" or id not in scope.organisations:
        raise Missing(kind, id)
