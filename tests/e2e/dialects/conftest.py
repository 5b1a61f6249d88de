"""One gateway in front of all vendors' upstreams, and the SDKs that ask it."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from tests.clients.anthropic_messages import AnthropicMessages
from tests.clients.base import Client
from tests.clients.gemini_generate import GeminiGenerate
from tests.clients.openai_chat import OpenAIChat
from tests.clients.openai_responses import OpenAIResponses
from tests.conftest import KEYS_ENVIRONMENT, gateway_config
from tests.e2e.dialects.table import PAIRS, WIRES
from tests.gateway_process import MASTER_KEY, GatewayProcess
from tests.upstreams.vendors import (
    anthropic_messages,
    bedrock_converse,
    cohere_chat,
    gemini_generate,
    openai_chat,
    openai_responses,
)
from tests.upstreams.vendors.vendor import CREDENTIAL, VendorUpstream

VENDORS = {
    "openai_chat": openai_chat.COMPATIBLE,  # as everything that is not at OpenAI's own address
    "openai_responses": openai_responses.VENDOR,
    "anthropic_messages": anthropic_messages.VENDOR,
    "gemini_generate": gemini_generate.VENDOR,
    "bedrock_converse": bedrock_converse.VENDOR,
    "cohere_chat": cohere_chat.VENDOR,
}
CLIENTS: dict[str, Any] = {
    "openai_chat": OpenAIChat,
    "openai_responses": OpenAIResponses,
    "anthropic_messages": AnthropicMessages,
    "gemini_generate": GeminiGenerate,
}
# Names of models that think and draw nothing but text, so that every scenario makes sense.
AWS = {
    "aws_access_key_id": bedrock_converse.ACCESS_KEY,
    "aws_secret_access_key": bedrock_converse.SECRET_KEY,
    "aws_region_name": bedrock_converse.REGION,
}
PARAMS: dict[str, dict[str, Any]] = {
    "openai_chat": {"model": "openai/gpt-5.1", "api_key": CREDENTIAL},
    "openai_responses": {"model": "openai/responses/gpt-5.1", "api_key": CREDENTIAL},
    "anthropic_messages": {"model": "anthropic/claude-sonnet-4-5", "api_key": CREDENTIAL},
    "gemini_generate": {"model": "gemini/gemini-2.5-flash", "api_key": CREDENTIAL},
    "bedrock_converse": {"model": "bedrock/anthropic.claude-sonnet-4-5-20250929-v1:0", **AWS},
    "cohere_chat": {"model": "cohere/command-a-reasoning-08-2025", "api_key": CREDENTIAL},
}
VERSIONED = {"openai_chat", "openai_responses"}  # their `api_base` ends in /v1


@dataclass(frozen=True)
class Dialects:
    """The gateway, the upstream behind the group of each format's name, and the SDKs."""

    gateway: GatewayProcess
    upstreams: dict[str, VendorUpstream]
    clients: dict[tuple[str, str], Client]

    def client(self, surface: str, wire: str) -> Client:
        """The SDK of this surface, asking for the model behind this format."""
        return self.clients[surface, wire]

    def refused(self) -> dict[str, list[str]]:
        """What the upstreams refused since last asked."""
        found = {wire: list(each.refused) for wire, each in self.upstreams.items() if each.refused}
        for each in self.upstreams.values():
            each.refused.clear()
        return found


def entry(wire: str, upstream: VendorUpstream) -> dict[str, Any]:
    """The `model_list` entry of the group named after the format."""
    base = f"{upstream.root}/v1" if wire in VERSIONED else upstream.root
    return {"model_name": wire, "litellm_params": {**PARAMS[wire], "api_base": base}}


@pytest.fixture(scope="session")
def running_dialects(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dialects]:
    """Everything started, for the whole session."""
    with ExitStack() as running:
        upstreams = {wire: running.enter_context(VendorUpstream(VENDORS[wire])) for wire in WIRES}
        config = gateway_config(*(entry(wire, each) for wire, each in upstreams.items()), keys=[])
        home = tmp_path_factory.mktemp("dialects")
        gateway = running.enter_context(GatewayProcess(home, config, env=KEYS_ENVIRONMENT))
        clients = {pair: CLIENTS[pair[0]](gateway.url, MASTER_KEY, pair[1]) for pair in PAIRS}
        for each in clients.values():
            running.callback(each.close)
        yield Dialects(gateway, upstreams, clients)


@pytest.fixture
def dialects(running_dialects: Dialects) -> Iterator[Dialects]:
    """Clean upstreams; after the test none of them may have refused what the gateway sent."""
    running_dialects.gateway.assert_running()
    for each in running_dialects.upstreams.values():
        each.forget()
    running_dialects.refused()
    yield running_dialects
    assert not running_dialects.refused(), "an upstream refused what the gateway made of the request"
