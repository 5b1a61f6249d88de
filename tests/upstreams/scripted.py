"""A raw-socket HTTP upstream that does, request by request, exactly what a test's script says.

It runs on its own thread, so that sync and async tests use it alike. A script is an async function of
one `Exchange`; the server hands each arriving request to the next queued script, or to the default.
Everything received is kept byte for byte, with the moment each connection was closed by the peer.
"""

import asyncio
import contextlib
import json
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Self, TypeAlias

READ_SIZE = 65536
BACKLOG = 1024


@dataclass
class Request:
    """One request as it arrived: the exact bytes, and what they parse to."""

    connection: "Connection"
    head: bytes
    raw: bytes = b""
    body: bytes = b""
    arrived_at: float = field(default_factory=time.monotonic)
    complete: threading.Event = field(default_factory=threading.Event)

    @property
    def line(self) -> str:
        """The request line, without its line end."""
        return self.head.split(b"\r\n", 1)[0].decode("latin-1")

    @property
    def path(self) -> str:
        """The request target as sent."""
        return self.line.split(" ")[1]

    @property
    def headers(self) -> list[tuple[str, str]]:
        """All header fields in order, names in lower case."""
        lines = self.head.split(b"\r\n")[1:]
        pairs = (line.decode("latin-1").partition(":") for line in lines if line)
        return [(name.strip().lower(), value.strip()) for name, _, value in pairs]

    def header(self, name: str) -> str | None:
        """The first value of a header field, or None."""
        return next((value for key, value in self.headers if key == name.lower()), None)

    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)


class Connection:
    """One accepted connection: reads ahead into a buffer and knows when the peer has gone."""

    def __init__(self, sock: socket.socket, loop: asyncio.AbstractEventLoop) -> None:
        self._sock = sock
        self._loop = loop
        self._unread = bytearray()
        self._arrived = asyncio.Event()
        self.reading_allowed = asyncio.Event()
        self.reading_allowed.set()
        self.received = bytearray()
        self.sent = 0
        self.open = True
        self.busy = False
        self.peer_closed = threading.Event()
        self.peer_gone = asyncio.Event()

    async def read_ahead(self) -> None:
        """Move bytes from the socket to the buffer until the peer closes or resets."""
        with contextlib.suppress(OSError):
            while True:
                await self.reading_allowed.wait()
                data = await self._loop.sock_recv(self._sock, READ_SIZE)
                if not data:
                    break
                self.received += data
                self._unread += data
                self._arrived.set()
        self.peer_closed.set()
        self.peer_gone.set()
        self._arrived.set()

    async def wait_for_more(self) -> bool:
        """Wait until bytes are buffered beyond those seen; False once the peer has gone."""
        if self.peer_gone.is_set():
            return False
        self._arrived.clear()
        await self._arrived.wait()
        return bool(self._unread)

    async def wait_for_first_byte(self) -> bool:
        """Wait until anything is buffered; False if the peer has gone before sending."""
        while not self._unread:
            if not await self.wait_for_more():
                return False
        return True

    async def take_until(self, mark: bytes) -> bytes:
        """Remove and return the buffered bytes up to and including `mark`.

        Raises ConnectionError if the peer goes away first.
        """
        while (at := self._unread.find(mark)) < 0:
            await self._more_or_fail()
        return self._take(at + len(mark))

    async def take(self, size: int) -> bytes:
        """Remove and return exactly `size` bytes; ConnectionError if the peer goes away first."""
        while len(self._unread) < size:
            await self._more_or_fail()
        return self._take(size)

    async def _more_or_fail(self) -> None:
        if self.peer_gone.is_set():
            raise ConnectionError("the peer closed in the middle of a request")
        self._arrived.clear()
        await self._arrived.wait()

    def _take(self, size: int) -> bytes:
        taken = bytes(self._unread[:size])
        del self._unread[:size]
        return taken

    async def send(self, data: bytes) -> None:
        """Hand bytes to the kernel, counting what it took; waits when its buffer is full."""
        view = memoryview(data)
        while view:
            try:
                taken = self._sock.send(view)
            except BlockingIOError:
                await self._writable()
                continue
            self.sent += taken
            view = view[taken:]

    async def _writable(self) -> None:
        if self.peer_gone.is_set():
            raise ConnectionError("the peer closed before everything was sent")
        ready: asyncio.Future[None] = self._loop.create_future()
        self._loop.add_writer(self._sock, _set_done, ready)
        gone: asyncio.Future[object] = asyncio.ensure_future(self.peer_gone.wait())
        either: list[asyncio.Future[Any]] = [ready, gone]
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
            self._loop.remove_writer(self._sock)

    def half_close(self) -> None:
        """Send FIN, keep reading."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)

    def close(self, *, reset: bool = False) -> None:
        """Close; with `reset` the peer gets a RST instead of a FIN."""
        if not self.open:
            return
        self.open = False
        with contextlib.suppress(OSError):
            if reset:
                no_linger = struct.pack("ii", 1, 0)
                self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, no_linger)
            else:
                self._sock.shutdown(socket.SHUT_RDWR)
        self._loop.remove_reader(self._sock)
        self._loop.remove_writer(self._sock)
        self._sock.close()


def _set_done(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


@dataclass
class Exchange:
    """One request and the script's answer to it."""

    connection: Connection
    request: Request
    keep_alive: bool = True

    async def read_body(self) -> bytes:
        """Read the whole request body, as framed by its headers, and record it."""
        if (self.request.header("transfer-encoding") or "").lower() == "chunked":
            raw, body = await self._read_chunked()
        else:
            raw = body = await self.connection.take(int(self.request.header("content-length") or 0))
        self.request.raw = self.request.head + raw
        self.request.body = body
        self.request.complete.set()
        return body

    async def _read_chunked(self) -> tuple[bytes, bytes]:
        raw, body = b"", b""
        while True:
            size_line = await self.connection.take_until(b"\r\n")
            size = int(size_line.split(b";")[0], 16)
            chunk = await self.connection.take(size + 2)
            raw += size_line + chunk
            body += chunk[:-2]
            if size == 0:
                return raw, body

    async def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        await self.connection.send(data)

    async def wait_until_peer_closes(self) -> None:
        """Wait until the gateway closes or resets this connection."""
        await self.connection.peer_gone.wait()

    def close(self) -> None:
        """End the connection with a FIN."""
        self.keep_alive = False
        self.connection.close()

    def reset(self) -> None:
        """End the connection with a RST."""
        self.keep_alive = False
        self.connection.close(reset=True)

    def half_close(self) -> None:
        """Send a FIN and go on reading."""
        self.keep_alive = False
        self.connection.half_close()


