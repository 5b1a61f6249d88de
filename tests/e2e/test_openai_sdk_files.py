"""The official OpenAI client keeps files and runs batches through the gateway, against the mock provider."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest
from openai.types import Batch, FileObject

from tests.gateway_process import MASTER_KEY, GatewayProcess

MODEL = "mock/any"


@pytest.fixture(scope="module")
def mock_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    with GatewayProcess(tmp_path_factory.mktemp("files"), {}) as gateway:
        yield gateway


@pytest.fixture
def client(mock_gateway: GatewayProcess) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=mock_gateway.url + "/v1", api_key=MASTER_KEY, max_retries=0) as client:
        yield client


def line(number: int, model: str = MODEL) -> str:
    body = {"model": model, "messages": [{"role": "user", "content": f"Say {number}"}]}
    request = {"custom_id": f"r{number}", "method": "POST", "url": "/v1/chat/completions", "body": body}
    return json.dumps(request) + "\n"


def requests_file(client: openai.OpenAI, *lines: str) -> FileObject:
    return client.files.create(file=("in.jsonl", "".join(lines).encode()), purpose="batch")


def begin(client: openai.OpenAI, *lines: str) -> Batch:
    file = requests_file(client, *lines)
    return client.batches.create(
        input_file_id=file.id,
        endpoint="/v1/chat/completions",
        completion_window="24h",
        metadata={"job": "nightly"},
    )


def test_a_file_is_brought_found_fetched_and_deleted(client: openai.OpenAI) -> None:
    file = client.files.create(file=("notes.txt", b"some notes"), purpose="user_data")

    assert (file.bytes, file.filename, file.purpose) == (10, "notes.txt", "user_data")
    assert client.files.retrieve(file.id) == file
    assert client.files.content(file.id).read() == b"some notes"
    assert client.files.delete(file.id).deleted
    for gone in (client.files.retrieve, client.files.content, client.files.delete):
        with pytest.raises(openai.NotFoundError):
            gone(file.id)


def test_a_file_goes_to_the_provider_of_a_named_model(client: openai.OpenAI, tmp_path: Path) -> None:
    path = tmp_path / "large.bin"
    path.write_bytes(bytes(range(256)) * 40_000)

    file = client.files.create(file=path, purpose="user_data", extra_body={"model": MODEL})

    with client.files.with_streaming_response.content(file.id) as content:
        assert content.read() == path.read_bytes()


def test_files_are_listed_page_by_page(client: openai.OpenAI) -> None:
    made = {client.files.create(file=(f"{number}.txt", b"x"), purpose="evals").id for number in range(5)}

    page = client.files.list(purpose="evals", limit=2)
    assert (len(page.data), page.has_more) == (2, True)
    assert made <= {file.id for file in client.files.list(purpose="evals", limit=2)}
    # The SDK knows no such purpose in replies yet.
    assert {str(file.purpose) for file in page.data} == {"evals"}


def test_a_batch_runs_and_its_results_are_fetched(client: openai.OpenAI) -> None:
    batch = begin(client, line(1), line(2))
    assert batch.status == "validating"

    done = client.batches.retrieve(batch.id)
    assert done.status == "completed" and done.output_file_id
    assert done.metadata == {"job": "nightly"}
    results = [json.loads(text) for text in client.files.content(done.output_file_id).text.splitlines()]
    assert [result["custom_id"] for result in results] == ["r1", "r2"]
    assert results[0]["response"]["body"]["choices"][0]["message"]["content"]
    assert client.files.retrieve(done.output_file_id).purpose == "batch_output"
    assert batch.id in {one.id for one in client.batches.list()}


def test_what_failed_in_a_batch_is_fetched(client: openai.OpenAI) -> None:
    done = client.batches.retrieve(begin(client, line(1), line(2, f"{MODEL}?status=500")).id)

    assert done.error_file_id
    failed = json.loads(client.files.content(done.error_file_id).text)
    assert (failed["custom_id"], failed["response"]["status_code"]) == ("r2", 500)


def test_a_batch_is_cancelled(client: openai.OpenAI) -> None:
    batch = begin(client, line(1))

    assert client.batches.cancel(batch.id).status == "cancelled"
    assert client.batches.retrieve(batch.id).status == "cancelled"


def test_a_line_that_may_not_pass_is_told_by_its_number(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="Line 2 of the file: The model `nobody`"):
        requests_file(client, line(1), line(2, "nobody"))


def test_a_file_of_another_purpose_feeds_no_batch(client: openai.OpenAI) -> None:
    file = client.files.create(file=("in.jsonl", line(1).encode()), purpose="user_data")

    with pytest.raises(openai.BadRequestError, match="purpose `batch`"):
        client.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h")


def test_a_large_file_of_requests_passes_while_it_comes(client: openai.OpenAI) -> None:
    lines = [line(number) for number in range(20_000)]
    content = "".join(lines).encode()

    started = time.monotonic()
    file = client.files.create(
        file=("in.jsonl", content), purpose="batch", extra_body={"model": MODEL}, timeout=60
    )

    assert client.files.content(file.id).read() == content.replace(b'"mock/any"', b'"any"')
    assert time.monotonic() - started < 30
