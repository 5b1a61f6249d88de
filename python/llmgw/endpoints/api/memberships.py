"""`/api/v1/memberships`: which role somebody has, and where. Nobody gives or takes what they do not have."""

from typing import Annotated

import msgspec
from msgspec import Meta

from llmgw.access.rbac import Grant, Permission, Role, ScopeKind
from llmgw.endpoints.api.calls import Answer, Call, row
from llmgw.endpoints.api.desk import Desk
from llmgw.endpoints.api.reach import Place, check_role, grant_of, places_at, reaching
from llmgw.endpoints.api.records import Listed, Shown, page_of, page_shown, shown
from llmgw.endpoints.api.words import Word
from llmgw.endpoints.base import Contract, Endpoint
from llmgw.endpoints.problems import Fault, Kind, Problem
from llmgw.store import memberships, users
from llmgw.store.below import with_below
from llmgw.store.errors import Missing
from llmgw.store.scope import Scope

_PATH = "/api/v1/memberships"
_READ, _WRITE = Permission.MEMBERSHIPS_READ, Permission.MEMBERSHIPS_WRITE


class NewMembership(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A role that is to be given."""

    user_id: Word
    role: Role
    scope_kind: ScopeKind
    scope_id: Annotated[str, Meta(max_length=200, pattern=r"^[!-~]*$(?!\n)")] = ""
    """Of the organisation, team or project; empty for the platform."""

    def __post_init__(self) -> None:
        if (self.scope_id == "") != (self.scope_kind is ScopeKind.PLATFORM):
            raise ValueError("`scope_id` is for everything but the platform, and needed there")


class Membership(Shown, frozen=True, kw_only=True):
    """A role that somebody has."""

    user_id: str
    role: str
    scope_kind: str
    scope_id: str
    source: str
    """What keeps it: a group's id, `login`, or nothing: a person's word."""


class MembershipList(Listed, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which memberships to list."""

    user_id: Word | None = None
    role: Role | None = None
    scope_kind: ScopeKind | None = None
    scope_id: Word | None = None


def membership_endpoints(desk: Desk) -> list[Endpoint]:
    """The rows of this noun."""
    listed = Contract(query=MembershipList, reply=page_of(Membership))
    made = Contract(body=NewMembership, reply=Membership, status=201, tagged=True)
    one = f"{_PATH}/{{id}}"
    read = Contract(reply=Membership, tagged=True)
    return [
        row(desk, "GET", _PATH, _READ, "List memberships, page by page.", _list, listed),
        row(desk, "POST", _PATH, _WRITE, "Give somebody a role.", _give, made),
        row(desk, "GET", one, _READ, "Read a membership.", _get, read),
        row(desk, "DELETE", one, _WRITE, "Take a role away.", _take, Contract(conditional=True)),
    ]


async def _list(call: Call) -> Answer:
    scope = await with_below(call.tx, call.scope)
    page = await memberships.page(call.tx, scope, call.query.paging, call.query.filters)
    return Answer(value=page_shown(page, Membership))


async def _get(call: Call) -> Answer:
    scope = await with_below(call.tx, call.scope)
    found = await memberships.get(call.tx, scope, call.parameters["id"])
    return Answer(value=shown(found, Membership), version=found.version)


async def _give(call: Call) -> Answer:
    body: NewMembership = call.body
    places = await _places(call, body.scope_kind, body.scope_id)
    given = Grant(role=body.role, scope=body.scope_kind, scope_id=body.scope_id or None)
    check_role(call.principal, given, places)
    membership = memberships.Membership(
        user_id=body.user_id, scope_kind=body.scope_kind, scope_id=body.scope_id, role=body.role
    )
    scope = await _with_colleague(call, places, body.user_id)
    made = await memberships.create(call.tx, scope, membership)
    return Answer(value=shown(made, Membership), version=made.version)


async def _take(call: Call) -> Answer:
    scope = await with_below(call.tx, call.scope)
    found = await memberships.get(call.tx, scope, call.parameters["id"])
    check_role(call.principal, grant_of(found), await _places(call, found.scope_kind, found.scope_id))
    if found.source:
        detail = f"This role comes from {found.source}, and goes with it."
        raise Problem(Kind.CONFLICT, detail, [Fault("/source", detail)])
    await memberships.remove(call.tx, scope, found.id, call.version)
    return Answer()


async def _places(call: Call, kind: str, id: str) -> set[Place]:
    """Where the role holds, of a place that the caller reaches.

    Raises:
        Missing: there is no such place, or not for this caller.
    """
    places = await places_at(call.tx, kind, id)
    if not reaching(call.principal, places):
        raise Missing(kind, id or "of this name")
    return places


async def _with_colleague(call: Call, places: set[Place], user_id: str) -> Scope:
    """The scope, in which people of the place's own organisation may be named, seen or not."""
    user = await users.find(call.tx, Scope.all(), user_id)
    if user is None or (ScopeKind.ORGANISATION, user.organisation_id) not in places:
        return call.scope
    return msgspec.structs.replace(call.scope, users=call.scope.users | {user_id})