Script: TypeAlias = Callable[[Exchange], Awaitable[None]]


class Gate:
    """Holds scripts back until a test opens it; may be opened from any thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._event = asyncio.Event()

    async def wait(self) -> None:
        """Wait until the gate is open."""
        await self._event.wait()

    def open(self) -> None:
        """Let every waiting script go on."""
        self._loop.call_soon_threadsafe(self._event.set)


class ScriptedUpstream:
    """The server: `start()` it, queue scripts with `then()`, look at `requests` afterwards."""

    def __init__(self, default: Script) -> None:
        self._default = default
        self._initial_default = default
        self._scripts: deque[Script] = deque()
        self._resets_on_accept = 0
        self._changed = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
        self._listener.setblocking(False)
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._run, name="scripted-upstream", daemon=True)
        self.port: int = self._listener.getsockname()[1]
        self.connections: list[Connection] = []
        self.requests: list[Request] = []

    @property
    def base_url(self) -> str:
        """What goes into a deployment's `api_base`."""
        return f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop)
        self._thread.join()
        self._listener.close()
        self._loop.close()

    # ── what a test says ────────────────────────────────────────────────────────────────────────

    def then(self, *scripts: Script) -> None:
        """Queue scripts, one for each of the next requests."""
        self._scripts.extend(scripts)

    def always(self, script: Script) -> None:
        """Answer with `script` whenever the queue is empty."""
        self._default = script

    def reset_next_connections(self, count: int) -> None:
        """Reset the next `count` connections as soon as they are accepted."""
        self._resets_on_accept = count

    def gate(self) -> Gate:
        """A closed gate that scripts of this server can wait at."""
        return Gate(self._loop)

    def forget(self) -> None:
        """Drop queued scripts, running ones and everything recorded; idle connections stay open."""
        self._close(lambda connection: connection.busy)
        with self._changed:
            self._scripts.clear()
            self._default = self._initial_default
            self._resets_on_accept = 0
            self.requests.clear()
            self.connections[:] = [each for each in self.connections if each.open]

    def close_connections(self) -> None:
        """Close every connection now open, as a restarting upstream does."""
        self._close(lambda _: True)

    def _close(self, chosen: Callable[[Connection], bool]) -> None:
        done = threading.Event()

        def close_chosen() -> None:
            for connection in filter(chosen, self.connections):
                connection.close()
            done.set()

        self._loop.call_soon_threadsafe(close_chosen)
        done.wait()

    # ── what a test learns ──────────────────────────────────────────────────────────────────────

    def wait_for_requests(self, count: int, timeout: float = 20.0) -> list[Request]:
        """Wait until `count` request heads have arrived; AssertionError on timeout (seconds)."""
        with self._changed:
            arrived = self._changed.wait_for(lambda: len(self.requests) >= count, timeout)
            assert arrived, f"{len(self.requests)} of {count} requests reached the upstream"
            return list(self.requests)

    def only_request(self) -> Request:
        """The one request that arrived, whole."""
        requests = self.wait_for_requests(1)
        assert len(requests) == 1, [each.line for each in requests]
        assert requests[0].complete.wait(20), "the request's body never arrived whole"
        return requests[0]

    # ── the server ──────────────────────────────────────────────────────────────────────────────

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._own(self._accept())
        self._loop.run_forever()
        for task in self._tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*self._tasks, return_exceptions=True))

    def _stop(self) -> None:
        for connection in list(self.connections):
            connection.close()
        self._loop.stop()

    def _own(self, work: Any) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self) -> None:
        while True:
            sock, _ = await self._loop.sock_accept(self._listener)
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = Connection(sock, self._loop)
            self.connections.append(connection)
            if self._resets_on_accept > 0:
                self._resets_on_accept -= 1
                connection.close(reset=True)
                continue
            self._own(connection.read_ahead())
            self._own(self._serve(connection))

    async def _serve(self, connection: Connection) -> None:
        with contextlib.suppress(OSError):
            while await connection.wait_for_first_byte():
                exchange = await self._next_exchange(connection)
                script = self._scripts.popleft() if self._scripts else self._default
                connection.busy = True
                await script(exchange)
                connection.busy = False
                if not exchange.keep_alive:
                    break
        await self._linger(connection)

    async def _linger(self, connection: Connection) -> None:
        """A half-closed connection stays open for the peer's own close; others close at once."""
        if connection.open and not connection.peer_gone.is_set():
            await connection.peer_gone.wait()
        connection.close()

    async def _next_exchange(self, connection: Connection) -> Exchange:
        head = await connection.take_until(b"\r\n\r\n")
        request = Request(connection, head)
        with self._changed:
            self.requests.append(request)
            self._changed.notify_all()
        return Exchange(connection, request)
