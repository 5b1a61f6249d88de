"""One turn of a model in neutral words: what it thinks, says and calls."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.upstreams.vendors.fixtures import SIGNATURE

PIECE = 7
MODEL = "upstream-model"
CREATED = 1764000000
INPUT_TOKENS, OUTPUT_TOKENS, THINKING_TOKENS = 90, 52, 20


@dataclass(frozen=True)
class Call:
    """A call of a tool. Arguments that are a string are the input of a tool that takes free text.

    OpenAI's tools may stand in groups (`namespace`); elsewhere their names hold the group's.
    """

    name: str
    arguments: dict[str, Any] | str
    namespace: str | None = None

    @property
    def flat_name(self) -> str:
        """The name where there are no groups."""
        return self.name if self.namespace is None else f"{self.namespace}__{self.name}"

    @property
    def json(self) -> str:
        """The arguments as a function gets them; a function for free text has one argument."""
        given = self.arguments if isinstance(self.arguments, dict) else {"input": self.arguments}
        return json.dumps(given, ensure_ascii=False)


@dataclass(frozen=True)
class Turn:
    """What a model answers once; its thought is sealed with the one signature that upstreams take back."""

    text: str = ""
    thinking: str = ""
    calls: tuple[Call, ...] = ()

    @property
    def signature(self) -> str:
        """What proves the thought."""
        return SIGNATURE


def pieces(text: str) -> Iterator[str]:
    """The text as it trickles in."""
    for at in range(0, len(text), PIECE):
        yield text[at : at + PIECE]


def named_event(name: str, data: dict[str, Any]) -> bytes:
    """A server-sent event whose data repeats its name as `type`."""
    return b"event: %s\n%s" % (name.encode(), plain_event({"type": name, **data}))


def plain_event(data: dict[str, Any]) -> bytes:
    """A server-sent event of data alone."""
    return b"data: %s\n\n" % json.dumps(data, ensure_ascii=False).encode()
