"""Google's SDK, generateContent of the Gemini API."""

import base64
from typing import Any

from google import genai
from google.genai import errors, types

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
    400: errors.ClientError,
    401: errors.ClientError,
    403: errors.ClientError,
    404: errors.ClientError,
    413: errors.ClientError,
    422: errors.ClientError,
    429: errors.ClientError,
    500: errors.ServerError,
}


class GeminiGenerate:
    """generateContent at `root`/v1beta."""

    errors = ERRORS

    def __init__(self, root: str, key: str, model: str) -> None:
        self._model = model
        options = types.HttpOptions(base_url=root, timeout=20_000)
        self._options: dict[str, Any] = {"api_key": key, "vertexai": False, "http_options": options}
        self._client = genai.Client(**self._options)

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def ask(self, ask: Ask, later: Later | None = None) -> Outcome:
        """A whole reply."""
        return _joined([self._client.models.generate_content(**self._request(ask, later))])

    def stream(self, ask: Ask, later: Later | None = None) -> Outcome:
        """A streamed reply."""
        return _joined(list(self._client.models.generate_content_stream(**self._request(ask, later))))

    async def ask_async(self, ask: Ask) -> Outcome:
        """A whole reply."""
        async with genai.Client(**self._options).aio as client:
            return _joined([await client.models.generate_content(**self._request(ask, None))])

    async def stream_async(self, ask: Ask) -> Outcome:
        """A streamed reply."""
        async with genai.Client(**self._options).aio as client:
            replies = await client.models.generate_content_stream(**self._request(ask, None))
            return _joined([each async for each in replies])

    def count_tokens(self, ask: Ask) -> int:
        """How many tokens the question has."""
        return self._client.models.count_tokens(model=self._model, contents=ask.text).total_tokens or 0

    def _request(self, ask: Ask, later: Later | None) -> dict[str, Any]:
        contents = [types.Content(role="user", parts=_user(ask))]
        if later is not None:
            contents.append(later.outcome.native)
            results = [
                types.Part(
                    function_response=types.FunctionResponse(
                        id=call.id, name=call.name, response={"output": text}
                    )
                )
                for call, text in zip(later.outcome.calls, later.results, strict=True)
            ]
            contents.append(types.Content(role="user", parts=results))
        return {"model": self._model, "contents": contents, "config": _config(ask)}


def _user(ask: Ask) -> list[types.Part]:
    parts = [types.Part(text=ask.text)]
    if ask.needs("image"):
        parts.append(types.Part.from_bytes(data=base64.b64decode(PNG), mime_type="image/png"))
    return parts


def _config(ask: Ask) -> types.GenerateContentConfig:
    config: dict[str, Any] = {"system_instruction": SYSTEM, "max_output_tokens": MAX_TOKENS}
    if ask.needs("tools"):
        declared = [
            types.FunctionDeclaration(name=name, description=about, parameters_json_schema=schema)
            for name, (about, schema) in TOOLS.items()
        ]
        config["tools"] = [types.Tool(function_declarations=declared)]
    if ask.needs("schema"):
        config |= {"response_mime_type": "application/json", "response_json_schema": SCHEMA}
    if ask.needs("thinking"):
        budget = types.ThinkingConfig(include_thoughts=True, thinking_budget=THINKING_TOKENS)
        config["thinking_config"] = budget
    if ask.needs("stop"):
        config["stop_sequences"] = [STOP]
    if ask.needs("logprobs"):
        config |= {"response_logprobs": True, "logprobs": 2}
    if ask.needs("choices"):
        config["candidate_count"] = 3
    return types.GenerateContentConfig(**config)


def _joined(replies: list[types.GenerateContentResponse]) -> Outcome:
    outcome = Outcome(native=types.Content(role="model", parts=[]))
    texts: dict[int, str] = {}
    for reply in replies:
        for candidate in reply.candidates or []:
            index = candidate.index or 0
            texts.setdefault(index, "")
            for part in (candidate.content and candidate.content.parts) or []:
                if part.text and not part.thought:
                    texts[index] += part.text
                _add(outcome, part)
            if candidate.logprobs_result and candidate.logprobs_result.chosen_candidates:
                outcome.logprob = candidate.logprobs_result.chosen_candidates[0].log_probability
            if candidate.finish_reason is not None:
                outcome.finish = candidate.finish_reason.value
        if reply.prompt_feedback and reply.prompt_feedback.block_reason:
            outcome.finish = "SAFETY"
    outcome.choices = [texts[index] for index in sorted(texts)]
    outcome.text = outcome.choices[0] if outcome.choices else ""
    outcome.usage = _usage(replies[-1].usage_metadata)
    return outcome


def _add(outcome: Outcome, part: types.Part) -> None:
    outcome.native.parts.append(part)
    if part.thought:
        outcome.thinking += part.text or ""
    if part.thought_signature:
        outcome.signature = base64.b64encode(part.thought_signature).decode()
    if part.function_call:
        call = part.function_call
        outcome.calls.append(ToolCall(call.id or "", call.name or "", call.args or {}))


def _usage(usage: types.GenerateContentResponseUsageMetadata | None) -> dict[str, int]:
    assert usage is not None
    prompt, answer = usage.prompt_token_count or 0, usage.candidates_token_count or 0
    thoughts = usage.thoughts_token_count or 0
    assert usage.total_token_count == prompt + answer + thoughts
    return {
        "input": prompt,
        "output": answer + thoughts,
        "cached": usage.cached_content_token_count or 0,
        "reasoning": thoughts,
    }
