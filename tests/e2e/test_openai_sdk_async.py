"""The official async OpenAI client: many streams at once through the gateway, in front of a real model."""

import asyncio
from collections.abc import AsyncIterator

import openai
import pytest
import pytest_asyncio

from tests.gateway_process import MASTER_KEY, GatewayProcess
from tests.upstreams.real_model import MODEL_NAME

pytestmark = pytest.mark.real_model

STREAMS = 20


@pytest_asyncio.fixture
async def client(model_gateway: GatewayProcess) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(
        base_url=f"{model_gateway.url}/v1", api_key=MASTER_KEY, max_retries=0, timeout=90
    ) as client:
        yield client


async def streamed_text(client: openai.AsyncOpenAI, question: str, tokens: int) -> str:
    stream = await client.chat.completions.create(
        model=MODEL_NAME,
        messages=[{"role": "user", "content": question}],
        max_tokens=tokens,
        temperature=0,
        stream=True,
    )
    return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])


async def test_chat(client: openai.AsyncOpenAI) -> None:
    reply = await client.chat.completions.create(
        model=MODEL_NAME, messages=[{"role": "user", "content": "Say hello."}], max_tokens=4
    )

    assert reply.choices[0].message.content


async def test_twenty_streams_at_once_all_end_well(client: openai.AsyncOpenAI) -> None:
    questions = [f"Count from {number}." for number in range(STREAMS)]

    texts = await asyncio.gather(*(streamed_text(client, each, 8) for each in questions))

    assert all(texts)


async def test_embeddings_and_chats_side_by_side(client: openai.AsyncOpenAI) -> None:
    texts, embeddings = await asyncio.gather(
        asyncio.gather(*(streamed_text(client, "Say hello.", 4) for _ in range(4))),
        asyncio.gather(*(client.embeddings.create(model=MODEL_NAME, input="cat") for _ in range(4))),
    )

    assert all(texts)
    assert len({tuple(each.data[0].embedding) for each in embeddings}) == 1


async def test_a_cancelled_task_does_not_disturb_the_others(client: openai.AsyncOpenAI) -> None:
    tasks = [asyncio.create_task(streamed_text(client, f"Count from {n}.", 16)) for n in range(6)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()

    outcomes = await asyncio.gather(*tasks, return_exceptions=True)

    assert all(isinstance(each, asyncio.CancelledError) for each in outcomes[::2])
    assert all(isinstance(each, str) and each for each in outcomes[1::2])
