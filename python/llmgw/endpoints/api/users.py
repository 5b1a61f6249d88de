"""`/api/v1/users`: people."""

from typing import Annotated

from msgspec import Meta

from llmgw.access.rbac import Permission, grants_with
from llmgw.endpoints.api.calls import Call
from llmgw.endpoints.api.nouns import Noun, check_fields
from llmgw.endpoints.api.reach import check_roles_of, places_of, reaching
from llmgw.endpoints.api.records import Listed, Policy, ShownPolicy, change_of
from llmgw.endpoints.api.words import Name, Word
from llmgw.endpoints.problems import Kind, Problem
from llmgw.store import users

Email = Annotated[str, Meta(min_length=3, max_length=254, pattern=r"^[^@\s]+@[^@\s]+$(?!\n)")]


class NewUser(Policy, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person who is to be made known. The organisation is for good."""

    email: Email | None = None
    name: Name | None = None
    organisation_id: Word | None = None
    external_id: Name | None = None
    """What the system that provisions it calls it."""
    active: bool = True


class User(ShownPolicy, frozen=True, kw_only=True):
    """A person."""

    email: str | None
    name: str | None
    organisation_id: str | None
    external_id: str | None
    active: bool


class UserList(Listed, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which people to list."""

    email: Email | None = None
    organisation_id: Word | None = None
    external_id: Name | None = None
    active: bool | None = None
    blocked: bool | None = None
    search: Name | None = None
    """A part of the email address."""


async def _check_reach(call: Call, noun: Noun, user: users.User, fields: set[str]) -> None:
    """Only who reaches a person's organisation, and has every role that the person has, may change who it is.

    Otherwise whoever shares a team with an owner could put an address of their own in the owner's place.
    """
    if not grants_with(reaching(call.principal, places_of(user)), noun.write):
        raise Problem(Kind.PERMISSION_DENIED, "The person belongs to another organisation, or to none.")
    await check_roles_of(call.tx, call.principal, user.id, "id")
    await check_fields(call, noun, user, fields)


NOUN = Noun(
    kind="user",
    path="/api/v1/users",
    shelf=users,
    record=users.User,
    body=NewUser,
    change=change_of(NewUser, "organisation_id"),
    shown=User,
    listed=UserList,
    read=Permission.USERS_READ,
    write=Permission.USERS_WRITE,
    check=_check_reach,
)
