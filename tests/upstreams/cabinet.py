"""An upstream that keeps files and batches, as OpenAI does; it answers chats too, whatever they name."""

import json
import re
from typing import Any

from tests.forms import parts_of
from tests.upstreams.keeper import error
from tests.upstreams.replies import CHAT_BODY, message
from tests.upstreams.scripted import Exchange, ScriptedUpstream

FILES = "/v1/files"
BATCHES = "/v1/batches"


class Cabinet(ScriptedUpstream):
    """A server that keeps files and batches, not yet started. `name` stands in its ids."""

    def __init__(self, name: str = "kept") -> None:
        self.files: dict[str, dict[str, Any]] = {}
        self.contents: dict[str, bytes] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self._name = name
        super().__init__(self._answer)

    def keep(self, purpose: str, content: bytes, filename: str = "a.jsonl") -> str:
        """Put a file there; its id."""
        key = f"file-{self._name}{len(self.files) + 1}"
        self.contents[key] = content
        self.files[key] = {
            "id": key,
            "object": "file",
            "bytes": len(content),
            "created_at": 1764000000 + len(self.files),
            "filename": filename,
            "purpose": purpose,
            "status": "processed",
        }
        return key

    async def _answer(self, exchange: Exchange) -> None:
        await exchange.read_body()
        method, target, _ = exchange.request.line.split(" ")
        found = re.fullmatch(rf"({FILES}|{BATCHES})(?:/([^/]+)(/content|/cancel)?)?", target)
        if target == "/v1/chat/completions":
            reply = message(CHAT_BODY)
        elif found is None:
            reply = error(404, "There is no such path.")
        elif found[1] == FILES:
            reply = self._of_files(exchange, method, found[2], found[3] or "")
        else:
            reply = self._of_batches(exchange, method, found[2], found[3] or "")
        await exchange.send(reply)

    def _of_files(self, exchange: Exchange, method: str, key: str | None, below: str) -> bytes:
        if key is None:
            parts = parts_of(exchange.request.body, exchange.request.header("content-type") or "")
            fields = {name: (content, filename) for name, content, filename in parts}
            content, filename = fields["file"]
            purpose = fields["purpose"][0].decode()
            return _json(self.files[self.keep(purpose, content, filename or "")])
        if key not in self.files:
            return error(404, f"No such File object: {key}", "id")
        match method, below:
            case "GET", "":
                return _json(self.files[key])
            case "GET", "/content":
                return message(self.contents[key], content_type="application/octet-stream")
            case "DELETE", "":
                del self.files[key]
                return _json({"id": key, "object": "file", "deleted": True})
        return error(405, "Method not allowed")

    def _of_batches(self, exchange: Exchange, method: str, key: str | None, below: str) -> bytes:
        if key is None:
            asked = exchange.request.json()
            key = f"batch_{self._name}{len(self.batches) + 1}"
            empty = {"output_file_id": None, "error_file_id": None}
            batch = {**asked, **empty, "id": key, "object": "batch", "status": "validating"}
            self.batches[key] = {**batch, "created_at": 1764000000 + len(self.batches)}
        elif key not in self.batches:
            return error(404, f"No batch found with id '{key}'.", "id")
        elif below == "/cancel":
            self.batches[key]["status"] = "cancelling"
        return _json(self.batches[key])


def _json(value: object, status: int = 200) -> bytes:
    return message(json.dumps(value).encode(), status)
