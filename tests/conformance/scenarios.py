"""What a client may rely on whatever the provider: each scenario is one call through the official SDK."""

from collections.abc import Callable

import openai
from openai.types.chat import ChatCompletionMessageParam

from tests.conformance.providers import Can

QUESTION: list[ChatCompletionMessageParam] = [{"role": "user", "content": "four words of text"}]


def chat(client: openai.OpenAI, model: str) -> None:
    reply = client.chat.completions.create(model=model, messages=QUESTION)

    assert reply.object == "chat.completion"
    assert reply.choices[0].message.role == "assistant"
    assert reply.choices[0].message.content
    assert reply.choices[0].finish_reason == "stop"
    assert reply.usage is not None
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens > 0


def stream(client: openai.OpenAI, model: str) -> None:
    chunks = list(client.chat.completions.create(model=model, messages=QUESTION, stream=True))

    assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"}
    assert len({chunk.id for chunk in chunks}) == 1
    assert chunks[0].choices[0].delta.role == "assistant"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert all(chunk.usage is None for chunk in chunks)


def usage_in_stream(client: openai.OpenAI, model: str) -> None:
    chunks = list(
        client.chat.completions.create(
            model=model, messages=QUESTION, stream=True, stream_options={"include_usage": True}
        )
    )

    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens > 0
    assert all(chunk.usage is None for chunk in chunks[:-1])


def completions(client: openai.OpenAI, model: str) -> None:
    reply = client.completions.create(model=model, prompt="four words of text")

    assert reply.object == "text_completion"
    assert reply.choices[0].text
    assert reply.choices[0].finish_reason == "stop"


def embeddings(client: openai.OpenAI, model: str) -> None:
    reply = client.embeddings.create(model=model, input=["one", "two"])

    assert [each.index for each in reply.data] == [0, 1]
    assert all(len(each.embedding) == len(reply.data[0].embedding) > 0 for each in reply.data)
    assert reply.usage.total_tokens > 0


def responses(client: openai.OpenAI, model: str) -> None:
    reply = client.responses.create(model=model, input="four words of text")

    assert reply.object == "response"
    assert reply.status == "completed"
    assert reply.output_text
    assert reply.usage is not None
    assert reply.usage.output_tokens > 0


def responses_stream(client: openai.OpenAI, model: str) -> None:
    with client.responses.create(model=model, input="four words of text", stream=True) as events:
        kinds = [event.type for event in events]

    assert kinds[0] == "response.created"
    assert "response.output_text.delta" in kinds
    assert kinds[-1] == "response.completed"


def moderations(client: openai.OpenAI, model: str) -> None:
    reply = client.moderations.create(model=model, input="four words of text")

    assert [each.flagged for each in reply.results] == [False]


SCENARIOS: dict[Can, Callable[[openai.OpenAI, str], None]] = {
    Can.CHAT: chat,
    Can.STREAM: stream,
    Can.USAGE_IN_STREAM: usage_in_stream,
    Can.COMPLETIONS: completions,
    Can.EMBEDDINGS: embeddings,
    Can.RESPONSES: responses,
    Can.RESPONSES_STREAM: responses_stream,
    Can.MODERATIONS: moderations,
}
