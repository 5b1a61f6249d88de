"""Misbehaving replies for the scripted upstream: everything a provider or its network has been seen to do."""

import asyncio
import gzip
from collections.abc import Sequence

from tests.upstreams.replies import (
    CHAT_BODY,
    FINISH_EVENT,
    STREAM_HEAD,
    chat_events,
    chunk,
    delta_event,
    head,
    message,
)
from tests.upstreams.scripted import Exchange, Script

JSON_TYPE = ("content-type", "application/json")
CHUNKED = ("transfer-encoding", "chunked")


# ── connections that break ──────────────────────────────────────────────────────────────────────


async def reset_before_head(exchange: Exchange) -> None:
    """Read the request, then RST."""
    await exchange.read_body()
    exchange.reset()


async def close_before_head(exchange: Exchange) -> None:
    """Read the request, then FIN."""
    await exchange.read_body()
    exchange.close()


async def half_close_before_head(exchange: Exchange) -> None:
    """Read the request, then FIN in one direction only."""
    await exchange.read_body()
    exchange.half_close()


async def reset_inside_head(exchange: Exchange) -> None:
    """RST in the middle of the reply's head."""
    await exchange.read_body()
    await exchange.send(b"HTTP/1.1 200 OK\r\ncontent-ty")
    exchange.reset()


async def close_after_head(exchange: Exchange) -> None:
    """Promise a body and close before its first byte."""
    await exchange.read_body()
    await exchange.send(head(200, [JSON_TYPE, ("content-length", str(len(CHAT_BODY)))]))
    exchange.close()


async def reset_mid_body(exchange: Exchange) -> None:
    """RST in the middle of a JSON body."""
    await exchange.read_body()
    await exchange.send(message(CHAT_BODY)[:-40])
    exchange.reset()


async def close_mid_body(exchange: Exchange) -> None:
    """FIN in the middle of a JSON body."""
    await exchange.read_body()
    await exchange.send(message(CHAT_BODY)[:-40])
    exchange.close()


async def never_answer(exchange: Exchange) -> None:
    """Read the request and say nothing until the gateway gives up."""
    await exchange.read_body()
    exchange.keep_alive = False
    await exchange.wait_until_peer_closes()


async def stall_after_head(exchange: Exchange) -> None:
    """Send the head and nothing more."""
    await exchange.read_body()
    exchange.keep_alive = False
    await exchange.send(head(200, [JSON_TYPE, ("content-length", str(len(CHAT_BODY)))]))
    await exchange.wait_until_peer_closes()


# ── replies that are not what HTTP or the API says ──────────────────────────────────────────────


def raw(data: bytes) -> Script:
    """Answer with these bytes, then close."""

    async def script(exchange: Exchange) -> None:
        await exchange.read_body()
        await exchange.send(data)
        exchange.close()

    return script


GARBAGE = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 this is not HTTP\r\n\r\n"
HTML_PAGE = b"<!doctype html><html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"

garbage = raw(GARBAGE)
html_with_status_200 = raw(message(HTML_PAGE, 200, "text/html"))
html_with_status_502 = raw(message(HTML_PAGE, 502, "text/html"))
longer_length_than_body = raw(
    head(200, [JSON_TYPE, ("content-length", str(len(CHAT_BODY) + 50))]) + CHAT_BODY
)
conflicting_lengths = raw(
    head(200, [JSON_TYPE, ("content-length", "10"), ("content-length", "20")]) + CHAT_BODY
)
broken_chunk_size = raw(head(200, [JSON_TYPE, CHUNKED]) + b"zz\r\n" + CHAT_BODY)
huge_head = raw(
    head(200, [JSON_TYPE, ("x-padding", "a" * 1_000_000), ("content-length", str(len(CHAT_BODY)))])
    + CHAT_BODY
)
switching_protocols = raw(head(101, [("upgrade", "websocket"), ("connection", "upgrade")]))
redirect = raw(head(302, [("location", "http://169.254.169.254/latest/meta-data"), ("content-length", "0")]))


