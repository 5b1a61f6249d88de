"""Cohere's SDK, chat (version 2): for the upstream alone, the gateway has no such surface."""

import json
from typing import Any

import cohere
from cohere import errors as cohere_errors
from cohere.core.api_error import ApiError

from tests.clients.base import MAX_TOKENS, PNG, SCHEMA, STOP, SYSTEM, TOOLS, Ask, Later, Outcome, ToolCall

ERRORS: dict[int, type[Exception]] = {
    400: cohere_errors.BadRequestError,
    401: cohere_errors.UnauthorizedError,
    403: cohere_errors.ForbiddenError,
    404: cohere_errors.NotFoundError,
    413: ApiError,
    422: cohere_errors.UnprocessableEntityError,
    429: cohere_errors.TooManyRequestsError,
    500: cohere_errors.InternalServerError,
    503: cohere_errors.ServiceUnavailableError,
}


class CohereChat:
    """Chat at `root`/v2/chat."""

    errors = ERRORS

    def __init__(self, root: str, key: str, model: str) -> None:
        self._model = model
        self._client = cohere.ClientV2(api_key=key, base_url=root, timeout=20)

    def close(self) -> None:
        """Nothing to do: the SDK has no end to its connections."""

    def ask(self, ask: Ask, later: Later | None = None) -> Outcome:
        """A whole reply."""
        options: Any = {"max_retries": 0}
        return _whole(self._client.chat(**self._request(ask, later), request_options=options))

    def stream(self, ask: Ask, later: Later | None = None) -> Outcome:
        """A streamed reply."""
        options: Any = {"max_retries": 0}
        return _joined(list(self._client.chat_stream(**self._request(ask, later), request_options=options)))

    def _request(self, ask: Ask, later: Later | None) -> dict[str, Any]:
        messages: list[Any] = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": _user(ask)}]
        if later is not None:
            messages.append(later.outcome.native)
            messages += [
                {"role": "tool", "tool_call_id": call.id, "content": text}
                for call, text in zip(later.outcome.calls, later.results, strict=True)
            ]
        request: dict[str, Any] = {"model": self._model, "messages": messages, "max_tokens": MAX_TOKENS}
        return request | _options(ask)


def _user(ask: Ask) -> Any:
    if not ask.needs("image"):
        return ask.text
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
    return [{"type": "text", "text": ask.text}, image]


def _options(ask: Ask) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if ask.needs("tools"):
        options["tools"] = [
            {"type": "function", "function": {"name": name, "description": about, "parameters": schema}}
            for name, (about, schema) in TOOLS.items()
        ]
    if ask.needs("schema"):
        options["response_format"] = {"type": "json_object", "json_schema": SCHEMA}
    if ask.needs("stop"):
        options["stop_sequences"] = [STOP]
    return options


def _whole(reply: Any) -> Outcome:
    message = reply.message
    outcome = Outcome(finish=reply.finish_reason, usage=_usage(reply.usage))
    for part in message.content or []:
        outcome.text += part.text if part.type == "text" else ""
        outcome.thinking += part.thinking if part.type == "thinking" else ""
    if message.tool_calls:
        outcome.text += message.tool_plan or ""
    outcome.calls = [
        ToolCall(each.id, each.function.name, json.loads(each.function.arguments))
        for each in message.tool_calls or []
    ]
    outcome.native = message.model_dump(exclude_none=True)
    return outcome


def _joined(events: list[Any]) -> Outcome:
    assert events[0].type == "message-start"
    assert events[-1].type == "message-end"
    outcome = Outcome(finish=events[-1].delta.finish_reason, usage=_usage(events[-1].delta.usage))
    calls: dict[int, dict[str, Any]] = {}
    for event in events:
        if event.type == "content-delta":
            outcome.text += event.delta.message.content.text or ""
            outcome.thinking += event.delta.message.content.thinking or ""
        elif event.type == "tool-plan-delta":
            outcome.text += event.delta.message.tool_plan
        elif event.type == "tool-call-start":
            calls[event.index] = event.delta.message.tool_calls.model_dump()
        elif event.type == "tool-call-delta":
            added = event.delta.message.tool_calls.function.arguments
            calls[event.index]["function"]["arguments"] += added
    outcome.calls = [
        ToolCall(each["id"], each["function"]["name"], json.loads(each["function"]["arguments"]))
        for each in calls.values()
    ]
    outcome.native = {"role": "assistant", "tool_calls": list(calls.values()), "tool_plan": outcome.text}
    return outcome


def _usage(usage: Any) -> dict[str, int]:
    return {
        "input": int(usage.billed_units.input_tokens),
        "output": int(usage.billed_units.output_tokens),
        "cached": int(usage.cached_tokens),
    }
