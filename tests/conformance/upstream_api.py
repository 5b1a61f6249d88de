"""An OpenAI-compatible provider as a script: a right answer for every endpoint that the scenarios call."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from tests.upstreams import replies
from tests.upstreams.scripted import Exchange

TEXT = "four words of text"


def _event(data: dict[str, Any], name: str | None = None) -> bytes:
    prefix = f"event: {name}\n" if name else ""
    return f"{prefix}data: {json.dumps(data)}\n\n".encode()


def _completion(body: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": "cmpl-1",
        "object": "text_completion",
        "created": 1700000000,
        "model": body["model"],
        "choices": [{"index": 0, "text": TEXT, "finish_reason": "stop", "logprobs": None}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 4, "total_tokens": 11},
    }


def _embeddings(body: dict[str, Any]) -> dict[str, Any]:
    texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
    data = [{"object": "embedding", "index": i, "embedding": [0.25, -0.5, 1.0]} for i in range(len(texts))]
    usage = {"prompt_tokens": 2, "total_tokens": 2}
    return {"object": "list", "model": body["model"], "data": data, "usage": usage}


def _response(body: dict[str, Any], status: str = "completed") -> dict[str, Any]:
    content = [{"type": "output_text", "text": TEXT, "annotations": []}]
    message = {"id": "msg_1", "type": "message", "role": "assistant", "status": status, "content": content}
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1700000000,
        "model": body["model"],
        "status": status,
        "output": [message] if status == "completed" else [],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": 7,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 4,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 11,
        },
    }


def _response_events(body: dict[str, Any]) -> list[bytes]:
    delta = {"item_id": "msg_1", "output_index": 0, "content_index": 0, "delta": TEXT, "logprobs": []}
    steps: list[tuple[str, dict[str, Any]]] = [
        ("response.created", {"response": _response(body, "in_progress")}),
        ("response.output_text.delta", delta),
        ("response.completed", {"response": _response(body)}),
    ]
    return [
        _event({"type": kind, "sequence_number": n, **data}, kind) for n, (kind, data) in enumerate(steps)
    ]


def _moderation(body: dict[str, Any]) -> dict[str, Any]:
    result = {"flagged": False, "categories": {}, "category_scores": {}, "category_applied_input_types": {}}
    return {"id": "modr-1", "model": body["model"], "results": [result]}


ANSWERS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "/v1/completions": _completion,
    "/v1/embeddings": _embeddings,
    "/v1/responses": _response,
    "/v1/moderations": _moderation,
}


async def answer(exchange: Exchange) -> None:
    """Answer as the endpoint in the request's path would."""
    await exchange.read_body()
    body = exchange.request.json()
    path = exchange.request.path
    again = replies.Replay(exchange.connection, exchange.request)
    await _script_for(path, body)(again)


def _script_for(path: str, body: dict[str, Any]) -> Callable[[Exchange], Awaitable[None]]:
    if path == "/v1/chat/completions":
        return replies.answer_chat
    if body.get("stream"):
        return replies.stream(_response_events(body))
    return replies.reply(json.dumps(ANSWERS[path](body)).encode())
