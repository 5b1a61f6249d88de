"""`llmgw chat`: a word with a model through the gateway, as any client would have it."""

import http.client
import json
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from llmgw.cli import OK, REFUSED, UNHEALTHY, USAGE, CommandError
from llmgw.settings.environment import Environment
from llmgw.settings.secrets import Secret
from llmgw.state import StateFolder

_SECONDS = 600.0
_MOST_ERROR_BYTES = 64 * 1024

Message = dict[str, str]


class Gateway:
    """A gateway, seen from a client."""

    def __init__(self, url: str, key: Secret) -> None:
        """Raises CommandError if `url` is not one."""
        parts = urlsplit(url if "//" in url else f"//{url}", scheme="http")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise CommandError(f"not a URL: {url}", hint="expected http://host:port", status=USAGE)
        self.url = url
        self._parts = parts
        self._key = key

    def first_model(self) -> str:
        """The first model that the gateway lists.

        Raises:
            CommandError: there is none, or the gateway cannot be asked.
        """
        with self._exchange("GET", "/models") as reply:
            listed = json.loads(reply.read()).get("data", [])
        names = [entry["id"] for entry in listed if "*" not in entry["id"]]
        return names[0] if names else "mock/echo"

    def answer(self, model: str, messages: list[Message]) -> Iterator[str]:
        """The pieces of the model's answer as they come.

        Raises:
            CommandError: the gateway cannot be asked, refuses, or breaks off.
        """
        body = {"model": model, "messages": messages, "stream": True}
        with self._exchange("POST", "/chat/completions", body) as reply:
            for line in reply:
                if not line.startswith(b"data:"):
                    continue
                data = line.removeprefix(b"data:").strip()
                if data == b"[DONE]":
                    return
                event = json.loads(data)
                if "error" in event:
                    raise CommandError(str(event["error"].get("message", "the stream broke off")))
                for choice in event.get("choices", ()):
                    if piece := choice.get("delta", {}).get("content"):
                        yield piece

    def _exchange(self, method: str, path: str, body: Any = None) -> http.client.HTTPResponse:
        connection_type = (
            http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
        )
        port = self._parts.port or (443 if self._parts.scheme == "https" else 80)
        connection = connection_type(str(self._parts.hostname), port, timeout=_SECONDS)
        headers = {"authorization": f"Bearer {self._key.reveal()}", "content-type": "application/json"}
        base = self._parts.path.rstrip("/").removesuffix("/v1")
        try:
            content = None if body is None else json.dumps(body)
            connection.request(method, f"{base}/v1{path}", content, headers)
            reply = connection.getresponse()
        except OSError as error:
            hint = "is the gateway running? llmgw serve"
            message = f"cannot reach {self.url}: {error.strerror or error}"
            raise CommandError(message, hint=hint, status=UNHEALTHY) from None
        if reply.status != http.client.OK:
            raise _refusal(reply)
        return reply


def chat(
    environment: Environment, message: str | None, model: str | None, system: str | None, url: str | None
) -> int:
    """Say one thing, or hold a conversation, printing the answers as they come."""
    gateway = Gateway(url or environment.get("LLMGW_URL") or "http://127.0.0.1:4000", client_key(environment))
    if message == "-" or (message is None and not sys.stdin.isatty()):
        message = sys.stdin.read().strip()
    model = model or gateway.first_model()
    history: list[Message] = [{"role": "system", "content": system}] if system else []
    if message is not None:
        _exchange_words(gateway, model, history, message)
        return OK
    print(f"Talking to {model}; an empty line or Ctrl-D ends it.")
    while said := _ask():
        try:
            _exchange_words(gateway, model, history, said)
        except CommandError as error:
            print(f"llmgw: {error}", file=sys.stderr)
            history.pop()
    return OK


def client_key(environment: Environment) -> Secret:
    """The key to show: of the environment, else the state folder's.

    Raises:
        CommandError: there is none.
    """
    for value in (environment.get("LLMGW_API_KEY"), environment.own("MASTER_KEY")):
        if value:
            return Secret(value)
    folder = StateFolder.locate(environment)
    key = folder.read().master_key if folder.pepper_file.exists() else None
    if key is None:
        raise CommandError("there is no key to show the gateway", hint="set LLMGW_API_KEY", status=REFUSED)
    return key


def _exchange_words(gateway: Gateway, model: str, history: list[Message], said: str) -> None:
    """Say one thing and print the answer; both are kept in `history`."""
    history.append({"role": "user", "content": said})
    pieces = []
    for piece in gateway.answer(model, history):
        print(piece, end="", flush=True)
        pieces.append(piece)
    print()
    history.append({"role": "assistant", "content": "".join(pieces)})


def _ask() -> str:
    try:
        return input("> ").strip()
    except EOFError:
        print()
        return ""


def _refusal(reply: http.client.HTTPResponse) -> CommandError:
    """The error that the gateway answered with."""
    body = reply.read(_MOST_ERROR_BYTES)
    try:
        message = str(json.loads(body)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        message = f"the gateway answered with status {reply.status}"
    if reply.status in (http.client.UNAUTHORIZED, http.client.FORBIDDEN):
        return CommandError(message, hint="set LLMGW_API_KEY to a key of this gateway", status=REFUSED)
    return CommandError(message, status=UNHEALTHY if reply.status >= 500 else 1)
