"""`llmgw chat`, against a gateway of four lines."""

import io
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from llmgw.cli import FAILED, OK, REFUSED, UNHEALTHY, USAGE, run

Output = pytest.CaptureFixture[str]


class FakeGateway(ThreadingHTTPServer):
    """Answers a chat with the events in `events`, or with `status` and an error."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status = 200
        self.events: list[str] = [piece("Hel"), piece("lo"), '{"choices": [], "usage": {}}', "[DONE]"]
        self.asked: list[tuple[str, str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: FakeGateway

    def do_GET(self) -> None:
        self.answer(None, b'{"data": [{"id": "x/*"}, {"id": "first"}]}')

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        text = ": ping\n\n" + "".join(f"data: {event}\n\n" for event in self.server.events)
        self.answer(body, text.encode())

    def answer(self, body: Any, content: bytes) -> None:
        self.server.asked.append((self.path, self.headers["authorization"], body))
        if self.server.status != 200:
            content = b'{"error": {"message": "said no"}}'
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def piece(text: str) -> str:
    return json.dumps({"choices": [{"delta": {"content": text}}]})


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGateway]:
    with FakeGateway() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setenv("LLMGW_URL", server.url)
        monkeypatch.setenv("LLMGW_API_KEY", "a-key")
        yield server
        server.shutdown()
        thread.join()


def test_an_answer_is_printed_as_it_streams(gateway: FakeGateway, capsys: Output) -> None:
    assert run(["chat", "hi", "--model", "m", "--system", "be brief"]) == OK
    assert capsys.readouterr().out == "Hello\n"
    path, authorization, body = gateway.asked[0]
    assert (path, authorization) == ("/v1/chat/completions", "Bearer a-key")
    assert body == {
        "model": "m",
        "messages": [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hi"}],
        "stream": True,
    }


def test_without_a_model_the_first_listed_is_asked(gateway: FakeGateway) -> None:
    assert run(["chat", "hi"]) == OK
    assert gateway.asked[1][2]["model"] == "first"


def test_a_message_may_come_from_standard_input(
    gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("from a pipe\n"))
    assert run(["chat", "-m", "m"]) == OK
    assert gateway.asked[0][2]["messages"] == [{"role": "user", "content": "from a pipe"}]


def test_a_conversation_remembers_what_was_said(
    gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = iter(["one", "two", ""])
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: next(lines))
    assert run(["chat", "-m", "m"]) == OK
    said = [message["content"] for message in gateway.asked[1][2]["messages"]]
    assert said == ["one", "Hello", "two"]


@pytest.mark.parametrize(
    ("status", "code"), [(401, REFUSED), (403, REFUSED), (404, FAILED), (503, UNHEALTHY)]
)
def test_a_refusal_is_told_in_the_gateways_words(
    gateway: FakeGateway, capsys: Output, status: int, code: int
) -> None:
    gateway.status = status
    assert run(["chat", "hi", "-m", "m"]) == code
    assert capsys.readouterr().err.startswith("llmgw: said no\n")


def test_a_stream_that_breaks_off_with_an_error_fails(gateway: FakeGateway, capsys: Output) -> None:
    gateway.events = [piece("Hel"), '{"error": {"message": "the model is gone"}}']
    assert run(["chat", "hi", "-m", "m"]) == FAILED
    assert "the model is gone" in capsys.readouterr().err


def test_what_is_no_url_is_wrong_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMGW_API_KEY", "a-key")
    assert run(["chat", "hi", "--url", "ftp://a"]) == USAGE
