"""An upstream of the Realtime API: a WebSocket server of another make that answers as OpenAI does."""

import contextlib
import json
import queue
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve

USAGE = {
    "total_tokens": 30,
    "input_tokens": 20,
    "output_tokens": 10,
    "input_token_details": {"cached_tokens": 4, "text_tokens": 20, "audio_tokens": 0},
    "output_token_details": {"text_tokens": 10, "audio_tokens": 0},
}
Event = dict[str, Any]
Behave = Callable[[ServerConnection, "Session"], None]


@dataclass
class Session:
    """What an upstream has seen of one session."""

    path: str
    headers: Headers
    heard: "queue.Queue[str | bytes]" = field(default_factory=queue.Queue)
    over: threading.Event = field(default_factory=threading.Event)
    code: int | None = None
    """The code it was closed with; 1006 if the connection broke."""

    def next_event(self) -> Event:
        """The next event that came."""
        return dict(json.loads(self.heard.get(timeout=20)))

    def wait_for_end(self) -> int | None:
        """Waits for the end; its code."""
        assert self.over.wait(20), "the session goes on"
        return self.code


def converse(connection: ServerConnection, session: Session) -> None:
    """Greets, and answers every event as a model would."""
    say(connection, "session.created", session={"type": "realtime", "object": "realtime.session"})
    for message in connection:
        session.heard.put(message)
        event = json.loads(message)
        if event["type"] == "session.update":
            say(connection, "session.updated", session=event["session"])
        if event["type"] == "response.create":
            about = {"object": "realtime.response", "id": "resp_1", "output": []}
            say(connection, "response.created", response={**about, "status": "in_progress", "usage": None})
            say(connection, "response.output_text.delta", delta="hello", response_id="resp_1")
            say(connection, "response.done", response={**about, "status": "completed", "usage": USAGE})


def say(connection: ServerConnection, kind: str, **fields: Any) -> None:
    """Sends an event."""
    connection.send(json.dumps({"type": kind, "event_id": f"event_{kind}", **fields}))


class RealtimeUpstream:
    """A running server; `behave` is what it does with a session, `refuse` a status instead of sessions."""

    def __init__(self, behave: Behave = converse, tls: ssl.SSLContext | None = None) -> None:
        self.behave = behave
        self.refuse: int | None = None
        self._opened: queue.Queue[Session] = queue.Queue()
        self._sessions: dict[ServerConnection, Session] = {}
        self._server: Server = serve(
            self._serve, "127.0.0.1", 0, ssl=tls, process_request=self._answer, max_size=None
        )
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.socket.getsockname()[1])

    @property
    def base_url(self) -> str:
        """What a deployment names as its `api_base`."""
        return f"http://127.0.0.1:{self.port}/v1"

    def next_session(self) -> Session:
        """The next session that was opened."""
        return self._opened.get(timeout=20)

    def forget(self) -> None:
        """Sessions so far count no more, and none is refused."""
        self.refuse = None
        self._opened = queue.Queue()

    def stop(self) -> None:
        """Ends it with all its sessions."""
        self._server.shutdown()
        self._thread.join(20)

    def _answer(self, connection: ServerConnection, request: Request) -> Response | None:
        if self.refuse is None:
            self._sessions[connection] = Session(request.path, request.headers)
            self._opened.put(self._sessions[connection])
            return None
        status = HTTPStatus(self.refuse)
        error = {"message": "refused upstream", "type": "x", "param": None, "code": "refused"}
        body = json.dumps({"error": error}).encode()
        headers = Headers({"content-type": "application/json", "content-length": str(len(body))})
        return Response(status.value, status.phrase, headers, body)

    def _serve(self, connection: ServerConnection) -> None:
        session = self._sessions.pop(connection)
        try:
            # How it ends is in the session's code.
            with contextlib.suppress(ConnectionClosed):
                self.behave(connection, session)
                for message in connection:
                    session.heard.put(message)
        finally:
            connection.close()
            session.code = connection.close_code
            session.over.set()


@contextlib.contextmanager
def running(behave: Behave = converse, tls: ssl.SSLContext | None = None) -> Iterator[RealtimeUpstream]:
    """A server for the time of a `with`."""
    upstream = RealtimeUpstream(behave, tls)
    try:
        yield upstream
    finally:
        upstream.stop()
