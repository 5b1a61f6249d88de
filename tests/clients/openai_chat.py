"""OpenAI's SDK, chat completions."""

import json
from typing import Any

import openai

from tests.clients.base import MAX_TOKENS, PNG, SCHEMA, STOP, SYSTEM, TOOLS, Ask, Later, Outcome, ToolCall

ERRORS: dict[int, type[Exception]] = {
    400: openai.BadRequestError,
    401: openai.AuthenticationError,
    403: openai.PermissionDeniedError,
    404: openai.NotFoundError,
    413: openai.APIStatusError,
    422: openai.UnprocessableEntityError,
    429: openai.RateLimitError,
    500: openai.InternalServerError,
}


class OpenAIChat:
    """Chat completions at `root`/v1."""

    errors = ERRORS

    def __init__(self, root: str, key: str, model: str) -> None:
        options: dict[str, Any] = {"base_url": f"{root}/v1", "api_key": key, "max_retries": 0, "timeout": 20}
        self._model = model
        self._sync = openai.OpenAI(**options)
        self._options = options

    def close(self) -> None:
        """Let go of the connections."""
        self._sync.close()

    def ask(self, ask: Ask, later: Later | None = None) -> Outcome:
        """A whole reply."""
        return _whole(self._sync.chat.completions.create(**self._request(ask, later)))

    def stream(self, ask: Ask, later: Later | None = None) -> Outcome:
        """A streamed reply."""
        with self._sync.chat.completions.create(**self._streaming(ask, later)) as chunks:
            return _joined(list(chunks))

    async def ask_async(self, ask: Ask) -> Outcome:
        """A whole reply."""
        async with openai.AsyncOpenAI(**self._options) as client:
            return _whole(await client.chat.completions.create(**self._request(ask, None)))

    async def stream_async(self, ask: Ask) -> Outcome:
        """A streamed reply."""
        async with openai.AsyncOpenAI(**self._options) as client:
            chunks = await client.chat.completions.create(**self._streaming(ask, None))
            return _joined([each async for each in chunks])

    def _streaming(self, ask: Ask, later: Later | None) -> dict[str, Any]:
        return self._request(ask, later) | {"stream": True, "stream_options": {"include_usage": True}}

    def _request(self, ask: Ask, later: Later | None) -> dict[str, Any]:
        messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": _user(ask)}]
        if later is not None:
            messages.append(later.outcome.native)
            messages += [
                {"role": "tool", "tool_call_id": call.id, "content": text}
                for call, text in zip(later.outcome.calls, later.results, strict=True)
            ]
        request: dict[str, Any] = {"model": self._model, "messages": messages}
        request["max_completion_tokens"] = MAX_TOKENS
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
        schema = {"name": "capital", "schema": SCHEMA, "strict": True}
        options["response_format"] = {"type": "json_schema", "json_schema": schema}
    if ask.needs("thinking"):
        options["reasoning_effort"] = "medium"
    if ask.needs("stop"):
        options["stop"] = [STOP]
    if ask.needs("logprobs"):
        options |= {"logprobs": True, "top_logprobs": 2}
    if ask.needs("choices"):
        options["n"] = 3
    return options


def _whole(reply: Any) -> Outcome:
    assert reply.object == "chat.completion"
    assert [each.index for each in reply.choices] == list(range(len(reply.choices)))
    message = reply.choices[0].message
    return Outcome(
        text=message.content or "",
        thinking=getattr(message, "reasoning_content", None) or "",
        refusal=message.refusal,
        calls=[
            ToolCall(each.id, each.function.name, _json(each.function.arguments))
            for each in message.tool_calls or []
        ],
        logprob=_logprob(reply.choices[0].logprobs),
        choices=[each.message.content for each in reply.choices],
        finish=reply.choices[0].finish_reason,
        usage=_usage(reply.usage),
        native=message.model_dump(exclude_none=True, exclude={"annotations"}),
    )


def _joined(chunks: list[Any]) -> Outcome:
    assert {each.object for each in chunks} == {"chat.completion.chunk"}
    assert len({each.id for each in chunks}) == 1, "all chunks carry one id"
    assert chunks[-1].usage is not None, "the usage comes last"
    outcome = Outcome(usage=_usage(chunks[-1].usage))
    texts: dict[int, str] = {}
    calls: dict[int, dict[str, Any]] = {}
    signed: list[Any] = []
    for choice in [each for chunk in chunks for each in chunk.choices]:
        delta = choice.delta
        texts[choice.index] = texts.get(choice.index, "") + (delta.content or "")
        outcome.thinking += getattr(delta, "reasoning_content", None) or ""
        signed += getattr(delta, "thinking_blocks", None) or []
        outcome.logprob = _logprob(choice.logprobs) or outcome.logprob
        if delta.refusal:
            outcome.refusal = (outcome.refusal or "") + delta.refusal
        for part in delta.tool_calls or []:
            _add_part(calls, part)
        outcome.finish = choice.finish_reason or outcome.finish
    outcome.choices = [texts[index] for index in sorted(texts)]
    outcome.text = outcome.choices[0]
    outcome.calls = [
        ToolCall(each["id"], each["function"]["name"], _json(each["function"]["arguments"]))
        for each in calls.values()
    ]
    outcome.native = {"role": "assistant", "content": outcome.text or None}
    if outcome.thinking:
        outcome.native["reasoning_content"] = outcome.thinking
    if signed:
        outcome.native["thinking_blocks"] = signed
    if calls:
        outcome.native["tool_calls"] = list(calls.values())
    return outcome


def _add_part(calls: dict[int, dict[str, Any]], part: Any) -> None:
    if part.index not in calls:
        assert part.id and part.function.name, "a call's first part names it"
        function = {"name": part.function.name, "arguments": ""}
        calls[part.index] = {"id": part.id, "type": "function", "function": function}
    calls[part.index]["function"]["arguments"] += part.function.arguments or ""


def _logprob(found: Any) -> float | None:
    return found.content[0].logprob if found and found.content else None


def _json(arguments: str) -> Any:
    try:
        return json.loads(arguments)
    except ValueError:
        return arguments


def _usage(usage: Any) -> dict[str, int]:
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    before, after = usage.prompt_tokens_details, usage.completion_tokens_details
    return {
        "input": usage.prompt_tokens,
        "output": usage.completion_tokens,
        "cached": (before and before.cached_tokens) or 0,
        "cache_write": (before and before.cache_write_tokens) or 0,
        "reasoning": (after and after.reasoning_tokens) or 0,
    }
