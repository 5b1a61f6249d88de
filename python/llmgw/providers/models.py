"""What is known of models: windows, abilities, prices. Read from `models.json`, and from a file laid over it.

Nothing is read at import. Of `models.json` only the providers that are asked for are decoded.
"""

from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, field

from llmgw.errors import LlmgwError
from llmgw.providers.base import Provider
from llmgw.providers.names import spellings
from llmgw.registry import Registry

BUILT_IN = Path(__file__).with_name("models.json")
"""The catalogue that llmgw comes with; `scripts/models_catalogue.py` writes it."""

_LARGEST_FILE = 16 * 1024 * 1024
_SAME_MODELS = {"azure": "openai"}
"""By provider, another that serves the same models under the same names at the same list prices."""

Amount = Annotated[int, Meta(ge=0, le=2**53)]
Tokens = Annotated[int, Meta(ge=1, le=2**53)]


class CatalogueError(LlmgwError):
    """A catalogue file cannot be used; the text says why."""


class Capability(StrEnum):
    """What a model can do beside answering text with text."""

    VISION = "vision"
    """It sees images."""
    TOOLS = "tools"
    PARALLEL_TOOLS = "parallel_tools"
    """It may call several tools in one reply."""
    JSON_SCHEMA = "json_schema"
    """Its reply can be held to a JSON Schema."""
    REASONING = "reasoning"
    CACHING = "caching"
    """A prompt's beginning can be cached by the provider."""
    AUDIO_IN = "audio_in"
    AUDIO_OUT = "audio_out"
    VIDEO_IN = "video_in"
    PDF = "pdf"
    WEB_SEARCH = "web_search"
    COMPUTER_USE = "computer_use"


