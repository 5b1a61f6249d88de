"""Azure AI Foundry: Claude by the Messages API, everything else by the OpenAI surface."""

import msgspec

from llmgw.model import Operation
from llmgw.providers.anthropic import MESSAGES, VERSION, takes_schema
from llmgw.providers.azure import Login, authorised
from llmgw.providers.base import Target, TargetError, Upstream, checked_base, first_variable
from llmgw.providers.leases import Leases
from llmgw.providers.openai import only_responses
from llmgw.settings.environment import Environment

_SCOPE = "https://ai.azure.com/.default"
_OPERATIONS = (Operation.CHAT_COMPLETIONS, Operation.EMBEDDINGS, Operation.RESPONSES)
_SURFACES = ("/v1/messages", "/v1", "/anthropic", "/openai", "/models")
"""Ends of addresses that people write; what is before them is the resource."""


class Foundry(msgspec.Struct, frozen=True, kw_only=True):
    """Azure AI Foundry. The model is the name of the deployment there; names with `claude` speak Messages."""

    leases: Leases = msgspec.field(default_factory=Leases)
    """The tokens at hand."""
    name: str = "azure_ai"
    aliases: tuple[str, ...] = ("azure_foundry",)
    key_variables: tuple[str, ...] = ("AZURE_AI_API_KEY",)
    typical_model: str = "gpt-4o"

    def connect(self, target: Target, environment: Environment) -> Upstream:
        """URLs and headers for a deployment; see `Provider.connect`."""
        url = target.api_base or first_variable(("AZURE_AI_API_BASE",), environment)
        if url is None:
            raise TargetError("api_base", "azure_ai needs an api_base, or AZURE_AI_API_BASE")
        base = _resource(checked_base(url))
        claude = "claude" in target.model.lower()
        upstream = _claude(base, target) if claude else _openai(base, target.model)
        headers = ("x-api-key", "api-key") if claude else ("api-key",)
        login = Login(self.leases, self.key_variables, _SCOPE, headers)
        return authorised(upstream, target, environment, login)


def _claude(base: str, target: Target) -> Upstream:
    return Upstream(
        model=target.model,
        urls={operation: f"{base}/anthropic/v1{operation.path}" for operation in MESSAGES},
        headers=(VERSION,),
        native_schema=takes_schema(target.known_as),
    )


def _openai(base: str, model: str) -> Upstream:
    urls = {operation: f"{base}/openai/v1{operation.path}" for operation in _OPERATIONS}
    return only_responses(Upstream(model=model, urls=urls, headers=()))


def _resource(base: str) -> str:
    for surface in _SURFACES:
        base = base.removesuffix(surface)
    return base
