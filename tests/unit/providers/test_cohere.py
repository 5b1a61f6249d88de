"""Cohere's own API."""

import pytest

from llmgw.model import Operation
from llmgw.providers.base import Target, Upstream
from llmgw.providers.cohere import Cohere
from llmgw.settings.environment import Environment
from llmgw.settings.secrets import Secret


def connect(api_base: str | None = None, **environment: str) -> Upstream:
    target = Target(
        model="command-a-03-2025", api_key=None if environment else Secret("k"), api_base=api_base
    )
    return Cohere().connect(target, Environment(environment))


def test_chat_is_cohere_s_own_and_embeddings_are_openai_s() -> None:
    assert connect().urls == {
        Operation.COHERE_CHAT: "https://api.cohere.com/v2/chat",
        Operation.EMBEDDINGS: "https://api.cohere.com/compatibility/v1/embeddings",
    }


@pytest.mark.parametrize("name", ["CO_API_KEY", "COHERE_API_KEY"])
def test_the_key_travels_as_a_bearer_token(name: str) -> None:
    assert connect().headers == connect(**{name: "k"}).headers == (("authorization", "Bearer k"),)


@pytest.mark.parametrize("written", ["", "/v2", "/v2/chat", "/v1", "/compatibility/v1"])
def test_the_address_may_be_written_with_either_path(written: str) -> None:
    upstream = connect(f"https://cohere.example{written}")
    assert upstream.urls[Operation.COHERE_CHAT] == "https://cohere.example/v2/chat"
