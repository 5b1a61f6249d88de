"""What tests of files and batches start from: keys, settings, requests, lines."""

import json
from typing import Any

from tests.conftest import deployment, gateway_config
from tests.forms import Part, field, file, form, form_type, parts_of
from tests.gateway_process import GatewayProcess, authorization
from tests.raw_http import Response, exchange, request_bytes
from tests.upstreams.cabinet import FILES, Cabinet
from tests.upstreams.scripted import Request

ALICE = "test-alice-key-0123456789"
BOB = "test-bob-key-0123456789"
CAROL = "test-carol-key-0123456789"
MEGABYTE = 1_000_000


def config(kept: Cabinet, elsewhere: Cabinet, **sections: Any) -> dict[str, Any]:
    """`plain` and `other` at one account, `far` at another; Alice and Bob may use the first two."""
    keys = [
        {"alias": "alice", "key": ALICE, "models": ["plain", "other"]},
        {"alias": "bob", "key": BOB, "models": ["plain", "other"]},
        {"alias": "carol", "key": CAROL, "models": ["plain", "far"]},
    ]
    entries = [
        deployment("plain", kept.base_url, "openai/gpt-routed"),
        deployment("other", kept.base_url, "openai/gpt-other"),
        deployment("far", elsewhere.base_url, "openai/gpt-far"),
    ]
    return gateway_config(*entries, keys=keys, **sections)


def ask(gateway: GatewayProcess, method: str, path: str, key: str = ALICE) -> Response:
    """A request without a body."""
    return exchange(gateway.port, request_bytes(method, path, authorization(key)))


def bring(
    gateway: GatewayProcess,
    content: bytes,
    purpose: str = "user_data",
    key: str = ALICE,
    model: str | None = None,
    path: str = FILES,
) -> Response:
    """Upload a file."""
    fields: list[Part] = [field("purpose", purpose)] + ([field("model", model)] if model else [])
    return gateway.post(path, form([*fields, file(content, filename="a.jsonl")]), key, [form_type()])


def brought(gateway: GatewayProcess, content: bytes, **options: Any) -> str:
    """Upload a file; its id."""
    response = bring(gateway, content, **options)
    assert response.status == 200, response.body
    return str(response.json()["id"])


def line(model: str = "plain", text: str = "hello", url: str = "/v1/chat/completions", **more: Any) -> str:
    """A request of a batch, as one line."""
    body = {"model": model, "messages": [{"role": "user", "content": text}], **more}
    return json.dumps({"custom_id": "one", "method": "POST", "url": url, "body": body}) + "\n"


def lines(*each: str) -> bytes:
    """A file of requests."""
    return "".join(each).encode()


def batch(input_file: str, **more: Any) -> dict[str, Any]:
    """The body that makes a batch."""
    common = {"endpoint": "/v1/chat/completions", "completion_window": "24h"}
    return {"input_file_id": input_file, **common, **more}


def sent_parts(request: Request) -> list[Part]:
    """The form that an upstream got."""
    return parts_of(request.body, request.header("content-type") or "")


def targets(upstream: Cabinet) -> list[str]:
    """What an upstream was asked, in order."""
    return [each.line.removesuffix(" HTTP/1.1") for each in upstream.requests]
