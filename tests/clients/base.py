"""What a test asks through an SDK, and what it learns, in neutral words."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.upstreams.vendors.vendor import NEEDS

SYSTEM = "You are terse."
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "people": {"type": "integer"}},
    "required": ["city", "people"],
    "additionalProperties": False,
}


def _takes(*names: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {each: {"type": "string"} for each in names},
        "required": list(names[:1]),
    }


TOOLS: dict[str, tuple[str, dict[str, Any]]] = {
    "get_weather": ("The weather in a city", _takes("city", "unit")),
    "get_time": ("The time in a city", _takes("city")),
}
THINKING_TOKENS = 1024
MAX_TOKENS = 4096
STOP = "five"


@dataclass(frozen=True)
class Ask:
    """A question that brings a scenario about, with everything the scenario needs."""

    scenario: str
    cut: int | None = None

    @property
    def text(self) -> str:
        """The user's words, with the upstream's marks."""
        cut = f" [[cut:{self.cut}]]" if self.cut else ""
        return f"Go on. [[scenario:{self.scenario}]]{cut}"

    def needs(self, what: str) -> bool:
        """True if the scenario needs this in the request."""
        return NEEDS.get(self.scenario) == what or (what == "tools" and self.scenario == "reasoning_tools")


@dataclass(frozen=True)
class ToolCall:
    """A call as the SDK shows it."""

    id: str
    name: str
    arguments: Any


@dataclass
class Outcome:
    """What a reply said; `logprob` of its first token, `native` as the SDK wants it back in the next turn."""

    text: str = ""
    thinking: str = ""
    signature: str | None = None
    redacted_thinking: str | None = None
    refusal: str | None = None
    calls: list[ToolCall] = field(default_factory=list)
    choices: list[str] = field(default_factory=list)
    logprob: float | None = None
    finish: str | None = None
    stop_sequence: str | None = None
    usage: dict[str, int] = field(default_factory=dict)
    native: Any = None


@dataclass(frozen=True)
class Later:
    """The second turn: what was asked and answered, and the results of the calls in their order."""

    first: Ask
    outcome: Outcome
    results: Sequence[str]


class Client(Protocol):
    """One SDK in front of one server and one model."""

    errors: dict[int, type[Exception]]

    def ask(self, ask: Ask, later: Later | None = None) -> Outcome:
        """A whole reply."""

    def stream(self, ask: Ask, later: Later | None = None) -> Outcome:
        """A streamed reply, read to its end."""

    async def ask_async(self, ask: Ask) -> Outcome:
        """A whole reply, through the SDK's asynchronous client."""

    async def stream_async(self, ask: Ask) -> Outcome:
        """A streamed reply, through the SDK's asynchronous client."""

    def close(self) -> None:
        """Let go of the connections."""
