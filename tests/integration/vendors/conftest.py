"""Every vendor's upstream, with the vendor's SDK pointed straight at it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.clients.anthropic_messages import AnthropicMessages
from tests.clients.bedrock_converse import BedrockConverse
from tests.clients.cohere_chat import CohereChat
from tests.clients.gemini_generate import GeminiGenerate
from tests.clients.openai_chat import OpenAIChat
from tests.clients.openai_responses import OpenAIResponses
from tests.upstreams.vendors import (
    anthropic_messages,
    bedrock_converse,
    cohere_chat,
    gemini_generate,
    openai_chat,
    openai_responses,
)
from tests.upstreams.vendors.vendor import CREDENTIAL, Vendor, VendorUpstream

MODEL = "upstream-model"
VENDORS: dict[str, tuple[Vendor, Callable[[str, str, str], Any]]] = {
    "openai_chat": (openai_chat.VENDOR, OpenAIChat),
    "openai_responses": (openai_responses.VENDOR, OpenAIResponses),
    "anthropic_messages": (anthropic_messages.VENDOR, AnthropicMessages),
    "gemini_generate": (gemini_generate.VENDOR, GeminiGenerate),
    "bedrock_converse": (bedrock_converse.VENDOR, BedrockConverse),
    "cohere_chat": (cohere_chat.VENDOR, CohereChat),
}


@dataclass(frozen=True)
class Direct:
    """A running upstream and the SDK in front of it."""

    wire: str
    upstream: VendorUpstream
    client: Any

    @property
    def root(self) -> str:
        """The upstream's root."""
        return self.upstream.root


@pytest.fixture(scope="session")
def directs() -> Iterator[dict[str, Direct]]:
    """One upstream and one client of each vendor, for the whole session."""
    running: dict[str, Direct] = {}
    for wire, (vendor, client) in VENDORS.items():
        server = VendorUpstream(vendor).__enter__()
        running[wire] = Direct(wire, server, client(server.root, CREDENTIAL, MODEL))
    yield running
    for each in running.values():
        each.client.close()
        each.upstream.__exit__()
