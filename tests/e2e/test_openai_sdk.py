"""The official OpenAI client, pointed at the gateway, in front of a real model."""

import re
from collections.abc import Iterator

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam

from tests.conftest import APP_KEY
from tests.gateway_process import MASTER_KEY, GatewayProcess, wait_until
from tests.upstreams.real_model import MODEL_NAME, RealModel

pytestmark = pytest.mark.real_model

QUESTION: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Say hello."}]
WEATHER: ChatCompletionToolParam = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def sdk(gateway: GatewayProcess, key: str = MASTER_KEY, path: str = "/v1") -> openai.OpenAI:
    return openai.OpenAI(base_url=gateway.url + path, api_key=key, max_retries=0, timeout=90)


@pytest.fixture
def client(model_gateway: GatewayProcess) -> Iterator[openai.OpenAI]:
    with sdk(model_gateway) as client:
        yield client


def test_chat(client: openai.OpenAI) -> None:
    reply = client.chat.completions.create(model=MODEL_NAME, messages=QUESTION, max_tokens=8)

    assert reply.choices[0].message.role == "assistant"
    assert reply.choices[0].message.content
    assert reply.usage is not None
    assert 0 < reply.usage.completion_tokens <= 8
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens
    assert reply._request_id


def test_the_base_url_works_without_v1(model_gateway: GatewayProcess) -> None:
    with sdk(model_gateway, path="") as client:
        reply = client.chat.completions.create(model=MODEL_NAME, messages=QUESTION, max_tokens=2)

    assert reply.choices[0].message.content


def test_the_same_seed_gives_the_same_words_through_the_gateway_and_without(
    client: openai.OpenAI, real_model: RealModel
) -> None:
    words = []
    with openai.OpenAI(base_url=real_model.base_url, api_key="none") as direct:
        for each in (client, direct):
            reply = each.chat.completions.create(
                model=MODEL_NAME, messages=QUESTION, max_tokens=12, temperature=0, seed=7
            )
            words.append(reply.choices[0].message.content)

    assert words[0] == words[1]


def test_stream(client: openai.OpenAI) -> None:
    chunks = list(
        client.chat.completions.create(model=MODEL_NAME, messages=QUESTION, max_tokens=8, stream=True)
    )

    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert chunks[-1].choices[0].finish_reason in {"stop", "length"}
    assert all(chunk.usage is None for chunk in chunks)


def test_stream_with_usage(client: openai.OpenAI) -> None:
    chunks = list(
        client.chat.completions.create(
            model=MODEL_NAME,
            messages=QUESTION,
            max_tokens=5,
            stream=True,
            stream_options={"include_usage": True},
        )
    )

    usage = chunks[-1].usage
    assert chunks[-1].choices == []
    assert usage is not None
    assert 0 < usage.completion_tokens <= 5


def test_several_turns_with_a_system_message(client: openai.OpenAI) -> None:
    turns: list[ChatCompletionMessageParam] = [
        {"role": "system", "content": "Answer in one word."},
        {"role": "user", "content": "Capital of Italy? é 漢字 😀"},
        {"role": "assistant", "content": "Rome"},
        {"role": "user", "content": "Of France?"},
    ]

    reply = client.chat.completions.create(model=MODEL_NAME, messages=turns, max_tokens=6)

    assert reply.usage is not None
    assert reply.usage.prompt_tokens > 30


def test_declared_tools_reach_the_model(client: openai.OpenAI) -> None:
    plain = client.chat.completions.create(model=MODEL_NAME, messages=QUESTION, max_tokens=4)
    with_tools = client.chat.completions.create(
        model=MODEL_NAME, messages=QUESTION, max_tokens=4, tools=[WEATHER], tool_choice="auto"
    )

    assert plain.usage is not None
    assert with_tools.usage is not None
    assert with_tools.choices[0].finish_reason in {"stop", "length", "tool_calls"}


def test_a_grammar_holds_the_model_to_json(client: openai.OpenAI) -> None:
    reply = client.chat.completions.create(
        model=MODEL_NAME,
        messages=QUESTION,
        max_tokens=40,
        temperature=0,
        response_format={
            "type": "json_schema",
            "json_schema": {
                "name": "answer",
                "schema": {
                    "type": "object",
                    "properties": {"yes": {"type": "boolean"}},
                    "required": ["yes"],
                    "additionalProperties": False,
                },
            },
        },
    )

    assert re.fullmatch(r'\s*\{\s*"yes"\s*:\s*(true|false)\s*\}\s*', reply.choices[0].message.content or "")


def test_completions(client: openai.OpenAI) -> None:
    reply = client.completions.create(model=MODEL_NAME, prompt="One, two,", max_tokens=4)

    assert reply.choices[0].text


def test_embeddings(client: openai.OpenAI) -> None:
    reply = client.embeddings.create(model=MODEL_NAME, input=["cat", "dog"], encoding_format="float")

    assert [each.index for each in reply.data] == [0, 1]
    assert len(reply.data[0].embedding) == len(reply.data[1].embedding) == 576
    assert reply.usage.prompt_tokens > 0


def test_responses(client: openai.OpenAI) -> None:
    reply = client.responses.create(model=MODEL_NAME, input="Say hello.", max_output_tokens=8)

    assert reply.output_text
    assert reply.usage is not None
    assert reply.usage.output_tokens > 0


def test_responses_as_a_stream(client: openai.OpenAI) -> None:
    with client.responses.create(
        model=MODEL_NAME, input="Say hello.", max_output_tokens=8, stream=True
    ) as events:
        kinds = [event.type for event in events]

    assert kinds[0] == "response.created"
    assert "response.output_text.delta" in kinds
    assert kinds[-1] in {"response.completed", "response.incomplete"}


def test_models(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == [MODEL_NAME]
    assert client.models.retrieve(MODEL_NAME).id == MODEL_NAME


# ── what the client is told when something is wrong ─────────────────────────────────────────────


def test_a_wrong_key(model_gateway: GatewayProcess) -> None:
    with sdk(model_gateway, "wrong-key-wrong-key-wrong") as client, pytest.raises(openai.AuthenticationError):
        client.chat.completions.create(model=MODEL_NAME, messages=QUESTION)


def test_a_key_without_the_model(model_gateway: GatewayProcess) -> None:
    with sdk(model_gateway, APP_KEY) as client, pytest.raises(openai.PermissionDeniedError) as caught:
        client.chat.completions.create(model=MODEL_NAME, messages=QUESTION)

    assert caught.value.code == "permission_denied"


def test_an_unknown_model(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="no-such-model", messages=QUESTION)

    assert caught.value.code == "model_not_found"
    assert caught.value.request_id


def test_what_the_model_itself_refuses(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(
            model=MODEL_NAME, messages=[{"role": "user", "content": "word " * 5000}], max_tokens=4
        )

    assert caught.value.status_code == 400


# ── leaving early ───────────────────────────────────────────────────────────────────────────────


def test_closing_a_stream_frees_the_models_slot(client: openai.OpenAI, real_model: RealModel) -> None:
    wait_until(lambda: real_model.busy_slots() == 0, "the model is idle")
    stream = client.chat.completions.create(
        model=MODEL_NAME,
        messages=QUESTION,
        max_tokens=400,
        stream=True,
        extra_body={"ignore_eos": True},
    )
    next(iter(stream))
    assert real_model.busy_slots() == 1

    stream.close()

    wait_until(lambda: real_model.busy_slots() == 0, "the slot is free again", timeout=5)
