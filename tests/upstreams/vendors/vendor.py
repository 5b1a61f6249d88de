"""The part that all vendors' upstreams share: check a request, choose the scenario, play it.

A test chooses what happens by marks in the last text of the user:

    [[scenario:NAME]]        the reply or stream of this name in tests/fixtures (by default `text`)
    [[scenario:error_429]]   the error of this status, before the first byte
    [[cut:7]]                the stream in pieces of seven bytes, wherever its events end

After tool results the answer is `after_tools`, whatever the mark says. Who asks for JSON by a schema may also
force a tool that takes the schema: then the answer is a call of that tool. Some scenarios make sense only if
what they are about has arrived (an image, a schema): without it the upstream refuses, in plain words.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.upstreams.replies import Replay, chunk, head, reply
from tests.upstreams.scripted import Exchange, Request, Script, ScriptedUpstream
from tests.upstreams.vendors import fixtures
from tests.upstreams.vendors.checks import Refused

CREDENTIAL = "upstream-credential"
MID_STREAM = {"error_mid_stream", "error_event_mid_stream"}


@dataclass(frozen=True)
class Call:
    """One request as a vendor's module understands it."""

    request: Request
    path: str
    query: dict[str, str]
    body: dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """What to send: a status, headers, and a body whole or in pieces."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes = b""
    pieces: Sequence[bytes] | None = None


@dataclass(frozen=True)
class Gist:
    """What of a request decides on the answer."""

    stream: bool
    last_text: str = ""
    after_tools: bool = False
    forced_tool: str | None = None
    has: frozenset[str] = field(default_factory=frozenset)


class HttpError(Exception):
    """A refusal with a status of its own, for what is wrong outside of the body."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


@dataclass(frozen=True)
class Vendor:
    """A vendor's dialect: its name in tests/fixtures, and the functions that know it.

    `check` raises `Refused` or `HttpError`; `gist` may rely on what `check` let pass. `refuse` says how an
    error looks; `finish_stream` may change recorded events to what the request asked for.
    """

    wire: str
    check: Callable[[Call], None]
    gist: Callable[[Call], Gist]
    refuse: Callable[[int, Refused | HttpError], Answer]
    special: Callable[[Call], Answer | None] = lambda _: None
    finish_stream: Callable[[Call, list[bytes]], list[bytes]] = lambda _, events: events
    stream_type: str = "text/event-stream"
    refused_status: Callable[[Refused], int] = lambda _: 400


NEEDS = {
    "image": "image",
    "json_schema": "schema",
    "reasoning": "thinking",
    "reasoning_tools": "thinking",
    "redacted_reasoning": "thinking",
    "parallel_tools": "tools",
    "text_and_tool": "tools",
    "no_arguments": "tools",
    "tools_in_one_piece": "tools",
    "tools_interleaved": "tools",
    "calls_without_ids": "tools",
    "max_tokens_in_a_call": "tools",
    "stop_sequence": "stop",
    "logprobs": "logprobs",
    "several_choices": "choices",
}


class VendorUpstream(ScriptedUpstream):
    """A server of this vendor, not yet started; `refused` says why it refused what it refused."""

    def __init__(self, vendor: Vendor) -> None:
        self.refused: list[str] = []
        super().__init__(script(vendor, self.refused))

    @property
    def root(self) -> str:
        """Where the vendor's own paths begin."""
        return f"http://127.0.0.1:{self.port}"


def script(vendor: Vendor, refused: list[str]) -> Script:
    """Answer every request as the vendor does, and note in `refused` what was wrong with it."""

    async def run(exchange: Exchange) -> None:
        await exchange.read_body()
        try:
            found = answer(vendor, exchange.request, refused)
        except Exception as error:
            refused.append(f"the upstream itself is at fault: {error!r}")
            found = json_answer(500, {"error": {"message": refused[-1]}})
        await _send(exchange, found)

    return run


