"""Cohere: its own chat, version 2; embeddings by the host's OpenAI surface."""

import msgspec

from llmgw.model import Operation
from llmgw.providers.base import Target, Upstream, checked_base, first_variable, header_secret, key_of
from llmgw.settings.environment import Environment

_BASE = "https://api.cohere.com"
_VERSIONS = ("/v2/chat", "/v2", "/v1", "/compatibility")


class Cohere(msgspec.Struct, frozen=True, kw_only=True):
    """Cohere's own API, or under `api_base` a private deployment of it."""

    name: str = "cohere"
    aliases: tuple[str, ...] = ("cohere_chat",)
    key_variables: tuple[str, ...] = ("COHERE_API_KEY", "CO_API_KEY")
    typical_model: str = ""

    def connect(self, target: Target, environment: Environment) -> Upstream:
        """URLs and headers for a deployment; see `Provider.connect`."""
        written = target.api_base or first_variable(("COHERE_API_BASE", "CO_API_URL"), environment)
        base = _without_version(checked_base(written or _BASE))
        key, warning = key_of(target, self.key_variables, environment)
        headers = () if key is None else (("authorization", f"Bearer {header_secret(key, 'api_key')}"),)
        return Upstream(
            model=target.model.removeprefix("v2/"),
            urls={
                Operation.COHERE_CHAT: f"{base}/v2/chat",
                Operation.EMBEDDINGS: f"{base}/compatibility/v1{Operation.EMBEDDINGS.path}",
            },
            headers=headers,
            original=written is None,
            warning=warning,
        )


def _without_version(base: str) -> str:
    """The base as the two surfaces need it; people write it with either of their paths."""
    for version in _VERSIONS:
        base = base.removesuffix(version)
    return base
