"""A host that speaks the OpenAI dialect: what is recorded of one, and how a deployment reaches it.

The hosts themselves are in `providers/hosts/`.
"""

import re
from urllib.parse import urlsplit

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
    key_of,
)
from llmgw.settings.environment import Environment
from llmgw.settings.secrets import Secret

CHAT = frozenset({Operation.CHAT_COMPLETIONS})
CHAT_COMPLETIONS = CHAT | {Operation.COMPLETIONS}
CHAT_EMBEDDINGS = CHAT | {Operation.EMBEDDINGS}
CHAT_RESPONSES = CHAT | {Operation.RESPONSES}
CLASSIC = CHAT_EMBEDDINGS | {Operation.COMPLETIONS}
EVERYTHING = CLASSIC | {Operation.RESPONSES, Operation.MODERATIONS}
IMAGES = frozenset({Operation.IMAGES_GENERATIONS, Operation.IMAGES_EDITS})
TRANSCRIPTS = frozenset({Operation.AUDIO_TRANSCRIPTIONS, Operation.AUDIO_TRANSLATIONS})
AUDIO = TRANSCRIPTS | {Operation.AUDIO_SPEECH}
BATCHES = frozenset({Operation.FILES, Operation.BATCHES})

_BLANK = re.compile(r"\{([A-Z0-9_|]+)\}")
_FILLING = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class Compatible(msgspec.Struct, frozen=True, kw_only=True):
    """A host that speaks the OpenAI dialect under a base URL, with a bearer key."""

    name: str
    """The prefix of its models and its label in metrics."""
    aliases: tuple[str, ...] = ()
    """Other prefixes, LiteLLM's among them."""
    base_url: str | None = None
    """Its address; without one, `api_base` has to say. `{NAME|OTHER}` stands for what the first of these
    environment variables that is set holds: an account, a workspace."""
    base_variables: tuple[str, ...] = ()
    """Environment variables that may hold another address."""
    key_variables: tuple[str, ...] = ()
    """Environment variables that may hold the credential."""
    operations: frozenset[Operation] = CHAT
    """What it serves."""
    needs_key: bool = True
    """Refuse a deployment without a credential. Hosts on one's own machine need none."""
    default_path: str = ""
    """Path of the API when a given `api_base` has none, as people write for hosts of their own."""
    typical_model: str = ""
    """A model by whose tokenizer to count when a deployment is a pattern, if they are alike."""
    stream_usage: bool = True
    """It takes `stream_options.include_usage`; some reject fields they do not know."""
    original: bool = False
    """It invented the dialect: its newest fields work."""

    def connect(self, target: Target, environment: Environment) -> Upstream:
        """URLs and headers for a deployment; see `Provider.connect`."""
        base = self._base(target, environment)
        key, warning = self._key(target, environment)
        headers: list[Header] = []
        if key is not None:
            headers.append(("authorization", f"Bearer {header_secret(key, 'api_key')}"))
        if target.organization is not None:
            headers.append(("openai-organization", target.organization))
        return Upstream(
            model=target.model,
            urls={operation: base + _below(operation) for operation in sorted(self.operations)},
            headers=tuple(headers),
            stream_usage=self.stream_usage,
            original=self.original and target.api_base is None,
            warning=warning,
        )

    def _base(self, target: Target, environment: Environment) -> str:
        written = target.api_base or first_variable(self.base_variables, environment)
        base = checked_base(written or self._own_address(environment))
        return base if urlsplit(base).path else base + self.default_path

    def _own_address(self, environment: Environment) -> str:
        """The recorded address, its blanks filled."""
        if self.base_url is None:
            names = "".join(f", or {name}" for name in self.base_variables)
            raise TargetError("api_base", f"{self.name} needs an api_base{names}")
        return _BLANK.sub(lambda blank: _filling(blank[1].split("|"), environment), self.base_url)

    def _key(self, target: Target, environment: Environment) -> tuple[Secret | None, str | None]:
        """The credential, and a warning when there is deliberately none; see `key_of`."""
        if self.needs_key:
            return key_of(target, self.key_variables, environment)
        if target.api_key is not None or target.api_base is not None:
            return target.api_key, None
        value = first_variable(self.key_variables, environment)
        return (Secret(value) if value else None), None


def _filling(names: list[str], environment: Environment) -> str:
    """What the first of these variables that is set puts into an address; `https://` before it is let go."""
    value = first_variable(tuple(names), environment)
    if value is None:
        raise TargetError("api_base", f"no address: set {' or '.join(names)}, or give api_base")
    filling = value.removeprefix("https://").rstrip("/")
    if not _FILLING.fullmatch(filling):
        raise TargetError("api_base", f"{' or '.join(names)} holds characters that fit no address")
    return filling


def _below(operation: Operation) -> str:
    """Path and query below the base URL."""
    return "/realtime?model={model}" if operation is Operation.REALTIME else operation.path
