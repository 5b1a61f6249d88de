"""A client that sends bytes as they are and keeps replies as they came: HTTP without a library's opinions."""

import contextlib
import json
import socket
import ssl
from dataclasses import dataclass
from typing import Any, Self

PATIENCE_SECONDS = 30.0
READ_SIZE = 65536


@dataclass
class Response:
    """One reply: status, header fields in order (names in lower case), and the body without its framing."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    complete: bool = True

    def header(self, name: str) -> str | None:
        """The first value of a header field, or None."""
        return next((value for key, value in self.headers if key == name.lower()), None)

    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)

    def error(self) -> dict[str, Any]:
        """The error object of an OpenAI-shaped error reply, checked for its four fields."""
        error = self.json()["error"]
        assert set(error) == {"message", "type", "param", "code"}, error
        assert isinstance(error["message"], str) and error["message"], error
        assert isinstance(error["type"], str), error
        return dict(error)


class RawClient:
    """One TCP connection to the gateway, with TLS over it if a context is given."""

    def __init__(
        self, port: int, receive_buffer: int | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer is not None:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.settimeout(PATIENCE_SECONDS)
        try:
            self.sock.connect(("127.0.0.1", port))
            if tls is not None:
                self.sock = tls.wrap_socket(self.sock, server_hostname="localhost")
        except OSError:
            self.sock.close()
            raise
        self._unread = bytearray()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def send(self, data: bytes) -> None:
        """Send bytes as they are; a gateway that closes meanwhile may still have answered, so no error."""
        with contextlib.suppress(ConnectionError):
            self.sock.sendall(data)

    def closed_by_peer(self) -> bool:
        """Wait for the gateway's next byte; True if it closes instead of sending one."""
        try:
            data = self.sock.recv(READ_SIZE)
        except ConnectionError:
            return True
        self._unread += data
        return not data

    def read_until(self, mark: bytes) -> bytes:
        """Read up to and including `mark`; ConnectionError if the gateway closes first."""
        while mark not in self._unread:
            self._fill()
        return self._remove(self._unread.index(mark) + len(mark))

    def read_head(self) -> Response:
        """Read the next reply's head, leaving its body unread."""
        lines = self.read_until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines[1:] if line)
        headers = [(name.lower(), value.strip()) for name, _, value in pairs]
        return Response(int(lines[0].split(" ")[1]), headers, b"")

    def read_response(self, *, with_body: bool = True) -> Response:
        """Read the next final reply whole; `complete` is False if it ends before its framing says."""
        response = self.read_head()
        while response.status < 200:
            response = self.read_head()
        if not with_body or response.status in (204, 304):
            return response
        body = bytearray()
        try:
            self._read_body(response, body)
        except ConnectionError:
            response.complete = False
            body += self._unread
        response.body = bytes(body)
        return response

    def read_chunk(self) -> bytes:
        """Read one chunk of a chunked body; empty at its end."""
        size = int(self.read_until(b"\r\n").split(b";")[0], 16)
        data = self._take(size)
        self.read_until(b"\r\n")
        return data

    def _read_body(self, response: Response, body: bytearray) -> None:
        if response.header("transfer-encoding") == "chunked":
            while data := self.read_chunk():
                body += data
        elif (length := response.header("content-length")) is not None:
            body += self._take(int(length))
        else:
            while not self.closed_by_peer():
                pass
            body += self._remove(len(self._unread))

    def _take(self, size: int) -> bytes:
        while len(self._unread) < size:
            self._fill()
        return self._remove(size)

    def _remove(self, size: int) -> bytes:
        taken = bytes(self._unread[:size])
        del self._unread[:size]
        return taken

    def _fill(self) -> None:
        data = self.sock.recv(READ_SIZE)
        if not data:
            raise ConnectionError("the gateway closed the connection")
        self._unread += data


def request_bytes(method: str, path: str, headers: list[tuple[str, str]], body: bytes | None = None) -> bytes:
    """A request's exact bytes, with a Content-Length if there is a body."""
    fields = [("Host", "gateway"), *headers]
    if body is not None:
        fields.append(("Content-Length", str(len(body))))
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + (body or b"")


def exchange(port: int, data: bytes, tls: ssl.SSLContext | None = None) -> Response:
    """Send bytes on a new connection and read one reply."""
    with RawClient(port, tls=tls) as client:
        client.send(data)
        return client.read_response()
