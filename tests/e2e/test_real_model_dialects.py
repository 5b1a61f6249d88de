"""Anthropic's and Google's SDKs and OpenAI's Responses, in front of a real model.

Its server, llama.cpp, speaks chat completions; Responses too, but its streams of these lack the members by
which OpenAI's SDK puts a reply together, with and without a gateway: here their events are read one by one.
"""

import anthropic
import openai
import pytest
from google import genai
from google.genai import types

from tests.gateway_process import MASTER_KEY, GatewayProcess, wait_until
from tests.upstreams.real_model import MODEL_NAME, RealModel

pytestmark = pytest.mark.real_model

QUESTION = "Say hello."


def anthropic_sdk(gateway: GatewayProcess) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=gateway.url, api_key=MASTER_KEY, max_retries=0, timeout=90)


def google_sdk(gateway: GatewayProcess) -> genai.Client:
    options = types.HttpOptions(base_url=gateway.url, timeout=90_000)
    return genai.Client(api_key=MASTER_KEY, vertexai=False, http_options=options)


def openai_sdk(gateway: GatewayProcess) -> openai.OpenAI:
    return openai.OpenAI(base_url=gateway.url + "/v1", api_key=MASTER_KEY, max_retries=0, timeout=90)


def test_messages(model_gateway: GatewayProcess) -> None:
    with anthropic_sdk(model_gateway) as client:
        reply = client.messages.create(
            model=MODEL_NAME,
            max_tokens=8,
            system="You are brief.",
            messages=[{"role": "user", "content": QUESTION}],
        )

    assert isinstance(reply.content[0], anthropic.types.TextBlock)
    assert reply.content[0].text
    assert reply.stop_reason in {"end_turn", "max_tokens"}
    assert reply.usage.input_tokens > 0
    assert 0 < reply.usage.output_tokens <= 8


def test_streamed_messages(model_gateway: GatewayProcess) -> None:
    with (
        anthropic_sdk(model_gateway) as client,
        client.messages.stream(
            model=MODEL_NAME, max_tokens=8, messages=[{"role": "user", "content": QUESTION}]
        ) as stream,
    ):
        said = "".join(stream.text_stream)
        reply = stream.get_final_message()

    assert isinstance(reply.content[0], anthropic.types.TextBlock)
    assert said
    assert reply.content[0].text == said
    assert reply.stop_reason in {"end_turn", "max_tokens"}
    assert 0 < reply.usage.output_tokens <= 8


def test_a_closed_stream_of_messages_frees_the_model(
    model_gateway: GatewayProcess, real_model: RealModel
) -> None:
    with anthropic_sdk(model_gateway) as client:
        stream = client.messages.create(
            model=MODEL_NAME,
            max_tokens=300,
            messages=[{"role": "user", "content": "Tell a long story"}],
            stream=True,
        )
        for event in stream:
            if event.type == "content_block_delta":
                break
        assert real_model.busy_slots() == 1
        stream.close()

    wait_until(lambda: real_model.busy_slots() == 0, "the slot is free again")


def test_generate_content(model_gateway: GatewayProcess) -> None:
    with google_sdk(model_gateway) as client:
        reply = client.models.generate_content(
            model=MODEL_NAME,
            contents=QUESTION,
            config=types.GenerateContentConfig(max_output_tokens=8, system_instruction="You are brief."),
        )

    assert reply.text
    assert reply.usage_metadata is not None
    assert 0 < (reply.usage_metadata.candidates_token_count or 0) <= 8


def test_streamed_generate_content(model_gateway: GatewayProcess) -> None:
    with google_sdk(model_gateway) as client:
        chunks = list(
            client.models.generate_content_stream(
                model=MODEL_NAME,
                contents=QUESTION,
                config=types.GenerateContentConfig(max_output_tokens=8),
            )
        )

    assert "".join(chunk.text or "" for chunk in chunks)
    candidates = chunks[-1].candidates
    assert candidates
    assert candidates[0].finish_reason in {types.FinishReason.STOP, types.FinishReason.MAX_TOKENS}


def test_responses(model_gateway: GatewayProcess) -> None:
    with openai_sdk(model_gateway) as client:
        reply = client.responses.create(model=MODEL_NAME, input=QUESTION, max_output_tokens=16, store=False)

    assert reply.output_text
    assert reply.usage is not None
    assert 0 < reply.usage.output_tokens <= 16


def test_streamed_responses(model_gateway: GatewayProcess, real_model: RealModel) -> None:
    said = []
    with (
        openai_sdk(model_gateway) as through,
        openai.OpenAI(base_url=real_model.base_url, api_key="none") as direct,
    ):
        for client in (through, direct):
            stream = client.responses.create(
                model=MODEL_NAME,
                input=QUESTION,
                max_output_tokens=16,
                temperature=0,
                store=False,
                stream=True,
            )
            events = list(stream)
            assert events[-1].type in {"response.completed", "response.incomplete"}
            said.append("".join(it.delta for it in events if it.type == "response.output_text.delta"))

    assert said[0]
    assert said[0] == said[1]
