"""Anthropic: the Messages API, by API key or by the token of a login."""

import msgspec

from llmgw.model import Operation
from llmgw.providers.base import (
    Header,
    Target,
    Upstream,
    checked_base,
    first_variable,
    header_secret,
    key_of,
)
from llmgw.settings.environment import Environment
from llmgw.settings.secrets import Secret

VERSION: Header = ("anthropic-version", "2023-06-01")
MESSAGES = (Operation.MESSAGES, Operation.COUNT_MESSAGE_TOKENS)

_BASE = "https://api.anthropic.com"
_LOGIN_TOKEN = "sk-ant-oat"  # noqa: S105 - how one begins
_LOGIN_BETA: Header = ("anthropic-beta", "oauth-2025-04-20")
"""Without it, the API takes no token of a login."""
_WITHOUT_SCHEMA = ("claude-1", "claude-2", "claude-3", "claude-instant")
_FIRST_OF_FOUR = ("claude-opus-4-2", "claude-sonnet-4-2", "claude-opus-4-0", "claude-sonnet-4-0")
"""Claude 4's first models, as `claude-opus-4-20250514`; from 4.1 and 4.5 on they take a schema."""


class Anthropic(msgspec.Struct, frozen=True, kw_only=True):
    """Anthropic's own API, or under `api_base` a host that speaks it."""

    name: str = "anthropic"
    aliases: tuple[str, ...] = ()
    key_variables: tuple[str, ...] = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN")
    typical_model: str = "claude"

    def connect(self, target: Target, environment: Environment) -> Upstream:
        """URLs and headers for a deployment; see `Provider.connect`."""
        written = target.api_base or first_variable(("ANTHROPIC_BASE_URL",), environment)
        base = _versioned(checked_base(written or _BASE))
        key, warning = key_of(target, self.key_variables, environment)
        by_token = target.api_key is None and not environment.get("ANTHROPIC_API_KEY")
        return Upstream(
            model=target.model,
            urls={operation: base + operation.path for operation in MESSAGES},
            headers=(VERSION, *_credential(key, by_token=by_token)),
            original=written is None,
            native_schema=takes_schema(target.known_as),
            warning=warning,
        )


def _versioned(base: str) -> str:
    """The base with its version, as people write it with and without, or whole to the endpoint."""
    return base.removesuffix("/messages").removesuffix("/v1") + "/v1"


def takes_schema(model: str) -> bool:
    """Whether a Claude model takes a JSON Schema for its reply."""
    return not model.startswith(_WITHOUT_SCHEMA + _FIRST_OF_FOUR)


def _credential(key: Secret | None, *, by_token: bool) -> tuple[Header, ...]:
    """A key in its own header; the token of a login as a bearer token."""
    if key is None:
        return ()
    value = header_secret(key, "api_key")
    if value.startswith(_LOGIN_TOKEN):
        return (("authorization", f"Bearer {value}"), _LOGIN_BETA)
    return (("authorization", f"Bearer {value}"),) if by_token else (("x-api-key", value),)
