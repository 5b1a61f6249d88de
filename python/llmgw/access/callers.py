"""Who calls the control plane: a key is shown, and somebody is known by it, or the call is refused."""

from collections.abc import Awaitable

import msgspec

from llmgw import _native, errors
from llmgw._native import Gateway, KeyHolder, Refused
from llmgw.access.cookies import SESSION
from llmgw.access.keyholders import holder as holder_in_store
from llmgw.access.keyholders import holder_of
from llmgw.access.principal import MASTER_ID, Principal, PrincipalKind, master
from llmgw.access.sessions import Sessions
from llmgw.access.terms import OidcOptions
from llmgw.access.tokens import PREFIX as TOKEN_PREFIX
from llmgw.access.tokens import principal_of_token
from llmgw.errors import GatewayError, LlmgwError, Unauthenticated
from llmgw.settings.secrets import Secret
from llmgw.store.database import Store

_FILE_PREFIX = "file:"


class Caller(msgspec.Struct, frozen=True):
    """Somebody who is known."""

    principal: Principal
    holder: KeyHolder | None
    """As the data plane knows the key; `None` if it has not heard of it yet."""


class Callers:
    """Knows callers by the keys that they show: those of the settings, then those of the store."""

    def __init__(
        self, gateway: Gateway, store: Store, pepper: Secret, oidc: OidcOptions | None = None
    ) -> None:
        self._gateway = gateway
        self._store = store
        self._pepper = pepper
        self.sessions = None if oidc is None else Sessions(store, oidc)
        """Of people who logged in; `None` where nobody can."""

    async def of_session(self, cookies: str, client: str | None = None) -> Caller:
        """Whose session's cookie is among these, from this address.

        Raises:
            Unauthenticated: there is none, or it has ended.
            PermissionDenied: its person may not come in from there.
            StoreUnavailable: the database does not answer.
        """
        return await _or_nobody(self._of_session(cookies, client))

    async def identify(
        self, key: bytes | None, client: str | None, *, roles: bool, certificate: str | None = None
    ) -> Caller:
        """Who shows this key, from this address; with their roles, if these are wanted.

        Roles are looked up where they are kept, each time, so that what is taken away is gone at once.

        Raises:
            GatewayError: the key is missing, not good, or not to be used from there.
            StoreUnavailable: roles are wanted, and the database does not answer.
        """
        return await _or_nobody(self._identify(key, client, certificate, roles))

    async def _of_session(self, cookies: str, client: str | None) -> Caller:
        value = None if self.sessions is None else self.sessions.cookies.read(cookies, SESSION)
        if self.sessions is None or value is None:
            raise Unauthenticated("No API key was given: send it as `Authorization: Bearer KEY`.")
        return Caller(await self.sessions.principal(value, client or ""), None)

    async def _identify(
        self, key: bytes | None, client: str | None, certificate: str | None, roles: bool
    ) -> Caller:
        known = self._known(key, client, certificate)
        if isinstance(known, GatewayError):
            if not (roles and key and isinstance(known, Unauthenticated)):
                raise known
            # A key that was made this instant: the store has it, the data plane will.
            return Caller(await self._in_store(key, client), None)
        if known.id == MASTER_ID:
            return Caller(master(known.alias), known)
        if roles and key and known.id.startswith(TOKEN_PREFIX):
            told = self._gateway.read_token(key)
            return Caller(await principal_of_token(self._store, told, known, client), known)
        if roles and key and not known.id.startswith(_FILE_PREFIX):
            return Caller(await self._in_store(key, client), known)
        if roles and not known.id.startswith(_FILE_PREFIX):
            # Known by its certificate alone.
            return Caller(await holder_of(self._store, known.id, client or ""), known)
        return Caller(Principal(kind=PrincipalKind.KEY, id=known.id, name=known.alias), known)

    def _known(
        self, key: bytes | None, client: str | None, certificate: str | None
    ) -> KeyHolder | GatewayError:
        try:
            return self._gateway.authenticate(key, client, certificate)
        except Refused as refused:
            name, message = refused.args
            error: GatewayError = getattr(errors, name)(message)
            return error

    async def _in_store(self, key: bytes, client: str | None) -> Principal:
        try:
            text = key.decode("ascii")
        except UnicodeDecodeError:
            raise Unauthenticated("The API key is not known here.") from None
        digest = _native.key_digest(self._pepper.reveal(), text)
        return await holder_in_store(self._store, text, digest, client or "")


async def _or_nobody(steps: Awaitable[Caller]) -> Caller:
    """Whom the steps lead to; nobody, if one of them fails in a way that was not foreseen.

    There is no other end of an authentication than a principal or a refusal.
    """
    try:
        return await steps
    except LlmgwError:
        raise
    except Exception as error:
        raise Unauthenticated("Who you are could not be found out.") from error
