"""Azure OpenAI: a URL per operation, and a key in a header of its own."""

import msgspec

from llmgw.model import Operation
from llmgw.providers.base import (
    Header,
    Target,
    TargetError,
    Upstream,
    checked_base,
    first_variable,
    header_secret,
)
from llmgw.providers.compatible import AUDIO, BATCHES, IMAGES
from llmgw.settings.environment import Environment
from llmgw.settings.secrets import Secret

_BASE_VARIABLES = ("AZURE_API_BASE", "AZURE_OPENAI_ENDPOINT")
_VERSION_VARIABLES = ("AZURE_API_VERSION", "OPENAI_API_VERSION")
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
        return Upstream(
            model=target.model,
            urls=_urls(base, version),
            headers=(self._credential(target, environment),),
            original=True,
        )

    def _credential(self, target: Target, environment: Environment) -> Header:
        if target.azure_ad_token is not None:
            token = header_secret(target.azure_ad_token, "azure_ad_token")
            return ("authorization", f"Bearer {token}")
        key = target.api_key
        if key is None and target.api_base is None:
            value = first_variable(self.key_variables, environment)
            key = Secret(value) if value else None
        if key is None:
            raise TargetError("api_key", "no credential: give api_key or azure_ad_token")
        return ("api-key", header_secret(key, "api_key"))


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
