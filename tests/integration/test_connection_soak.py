"""Two thousand short connections that begin and end in every odd way leave nothing behind."""

import contextlib
import socket
import struct
from collections.abc import Callable
from itertools import cycle, islice

from tests.conftest import StartGateway, deployment, gateway_config
from tests.gateway_process import GatewayProcess, authorization, chat_body, post_bytes, wait_until
from tests.raw_http import RawClient, request_bytes
from tests.upstreams.scripted import ScriptedUpstream

CONNECTIONS = 2000

Visit = Callable[[RawClient], None]

PATH = "/v1/chat/completions"
CHAT = post_bytes(PATH, chat_body("plain"))
STREAM = post_bytes(PATH, chat_body("plain", stream=True))
STRANGER = post_bytes(PATH, chat_body("plain"), key="stranger")
FORBIDDEN = post_bytes(PATH, chat_body("nobody"))
MODELS = request_bytes("GET", "/v1/models", authorization("stranger"))
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
HEAD_END = CHAT.index(b"\r\n\r\n") + 4


def send(data: bytes) -> Visit:
    """Send bytes and leave."""
    return lambda client: client.send(data)


def send_and_read(data: bytes) -> Visit:
    """Send a request, read its reply and leave."""

    def visit(client: RawClient) -> None:
        client.send(data)
        client.read_response()

    return visit


def send_and_read_until(data: bytes, mark: bytes) -> Visit:
    """Send a request, read a part of its reply and leave."""

    def visit(client: RawClient) -> None:
        client.send(data)
        client.read_until(mark)

    return visit


def half_close_after(data: bytes) -> Visit:
    """Send bytes, say that no more will come, and take what there is to read."""

    def visit(client: RawClient) -> None:
        client.send(data)
        with contextlib.suppress(OSError):
            client.sock.shutdown(socket.SHUT_WR)
        while not client.closed_by_peer():
            pass

    return visit


VISITS: list[Visit] = [
    send(b""),
    send(b"G"),
    send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    send(b"\r\n\r\n\r\n"),
    send(CHAT[: HEAD_END // 2]),
    send(CHAT[:HEAD_END]),
    send(CHAT[:-1]),
    send(CHAT),
    send(CHAT + CHAT + STREAM),
    send(STREAM),
    send(STRANGER[:-1]),
    send(MODELS),
    send(CHAT[: HEAD_END - 2] + b"Expect: 100-continue\r\n\r\n"),
    send(
        CHAT.replace(b"Content-Length", b"X-Length", 1)[: HEAD_END - 4]
        + b"\r\nTransfer-Encoding: chunked\r\n\r\nzz"
    ),
    send_and_read(CHAT),
    send_and_read(STREAM),
    send_and_read(STRANGER),
    send_and_read(FORBIDDEN),
    send_and_read(MODELS),
    send_and_read(b"nonsense\r\n\r\n"),
    send_and_read(CHAT.replace(b"HTTP/1.1", b"HTTP/1.0", 1)),
    send_and_read(STREAM.replace(b"HTTP/1.1", b"HTTP/1.0", 1)),
    send_and_read_until(STREAM, b"word0"),
    send_and_read_until(CHAT, b"HTTP/1.1"),
    half_close_after(b""),
    half_close_after(CHAT[:-1]),
    half_close_after(CHAT),
    half_close_after(STREAM),
]


def leave(client: RawClient, reset: bool) -> None:
    """Close the connection, or reset it."""
    if reset:
        no_linger = struct.pack("ii", 1, 0)
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, no_linger)
    client.sock.close()


def soak(gateway: GatewayProcess, count: int) -> None:
    """Open that many connections, one after another, each ended in its own way: closed or reset."""
    ways = cycle((visit, reset) for visit in VISITS for reset in (False, True))
    for visit, reset in islice(ways, count):
        client = gateway.connect()
        with contextlib.suppress(ConnectionError):
            visit(client)
        leave(client, reset)


def is_idle(gateway: GatewayProcess) -> bool:
    """True if no request is under way and no connection open but the one that asks."""
    samples = gateway.metrics()
    return (samples["llmgw_in_flight_requests"], samples["llmgw_connections"]) == (0, 1)


def test_two_thousand_odd_connections_leave_nothing_behind(
    start_gateway: StartGateway, upstream: ScriptedUpstream
) -> None:
    gateway = start_gateway(gateway_config(deployment("plain", upstream.base_url)))
    soak(gateway, len(VISITS) * 2)
    upstream.close_connections()
    wait_until(lambda: is_idle(gateway), "the gateway is idle before the soak")
    before = gateway.open_files()

    soak(gateway, CONNECTIONS)
    upstream.close_connections()

    wait_until(lambda: is_idle(gateway), "no connection and no request is left")
    wait_until(lambda: gateway.open_files() <= before, f"the file descriptors are {before} again")
    assert gateway.chat("plain").status == 200
