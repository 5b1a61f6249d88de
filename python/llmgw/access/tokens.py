"""Tokens of issuers in the admin API: whom they name in the store, and the roles that their claims give.

Whether a token is genuine is judged by the native core, as on the data plane; here it is known already.
"""

from typing import Any

import msgspec

from llmgw._native import KeyHolder
from llmgw.access.grants import by_claims, check_person, grants_of
from llmgw.access.principal import Principal, PrincipalKind
from llmgw.errors import Unauthenticated
from llmgw.settings.identity import RoleRule
from llmgw.store import users
from llmgw.store.database import Store
from llmgw.store.scope import Scope

PREFIX = "jwt:"
"""What the ids of principals that showed a token begin with."""


class Verified(msgspec.Struct, frozen=True):
    """Of what the native core tells of a token, the part that roles are made of."""

    subject: str
    roles: tuple[RoleRule, ...]
    """Those whose claims fit."""


async def principal_of_token(store: Store, told: bytes, holder: KeyHolder, client: str | None) -> Principal:
    """Whom a genuine token stands for; `holder` has the nodes that it names.

    Raises:
        Unauthenticated: the user that it names may not come in.
        PermissionDenied: not from the address `client`.
        StoreUnavailable: the database does not answer.
    """
    verified = msgspec.json.decode(told, type=Verified)
    places = {"organisation": holder.organisation, "team": holder.team, "project": holder.project}
    given = by_claims(verified.roles, [rule.value for rule in verified.roles], places)
    common: dict[str, Any] = {**places, "user": holder.user}
    if holder.user is None:
        return Principal(kind=PrincipalKind.JWT, id=holder.id, name=verified.subject, grants=given, **common)
    async with store.read() as tx:
        user = await users.find(tx, Scope.all(), holder.user)
        if user is None:
            raise Unauthenticated("The token names a user that is not known here.")
        await check_person(tx, user, client or "")
        own = await grants_of(tx, user.id)
    name = user.email or user.name or user.id
    grants = tuple(dict.fromkeys((*own, *given)))
    return Principal(kind=PrincipalKind.USER, id=user.id, name=name, grants=grants, **common)