def answer(vendor: Vendor, request: Request, refused: list[str]) -> Answer:
    """The vendor's answer to one request."""
    try:
        call = _parse(request)
        vendor.check(call)
        special = vendor.special(call)
        return special if special is not None else _play(vendor, call)
    except Refused as problem:
        refused.append(str(problem))
        return vendor.refuse(vendor.refused_status(problem), problem)
    except HttpError as error:
        if error.status != 404:  # asking whether a host has an endpoint is no fault
            refused.append(str(error))
        return vendor.refuse(error.status, error)


def _parse(request: Request) -> Call:
    method, target, _ = request.line.split(" ")
    path, _, query = target.partition("?")
    if method != "POST":
        raise HttpError(405, "Method not allowed")
    media_type = (request.header("content-type") or "").partition(";")[0].strip()
    if media_type != "application/json":
        raise HttpError(415, f"Expected a body of application/json, not {media_type!r}")
    try:
        body = json.loads(request.body)
    except ValueError as error:
        raise HttpError(400, f"We could not parse the JSON body of your request: {error}") from error
    if not isinstance(body, dict):
        raise HttpError(400, "The body is not an object")
    pairs = (each.partition("=") for each in query.split("&") if each)
    return Call(request, path, {name: value for name, _, value in pairs}, body)


def _play(vendor: Vendor, call: Call) -> Answer:
    gist = vendor.gist(call)
    name = _mark(gist.last_text, "scenario") or "text"
    if name.startswith("error_") and name not in MID_STREAM:
        error = fixtures.recorded_error(vendor.wire, name.removeprefix("error_"))
        return Answer(error.status, list(error.headers.items()), error.body)
    if gist.after_tools:
        name = "after_tools"
    tool = None
    if name == "json_schema" and "schema" not in gist.has and gist.forced_tool is not None:
        name, tool = "json_schema_by_tool", gist.forced_tool
    needed = NEEDS.get(name)
    if needed is not None and needed not in gist.has:
        raise Refused((), f"the scenario {name} wants {needed}, and none arrived")
    if not gist.stream:
        body = fixtures.reply_body(vendor.wire, name, tool)
        return Answer(200, [("content-type", "application/json")], body)
    events = vendor.finish_stream(call, fixtures.stream_events(vendor.wire, name, tool))
    size = _mark(gist.last_text, "cut")
    pieces = events if size is None else _cut(b"".join(events), int(size))
    return Answer(200, [("content-type", vendor.stream_type)], pieces=pieces)


def _mark(text: str, name: str) -> str | None:
    found = re.search(rf"\[\[{name}:([\w.]+)\]\]", text)
    return found[1] if found else None


def _cut(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


async def _send(exchange: Exchange, answer: Answer) -> None:
    if answer.pieces is None:
        fields = [each for each in answer.headers if each[0] != "content-type"]
        kind = dict(answer.headers).get("content-type", "application/json")
        again = Replay(exchange.connection, exchange.request, exchange.keep_alive)
        await reply(answer.body, answer.status, kind, fields)(again)
        return
    await exchange.send(head(answer.status, [*answer.headers, ("transfer-encoding", "chunked")]))
    for piece in answer.pieces:
        await exchange.send(chunk(piece))
    await exchange.send(b"0\r\n\r\n")


def json_answer(status: int, body: object, headers: Sequence[tuple[str, str]] = ()) -> Answer:
    """A whole JSON reply."""
    return Answer(status, [("content-type", "application/json"), *headers], json.dumps(body).encode())


def want_bearer(call: Call, status: int, text: str) -> None:
    """Refuse a request without the credential in `Authorization: Bearer`."""
    if call.request.header("authorization") != f"Bearer {CREDENTIAL}":
        raise HttpError(status, text)


def want_known_seal(value: str, path: tuple[str | int, ...], message: str) -> None:
    """Refuse a signature or sealed text that no recorded reply ever gave out."""
    if value not in (fixtures.SIGNATURE, fixtures.SEALED):
        raise Refused(path, message)
