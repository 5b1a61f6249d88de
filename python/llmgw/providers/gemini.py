"""Gemini: generateContent with an API key; embeddings by the host's OpenAI surface."""

import re

import msgspec

from llmgw.model import Operation
from llmgw.providers.base import Target, Upstream, checked_base, first_variable, header_secret, key_of
from llmgw.settings.environment import Environment

METHODS = {Operation.GENERATE_CONTENT: "generateContent", Operation.COUNT_CONTENT_TOKENS: "countTokens"}
STREAM_METHOD = "streamGenerateContent?alt=sse"

GEMINI = "gemini"
EMBEDDING_NAMES = "gemini-embedding-*"
"""What the host's embedding models are called. They are deployments of a kind of their own: the OpenAI
surface takes the key as a bearer token only, generateContent takes it in a header of its own only."""

_BASE = "https://generativelanguage.googleapis.com"
_VERSION = re.compile(r"/v\d+((alpha|beta)\d*)?")


class Gemini(msgspec.Struct, frozen=True, kw_only=True):
    """The Gemini API of Google AI Studio, or under `api_base` a host that speaks it."""

    name: str = GEMINI
    aliases: tuple[str, ...] = ("google", "google_ai_studio", "google_ai", "palm")
    key_variables: tuple[str, ...] = ("GEMINI_API_KEY", "GOOGLE_API_KEY")
    typical_model: str = "gemini"

    def connect(self, target: Target, environment: Environment) -> Upstream:
        """URLs and headers for a deployment; see `Provider.connect`."""
        written = target.api_base or first_variable(("GEMINI_API_BASE",), environment)
        base = _versioned(checked_base(written or _BASE))
        key, warning = key_of(target, self.key_variables, environment)
        model = target.model.removeprefix("models/")
        value = None if key is None else header_secret(key, "api_key")
        if "embedding" in model:
            path = f"/openai{Operation.EMBEDDINGS.path}"
            return Upstream(
                model=model,
                urls={Operation.EMBEDDINGS: base + path},
                headers=() if value is None else (("authorization", f"Bearer {value}"),),
                warning=warning,
            )
        return Upstream(
            model=model,
            urls=content_urls(f"{base}/models/{{model}}"),
            stream_urls=content_stream_urls(f"{base}/models/{{model}}"),
            headers=() if value is None else (("x-goog-api-key", value),),
            original=written is None,
            warning=warning,
        )


def content_urls(model_url: str) -> dict[Operation, str]:
    """The URLs of a model's methods."""
    return {operation: f"{model_url}:{method}" for operation, method in METHODS.items()}


def content_stream_urls(model_url: str) -> dict[Operation, str]:
    """Where the model's streams are asked for."""
    return {Operation.GENERATE_CONTENT: f"{model_url}:{STREAM_METHOD}"}


def _versioned(base: str) -> str:
    """The base with its version, as people write it with and without."""
    last = base[base.rindex("/") :]
    return base if _VERSION.fullmatch(last) else f"{base}/v1beta"
