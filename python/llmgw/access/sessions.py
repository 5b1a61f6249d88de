"""Sessions of people: begun by a login, known by a cookie, ended by a logout, by rest, or by age.

The cookie's value is 256 random bits; only its SHA-256 is stored. It is looked up with every request, so that
a logout, a block or a role that was taken away holds for the next one, on every worker and every machine.
"""

import hashlib
import re
import secrets

import msgspec

from llmgw.access.cookies import Cookies
from llmgw.access.grants import by_claims, check_person, grants_of
from llmgw.access.oidc import Person
from llmgw.access.principal import Principal, PrincipalKind
from llmgw.access.rbac import Grant
from llmgw.access.terms import OidcOptions
from llmgw.errors import PermissionDenied, Unauthenticated
from llmgw.store import ids, memberships, sessions, users
from llmgw.store.database import Actor, Store, Transaction
from llmgw.store.memberships import Membership
from llmgw.store.scope import Scope

LOGIN = "login"
"""The source of memberships that a login keeps."""

_SECOND = 1_000_000
_TOUCH_EVERY = 60 * _SECOND
_VALUE = re.compile("[A-Za-z0-9_-]{43}")


class Begun(msgspec.Struct, frozen=True):
    """A session that has begun: what goes into the cookie, this once, and whose it is."""

    value: str
    user: users.User


class Sessions:
    """The sessions of one store, on the terms of one provider."""

    def __init__(self, store: Store, options: OidcOptions) -> None:
        self._store = store
        self._options = options
        self.cookies = Cookies(options.public_url)

    async def begin(self, person: Person, ip: str | None, before: str | None) -> Begun:
        """Begin a session for who has logged in, and end the one that the same browser had before.

        Raises:
            Unauthenticated: they are blocked.
            PermissionDenied: they are not known here, and users are not made by logins; or are elsewhere.
            StoreUnavailable: the database does not answer.
        """
        value = secrets.token_urlsafe(32)
        actor = Actor(kind="user", id=person.subject, name=person.email or person.name, ip=ip)
        async with self._store.begin(actor) as tx:
            user = await self._user(tx, person)
            await check_person(tx, user, ip or "")
            await self._keep_roles(tx, user, person)
            if before is not None and _VALUE.fullmatch(before):
                await sessions.remove(tx, _digest(before))
            expires = ids.now() + int(self._options.session_lifetime * _SECOND)
            await sessions.create(
                tx, sessions.Session(digest=_digest(value), user_id=user.id, ip=ip, expires_at=expires)
            )
        return Begun(value, user)

    async def principal(self, value: str, address: str = "") -> Principal:
        """Whose session this is, used from this address.

        Raises:
            Unauthenticated: it is none, it has ended, or its person may not come in any more.
            PermissionDenied: its person may not come in from there.
            StoreUnavailable: the database does not answer.
        """
        if not _VALUE.fullmatch(value):
            raise Unauthenticated("You are not logged in.")
        digest = _digest(value)
        async with self._store.read() as tx:
            session = await sessions.find(tx, digest)
            rest = int(self._options.session_idle * _SECOND)
            if session is None or ids.now() - session.seen_at > rest:
                raise Unauthenticated("You are not logged in.")
            user = await users.find(tx, Scope.all(), session.user_id)
            if user is None:
                raise Unauthenticated("You are not logged in.")
            await check_person(tx, user, address)
            grants = await grants_of(tx, user.id)
        if ids.now() - session.seen_at > min(_TOUCH_EVERY, rest // 4):
            async with self._store.begin() as tx:
                await sessions.touch(tx, digest, session.expires_at)
        return principal_of(user, grants, session=True)

    async def end(self, value: str) -> None:
        """End a session, everywhere at once.

        Raises:
            StoreUnavailable: the database does not answer: it has not ended.
        """
        if _VALUE.fullmatch(value):
            async with self._store.begin() as tx:
                await sessions.remove(tx, _digest(value))

    async def _user(self, tx: Transaction, person: Person) -> users.User:
        """Who this is: by the provider's id, else by a verified address of somebody who never logged in."""
        known = await users.find_by_subject(tx, person.issuer, person.subject)
        if known is not None:
            return known
        mine: dict[str, object] = {"issuer": person.issuer, "subject": person.subject}
        if person.email is not None:
            known = await users.find_by_email(tx, person.email)
        if known is not None:
            if known.subject is not None:
                raise PermissionDenied("Your address belongs to a user who logs in differently.")
            return await users.update(tx, Scope.all(), known.id, mine)
        if not self._options.create_users:
            raise PermissionDenied("You are not known here: ask an administrator to add you.")
        made = users.User(
            organisation_id=self._options.organisation,
            email=person.email,
            name=person.name,
            issuer=person.issuer,
            subject=person.subject,
        )
        return await users.create(tx, Scope.all(), made)

    async def _keep_roles(self, tx: Transaction, user: users.User, person: Person) -> None:
        """Make the roles that logins give those of this login; what people granted is left alone."""
        places = {"organisation": user.organisation_id}
        wanted = set(by_claims(self._options.roles, person.groups, places))
        for one in await memberships.of_user(tx, user.id):
            if one.source != LOGIN:
                continue
            grant = (one.role, one.scope_kind, one.scope_id)
            kept = next((each for each in wanted if _as_row(each) == grant), None)
            if kept is None:
                await memberships.remove(tx, Scope.all(), one.id)
            else:
                wanted.discard(kept)
        for role, kind, id in sorted(_as_row(grant) for grant in wanted):
            row = Membership(user_id=user.id, scope_kind=kind, scope_id=id, role=role, source=LOGIN)
            await memberships.create(tx, Scope.all(), row)


def principal_of(user: users.User, grants: tuple[Grant, ...], *, session: bool) -> Principal:
    """The principal that a person is."""
    return Principal(
        kind=PrincipalKind.USER,
        id=user.id,
        name=user.email or user.name or user.id,
        grants=grants,
        organisation=user.organisation_id,
        user=user.id,
        session=session,
    )


def _as_row(grant: Grant) -> tuple[str, str, str]:
    return grant.role.value, grant.scope.value, grant.scope_id or ""


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()
