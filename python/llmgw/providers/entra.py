"""Tokens of Entra ID for Azure, by the library azure-identity (`llmgw[azure]`)."""

from typing import Any

import msgspec

from llmgw.providers.base import AzureAccess, Header, TargetError, first_variable, header_secret
from llmgw.providers.leases import Held, Lease, LeaseError, Leases
from llmgw.settings.environment import Environment
from llmgw.settings.secrets import Secret

_CONNECT_SECONDS = 5
_READ_SECONDS = 10
_MISSING = "tokens of Entra ID need azure-identity: pip install 'llmgw[azure]'"
_VARIABLES = ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET")


class Application(msgspec.Struct, frozen=True):
    """An application that tokens are got for."""

    tenant: str
    client: str
    secret: Secret


def application(access: AzureAccess, environment: Environment) -> Application | None:
    """The application of the file; what it leaves out may stand in the environment.

    Raises:
        TargetError: the file gives a part of one only.
    """
    tenant = access.tenant_id or environment.get(_VARIABLES[0])
    client = access.client_id or environment.get(_VARIABLES[1])
    secret = access.client_secret
    if secret is None and (value := first_variable(_VARIABLES[2:], environment)):
        secret = Secret(value)
    if tenant and client and secret:
        return Application(tenant, client, secret)
    if access.client_id or access.client_secret or access.tenant_id:
        raise TargetError("client_id", "an application is tenant_id, client_id and client_secret, all three")
    return None


def token_of(held: Held[Secret]) -> tuple[Header, ...]:
    """The token as a header, if there is one."""
    if held.value is None:
        return ()
    return (("authorization", f"Bearer {header_secret(held.value, 'azure_ad_token')}"),)


def lease_token(leases: Leases, who: Application | None, scope: str) -> Held[Secret]:
    """A token for this scope, of an application, or of the identity that the machine has.

    Raises:
        TargetError: azure-identity is not installed.
    """
    identity = _library()
    return leases.get(("entra", who, scope), lambda: _fetch(identity, who, scope))


def _library() -> Any:
    try:
        import azure.identity  # noqa: PLC0415 - an extra, loaded where a deployment asks for it
    except ImportError:
        raise TargetError("azure_ad_token", _MISSING) from None
    return azure.identity


def _fetch(identity: Any, who: Application | None, scope: str) -> Lease[Secret]:
    from azure.core.exceptions import AzureError  # noqa: PLC0415 - as above

    patience = {"connection_timeout": _CONNECT_SECONDS, "read_timeout": _READ_SECONDS, "retry_total": 1}
    try:
        if who is None:
            credential = identity.DefaultAzureCredential(**patience)
        else:
            secret = who.secret.reveal()
            credential = identity.ClientSecretCredential(who.tenant, who.client, secret, **patience)
        with credential:
            token = credential.get_token(scope)
    except (AzureError, ValueError) as error:
        raise LeaseError(f"no token of Entra ID: {' '.join(str(error).split())}") from error
    return Lease(Secret(token.token), float(token.expires_on))
