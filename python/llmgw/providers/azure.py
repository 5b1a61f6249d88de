"""Azure OpenAI: a URL per operation; a key in a header of its own, or tokens of Entra ID."""

from urllib.parse import urlsplit

import msgspec

from llmgw.model import Operation
from llmgw.providers.base import (
    Target,
    TargetError,
    Upstream,
    checked_base,
    first_variable,
    header_secret,
)
from llmgw.providers.compatible import AUDIO, BATCHES, IMAGES
from llmgw.providers.entra import application, lease_token, token_of
from llmgw.providers.leases import Leases
from llmgw.providers.openai import only_responses
from llmgw.settings.environment import Environment
from llmgw.settings.secrets import Secret

_BASE_VARIABLES = ("AZURE_API_BASE", "AZURE_OPENAI_ENDPOINT")
_VERSION_VARIABLES = ("AZURE_API_VERSION", "OPENAI_API_VERSION")
_DOMAINS = (".azure.com", ".azure.us", ".azure.cn", ".azure-api.net")
_SCOPE = "https://cognitiveservices.azure.com/.default"
_NO_CREDENTIAL = "no credential: give api_key, azure_ad_token, or tenant_id, client_id and client_secret"
_BY_DEPLOYMENT = (
    Operation.CHAT_COMPLETIONS,
    Operation.COMPLETIONS,
    Operation.EMBEDDINGS,
    *sorted(IMAGES),
    *sorted(AUDIO),
)
_UNVERSIONED = {"", "v1", "latest", "preview"}


class Azure(msgspec.Struct, frozen=True, kw_only=True):
    """Azure OpenAI. The model is the name of the Azure deployment.

    With an `api_version` the dated API is called (`/openai/deployments/{model}/…`), without one the
    v1 API (`/openai/v1/…`), which needs none. Responses exist in the v1 API only.
    """

    leases: Leases = msgspec.field(default_factory=Leases)
    """The tokens at hand."""
    name: str = "azure"
    aliases: tuple[str, ...] = ("azure_text",)
    key_variables: tuple[str, ...] = ("AZURE_OPENAI_API_KEY", "AZURE_API_KEY")
    typical_model: str = "gpt-4o"

    def connect(self, target: Target, environment: Environment) -> Upstream:
        """URLs and headers for a deployment; see `Provider.connect`."""
        url = target.api_base or first_variable(_BASE_VARIABLES, environment)
        if url is None:
            raise TargetError("api_base", "azure needs an api_base, or AZURE_API_BASE")
        base = checked_base(url).removesuffix("/openai")
        version = target.api_version or first_variable(_VERSION_VARIABLES, environment) or ""
        upstream = authorised(
            Upstream(model=target.model, urls=_urls(base, version), headers=(), original=True),
            target,
            environment,
            Login(self.leases, self.key_variables, _SCOPE, ("api-key",)),
        )
        return only_responses(upstream)


class Login(msgspec.Struct, frozen=True):
    """How a service of Azure is shown a credential."""

    leases: Leases
    key_variables: tuple[str, ...]
    scope: str
    """What tokens are asked for."""
    key_headers: tuple[str, ...]


def authorised(upstream: Upstream, target: Target, environment: Environment, login: Login) -> Upstream:
    """The upstream with a key, a token that was given, or one that is renewed.

    Raises:
        TargetError: there is no credential.
    """
    replace = msgspec.structs.replace
    if target.azure.azure_ad_token is not None:
        token = header_secret(target.azure.azure_ad_token, "azure_ad_token")
        return replace(upstream, headers=(*upstream.headers, ("authorization", f"Bearer {token}")))
    if (key := _key(target, environment, login.key_variables)) is not None:
        value = header_secret(key, "api_key")
        own = tuple((name, value) for name in login.key_headers)
        return replace(upstream, headers=(*upstream.headers, *own))
    who = application(target.azure, environment)
    known = target.azure.client_id is not None or target.default_identity or _is_azure(upstream)
    if not known or (who is None and not target.default_identity):
        raise TargetError("api_key", _NO_CREDENTIAL)
    held = lease_token(login.leases, who, target.azure.azure_scope or login.scope)
    return replace(
        upstream, token_headers=token_of(held), renew_at=held.renew_at, credential_problem=held.problem
    )


def _is_azure(upstream: Upstream) -> bool:
    """Whether the address is Azure's own: the environment's application is shown to no other."""
    return all((urlsplit(url).hostname or "").endswith(_DOMAINS) for url in upstream.urls.values())


def _key(target: Target, environment: Environment, variables: tuple[str, ...]) -> Secret | None:
    """The file's key, or that of the environment if the file names neither an address nor somebody else."""
    if target.api_key is not None or target.api_base is not None or target.azure.client_id is not None:
        return target.api_key
    value = first_variable(variables, environment)
    return Secret(value) if value else None


def _urls(base: str, version: str) -> dict[Operation, str]:
    responses = {Operation.RESPONSES: f"{base}/openai/v1{Operation.RESPONSES.path}"}
    if version in _UNVERSIONED:
        served = (*_BY_DEPLOYMENT, *sorted(BATCHES))
        by_model = {Operation.REALTIME: f"{base}/openai/v1/realtime?model={{model}}"}
        return {operation: f"{base}/openai/v1{operation.path}" for operation in served} | responses | by_model
    if not version.replace("-", "").isalnum():
        raise TargetError("api_version", "expected a version such as 2024-10-21")
    by_deployment = {
        operation: f"{base}/openai/deployments/{{model}}{operation.path}?api-version={version}"
        for operation in _BY_DEPLOYMENT
    }
    stored = {
        operation: f"{base}/openai{operation.path}?api-version={version}" for operation in sorted(BATCHES)
    }
    realtime = f"{base}/openai/realtime?api-version={version}&deployment={{model}}"
    return by_deployment | stored | {Operation.REALTIME: realtime} | responses