# ── unusual, but right ──────────────────────────────────────────────────────────────────────────


def dribbled(data: bytes) -> Script:
    """Send a whole reply one byte at a time."""

    async def script(exchange: Exchange) -> None:
        await exchange.read_body()
        for position in range(len(data)):
            await exchange.send(data[position : position + 1])
            await asyncio.sleep(0)

    return script


def after_informational(data: bytes) -> Script:
    """Send 100 and 103 before the final reply."""

    async def script(exchange: Exchange) -> None:
        await exchange.read_body()
        await exchange.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        await exchange.send(b"HTTP/1.1 103 Early Hints\r\nlink: </x>; rel=preload\r\n\r\n")
        await exchange.send(data)

    return script


def before_body_is_read(data: bytes) -> Script:
    """Answer as soon as the request's head is there, and close without reading the body."""

    async def script(exchange: Exchange) -> None:
        exchange.connection.reading_allowed.clear()
        await exchange.send(data)
        exchange.half_close()
        exchange.connection.reading_allowed.set()

    return script


def with_trailers(body: bytes = CHAT_BODY) -> Script:
    """A chunked reply with chunk extensions and trailer fields."""

    async def script(exchange: Exchange) -> None:
        await exchange.read_body()
        await exchange.send(head(200, [JSON_TYPE, CHUNKED, ("trailer", "x-checksum")]))
        await exchange.send(b"%x;name=value\r\n%s\r\n" % (len(body), body))
        await exchange.send(b"0\r\nx-checksum: abc\r\nset-cookie: a=b\r\n\r\n")

    return script


def gzipped(body: bytes = CHAT_BODY) -> Script:
    """A gzip-encoded reply, whether or not the request allowed one."""
    packed = gzip.compress(body)

    async def script(exchange: Exchange) -> None:
        await exchange.read_body()
        await exchange.send(message(packed, headers=[("content-encoding", "gzip")]))

    return script


# ── streams that break ──────────────────────────────────────────────────────────────────────────


def cut_stream(events: Sequence[bytes], *, how: str) -> Script:
    """Send the events of a chunked stream, then `reset`, `close` (without last chunk), or `end` cleanly."""

    async def script(exchange: Exchange) -> None:
        await exchange.read_body()
        await exchange.send(head(200, [*STREAM_HEAD, CHUNKED]))
        for event in events:
            await exchange.send(chunk(event))
        if how == "end":
            await exchange.send(b"0\r\n\r\n")
        elif how == "close":
            exchange.close()
        else:
            exchange.reset()

    return script


def stalled_stream(events: Sequence[bytes]) -> Script:
    """Send the events of a stream, then nothing until the gateway gives up."""

    async def script(exchange: Exchange) -> None:
        await exchange.read_body()
        exchange.keep_alive = False
        await exchange.send(head(200, [*STREAM_HEAD, CHUNKED]))
        for event in events:
            await exchange.send(chunk(event))
        await exchange.wait_until_peer_closes()

    return script


def endless_stream(event: bytes) -> Script:
    """Send the same event until the gateway closes the connection."""

    async def script(exchange: Exchange) -> None:
        await exchange.read_body()
        exchange.keep_alive = False
        await exchange.send(head(200, [*STREAM_HEAD, CHUNKED]))
        framed = chunk(event)
        while not exchange.connection.peer_gone.is_set():
            await exchange.send(framed)
            await asyncio.sleep(0)

    return script


def huge_line_events(size: int) -> list[bytes]:
    """A stream whose one delta is `size` bytes long."""
    return [delta_event("x" * size), *chat_events(0)]


def invalid_utf8_events() -> list[bytes]:
    """A stream with bytes that are no UTF-8, among them a character cut in two by an event's end."""
    broken = delta_event("BROKEN").replace(b"BROKEN", b"\xff\xfe \xe2\x82")
    return [broken, FINISH_EVENT, b"data: [DONE]\n\n"]
