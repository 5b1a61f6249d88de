"""Starts the installed llmgw as a user would, without a configuration, and looks whether it does its work.

Needs nothing but the standard library and an `llmgw` beside the interpreter that runs it.
"""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

KEY = "smoke-master-key-0123456789"
START_SECONDS = 60
DRAIN_SECONDS = 60
PROMPT = "is anybody there?"
CHAT = {"model": "mock/echo", "messages": [{"role": "user", "content": PROMPT}]}


class Gateway:
    """A running `llmgw serve` and a way to ask it."""

    def __init__(self, home: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port: int = probe.getsockname()[1]
        program = Path(sys.executable).with_name("llmgw")
        command = [str(program), "serve", "--host", "127.0.0.1", "--port", str(self.port), "--workers", "2"]
        environment = os.environ | {"LLMGW_HOME": str(home), "LLMGW_MASTER_KEY": KEY}
        self.process = subprocess.Popen(command, env=environment, cwd=home, stdin=subprocess.DEVNULL)

    def ask(self, method: str, path: str, body: Any = None, key: str = KEY) -> tuple[int, bytes]:
        """One request on a connection of its own: the status and the body of the reply."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            reply = connection.getresponse()
            return reply.status, reply.read()
        finally:
            connection.close()

    def wait_until_ready(self) -> None:
        """Return once readiness answers 200; RuntimeError if the process ends or does not get there."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"llmgw serve ended with status {self.process.returncode}")
            try:
                if self.ask("GET", "/health/readiness")[0] == http.HTTPStatus.OK:
                    return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(f"llmgw serve was not ready after {START_SECONDS} seconds")


def models_are_listed(gateway: Gateway) -> bool:
    """The list of models has the OpenAI shape."""
    status, body = gateway.ask("GET", "/v1/models")
    return status == http.HTTPStatus.OK and json.loads(body)["object"] == "list"


def chat_is_answered(gateway: Gateway) -> bool:
    """The built-in model gives back what it was sent."""
    status, body = gateway.ask("POST", "/v1/chat/completions", CHAT)
    content = json.loads(body)["choices"][0]["message"]["content"]
    return status == http.HTTPStatus.OK and PROMPT in content


def stream_is_complete(gateway: Gateway) -> bool:
    """A streamed chat is the same text in pieces, and ends as OpenAI's streams do."""
    status, body = gateway.ask("POST", "/v1/chat/completions", CHAT | {"stream": True})
    events = [line.removeprefix("data: ") for line in body.decode().splitlines() if line.startswith("data: ")]
    chunks = [json.loads(event) for event in events[:-1]]
    pieces = [choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"]]
    whole = PROMPT in "".join(pieces)
    return status == http.HTTPStatus.OK and events[-1] == "[DONE]" and whole


def wrong_key_is_refused(gateway: Gateway) -> bool:
    """A key that nobody issued gets 401 and OpenAI's error object."""
    status, body = gateway.ask("POST", "/v1/chat/completions", CHAT, key="sk-nobody-issued-this-key")
    error = json.loads(body)["error"]
    return (
        status == http.HTTPStatus.UNAUTHORIZED
        and {"message", "type", "param", "code"} <= error.keys()
        and error["code"] == "invalid_api_key"
    )


def unknown_model_is_not_found(gateway: Gateway) -> bool:
    """A model that nobody configured gets 404."""
    status, body = gateway.ask("POST", "/v1/chat/completions", CHAT | {"model": "no-such-model"})
    return status == http.HTTPStatus.NOT_FOUND and json.loads(body)["error"]["code"] == "model_not_found"


def termination_drains(gateway: Gateway) -> bool:
    """SIGTERM ends the process with status 0."""
    gateway.process.send_signal(signal.SIGTERM)
    return gateway.process.wait(DRAIN_SECONDS) == 0


CHECKS: tuple[Callable[[Gateway], bool], ...] = (
    models_are_listed,
    chat_is_answered,
    stream_is_complete,
    wrong_key_is_refused,
    unknown_model_is_not_found,
    termination_drains,
)


def main() -> int:
    """Run every check in order and print each result; 1 if any failed."""
    failed = 0
    with tempfile.TemporaryDirectory(prefix="llmgw-smoke-") as home:
        gateway = Gateway(Path(home))
        try:
            gateway.wait_until_ready()
            for check in CHECKS:
                passed = check(gateway)
                failed += not passed
                sentence = check.__name__.replace("_", " ")
                print(f"smoke: {'ok    ' if passed else 'FAILED'} {sentence}", flush=True)
        finally:
            gateway.process.kill()
            gateway.process.wait()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
