"""A client of realtime sessions, of another make than the gateway, and what it is configured with."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.sync.client import ClientConnection, connect

from tests.conftest import APP_KEY, deployment, gateway_config
from tests.gateway_process import GatewayProcess
from tests.raw_http import RawClient, request_bytes

MODEL = "plain"
ROUTED = "gpt-realtime"
UPDATE = {"type": "session.update", "session": {"type": "realtime", "instructions": "Be brief."}}
CREATE = {"type": "response.create"}
LARGEST = 100_000


def realtime_config(*upstreams: str, **sections: Any) -> dict[str, Any]:
    """Sessions of the model `plain`, which the key `app` may open, and of `other`, which it may not."""
    models = [deployment(MODEL, base, f"openai/{ROUTED}") for base in upstreams]
    other = deployment("other", upstreams[0], "openai/gpt-realtime-mini")
    settings = {"realtime": {"max_message_bytes": LARGEST}, **sections.pop("server", {})}
    return gateway_config(*models, other, server=settings, **sections)


def shown(key: str | None = APP_KEY) -> dict[str, str]:
    return {} if key is None else {"Authorization": f"Bearer {key}"}


def websocket_url(gateway: GatewayProcess) -> str:
    return gateway.url.replace("http", "ws")


def session(
    gateway: GatewayProcess,
    path: str = f"/v1/realtime?model={MODEL}",
    key: str | None = APP_KEY,
    **options: Any,
) -> ClientConnection:
    """A session opened by a client of another make."""
    options.setdefault("compression", None)
    options.setdefault("max_size", None)
    url = websocket_url(gateway) + path
    opened: ClientConnection = connect(url, additional_headers=shown(key), proxy=None, **options)
    return opened


def event(client: ClientConnection) -> dict[str, Any]:
    return dict(json.loads(client.recv(timeout=20)))


def send(client: ClientConnection, value: dict[str, Any]) -> None:
    client.send(json.dumps(value))


def close_of(client: ClientConnection) -> tuple[int, str]:
    """Reads to the end; code and reason."""
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            client.recv(timeout=20)
    assert closed.value.rcvd is not None, "the connection broke"
    return closed.value.rcvd.code, closed.value.rcvd.reason


def refusal(opening: Callable[[], ClientConnection]) -> tuple[int, dict[str, Any]]:
    """Status and error of a session that is not opened."""
    with pytest.raises(InvalidStatus) as refused:
        opening()
    response = refused.value.response
    error = json.loads(response.body)["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return response.status_code, error


def opening(key: str = APP_KEY) -> bytes:
    fields = [
        ("Authorization", f"Bearer {key}"),
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ]
    return request_bytes("GET", f"/v1/realtime?model={MODEL}", fields)


def raw_session(gateway: GatewayProcess) -> RawClient:
    client = RawClient(gateway.port)
    client.send(opening())
    assert client.read_head().status == 101
    return client


def text(value: dict[str, Any]) -> bytes:
    return Frame(Opcode.TEXT, json.dumps(value).encode()).serialize(mask=True)
