"""The official OpenAI client draws, speaks and listens through the gateway, against the mock provider."""

import base64
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from tests.gateway_process import MASTER_KEY, GatewayProcess

MODEL = "mock/any"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(1000)


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


def test_an_image_edit(client: openai.OpenAI) -> None:
    reply = client.images.edit(model=MODEL, prompt="a hat", image=[("a.png", PNG), ("b.png", PNG)])

    assert reply.data is not None and reply.data[0].b64_json


def test_a_stream_of_image_edits(client: openai.OpenAI) -> None:
    image = ("a.png", PNG)
    events = client.images.edit(model=MODEL, prompt="a hat", image=image, stream=True, partial_images=1)

    assert [event.type for event in events] == ["image_edit.partial_image", "image_edit.completed"]


def test_a_transcript(client: openai.OpenAI) -> None:
    sound = client.audio.speech.create(model=MODEL, voice="alloy", input="Hello there").content
    transcript = client.audio.transcriptions.create(model=MODEL, file=("hello.wav", sound))

    assert transcript.text == f"The mock upstream heard {len(sound)} bytes."


def test_a_transcript_from_a_file_as_it_comes(client: openai.OpenAI, tmp_path: Path) -> None:
    path = tmp_path / "hello.wav"
    path.write_bytes(bytes(100_000))
    events = list(client.audio.transcriptions.create(model=MODEL, file=path, stream=True))

    assert events[-1].type == "transcript.text.done"
    assert events[-1].text == "The mock upstream heard 100000 bytes."


def test_a_translation(client: openai.OpenAI) -> None:
    with pytest.deprecated_call():
        translation = client.audio.translations.create(model=MODEL, file=("a.wav", b"abc"))

    assert translation.text == "The mock upstream heard 3 bytes."


def test_speech(client: openai.OpenAI) -> None:
    sound = client.audio.speech.create(model=MODEL, voice="alloy", input="Hello there")

    assert sound.content.startswith(b"RIFF")
    assert sound.response.headers["content-type"] == "audio/wav"


def test_speech_as_it_comes(client: openai.OpenAI) -> None:
    model = f"{MODEL}?chunks=5&interval_ms=20"
    with client.audio.speech.with_streaming_response.create(model=model, voice="alloy", input="Hi") as sound:
        assert len(list(sound.iter_bytes())) >= 5
