"""Azure AI Foundry."""

import pytest

from llmgw.model import Operation
from llmgw.providers.base import Target, TargetError, Upstream
from llmgw.providers.foundry import Foundry
from llmgw.settings.environment import Environment
from llmgw.settings.secrets import Secret

BASE = "https://one.services.ai.azure.com"


def connect(model: str, api_base: str = BASE) -> Upstream:
    return Foundry().connect(Target(model=model, api_base=api_base, api_key=Secret("k")), Environment({}))


def test_claude_is_called_by_messages_with_the_key_in_both_headers() -> None:
    upstream = connect("claude-sonnet-4-5")
    assert upstream.urls == {
        Operation.MESSAGES: f"{BASE}/anthropic/v1/messages",
        Operation.COUNT_MESSAGE_TOKENS: f"{BASE}/anthropic/v1/messages/count_tokens",
    }
    assert upstream.headers == (("anthropic-version", "2023-06-01"), ("x-api-key", "k"), ("api-key", "k"))


def test_other_models_are_called_by_the_openai_surface() -> None:
    upstream = connect("DeepSeek-V3.1")
    assert upstream.urls == {
        Operation.CHAT_COMPLETIONS: f"{BASE}/openai/v1/chat/completions",
        Operation.EMBEDDINGS: f"{BASE}/openai/v1/embeddings",
        Operation.RESPONSES: f"{BASE}/openai/v1/responses",
    }
    assert upstream.headers == (("api-key", "k"),)


@pytest.mark.parametrize("written", ["/anthropic/v1/messages", "/anthropic", "/openai/v1/", "/models", "/"])
def test_the_address_may_be_written_down_to_any_surface(written: str) -> None:
    assert (
        connect("claude-opus-4-5", BASE + written).urls[Operation.MESSAGES].startswith(f"{BASE}/anthropic/v1")
    )


def test_without_an_address_one_is_asked_for() -> None:
    with pytest.raises(TargetError, match="needs an api_base, or AZURE_AI_API_BASE"):
        Foundry().connect(Target(model="m", api_key=Secret("k")), Environment({}))
