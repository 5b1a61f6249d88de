"""What a provider is: from a deployment's settings to URLs and headers."""

from typing import Literal, Protocol
from urllib.parse import urlsplit

import msgspec

from llmgw.errors import LlmgwError
from llmgw.model import Operation
from llmgw.settings.environment import Environment
from llmgw.settings.secrets import Secret

Header = tuple[str, str]

BodyStyle = Literal["plain", "vertex_anthropic"]
"""`vertex_anthropic`: Anthropic's bodies as Google Cloud takes them. They say `anthropic_version`
instead of a header, and messages name their model in the path alone."""


class TargetError(LlmgwError):
    """A deployment cannot be reached as written; `field` is the parameter at fault."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class AzureAccess(msgspec.Struct, frozen=True, kw_only=True):
    """How tokens are got from Entra ID; the fields are named as in the settings."""

    azure_ad_token: Secret | None = None
    tenant_id: str | None = None
    client_id: str | None = None
    client_secret: Secret | None = None
    azure_scope: str | None = None


class VertexAccess(msgspec.Struct, frozen=True, kw_only=True):
    """Where on Google Cloud, and as whom; the fields are named as in the settings."""

    vertex_project: str | None = None
    vertex_location: str | None = None
    vertex_credentials: Secret | None = None


class AwsAccess(msgspec.Struct, frozen=True, kw_only=True):
    """Where on AWS, and as whom; the fields are named as in the settings."""

    aws_region_name: str | None = None
    aws_bedrock_runtime_endpoint: str | None = None
    aws_bearer_token_bedrock: Secret | None = None
    aws_access_key_id: Secret | None = None
    aws_secret_access_key: Secret | None = None
    aws_session_token: Secret | None = None
    aws_profile_name: str | None = None
    aws_role_name: str | None = None
    aws_session_name: str | None = None
    aws_external_id: str | None = None
    aws_web_identity_token: Secret | None = None
    aws_sts_endpoint: str | None = None


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment's settings with its references resolved."""

    model: str
    """The model name without the provider's prefix."""
    base_model: str | None = None
    """The model that it is, if its name does not tell; perhaps with a provider's prefix."""
    api_key: Secret | None = None
    api_base: str | None = None
    api_version: str | None = None
    organization: str | None = None
    azure: AzureAccess = AzureAccess()
    vertex: VertexAccess = VertexAccess()
    aws: AwsAccess = AwsAccess()
    default_identity: bool = False
    """Without any credential, take the identity that the machine has (Azure)."""

    @property
    def known_as(self) -> str:
        """The name that tells what the model takes."""
        return self.model if self.base_model is None else self.base_model.rpartition("/")[2]


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
    takes_urls: bool = True
    """It fetches pictures and documents that a request gives by URL."""
    body_style: BodyStyle = "plain"
    """How its bodies differ from those of the format."""
    region: str | None = None
    """Where it is served, if the address tells."""
    credential_problem: str | None = None
    """Why a credential that expires could not be had, or not be renewed; it is asked for again."""
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


def key_of(
    target: Target, variables: tuple[str, ...], environment: Environment
) -> tuple[Secret | None, str | None]:
    """The API key of a deployment, and a warning when there is deliberately none.

    A key from the environment belongs to the provider's own address: it is not sent to another one
    that the file names.

    Raises:
        TargetError: there is no key for the provider's own address.
    """
    if target.api_key is not None:
        return target.api_key, None
    if target.api_base is not None:
        return None, "no api_key beside api_base: requests are sent without a credential"
    if value := first_variable(variables, environment):
        return Secret(value), None
    names = " or ".join(variables) or "api_key"
    raise TargetError("api_key", f"no credential: set {names}, or give api_key")


def first_variable(names: tuple[str, ...], environment: Environment) -> str | None:
    """The value of the first of these variables that is set and not empty."""
    return next((value for name in names if (value := environment.get(name))), None)
