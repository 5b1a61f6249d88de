"""Anthropic's SDK, Messages."""

from collections.abc import Sequence
from typing import Any

import anthropic

from tests.clients.base import (
    MAX_TOKENS,
    PNG,
    SCHEMA,
    STOP,
    SYSTEM,
    THINKING_TOKENS,
    TOOLS,
    Ask,
    Later,
    Outcome,
    ToolCall,
)

ERRORS: dict[int, type[Exception]] = {
    400: anthropic.BadRequestError,
    401: anthropic.AuthenticationError,
    403: anthropic.PermissionDeniedError,
    404: anthropic.NotFoundError,
    413: anthropic.APIStatusError,
    422: anthropic.UnprocessableEntityError,
    429: anthropic.RateLimitError,
    500: anthropic.InternalServerError,
}


class AnthropicMessages:
    """Messages at `root`/v1/messages."""

    errors = ERRORS

    def __init__(self, root: str, key: str, model: str) -> None:
        self._model = model
        self._options: dict[str, Any] = {"base_url": root, "api_key": key, "max_retries": 0, "timeout": 20}
        self._sync = anthropic.Anthropic(**self._options)

    def close(self) -> None:
        """Let go of the connections."""
        self._sync.close()

    def ask(self, ask: Ask, later: Later | None = None) -> Outcome:
        """A whole reply."""
        return _whole(self._sync.messages.create(**self._request(ask, later)))

    def stream(self, ask: Ask, later: Later | None = None) -> Outcome:
        """A streamed reply."""
        with self._sync.messages.stream(**self._request(ask, later)) as stream:
            kinds = [each.type for each in stream]
            return _joined(kinds, stream.get_final_message())

    async def ask_async(self, ask: Ask) -> Outcome:
        """A whole reply."""
        async with anthropic.AsyncAnthropic(**self._options) as client:
            return _whole(await client.messages.create(**self._request(ask, None)))

    async def stream_async(self, ask: Ask) -> Outcome:
        """A streamed reply."""
        async with (
            anthropic.AsyncAnthropic(**self._options) as client,
            client.messages.stream(**self._request(ask, None)) as stream,
        ):
            kinds = [each.type async for each in stream]
            return _joined(kinds, await stream.get_final_message())

    def count_tokens(self, ask: Ask) -> int:
        """How many tokens the question has."""
        request = {name: each for name, each in self._request(ask, None).items() if name != "max_tokens"}
        return int(self._sync.messages.count_tokens(**request).input_tokens)

    def _request(self, ask: Ask, later: Later | None) -> dict[str, Any]:
        messages: list[dict[str, Any]] = [{"role": "user", "content": _user(ask)}]
        if later is not None:
            messages.append({"role": "assistant", "content": later.outcome.native})
            results = [
                {"type": "tool_result", "tool_use_id": call.id, "content": text}
                for call, text in zip(later.outcome.calls, later.results, strict=True)
            ]
            messages.append({"role": "user", "content": results})
        request: dict[str, Any] = {"model": self._model, "system": SYSTEM, "messages": messages}
        return request | {"max_tokens": MAX_TOKENS} | _options(ask)


def _user(ask: Ask) -> Any:
    if not ask.needs("image"):
        return ask.text
    source = {"type": "base64", "media_type": "image/png", "data": PNG}
    return [{"type": "image", "source": source}, {"type": "text", "text": ask.text}]


def _options(ask: Ask) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if ask.needs("tools"):
        options["tools"] = [
            {"name": name, "description": about, "input_schema": schema}
            for name, (about, schema) in TOOLS.items()
        ]
    if ask.needs("schema"):
        options["output_config"] = {"format": {"type": "json_schema", "schema": SCHEMA}}
    if ask.needs("thinking"):
        options["thinking"] = {"type": "enabled", "budget_tokens": THINKING_TOKENS}
    if ask.needs("stop"):
        options["stop_sequences"] = [STOP]
    return options


def _whole(reply: Any) -> Outcome:
    assert (reply.type, reply.role) == ("message", "assistant")
    thinking = [each for each in reply.content if each.type == "thinking"]
    sealed = [each.data for each in reply.content if each.type == "redacted_thinking"]
    return Outcome(
        text="".join(each.text for each in reply.content if each.type == "text"),
        thinking="".join(each.thinking for each in thinking),
        signature=thinking[0].signature if thinking else None,
        redacted_thinking=sealed[0] if sealed else None,
        calls=[ToolCall(each.id, each.name, each.input) for each in reply.content if each.type == "tool_use"],
        finish=reply.stop_reason,
        stop_sequence=reply.stop_sequence,
        usage=_usage(reply.usage),
        native=[each.model_dump(exclude_none=True, exclude={"parsed_output"}) for each in reply.content],
    )


def _joined(kinds: Sequence[str], final: Any) -> Outcome:
    assert kinds[0] == "message_start"
    assert kinds[-1] == "message_stop"
    assert kinds.count("content_block_start") == kinds.count("content_block_stop") == len(final.content)
    assert kinds.count("message_delta") == 1
    return _whole(final)


def _usage(usage: Any) -> dict[str, int]:
    cached, written = usage.cache_read_input_tokens or 0, usage.cache_creation_input_tokens or 0
    details = usage.output_tokens_details
    return {
        "input": usage.input_tokens + cached + written,
        "output": usage.output_tokens,
        "cached": cached,
        "cache_write": written,
        "reasoning": details.thinking_tokens if details else 0,
    }
