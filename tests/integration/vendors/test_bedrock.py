"""What only Bedrock has: binary frames, signed requests, and shapes that botocore's model knows."""

import json
from typing import Any

import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.eventstream import EventStreamBuffer

from tests.integration.vendors.conftest import Direct
from tests.upstreams.vendors import fixtures
from tests.upstreams.vendors.bedrock_converse import ACCESS_KEY, REGION, SECRET_KEY
from tests.upstreams.vendors.eventstream import encode_event

STREAMS = sorted(path.stem for path in (fixtures.ROOT / "streams/bedrock_converse").glob("*.json"))
MODEL_PATH = "/model/anthropic.claude-test-v1%3A0/converse"
HELLO = {"role": "user", "content": [{"text": "hello"}]}
CALL = {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t1", "name": "now", "input": {}}}]}
RESULT = {"role": "user", "content": [{"toolResult": {"toolUseId": "t1", "content": [{"text": "14:05"}]}}]}
TOOLS = {"tools": [{"toolSpec": {"name": "now", "inputSchema": {"json": {"type": "object"}}}}]}


def post(direct: Direct, body: Any, secret: str = SECRET_KEY, path: str = MODEL_PATH) -> httpx.Response:
    """Send what botocore signed."""
    data = json.dumps(body).encode()
    request = AWSRequest("POST", direct.root + path, {"content-type": "application/json"}, data)
    SigV4Auth(Credentials(ACCESS_KEY, secret), "bedrock", REGION).add_auth(request)
    return httpx.post(direct.root + path, content=data, headers=dict(request.headers), timeout=20)


@pytest.mark.parametrize("name", STREAMS)
def test_botocore_reads_the_frames_that_the_listing_names(name: str) -> None:
    folder = fixtures.ROOT / "streams/bedrock_converse"
    buffer = EventStreamBuffer()
    buffer.add_data((folder / f"{name}.bin").read_bytes())

    found = []
    for message in buffer:
        headers = message.headers
        found.append({headers.get(":event-type") or headers[":exception-type"]: json.loads(message.payload)})

    assert found == json.loads((folder / f"{name}.json").read_text())


@pytest.mark.parametrize("name", STREAMS)
def test_the_listing_encodes_to_the_recorded_bytes(name: str) -> None:
    folder = fixtures.ROOT / "streams/bedrock_converse"
    listing = json.loads((folder / f"{name}.json").read_text())
    events = [next(iter(each.items())) for each in listing]

    assert b"".join(encode_event(*each) for each in events) == (folder / f"{name}.bin").read_bytes()


def test_a_signed_request_is_taken(directs: dict[str, Direct]) -> None:
    assert post(directs["bedrock_converse"], {"messages": [HELLO]}).status_code == 200


def test_a_request_signed_with_another_secret_is_refused(directs: dict[str, Direct]) -> None:
    reply = post(directs["bedrock_converse"], {"messages": [HELLO]}, secret="another")

    assert reply.status_code == 403
    assert "signature" in reply.json()["message"]
    assert reply.headers["x-amzn-errortype"].startswith("UnrecognizedClientException")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"messages": [HELLO], "max_tokens": 5}, "extraneous key [max_tokens]"),
        ({"messages": [HELLO, HELLO]}, "must alternate"),
        ({"messages": [CALL]}, "must start with a user message"),
        ({"messages": [HELLO, CALL], "toolConfig": TOOLS}, "Expected toolResult blocks"),
        ({"messages": [HELLO, CALL, RESULT]}, "toolConfig field must be defined"),
        ({"messages": [{"role": "user", "content": [{"text": " "}]}]}, "is blank"),
        ({"messages": [{"role": "user", "content": [{"text": "a", "image": {}}]}]}, "exactly one member"),
        ({"messages": [HELLO], "inferenceConfig": {"temperature": 1.5}}, "less than or equal to 1"),
        ({"messages": [HELLO], "toolConfig": {"tools": []}}, "at least 1 items"),
    ],
    ids=lambda it: it if isinstance(it, str) else "",
)
def test_a_wrong_request_is_refused(directs: dict[str, Direct], body: Any, words: str) -> None:
    reply = post(directs["bedrock_converse"], body)

    assert reply.status_code == 400
    assert words in reply.json()["message"]


def test_a_call_and_its_result_are_taken(directs: dict[str, Direct]) -> None:
    body = {"messages": [HELLO, CALL, RESULT], "toolConfig": TOOLS}

    assert post(directs["bedrock_converse"], body).status_code == 200
