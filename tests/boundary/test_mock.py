"""The mock upstream, driven by the official client and by raw HTTP."""

from __future__ import annotations

import http.client
import json
import math
import time
from collections.abc import Iterator
from contextlib import closing

import openai
import pytest

from llmgw._native import MockUpstream


@pytest.fixture
def mock() -> Iterator[MockUpstream]:
    mock = MockUpstream()
    yield mock
    mock.stop()


@pytest.fixture
def client(mock: MockUpstream) -> Iterator[openai.OpenAI]:
    base_url = f"http://127.0.0.1:{mock.port}/v1"
    with openai.OpenAI(base_url=base_url, api_key="none", max_retries=0) as client:
        yield client


def post(
    mock: MockUpstream, body: bytes | Iterator[bytes], script: str = ""
) -> tuple[int, dict[str, str], bytes]:
    with closing(http.client.HTTPConnection("127.0.0.1", mock.port)) as connection:
        connection.request("POST", "/v1/chat/completions", body, {"x-mock-script": script})
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()


ASK = b'{"model":"echo","messages":[{"role":"user","content":"hello"}]}'


def test_echo_answers_with_the_last_user_message(client: openai.OpenAI) -> None:
    chat = client.chat.completions.create(
        model="echo",
        messages=[
            {"role": "system", "content": "be brief"},
            {"role": "user", "content": "first"},
            {"role": "assistant", "content": "yes"},
            {"role": "user", "content": 'say "naïve" 東京\n'},
        ],
    )
    assert chat.choices[0].message.content == 'say "naïve" 東京\n'
    assert chat.usage is not None
    assert chat.usage.total_tokens == chat.usage.prompt_tokens + chat.usage.completion_tokens


def test_a_stream_joins_to_the_whole_text_and_closes_with_usage(client: openai.OpenAI) -> None:
    chunks = list(
        client.chat.completions.create(
            model="echo?interval_ms=0",
            messages=[{"role": "user", "content": "one two three"}],
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks[:-1])
    assert said == "one two three"
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.usage for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None


def test_a_script_sets_the_number_and_size_of_chunks(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model="echo?chunks=64&chunk_bytes=40",
        messages=[{"role": "user", "content": "hello"}],
        stream=True,
    )
    texts = [chunk.choices[0].delta.content for chunk in stream]
    assert [len(text) for text in texts if text] == [40] * 64


def test_responses_streams_typed_events_and_the_same_text_as_its_body(
    client: openai.OpenAI,
) -> None:
    whole = client.responses.create(model="echo", input="hello there")
    assert whole.output_text == "hello there"
    events = list(client.responses.create(model="echo", input="hello there", stream=True))
    assert events[0].type == "response.created"
    assert events[-1].type == "response.completed"
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert "".join(deltas) == "hello there"
    assert [event.sequence_number for event in events] == list(range(len(events)))


def test_completions_answer_whole_and_streamed(client: openai.OpenAI) -> None:
    whole = client.completions.create(model="echo", prompt="once upon")
    assert whole.choices[0].text == "once upon"
    stream = client.completions.create(model="echo", prompt="once upon", stream=True)
    assert "".join(chunk.choices[0].text for chunk in stream) == "once upon"


def test_embeddings_depend_on_the_text_alone(client: openai.OpenAI) -> None:
    def embed(*texts: str) -> list[list[float]]:
        reply = client.embeddings.create(model="embed", input=list(texts), dimensions=8)
        return [item.embedding for item in reply.data]

    first, second = embed("hello", "world")
    assert embed("hello") == [first]
    assert first != second
    assert math.isclose(sum(x * x for x in first), 1.0, rel_tol=1e-5)


def test_packed_embeddings_hold_the_same_numbers(client: openai.OpenAI) -> None:
    # The client asks for base64 unless told otherwise, and unpacks it.
    packed = client.embeddings.create(model="embed", input="hello")
    plain = client.embeddings.create(model="embed", input="hello", encoding_format="float")
    assert packed.data[0].embedding == pytest.approx(plain.data[0].embedding)


def test_moderations_and_models_answer(client: openai.OpenAI) -> None:
    assert client.moderations.create(input="hello").results[0].flagged is False
    assert [model.id for model in client.models.list()] == ["echo", "bench"]


def test_a_scripted_error_has_openais_shape(mock: MockUpstream) -> None:
    status, headers, body = post(mock, ASK, "status=429&retry_after=7")
    assert status == 429
    assert headers["retry-after"] == "7"
    assert json.loads(body)["error"]["code"] == "rate_limit_exceeded"


def test_every_third_request_fails(mock: MockUpstream) -> None:
    statuses = [post(mock, ASK, "fail_every=3&status=503")[0] for _ in range(6)]
    assert statuses == [200, 200, 503, 200, 200, 503]
    assert mock.requests == 6


def test_a_truncated_stream_ends_without_its_end(mock: MockUpstream) -> None:
    body = ASK.replace(b"{", b'{"stream":true,', 1)
    with pytest.raises(http.client.IncompleteRead) as cut:
        post(mock, body, "chunks=9&truncate_after=5")
    assert cut.value.partial.count(b"data: ") == 5


def test_a_body_of_any_size_is_read_whether_measured_or_chunked(mock: MockUpstream) -> None:
    words = "x" * 3_000_000
    body = ASK.replace(b"hello", words.encode())
    parts = (body[at : at + 70_000] for at in range(0, len(body), 70_000))
    for sent in (body, parts):
        status, _, reply = post(mock, sent)
        assert status == 200
        assert json.loads(reply)["choices"][0]["message"]["content"] == words


def test_a_script_that_cannot_be_read_is_refused_by_name(mock: MockUpstream) -> None:
    status, _, body = post(mock, ASK, "speed=9")
    assert status == 400
    assert "speed=9" in json.loads(body)["error"]["message"]


def test_a_client_that_leaves_a_waiting_reply_is_counted(mock: MockUpstream) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", mock.port)
    connection.request("POST", "/v1/chat/completions", ASK, {"x-mock-script": "delay_ms=60000"})
    while mock.requests == 0:
        time.sleep(0.001)
    connection.close()
    while mock.abandoned == 0:
        time.sleep(0.001)
    assert mock.abandoned == 1


def test_a_stopped_mock_refuses_connections(mock: MockUpstream) -> None:
    mock.stop()
    with pytest.raises(ConnectionRefusedError):
        post(mock, ASK)
