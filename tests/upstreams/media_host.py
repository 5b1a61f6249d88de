"""A host on the web with pictures and documents, under TLS: what lies at each path, and who asked for it."""

import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from tests.certificates import Certificate

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256))
PDF = b"%PDF-1.7\n" + bytes(range(256))
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(range(64))


@dataclass(frozen=True)
class Thing:
    """What lies at a path.

    With `stalls`, half of it comes, and the rest never. It comes once as many requests have as `company`
    says.
    """

    body: bytes = PNG
    content_type: str = "image/png"
    status: int = 200
    location: str | None = None
    stalls: bool = False
    company: int = 1


@dataclass
class Asked:
    """One request, and whether its connection was closed while the reply stalled."""

    path: str
    headers: dict[str, str]
    closed: threading.Event = field(default_factory=threading.Event)


class MediaHost:
    """Serves `things` by path on `https://localhost:PORT`, and keeps what was asked."""

    def __init__(self, certificate: Certificate) -> None:
        self.things: dict[str, Thing] = {}
        self.asked: list[Asked] = []
        self._came = threading.Condition()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate.cert_file, certificate.key_file)
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._server.socket = self._context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def has(self, path: str, thing: Thing | None = None) -> str:
        """Put something at a path; its URL."""
        self.things[path] = thing or Thing()
        return f"https://localhost:{self.port}{path}"

    def forget(self) -> None:
        """Everything is gone, and nobody has asked."""
        self.things.clear()
        self.asked.clear()

    def wait_for_request(self) -> Asked:
        """The first request, which may still be coming."""
        self._wait_for_requests(1)
        return self.asked[0]

    def paths(self) -> list[str]:
        """The paths that were asked for, in order of arrival."""
        return [each.path for each in self.asked]

    def _note(self, asked: Asked) -> None:
        with self._came:
            self.asked.append(asked)
            self._came.notify_all()

    def _wait_for_requests(self, count: int) -> None:
        with self._came:
            assert self._came.wait_for(lambda: len(self.asked) >= count, 10), "nobody asked"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        host = self

        class Handler(BaseHTTPRequestHandler):
            """Answers with what lies at the path."""

            def do_GET(self) -> None:
                names = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(self.path, names)
                host._note(asked)
                thing = host.things.get(self.path, Thing(status=404))
                host._wait_for_requests(thing.company)
                self.send_response(thing.status)
                self.send_header("content-type", thing.content_type)
                self.send_header("content-length", str(len(thing.body)))
                if thing.location is not None:
                    self.send_header("location", thing.location)
                self.end_headers()
                if not thing.stalls:
                    self.wfile.write(thing.body)
                    return
                self.wfile.write(thing.body[: len(thing.body) // 2])
                self.wfile.flush()
                self.connection.settimeout(20)
                # A client that has not read all of it resets the connection.
                with suppress(ConnectionError):
                    self.rfile.read(1)
                asked.closed.set()

            def log_message(self, format: str, *args: Any) -> None:
                """Tests read no log."""

        return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that is broken off is what some tests are about."""
