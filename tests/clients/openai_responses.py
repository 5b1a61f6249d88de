"""OpenAI's SDK, Responses."""

import json
from typing import Any

import openai

from tests.clients.base import MAX_TOKENS, PNG, SCHEMA, SYSTEM, TOOLS, Ask, Later, Outcome, ToolCall
from tests.clients.openai_chat import ERRORS

ENDS = {"response.completed", "response.incomplete", "response.failed"}
SENT_BACK = {"message", "reasoning", "function_call"}


class OpenAIResponses:
    """Responses at `root`/v1, with nothing stored."""

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
        return _whole(self._sync.responses.create(**self._request(ask, later)))

    def stream(self, ask: Ask, later: Later | None = None) -> Outcome:
        """A streamed reply."""
        with self._sync.responses.create(**self._request(ask, later), stream=True) as events:
            return _joined(list(events))

    async def ask_async(self, ask: Ask) -> Outcome:
        """A whole reply."""
        async with openai.AsyncOpenAI(**self._options) as client:
            return _whole(await client.responses.create(**self._request(ask, None)))

    async def stream_async(self, ask: Ask) -> Outcome:
        """A streamed reply."""
        async with openai.AsyncOpenAI(**self._options) as client:
            events = await client.responses.create(**self._request(ask, None), stream=True)
            return _joined([each async for each in events])

    def _request(self, ask: Ask, later: Later | None) -> dict[str, Any]:
        given: list[Any] = [{"role": "user", "content": _user(ask)}]
        if later is not None:
            given += later.outcome.native
            given += [
                {"type": "function_call_output", "call_id": call.id, "output": text}
                for call, text in zip(later.outcome.calls, later.results, strict=True)
            ]
        request: dict[str, Any] = {"model": self._model, "instructions": SYSTEM, "input": given}
        return request | {"max_output_tokens": MAX_TOKENS, "store": False} | _options(ask)


def _user(ask: Ask) -> Any:
    parts: list[dict[str, str]] = [{"type": "input_text", "text": ask.text}]
    if ask.needs("image"):
        url = f"data:image/png;base64,{PNG}"
        parts.append({"type": "input_image", "image_url": url, "detail": "auto"})
    return parts


def _options(ask: Ask) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if ask.needs("tools"):
        options["tools"] = [
            {"type": "function", "name": name, "description": about, "parameters": schema, "strict": False}
            for name, (about, schema) in TOOLS.items()
        ]
    if ask.needs("schema"):
        schema = {"type": "json_schema", "name": "capital", "schema": SCHEMA, "strict": True}
        options["text"] = {"format": schema}
    if ask.needs("thinking"):
        options |= {"reasoning": {"effort": "medium", "summary": "auto"}}
        options["include"] = ["reasoning.encrypted_content"]
    if ask.needs("logprobs"):
        options |= {"top_logprobs": 2, "include": ["message.output_text.logprobs"]}
    return options


def _whole(reply: Any) -> Outcome:
    assert reply.object == "response"
    contents = [part for item in reply.output if item.type == "message" for part in item.content]
    reasoning = [item for item in reply.output if item.type == "reasoning"]
    summary = "".join(part.text for item in reasoning for part in item.summary)
    sealed = next((item.encrypted_content for item in reasoning), None)
    calls = [item for item in reply.output if item.type == "function_call"]
    return Outcome(
        text=reply.output_text,
        thinking=summary,
        signature=sealed if summary else None,
        redacted_thinking=None if summary else sealed,
        refusal="".join(part.refusal for part in contents if part.type == "refusal") or None,
        logprob=_logprob(contents),
        calls=[ToolCall(each.call_id, each.name, _json(each.arguments)) for each in calls],
        finish=reply.incomplete_details.reason if reply.incomplete_details else reply.status,
        usage=_usage(reply.usage),
        native=[item.model_dump(exclude_none=True) for item in reply.output if item.type in SENT_BACK],
    )


def _joined(events: list[Any]) -> Outcome:
    kinds = [each.type for each in events]
    assert kinds[0] == "response.created"
    assert [each.sequence_number for each in events] == list(range(len(events)))
    assert kinds[-1] in ENDS, f"the stream ended with {kinds[-1]}"
    _check_blocks_are_closed(kinds)
    outcome = _whole(events[-1].response)
    for kind, said in {
        "response.output_text.delta": outcome.text,
        "response.refusal.delta": outcome.refusal or "",
        "response.reasoning_summary_text.delta": outcome.thinking,
    }.items():
        assert "".join(each.delta for each in events if each.type == kind) == said, kind
    _check_arguments(events)
    return outcome


def _check_blocks_are_closed(kinds: list[str]) -> None:
    pairs = ("output_item", "content_part", "reasoning_summary_part")
    for name in pairs:
        assert kinds.count(f"response.{name}.added") == kinds.count(f"response.{name}.done"), name


def _check_arguments(events: list[Any]) -> None:
    deltas: dict[str, str] = {}
    for event in events:
        if event.type == "response.function_call_arguments.delta":
            deltas[event.item_id] = deltas.get(event.item_id, "") + event.delta
    items = {each.id: each for each in events[-1].response.output if each.type == "function_call"}
    assert {name: item.arguments for name, item in items.items() if item.arguments} == deltas


def _logprob(contents: list[Any]) -> float | None:
    found = [each for part in contents for each in getattr(part, "logprobs", None) or []]
    return found[0].logprob if found else None


def _json(arguments: str) -> Any:
    try:
        return json.loads(arguments)
    except ValueError:
        return arguments


def _usage(usage: Any) -> dict[str, int]:
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens
    return {
        "input": usage.input_tokens,
        "output": usage.output_tokens,
        "cached": usage.input_tokens_details.cached_tokens,
        "cache_write": getattr(usage.input_tokens_details, "cache_write_tokens", None) or 0,
        "reasoning": usage.output_tokens_details.reasoning_tokens,
    }
