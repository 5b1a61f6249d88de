"""A scripted upstream in a process of its own that bills: what each request used, by its `x-request-id`.

It bills when it has read a request, before it says a word, as a provider does that has begun to work. What
it has billed lies in a file, a line a bill, and outlives any gateway.
"""

import asyncio
import json
import random
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.upstreams import replies
from tests.upstreams.scripted import Exchange, ScriptedUpstream

MOST_OUTPUT = 100
"""Output tokens that it ever bills."""
_MOST_INPUT = 40
_MOST_WAIT = 0.02
_START_SECONDS = 20.0


class Biller:
    """The process, as a test sees it."""

    def __init__(self, folder: Path) -> None:
        self._bills = folder / "bills"
        self._port_file = folder / "port"
        self._process: subprocess.Popen[bytes] | None = None
        self.base_url = ""

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", __name__, str(self._port_file), str(self._bills)]
        # Out of reach of whoever kills this test's gateways by their group.
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
        deadline = time.monotonic() + _START_SECONDS
        while not self._port_file.exists():
            assert time.monotonic() < deadline and self._process.poll() is None, "no upstream that bills"
            time.sleep(0.02)
        self.base_url = f"http://127.0.0.1:{self._port_file.read_text()}/v1"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        # It ends when its standard input does, also if this process is killed.
        self._process.communicate(timeout=_START_SECONDS)

    def bills(self) -> dict[str, dict[str, int]]:
        """The usage billed so far, by request."""
        lines = self._bills.read_text().splitlines() if self._bills.exists() else []
        found: dict[str, dict[str, int]] = {}
        for line in map(json.loads, lines):
            assert line["request"] not in found, f"{line['request']} was sent twice"
            found[line["request"]] = line["usage"]
        return found


def _usage() -> dict[str, int]:
    prompt, completion = random.randint(1, _MOST_INPUT), random.randint(1, MOST_OUTPUT)
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _script(bills: Path) -> Any:
    file = bills.open("a", buffering=1)

    async def bill(exchange: Exchange) -> None:
        await exchange.read_body()
        usage = _usage()
        request = exchange.request.header("x-request-id")
        file.write(json.dumps({"request": request, "usage": usage}) + "\n")
        await asyncio.sleep(random.uniform(0, _MOST_WAIT))
        if exchange.request.json().get("stream") is True:
            await _stream(exchange, usage)
        else:
            body = {**json.loads(replies.CHAT_BODY), "usage": usage}
            await exchange.send(replies.message(json.dumps(body).encode()))

    return bill


async def _stream(exchange: Exchange, usage: dict[str, int]) -> None:
    told = {**json.loads(replies.USAGE_EVENT.removeprefix(b"data: ")), "usage": usage}
    *events, done = replies.chat_events()
    head = [*replies.STREAM_HEAD, ("transfer-encoding", "chunked")]
    await exchange.send(replies.head(200, head))
    for event in [*events, b"data: %s\n\n" % json.dumps(told).encode(), done]:
        await asyncio.sleep(random.uniform(0, _MOST_WAIT / 4))
        await exchange.send(replies.chunk(event))
    await exchange.send(b"0\r\n\r\n")


def _serve(port_file: Path, bills: Path) -> None:
    with ScriptedUpstream(_script(bills)) as upstream:
        fresh = port_file.with_suffix(".fresh")
        fresh.write_text(str(upstream.port))
        fresh.replace(port_file)
        sys.stdin.buffer.read()


if __name__ == "__main__":
    _serve(Path(sys.argv[1]), Path(sys.argv[2]))
