"""The HTTP requests a scenario sends, of exact size and with plausible text."""

from __future__ import annotations

import json
import random

import msgspec

from llmgw._native import LOAD_STAMP_DIGITS

_COMMON = """
the of and to in is that for it was on are as with they be at one have this from by hot but some
what there we can out other were all your when up use word how said an each she which do their
time if will way about many then them would write like so these her long make thing see him two
has look more day could go come did my sound no most number who over know water than call first
people may down side been now find any new work part take get place made live where after back
little only round man year came show every good me give our under name very through just form
much great think say help low line before turn cause same mean differ move right boy old too
does tell sentence set three want air well also play small end put home read hand port large
spell add even land here must big high such follow act why ask men change went light kind
"""
_WORDS = _COMMON.split()
_STAMP = "0" * LOAD_STAMP_DIGITS


class Request(msgspec.Struct, frozen=True):
    """A whole HTTP/1.1 request, and where in it the running number goes."""

    data: bytes
    stamp: int | None


def text(size: int) -> str:
    """English-looking text of exactly `size` bytes; the same each time."""
    choose = random.Random(size)
    words: list[str] = []
    length = 0
    while length < size:
        word = choose.choice(_WORDS)
        words.append(word.capitalize() + "." if choose.random() < 0.08 else word)
        length += len(words[-1]) + 1
    return " ".join(words)[:size].ljust(size, ".")


def chat(model: str, body_bytes: int, key: str, *, streamed: bool, repeat: bool) -> Request:
    """A chat completion whose body has `body_bytes` bytes; stamped unless it shall `repeat`."""

    def body(words: str) -> bytes:
        messages = [
            {"role": "system", "content": "You answer questions about tickets, briefly."},
            {"role": "user", "content": f"Ticket {_STAMP}: {words}"},
        ]
        return json.dumps({"model": model, "stream": streamed, "messages": messages}).encode()

    missing = body_bytes - len(body(""))
    if missing < 0:
        raise ValueError(f"a body of {body_bytes} bytes is too small for a chat")
    data = _post("/v1/chat/completions", body(text(missing)), key)
    return Request(data, None if repeat else data.index(_STAMP.encode()))


def message(model: str, body_bytes: int, key: str, *, streamed: bool) -> Request:
    """The same words in Anthropic's dialect, so that the gateway has to translate; always stamped."""

    def body(words: str) -> bytes:
        fields = {
            "model": model,
            "max_tokens": 1024,
            "stream": streamed,
            "system": "You answer questions about tickets, briefly.",
            "messages": [{"role": "user", "content": f"Ticket {_STAMP}: {words}"}],
        }
        return json.dumps(fields).encode()

    data = _post("/v1/messages", body(text(body_bytes - len(body("")))), key)
    return Request(data, data.index(_STAMP.encode()))


def get(path: str) -> Request:
    """A GET without a body."""
    return Request(f"GET {path} HTTP/1.1\r\nhost: bench\r\naccept: */*\r\n\r\n".encode(), None)


def _post(path: str, body: bytes, key: str) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nhost: bench\r\naccept: application/json\r\n"
        f"user-agent: llmgw-bench\r\nauthorization: Bearer {key}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
