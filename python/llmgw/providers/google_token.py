"""Access tokens of Google Cloud, by the library google-auth (`llmgw[vertex]`)."""

from collections.abc import Mapping
from datetime import UTC
from typing import Any

import msgspec

from llmgw.providers.base import TargetError
from llmgw.providers.leases import Lease, LeaseError
from llmgw.settings.secrets import Secret

_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_SECONDS = 10
_MISSING = "tokens of Google Cloud need google-auth: pip install 'llmgw[vertex]'"


def check_library() -> None:
    """See that google-auth is installed, before a token is needed.

    Raises:
        TargetError: it is not.
    """
    try:
        import google.auth.transport.requests  # noqa: F401, PLC0415 - an extra, loaded where it is asked for
    except ImportError:
        raise TargetError("vertex_credentials", _MISSING) from None


def parse_credentials(text: Secret) -> dict[str, Any]:
    """The fields of a credentials file.

    Raises:
        TargetError: it is not one.
    """
    try:
        fields = msgspec.json.decode(text.reveal(), type=dict[str, Any])
    except msgspec.DecodeError:
        raise TargetError("vertex_credentials", "neither JSON nor the path of a credentials file") from None
    if not isinstance(fields.get("type"), str):
        raise TargetError("vertex_credentials", "not a credentials file of Google Cloud: it has no type")
    return fields


def fetch_token(fields: Mapping[str, Any] | None) -> Lease[Secret]:
    """A token for these credentials; without any, for Google's default ones.

    Raises:
        LeaseError: Google gives none.
    """
    from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415 - an extra

    try:
        credentials = _credentials(fields)
        credentials.refresh(_request())
    except (GoogleAuthError, ValueError, OSError) as error:
        raise LeaseError(f"no token of Google Cloud: {' '.join(str(error).split())}") from error
    # google-auth keeps the expiry in UTC and does not say so.
    return Lease(Secret(credentials.token), credentials.expiry.replace(tzinfo=UTC).timestamp())


def _credentials(fields: Mapping[str, Any] | None) -> Any:
    """The library's object for a kind of credentials."""
    import google.auth  # noqa: PLC0415 - an extra
    from google.auth import external_account_authorized_user, impersonated_credentials  # noqa: PLC0415
    from google.oauth2 import credentials, service_account  # noqa: PLC0415

    if fields is None:
        return google.auth.default(scopes=_SCOPES, request=_request())[0]
    impersonated = impersonated_credentials.Credentials
    makers: dict[str, Any] = {
        "service_account": service_account.Credentials.from_service_account_info,
        "authorized_user": credentials.Credentials.from_authorized_user_info,
        "impersonated_service_account": impersonated.from_impersonated_service_account_info,
        "external_account": _external(fields).from_info,
        "external_account_authorized_user": external_account_authorized_user.Credentials.from_info,
    }
    make = makers.get(fields["type"])
    if make is None:
        raise ValueError(f"credentials of the type {fields['type']} are not known")
    return make(fields, scopes=_SCOPES)


def _external(fields: Mapping[str, Any]) -> Any:
    """Workload identity: who vouches is AWS, a program, or a token in a file or at an address."""
    from google.auth import aws, identity_pool, pluggable  # noqa: PLC0415 - an extra

    source = fields.get("credential_source") or {}
    if str(source.get("environment_id", "")).startswith("aws"):
        return aws.Credentials
    return pluggable.Credentials if "executable" in source else identity_pool.Credentials


def _request() -> Any:
    """Google's HTTP client, with deadlines of ours."""
    from google.auth.transport.requests import Request  # noqa: PLC0415 - an extra

    request = Request()

    def send(*args: Any, **fields: Any) -> Any:
        return request(*args, **{**fields, "timeout": _SECONDS})

    return send
