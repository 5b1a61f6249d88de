"""What a provider is: from a deployment's settings to URLs and headers."""

from typing import Protocol
from urllib.parse import urlsplit

import msgspec

from llmgw.errors import LlmgwError
from llmgw.model import Operation
from llmgw.settings.environment import Environment
from llmgw.settings.secrets import Secret

Header = tuple[str, str]


class TargetError(LlmgwError):
    """A deployment cannot be reached as written; `field` is the parameter at fault."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment's settings with its references resolved."""

    model: str
    """The model name without the provider's prefix."""
    api_key: Secret | None = None
    api_base: str | None = None
    api_version: str | None = None
    azure_ad_token: Secret | None = None
    organization: str | None = None


class Signing(msgspec.Struct, frozen=True, kw_only=True):
    """What requests are signed with (AWS SigV4)."""

    region: str
    service: str
    access_key_id: str
    secret_access_key: Secret
    session_token: Secret | None = None


class Upstream(msgspec.Struct, frozen=True, kw_only=True):
    """How a deployment is called. Headers hold the credential, so `repr` leaves them out."""

    model: str
    urls: dict[Operation, str]
    headers: tuple[Header, ...]
    stream_usage: bool = True
    """It takes `stream_options.include_usage`."""
    stream_urls: dict[Operation, str] = {}
    """Where streams are asked for elsewhere than whole replies."""
    token_headers: tuple[Header, ...] = ()
    """Headers with a credential that expires."""
    signing: Signing | None = None
    """Requests are signed instead of carrying a credential."""
    renew_at: float | None = None
    """Unix seconds at which `token_headers` or `signing` should be made anew, ahead of their expiry."""
    original: bool = False
    """The host is the inventor of its format: its newest fields work."""
    native_schema: bool = True
    """The model takes a JSON Schema for its reply."""
    warning: str | None = None
    """Something that works, though perhaps not as meant."""

    def __repr__(self) -> str:
        return f"Upstream(model={self.model!r}, urls={self.urls!r})"


class Provider(Protocol):
    """An address, a credential, and quirks."""

    @property
    def name(self) -> str:
        """The name shown in logs and metrics."""

    @property
    def aliases(self) -> tuple[str, ...]:
        """Other prefixes that mean this provider."""

    @property
    def key_variables(self) -> tuple[str, ...]:
        """Environment variables that may hold its credential, best first."""

    @property
    def typical_model(self) -> str:
        """A model by whose tokenizer to count when a deployment is a pattern; may be empty."""

    def connect(self, target: Target, environment: Environment) -> Upstream:
        """URLs and headers for a deployment.

        Raises:
            TargetError: an address or a credential is missing or malformed.
        """


def checked_base(url: str) -> str:
    """A base URL without its last slash.

    Raises:
        TargetError: it is not an http(s) URL, or carries a login, a query or a fragment.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise TargetError("api_base", "not a URL") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise TargetError("api_base", "expected http://host or https://host")
    if parts.username is not None or parts.password is not None:
        raise TargetError("api_base", "a login in the URL is not allowed; use api_key")
    if parts.query or parts.fragment or not url.isprintable() or " " in url:
        raise TargetError("api_base", "a query, a fragment or a space is not allowed")
    return url.rstrip("/")


def header_secret(secret: Secret, field: str) -> str:
    """The secret's value, if it can be sent in a header.

    Raises:
        TargetError: it holds characters that no header may hold.
    """
    value = secret.reveal()
    if not value or not all("\x21" <= character <= "\x7e" for character in value):
        raise TargetError(field, "holds characters that cannot be sent in a header")
    return value


def first_variable(names: tuple[str, ...], environment: Environment) -> str | None:
    """The value of the first of these variables that is set and not empty."""
    return next((value for name in names if (value := environment.get(name))), None)
