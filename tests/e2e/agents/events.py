"""Server-sent events as the agents' SDKs read them."""

import json
from collections.abc import Iterator
from typing import Any

import httpx

Event = tuple[str, dict[str, Any]]


def post(client: httpx.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """A whole reply."""
    reply = client.post(path, json=body)
    assert reply.status_code == 200, reply.text
    found: dict[str, Any] = reply.json()
    return found


def stream(client: httpx.Client, path: str, body: dict[str, Any]) -> Iterator[Event]:
    """The events of a stream; the name of an event without one is empty."""
    with client.stream("POST", path, json=body) as reply:
        assert reply.status_code == 200, reply.read()
        assert reply.headers["content-type"].startswith("text/event-stream")
        name = ""
        for line in reply.iter_lines():
            field, _, value = line.partition(": ")
            if field == "event":
                name = value
            elif field == "data":
                yield name, json.loads(value)
                name = ""
