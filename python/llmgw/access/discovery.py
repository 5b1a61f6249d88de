"""What an issuer says of itself (OpenID Connect Discovery 1.0): where its keys are, where people log in."""

from typing import Any
from urllib.parse import urlsplit

import msgspec

from llmgw.access.fetch import Fetcher, ProviderError
from llmgw.settings.identity import is_safe_url

_PATH = "/.well-known/openid-configuration"


class Issuer(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of a discovery document that are used."""

    issuer: str
    jwks_uri: str
    authorization_endpoint: str | None = None
    token_endpoint: str | None = None
    end_session_endpoint: str | None = None
    names_itself: bool = False
    """It puts `iss` into its redirects (RFC 9207)."""


async def discover(fetcher: Fetcher, issuer: str) -> Issuer:
    """Ask an issuer what it says of itself.

    Raises:
        ProviderError: it does not answer, speaks for another issuer, or names places that are not safe.
    """
    document = await fetcher.get(issuer.rstrip("/") + _PATH)
    if document.get("issuer") != issuer:
        raise ProviderError("the discovery document is of another issuer than the one that is configured")
    jwks_uri = _place(document, "jwks_uri", issuer)
    if jwks_uri is None:
        raise ProviderError("the discovery document names no jwks_uri")
    return Issuer(
        issuer=issuer,
        jwks_uri=jwks_uri,
        authorization_endpoint=_place(document, "authorization_endpoint", issuer),
        token_endpoint=_place(document, "token_endpoint", issuer),
        end_session_endpoint=_place(document, "end_session_endpoint", issuer),
        names_itself=document.get("authorization_response_iss_parameter_supported") is True,
    )


def _place(document: dict[str, Any], name: str, issuer: str) -> str | None:
    """A URL of the document. That of an https issuer is never on this machine or without TLS."""
    url = document.get(name)
    if url is None:
        return None
    if not isinstance(url, str) or not is_safe_url(url.partition("?")[0]):
        raise ProviderError(f"{name} of the discovery document is not safe")
    if urlsplit(issuer).scheme == "https" and urlsplit(url).scheme != "https":
        raise ProviderError(f"{name} of the discovery document is not https")
    return url
