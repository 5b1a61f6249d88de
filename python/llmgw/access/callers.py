"""Who calls the control plane: a key is shown, and somebody is known by it, or the call is refused."""

import msgspec

from llmgw import _native, errors
from llmgw._native import Gateway, KeyHolder, Refused
from llmgw.access.keyholders import holder as holder_in_store
from llmgw.access.principal import MASTER_ID, Principal, PrincipalKind, master
from llmgw.errors import GatewayError, Unauthenticated
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

    def __init__(self, gateway: Gateway, store: Store, pepper: Secret) -> None:
        self._gateway = gateway
        self._store = store
        self._pepper = pepper

    async def identify(self, key: bytes | None, client: str | None, *, roles: bool) -> Caller:
        """Who shows this key, from this address; with their roles, if these are wanted.

        Roles are looked up where they are kept, each time, so that what is taken away is gone at once.

        Raises:
            GatewayError: the key is missing, not good, or not to be used from there.
            StoreUnavailable: roles are wanted, and the database does not answer.
        """
        known = self._known(key, client)
        if isinstance(known, GatewayError):
            if not (roles and key and isinstance(known, Unauthenticated)):
                raise known
            # A key that was made this instant: the store has it, the data plane will.
            return Caller(await self._in_store(key, client), None)
        if known.id == MASTER_ID:
            return Caller(master(known.alias), known)
        if roles and key and not known.id.startswith(_FILE_PREFIX):
            return Caller(await self._in_store(key, client), known)
        return Caller(Principal(kind=PrincipalKind.KEY, id=known.id, name=known.alias), known)

    def _known(self, key: bytes | None, client: str | None) -> KeyHolder | GatewayError:
        try:
            return self._gateway.authenticate(key, client)
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
