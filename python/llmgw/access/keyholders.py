"""Whom a virtual key of the store stands for, in the admin API: its role, and where that holds."""

from llmgw._native import check_key
from llmgw.access.grants import check_address
from llmgw.access.principal import Principal, PrincipalKind
from llmgw.access.rbac import Grant, Role, ScopeKind
from llmgw.errors import Unauthenticated
from llmgw.store import ids, keys, organisations, projects, service_accounts, teams, users
from llmgw.store.database import Store, Transaction
from llmgw.store.scope import Scope

_ELSEWHERE = "The API key may not be used from this address."
_PLACES = (
    (ScopeKind.PROJECT, "project_id"),
    (ScopeKind.TEAM, "team_id"),
    (ScopeKind.ORGANISATION, "organisation_id"),
)
_OWNERS = (
    (organisations.find, "organisation_id"),
    (teams.find, "team_id"),
    (projects.find, "project_id"),
    (users.find, "user_id"),
    (service_accounts.find, "service_account_id"),
)


def grant_of_key(key: keys.Key) -> Grant | None:
    """The key's role, in the innermost of what it belongs to; `None`: it has none."""
    if key.admin_role is None:
        return None
    for kind, owner in _PLACES:
        if (id := getattr(key, owner)) is not None:
            return Grant(role=Role(key.admin_role), scope=kind, scope_id=id)
    return Grant(role=Role(key.admin_role), scope=ScopeKind.PLATFORM)


async def holder(store: Store, shown: str, digest: str, address: str) -> Principal:
    """Whose key this is.

    Raises:
        Unauthenticated: it is mistyped, unknown, blocked or expired.
        PermissionDenied: it may not be used from this address.
        StoreUnavailable: the database does not answer.
    """
    if check_key(shown) is False:
        raise Unauthenticated("The API key is mistyped or cut: its checksum does not fit.")
    async with store.read() as tx:
        key = await keys.find_by_digest(tx, digest)
        return await _in_standing(tx, key, address)


async def holder_of(store: Store, id: str, address: str) -> Principal:
    """Whose key it is that has this id, and was known by another thing than itself: a certificate.

    Raises:
        Unauthenticated, PermissionDenied, StoreUnavailable: as in `holder`.
    """
    async with store.read() as tx:
        return await _in_standing(tx, await keys.find(tx, Scope.all(), id), address)


async def _in_standing(tx: Transaction, key: keys.Key | None, address: str) -> Principal:
    if key is None:
        raise Unauthenticated("The API key is not known here.")
    if key.blocked or (key.expires_at is not None and key.expires_at <= ids.now()):
        raise Unauthenticated(f"The API key is {'blocked' if key.blocked else 'expired'}.")
    check_address(key, address, _ELSEWHERE)
    await _check_owners(tx, key, address)
    return principal_of(key)


def principal_of(key: keys.Key) -> Principal:
    """Whom a key in good standing stands for."""
    grant = grant_of_key(key)
    kind, id = PrincipalKind.KEY, key.id
    if key.service_account_id is not None:
        kind, id = PrincipalKind.SERVICE_ACCOUNT, key.service_account_id
    elif key.user_id is not None:
        kind, id = PrincipalKind.USER, key.user_id
    return Principal(
        kind=kind,
        id=id,
        name=key.alias,
        grants=() if grant is None else (grant,),
        organisation=key.organisation_id,
        team=key.team_id,
        project=key.project_id,
        user=key.user_id,
    )


async def _check_owners(tx: Transaction, key: keys.Key, address: str) -> None:
    """What a key belongs to may be blocked, or bound to networks, as well as the key."""
    for find, owner in _OWNERS:
        if (id := getattr(key, owner)) is None:
            continue
        node = await find(tx, Scope.all(), id)
        if node is None or node.blocked or (isinstance(node, users.User) and not node.active):
            raise Unauthenticated("What the API key belongs to is blocked.")
        check_address(node, address, _ELSEWHERE)