class TokenPrices(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Prices of text, in nano-dollars per thousand tokens: whole numbers, as prices are published."""

    input: Amount | None = None
    output: Amount | None = None
    cached: Amount | None = None
    """Input that the provider had in its cache."""
    cache_write: Amount | None = None
    """Input that is put into the provider's cache."""
    cache_write_1h: Amount | None = None
    """The same, to stay there for an hour."""


class KindPrices(TokenPrices, frozen=True, kw_only=True):
    """Prices of tokens of every kind."""

    reasoning: Amount | None = None
    """Reasoning tokens, where they do not cost what output does."""
    audio_input: Amount | None = None
    audio_output: Amount | None = None
    audio_cached: Amount | None = None
    image_input: Amount | None = None
    """Images that are shown to it, as tokens."""
    image_output: Amount | None = None
    """Images that it makes, as tokens."""


class Tier(KindPrices, frozen=True, kw_only=True):
    """The prices of a whole request whose input is longer than this."""

    above: Tokens
    """Input tokens."""


class AllTokenPrices(KindPrices, frozen=True, kw_only=True):
    """Prices of tokens of every kind, and of long requests."""

    tiers: tuple[Tier, ...] = ()
    """Prices of long requests, by length."""


Service = Literal["batch", "flex", "priority"]
"""How a request is served, where that changes its price: within a day, when there is room, before others."""


class Prices(AllTokenPrices, frozen=True, kw_only=True):
    """What a model costs, in nano-dollars: per thousand tokens or characters, per one of everything else.

    `None` is not known; zero is free.
    """

    characters: Amount | None = None
    """Text to speak."""
    per_image: Amount | None = None
    """An image that it makes."""
    per_image_seen: Amount | None = None
    per_second: Amount | None = None
    """A second of speech or film that it makes."""
    per_second_heard: Amount | None = None
    per_page: Amount | None = None
    per_query: Amount | None = None
    per_request: Amount | None = None
    """On top of the tokens."""
    services: dict[Service, AllTokenPrices] = {}
    """Prices of requests that are served sooner or later than usual."""


NO_PRICES = Prices()
"""Nothing is known of the costs."""


class ModelFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What is known of one model at one provider. `None` is not known."""

    mode: str = "chat"
    """What it is for, in LiteLLM's words: `chat`, `embedding`, `image_generation`, …"""
    max_input_tokens: Tokens | None = field(name="max_input", default=None)
    max_output_tokens: Tokens | None = field(name="max_output", default=None)
    capabilities: tuple[Capability, ...] = field(name="can", default=())
    prices: Prices = field(name="price", default=NO_PRICES)
    deprecated: date | None = None
    """The day on which the provider lets it go."""


class Source(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the facts of a file come from."""

    name: str
    version: str
    file: str
    sha256: str
    license: str
    taken: date
    """The day on which the file was made from it."""


Models = dict[str, ModelFacts]
"""Facts by model name."""


class CatalogueFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A catalogue file: models by provider."""

    models: dict[str, Models]
    source: Source | None = None


class _Undecoded(msgspec.Struct, frozen=True):
    models: dict[str, msgspec.Raw]
    source: Source


class ModelCatalogue:
    """The built-in catalogue, and what a file lays over it."""

    def __init__(self, providers: Registry[Provider], overlay: CatalogueFile | None = None) -> None:
        """`providers` tell which names mean one provider."""
        self._providers = providers
        self._undecoded: dict[str, list[msgspec.Raw]] | None = None
        self._decoded: dict[str, Models] = {}
        self._taken = ""
        self._overlay: dict[str, Models] = {}
        for name, models in (overlay.models if overlay else {}).items():
            self._overlay.setdefault(self.canonical(name), {}).update(models)

    def find(self, provider: str, model: str) -> ModelFacts | None:
        """The facts of a model, by its provider's name or alias and the model's name as people write it:
        with a prefix or a region, dated or not."""
        name = self.canonical(provider)
        found = self._found(name, model)
        if found is None and name in _SAME_MODELS:
            return self._found(_SAME_MODELS[name], model)
        return found

    def dated(self, provider: str, model: str) -> str:
        """Where it has the facts of a model from, in a few words: `catalogue 2026-11-25`."""
        own = self._overlay.get(self.canonical(provider), {})
        if any(name in own for name in spellings(model, self._prefixes(self.canonical(provider)))):
            return "model_catalogue"
        return f"catalogue {self._taken}"

    def providers(self) -> list[str]:
        """The names of all providers that it knows models of."""
        return sorted({*self._raw(), *self._overlay})

    def canonical(self, provider: str) -> str:
        """The name of a provider that may be called by an alias."""
        found = self._providers.get(provider)
        return provider if found is None else found.name

    def models(self, provider: str) -> Models:
        """What it knows of one provider's models, by name or alias of the provider."""
        return self._of(self.canonical(provider))

    def _found(self, provider: str, model: str) -> ModelFacts | None:
        models = self._of(provider)
        prefixes = self._prefixes(provider)
        return next((models[name] for name in spellings(model, prefixes) if name in models), None)

    def _of(self, provider: str) -> Models:
        """One provider's models."""
        if provider not in self._decoded:
            models: Models = {}
            for raw in self._raw().get(provider, ()):
                models |= msgspec.json.decode(raw, type=Models)
            self._decoded[provider] = models | self._overlay.get(provider, {})
        return self._decoded[provider]

    def _raw(self) -> dict[str, list[msgspec.Raw]]:
        """The built-in catalogue by provider, undecoded."""
        if self._undecoded is None:
            self._undecoded = {}
            content = msgspec.json.decode(BUILT_IN.read_bytes(), type=_Undecoded)
            self._taken = content.source.taken.isoformat()
            for name, raw in content.models.items():
                self._undecoded.setdefault(self.canonical(name), []).append(raw)
        return self._undecoded

    def _prefixes(self, provider: str) -> tuple[str, ...]:
        found = self._providers.get(provider)
        return (provider,) if found is None else (found.name, *found.aliases)


def read_catalogue(path: Path) -> CatalogueFile:
    """Read a catalogue file whole.

    Raises:
        CatalogueError: it cannot be read, or holds something else.
    """
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise CatalogueError(f"{path} is larger than 16 MiB")
        return msgspec.json.decode(path.read_bytes(), type=CatalogueFile)
    except OSError as error:
        raise CatalogueError(f"{path} cannot be read: {error.strerror or 'no reason given'}") from None
    except msgspec.DecodeError as error:
        raise CatalogueError(f"{path} is no model catalogue: {error}") from None
