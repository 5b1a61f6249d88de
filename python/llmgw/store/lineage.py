"""What a new or moved object belongs to: seen by the caller, agreeing with itself, and granting no less."""

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Row, Table, select

from llmgw.store import tables
from llmgw.store.errors import Conflict, Missing, NotWithin
from llmgw.store.kept import Kept
from llmgw.store.policy import Policy, check_within
from llmgw.store.scope import Scope
from llmgw.store.transaction import Transaction

OWNERS: Mapping[str, tuple[str, Table]] = {
    "service_account_id": ("service_account", tables.service_accounts),
    "project_id": ("project", tables.projects),
    "team_id": ("team", tables.teams),
    "user_id": ("user", tables.users),
    "organisation_id": ("organisation", tables.organisations),
}
"""The columns that say what something belongs to, innermost first, so that each can tell those behind it."""

_PLACES = ("service_account_id", "project_id", "team_id")

T = TypeVar("T", bound=Kept)

_POLICY = tuple(set(Policy.__struct_fields__) - set(Kept.__struct_fields__))


async def placed(
    tx: Transaction, scope: Scope, table: Table, record: T, moved: Collection[str] | None = None
) -> T:
    """The record with everything it belongs to filled in: a project's team, a team's organisation.

    What the caller names, of an existing one what it changes (`moved`), has to be what the caller may see.

    Raises:
        Missing: something it would belong to is not there, or not for this caller.
        Conflict: two things that it would belong to belong to different ones themselves.
        NotWithin: it would be granted more than one of them.
    """
    owners = {name: getattr(record, name) for name in OWNERS if name in record.__struct_fields__}
    named = {name for name, value in owners.items() if value is not None and (moved is None or name in moved)}
    if not scope.everything and moved is None and not named:
        raise Missing("place for a", table.name.removesuffix("s"))
    for name in named:  # before anything is told of how they belong together
        await _owner(tx, scope, name, str(owners[name]))
    if moved is not None:
        _forget_outer(owners, moved)
    parents = {}
    for name, (kind, _) in OWNERS.items():
        if (id := owners.get(name)) is not None:
            parents[f"{kind} {id}"] = row = await _owner(tx, Scope.all(), name, id)
            _fill(owners, row, kind)
    if isinstance(record, Policy):
        _check(record, parents)
    known = {name: value for name, value in owners.items() if name in record.__struct_fields__}
    return msgspec.structs.replace(record, **known)


async def _owner(tx: Transaction, scope: Scope, name: str, id: str) -> Row[Any]:
    kind, table = OWNERS[name]
    row = await tx.first(select(table).where(table.c.id == id, scope.over(table)))
    if row is None:
        raise Missing(kind, id)
    return row


def _forget_outer(owners: dict[str, str | None], moved: Collection[str]) -> None:
    """Of what moves to another team, the organisation is that team's, unless the caller names one."""
    inner = False
    for name in OWNERS:
        if name in moved:
            inner = inner or name != "user_id"
        elif inner and name in owners and name != "user_id":
            owners[name] = None


def _fill(owners: dict[str, str | None], row: Row[Any], kind: str) -> None:
    """Take over what an owner belongs to. A person may be a guest in another organisation's team.

    What a guest does there is not the affair of his or her own organisation, also where there is no other.
    """
    if kind == "user" and any(owners.get(name) is not None for name in _PLACES):
        return
    for name in OWNERS:
        theirs = row._mapping.get(name)
        if theirs is None:
            continue
        if owners.get(name) is None:
            owners[name] = theirs
        elif owners[name] != theirs and kind != "user":
            raise Conflict(f"the {kind} {row.id} does not belong to {owners[name]}")


def _check(record: Policy, parents: Mapping[str, Row[Any]]) -> None:
    problems = [
        f"{problem} ({name})"
        for name, row in parents.items()
        for problem in check_within(Policy(**{field: row._mapping[field] for field in _POLICY}), record)
    ]
    if problems:
        raise NotWithin(problems)
