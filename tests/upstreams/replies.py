"""Well-behaved replies for the scripted upstream: JSON bodies, event streams, and their framings."""

import json
from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias

from tests.upstreams.scripted import Exchange, Gate, Script

Framing: TypeAlias = Literal["length", "chunked", "close"]

REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
           429: "Too Many Requests", 500: "Internal Server Error", 502: "Bad Gateway",
           503: "Service Unavailable", 504: "Gateway Timeout"}  # fmt: skip

# Odd spacing, numbers, escapes, key order and unknown fields: any decode-and-encode would change the bytes.
CHAT_BODY = (
    b'{ "id":"chatcmpl-scripted", "object" : "chat.completion","created":1700000000,"model":"upstream-model",'
    b'"x_unknown":{"z":1,"a":[1.50,1e3,-0.0,12345678901234567890],"text":"\\u00e9\\/\\ud83d\\ude00"},\n'
    b'\t"choices":[{"index":0,"message":{"role":"assistant","content":"four words of text","x_inner":null},'
    b'"finish_reason":"stop","logprobs":null}],'
    b'"usage":{"prompt_tokens":7,"completion_tokens":4,"total_tokens":11,"x_detail":{"k":true}} }\r\n'
)


def head(status: int, headers: Iterable[tuple[str, str]]) -> bytes:
    """Status line and header fields, as sent."""
    lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked body."""
    return b"%x\r\n%s\r\n" % (len(data), data)


def message(
    body: bytes,
    status: int = 200,
    content_type: str = "application/json",
    headers: Sequence[tuple[str, str]] = (),
    framing: Framing = "length",
) -> bytes:
    """A whole reply, head and body."""
    fields = [("content-type", content_type), *headers]
    if framing == "length":
        return head(status, [*fields, ("content-length", str(len(body)))]) + body
    if framing == "chunked":
        middle = len(body) // 2
        chunks = b"".join(chunk(part) for part in (body[:middle], body[middle:]) if part)
        return head(status, [*fields, ("transfer-encoding", "chunked")]) + chunks + b"0\r\n\r\n"
    return head(status, [*fields, ("connection", "close")]) + body


def reply(
    body: bytes = CHAT_BODY,
    status: int = 200,
    content_type: str = "application/json",
    headers: Sequence[tuple[str, str]] = (),
    framing: Framing = "length",
) -> Script:
    """Read the whole request, then send one whole reply."""

    async def script(exchange: Exchange) -> None:
        await exchange.read_body()
        await exchange.send(message(body, status, content_type, headers, framing))
        if framing == "close":
            exchange.close()

    return script


def error_body(text: str, code: str | None = None) -> bytes:
    """An error in the OpenAI dialect."""
    error = {"message": text, "type": "server_error", "param": None, "code": code}
    return json.dumps({"error": error}).encode()


def failing(status: int, headers: Sequence[tuple[str, str]] = ()) -> Script:
    """Answer with an error status and an OpenAI error body."""
    return reply(error_body(f"scripted {status}"), status, headers=headers)


# ── event streams ───────────────────────────────────────────────────────────────────────────────

DONE = b"data: [DONE]\n\n"


def delta_event(text: str, index: int = 0) -> bytes:
    """One chat chunk with some text and an unknown field."""
    return (
        b'data: {"id":"chatcmpl-scripted","object":"chat.completion.chunk","created":1700000000,'
        b'"model":"upstream-model", "x_seq":%d,"choices":[{"index":0,'
        b'"delta":{"role":"assistant","content":%s},"finish_reason":null}]}\n\n'
        % (index, json.dumps(text).encode())
    )


FINISH_EVENT = (
    b'data: {"id":"chatcmpl-scripted","object":"chat.completion.chunk","created":1700000000,'
    b'"model":"upstream-model","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
)

USAGE_EVENT = (
    b'data: {"id":"chatcmpl-scripted","object":"chat.completion.chunk","created":1700000000,'
    b'"model":"upstream-model","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}\n\n'
)


def chat_events(count: int = 3) -> list[bytes]:
    """A whole, well-formed chat stream without usage."""
    return [*(delta_event(f"word{i} ", i) for i in range(count)), FINISH_EVENT, DONE]


def wants_usage(body: dict[str, object]) -> bool:
    """True if the request asks for a usage chunk."""
    options = body.get("stream_options")
    return isinstance(options, dict) and options.get("include_usage") is True


STREAM_HEAD = [("content-type", "text/event-stream; charset=utf-8")]


def stream(
    events: Sequence[bytes] | None = None,
    pieces: Sequence[bytes] | None = None,
    gate: Gate | None = None,
    framing: Framing = "chunked",
) -> Script:
    """Send an event stream, one write for each of `pieces` (by default, of `events`).

    With a `gate`, everything after the first piece waits until the gate is open.
    """
    parts = list(pieces if pieces is not None else events if events is not None else chat_events())

    async def script(exchange: Exchange) -> None:
        await exchange.read_body()
        if framing == "chunked":
            await exchange.send(head(200, [*STREAM_HEAD, ("transfer-encoding", "chunked")]))
        elif framing == "length":
            size = str(sum(map(len, parts)))
            await exchange.send(head(200, [*STREAM_HEAD, ("content-length", size)]))
        else:
            await exchange.send(head(200, [*STREAM_HEAD, ("connection", "close")]))
        for number, part in enumerate(parts):
            if number == 1 and gate is not None:
                await gate.wait()
            await exchange.send(chunk(part) if framing == "chunked" else part)
        if framing == "chunked":
            await exchange.send(b"0\r\n\r\n")
        if framing == "close":
            exchange.close()

    return script


def stream_with_usage_when_asked(events: Sequence[bytes] | None = None) -> Script:
    """As providers do: the usage chunk comes before `[DONE]`, and only if the request asked for it."""
    plain = list(events if events is not None else chat_events())

    async def script(exchange: Exchange) -> None:
        await exchange.read_body()
        asked = wants_usage(exchange.request.json())
        parts = [*plain[:-1], USAGE_EVENT, plain[-1]] if asked else plain
        await exchange.send(head(200, [*STREAM_HEAD, ("transfer-encoding", "chunked")]))
        for part in parts:
            await exchange.send(chunk(part))
        await exchange.send(b"0\r\n\r\n")

    return script


async def answer_chat(exchange: Exchange) -> None:
    """The default script: a stream if the request asks for one, else one JSON reply."""
    body = await exchange.read_body()
    streaming = body and exchange.request.json().get("stream") is True
    inner = stream_with_usage_when_asked() if streaming else reply()
    await inner(Replay(exchange.connection, exchange.request, exchange.keep_alive))


class Replay(Exchange):
    """An exchange whose body is already read, so that another script can take over."""

    async def read_body(self) -> bytes:
        """The body read before."""
        return self.request.body
