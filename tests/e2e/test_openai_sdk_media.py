"""The official OpenAI client draws, speaks and listens through the gateway, against the mock provider."""

import base64
from collections.abc import Iterator

import openai
import pytest

from tests.gateway_process import MASTER_KEY, GatewayProcess

MODEL = "mock/any"


@pytest.fixture(scope="module")
def mock_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    with GatewayProcess(tmp_path_factory.mktemp("media"), {}) as gateway:
        yield gateway


@pytest.fixture
def client(mock_gateway: GatewayProcess) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=mock_gateway.url + "/v1", api_key=MASTER_KEY, max_retries=0) as client:
        yield client


def test_images(client: openai.OpenAI) -> None:
    reply = client.images.generate(model=MODEL, prompt="a cat", n=2)

    assert reply.data is not None and len(reply.data) == 2
    assert base64.b64decode(reply.data[0].b64_json or "").startswith(b"\x89PNG")
    assert reply.usage is not None and reply.usage.output_tokens > 0


def test_an_image_stream(client: openai.OpenAI) -> None:
    events = list(client.images.generate(model=MODEL, prompt="a cat", stream=True, partial_images=2))

    assert [event.type for event in events] == [
        "image_generation.partial_image",
        "image_generation.partial_image",
        "image_generation.completed",
    ]


def test_speech(client: openai.OpenAI) -> None:
    sound = client.audio.speech.create(model=MODEL, voice="alloy", input="Hello there")

    assert sound.content.startswith(b"RIFF")
    assert sound.response.headers["content-type"] == "audio/wav"


def test_speech_as_it_comes(client: openai.OpenAI) -> None:
    model = f"{MODEL}?chunks=5&interval_ms=20"
    with client.audio.speech.with_streaming_response.create(model=model, voice="alloy", input="Hi") as sound:
        assert len(list(sound.iter_bytes())) >= 5
