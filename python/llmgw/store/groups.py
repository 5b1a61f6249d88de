"""Groups: sets of people that an identity provider keeps by SCIM, and what being in one grants."""

from collections.abc import Collection, Sequence

import sqlalchemy as sa

from llmgw.store.kept import Kept
from llmgw.store.noun import Noun
from llmgw.store.scope import Scope
from llmgw.store.tables import group_members
from llmgw.store.tables import groups as table
from llmgw.store.transaction import Transaction


class Group(Kept, frozen=True, kw_only=True):
    """One group."""

    name: str
    organisation_id: str | None = None
    external_id: str | None = None
    grants: list[dict[str, str]] | None = None
    """`[{"role", "scope_kind", "scope_id"}]`: what its members may do."""


_groups = Noun(
    "group",
    "group",
    table,
    Group,
    fixed=("organisation_id",),
    filters=("name", "organisation_id", "external_id"),
)

create = _groups.create
find = _groups.find
get = _groups.get
page = _groups.page
window = _groups.window
count = _groups.count
update = _groups.update
remove = _groups.remove


async def members(tx: Transaction, scope: Scope, id: str) -> Sequence[str]:
    """The ids of a group's members, in order.

    Raises:
        Missing: the group is not there, or not for this caller.
    """
    await _groups.get(tx, scope, id)
    return await _members(tx, id)


async def set_members(
    tx: Transaction, scope: Scope, id: str, users: Collection[str], version: int | None = None
) -> Group:
    """Make these the members of a group, and nobody else.

    Raises:
        Missing: the group is not there, or not for this caller.
        Stale: it is at another version.
        Conflict: one of the users is not there.
    """
    group = await _groups.hold(tx, scope, id, version)
    before, after = set(await _members(tx, id)), set(users)
    for user in sorted(before - after):
        one = sa.and_(group_members.c.group_id == id, group_members.c.user_id == user)
        await tx.execute(sa.delete(group_members).where(one))
    for user in sorted(after - before):
        await tx.execute(sa.insert(group_members).values(group_id=id, user_id=user))
    return await _groups.change(tx, scope, group, {}, "set_members")


async def of_user(tx: Transaction, user_id: str) -> Sequence[Group]:
    """The groups that a person is in: for its grants, before there is a scope."""
    mine = sa.select(group_members.c.group_id).where(group_members.c.user_id == user_id)
    rows = await tx.rows(_groups.query(Scope.all()).where(table.c.id.in_(mine)).order_by(table.c.id))
    return [_groups.read(row) for row in rows]


async def _members(tx: Transaction, id: str) -> Sequence[str]:
    query = sa.select(group_members.c.user_id).where(group_members.c.group_id == id)
    return [row.user_id for row in await tx.rows(query.order_by(group_members.c.user_id))]
