"""OpenAI's first words for tools, by its SDK, with models of other vendors."""

from collections.abc import Iterator
from typing import Any

import openai
import pytest

from tests.clients.base import TOOLS
from tests.e2e.dialects.conftest import Dialects
from tests.gateway_process import MASTER_KEY
from tests.upstreams.vendors import fixtures

WIRES = ["openai_responses", "anthropic_messages", "gemini_generate", "bedrock_converse", "cohere_chat"]
SCENARIO = "text_and_tool"
CALL = fixtures.meaning(SCENARIO)["calls"][0]


@pytest.fixture
def chat(dialects: Dialects) -> Iterator[Any]:
    """The SDK's chats, through the gateway."""
    with openai.OpenAI(base_url=f"{dialects.gateway.url}/v1", api_key=MASTER_KEY, max_retries=0) as client:
        yield client.chat.completions


def asked(wire: str, *later: Any) -> dict[str, Any]:
    functions = [{"name": name, "parameters": schema} for name, (_, schema) in TOOLS.items()]
    messages = [{"role": "user", "content": f"[[scenario:{SCENARIO}]]"}, *later]
    return {"model": wire, "messages": messages, "functions": functions, "max_tokens": 99}


@pytest.mark.parametrize("wire", WIRES)
def test_a_call_comes_back_as_a_function_call_and_is_answered(chat: Any, wire: str) -> None:
    choice = chat.create(**asked(wire)).choices[0]
    call = choice.message.function_call
    answer = {"role": "function", "name": call.name, "content": "21 °C"}
    last = chat.create(**asked(wire, choice.message, answer)).choices[0]

    assert (choice.finish_reason, call.name) == ("function_call", CALL["name"])
    assert choice.message.tool_calls is None
    assert last.message.content == fixtures.meaning("after_tools")["text"]


@pytest.mark.parametrize("wire", WIRES)
def test_a_call_is_streamed_as_a_function_call(chat: Any, wire: str) -> None:
    choices = [chunk.choices[0] for chunk in chat.create(**asked(wire), stream=True)]
    calls = [each.delta.function_call for each in choices if each.delta.function_call]

    assert [call.name for call in calls if call.name] == [CALL["name"]]
    assert "".join(call.arguments for call in calls).startswith("{")
    assert choices[-1].finish_reason == "function_call"
