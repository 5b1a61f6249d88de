"""An upstream of the Responses API that keeps what it has made, as OpenAI does."""

import json
import re
from typing import Any

from tests.upstreams.replies import STREAM_HEAD, chunk, head, message
from tests.upstreams.scripted import Exchange, Gate, ScriptedUpstream

ALL = "/v1/responses"


class Keeper(ScriptedUpstream):
    """A server that keeps responses, not yet started.

    `name` stands in its ids, so that two of them never agree. With `hold`, streams wait there after their
    first event.
    """

    def __init__(self, name: str = "kept") -> None:
        self.responses: dict[str, dict[str, Any]] = {}
        self.inputs: dict[str, Any] = {}
        self.hold: Gate | None = None
        self._name = name
        super().__init__(self._answer)

    async def _answer(self, exchange: Exchange) -> None:
        await exchange.read_body()
        method, target, _ = exchange.request.line.split(" ")
        path, _, query = target.partition("?")
        found = re.fullmatch(rf"{ALL}/([^/]+)(/cancel|/input_items)?", path)
        if method == "POST" and path == ALL:
            await self._create(exchange)
        elif found and found[1] in self.responses and "stream=true" in query:
            after = re.search(r"starting_after=(\d+)", query)
            await self._stream(exchange, self.responses[found[1]], int(after[1]) + 1 if after else 0)
        elif found and found[1] in self.responses:
            await exchange.send(self._of_one(method, found[1], found[2] or ""))
        elif found:
            await exchange.send(error(404, f"Response with id '{found[1]}' not found."))
        else:
            await exchange.send(error(405, "Method not allowed"))

    def _of_one(self, method: str, key: str, below: str) -> bytes:
        match method, below:
            case "GET", "":
                return _json(self.responses[key])
            case "GET", "/input_items":
                items = [{"id": f"msg_{key}", "type": "message", "role": "user", "content": []}]
                listed = {"object": "list", "data": items, "has_more": False}
                return _json({**listed, "first_id": items[0]["id"], "last_id": items[-1]["id"]})
            case "DELETE", "":
                del self.responses[key]
                return _json({"id": key, "object": "response", "deleted": True})
            case "POST", "/cancel" if self.responses[key]["background"]:
                self.responses[key]["status"] = "cancelled"
                return _json(self.responses[key])
            case "POST", "/cancel":
                return error(400, "Cannot cancel a synchronous response.")
        return error(405, "Method not allowed")

    async def _create(self, exchange: Exchange) -> None:
        body = exchange.request.json()
        before = body.get("previous_response_id")
        if before is not None and before not in self.responses:
            text = f"Previous response with id '{before}' not found."
            refused = error(400, text, "previous_response_id", "previous_response_not_found")
            await exchange.send(refused)
            return
        response = self._made(body)
        if response["store"]:
            self.responses[response["id"]] = response
            self.inputs[response["id"]] = body["input"]
        if not body.get("stream"):
            await exchange.send(_json(response))
            return
        await self._stream(exchange, response)

    async def _stream(self, exchange: Exchange, response: dict[str, Any], first: int = 0) -> None:
        await exchange.send(head(200, [*STREAM_HEAD, ("transfer-encoding", "chunked")]))
        begun = {**response, "status": "in_progress", "output": []}
        events = [event("response.created", begun), event("response.completed", response, 1)]
        for number, each in list(enumerate(events))[first:]:
            if number > 0 and self.hold is not None:
                await self.hold.wait()
            await exchange.send(chunk(each))
        await exchange.send(b"0\r\n\r\n")

    def _made(self, body: dict[str, Any]) -> dict[str, Any]:
        key = f"resp_{self._name}_{len(self.requests)}"
        text = {"type": "output_text", "text": "kept upstream", "annotations": []}
        said = {"id": f"msg_{key}", "type": "message", "status": "completed", "role": "assistant"}
        return {
            "id": key,
            "object": "response",
            "created_at": 1764000000,
            "status": "queued" if body.get("background") else "completed",
            "background": body.get("background", False),
            "model": body["model"],
            "output": [{**said, "content": [text]}],
            "previous_response_id": body.get("previous_response_id"),
            "store": body.get("store", True) is not False,
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
            "usage": {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5},
        }


def event(name: str, response: dict[str, Any], number: int = 0) -> bytes:
    """An event that holds the response."""
    data = json.dumps({"type": name, "sequence_number": number, "response": response})
    return f"event: {name}\ndata: {data}\n\n".encode()


def error(status: int, text: str, param: str | None = None, code: str | None = None) -> bytes:
    """A refusal in OpenAI's words."""
    about = {"message": text, "type": "invalid_request_error", "param": param, "code": code}
    return _json({"error": about}, status)


def _json(value: object, status: int = 200) -> bytes:
    return message(json.dumps(value).encode(), status)
