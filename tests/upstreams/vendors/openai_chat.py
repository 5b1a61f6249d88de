"""OpenAI's chat completions: what they take, what they refuse, and in which words.

`reasoning_content` of the assistant is taken too, because the hosts that return it want it back.
"""

from dataclasses import replace
from typing import Any

from tests.upstreams.vendors import vendor
from tests.upstreams.vendors.checks import (
    Check,
    Path,
    Refused,
    anything,
    base64_data,
    boolean,
    bracketed,
    by_type,
    data_url,
    integer,
    items,
    json_schema,
    nullable,
    number,
    one_of,
    record,
    require,
    string,
    tagged,
    text_or,
    values,
    web_or_data_url,
)
from tests.upstreams.vendors.vendor import Answer, Call, Gist, HttpError, Vendor

STOPS_AT_MOST = 4
CHOICES_AT_MOST = 128
EXTENSIONS = {"top_k", "min_p", "repetition_penalty"}

# ── the shape of a request ──────────────────────────────────────────────────────────────────────

MARK = {"prompt_cache_breakpoint": record({"mode": one_of("explicit")}, {"ttl": one_of("30m", "12h")})}
TEXT = record({"type": anything, "text": string()}, MARK)
DETAIL = one_of("auto", "low", "high", "original")
IMAGE = record({"type": anything, "image_url": record({"url": web_or_data_url}, {"detail": DETAIL})}, MARK)
SOUND = record({"data": base64_data, "format": one_of("wav", "mp3")})
AUDIO = record({"type": anything, "input_audio": SOUND}, MARK)


def _file(value: Any, path: Path) -> None:
    record({}, {"filename": string(least=1), "file_data": data_url, "file_id": string()})(value, path)
    inline = "file_data" in value and "filename" in value
    require(inline or "file_id" in value, path, "Missing required parameter: 'file_data' or 'file_id'")


FILE = record({"type": anything, "file": _file}, MARK)
REFUSAL = record({"type": anything, "refusal": string()})
TEXTS = text_or(tagged("type", {"text": TEXT}))
USER_PARTS = text_or(tagged("type", {"text": TEXT, "image_url": IMAGE, "input_audio": AUDIO, "file": FILE}))
ASSISTANT_PARTS = text_or(tagged("type", {"text": TEXT, "refusal": REFUSAL}))
NAME = string(r"[a-zA-Z0-9_-]{1,64}")
FUNCTION = record({"name": NAME, "arguments": string()})
CALL = tagged("type", {"function": record({"id": string(least=1), "type": anything, "function": FUNCTION})})
ROLE = {"role": anything}
SPEAKER = {"name": NAME}
MESSAGE = tagged(
    "role",
    {
        "system": record({**ROLE, "content": TEXTS}, SPEAKER),
        "developer": record({**ROLE, "content": TEXTS}, SPEAKER),
        "user": record({**ROLE, "content": USER_PARTS}, SPEAKER),
        "assistant": record(
            ROLE,
            {
                "content": nullable(ASSISTANT_PARTS),
                "refusal": nullable(string()),
                "tool_calls": items(CALL, least=1),
                "function_call": nullable(FUNCTION),
                "reasoning_content": nullable(string()),
                **SPEAKER,
            },
        ),
        "tool": record({**ROLE, "content": TEXTS, "tool_call_id": string(least=1)}),
        "function": record({**ROLE, "content": nullable(string()), "name": NAME}),
    },
)
DECLARATION = record(
    {"name": NAME},
    {"description": nullable(string(most=1024 * 16)), "parameters": json_schema, "strict": nullable(boolean)},
)
TOOL = record({"type": one_of("function"), "function": DECLARATION})
NAMED_TOOL = record({"type": one_of("function"), "function": record({"name": NAME})})
JSON_SCHEMA = record(
    {"name": NAME, "schema": json_schema}, {"description": string(), "strict": nullable(boolean)}
)
RESPONSE_FORMAT = tagged(
    "type",
    {
        "text": record({"type": anything}),
        "json_object": record({"type": anything}),
        "json_schema": record({"type": anything, "json_schema": JSON_SCHEMA}),
    },
)
METADATA = values(string(most=512))
OPTIONS: dict[str, Check] = {
    "stream": nullable(boolean),
    "stream_options": nullable(record({}, {"include_usage": boolean, "include_obfuscation": boolean})),
    "max_completion_tokens": nullable(integer(1)),
    "max_tokens": nullable(integer(1)),
    "temperature": nullable(number(0, 2)),
    "top_p": nullable(number(0, 1)),
    "n": nullable(integer(1, CHOICES_AT_MOST)),
    "stop": nullable(by_type({str: string(), list: items(string(), most=STOPS_AT_MOST)})),
    "seed": nullable(integer()),
    "presence_penalty": nullable(number(-2, 2)),
    "frequency_penalty": nullable(number(-2, 2)),
    "logit_bias": nullable(values(number(-100, 100))),
    "logprobs": nullable(boolean),
    "top_logprobs": nullable(integer(0, 20)),
    "response_format": RESPONSE_FORMAT,
    "reasoning_effort": nullable(one_of("none", "minimal", "low", "medium", "high", "xhigh")),
    "verbosity": nullable(one_of("low", "medium", "high")),
    "tools": items(TOOL, least=1),
    "tool_choice": by_type({str: one_of("none", "auto", "required"), dict: NAMED_TOOL}),
    "parallel_tool_calls": boolean,
    "functions": items(DECLARATION, least=1),
    "function_call": by_type({str: one_of("none", "auto"), dict: record({"name": NAME})}),
    "user": string(),
    "safety_identifier": nullable(string(most=64)),
    "prompt_cache_key": nullable(string()),
    "prompt_cache_options": anything,
    "prompt_cache_retention": nullable(one_of("in_memory", "24h")),
    "metadata": nullable(METADATA),
    "store": nullable(boolean),
    "service_tier": nullable(one_of("auto", "default", "flex", "scale", "priority")),
    "modalities": nullable(items(one_of("text", "audio"))),
    "prediction": anything,
    "audio": anything,
    "web_search_options": anything,
    "moderation": anything,
}
REQUEST = record({"model": string(least=1), "messages": items(MESSAGE, least=1)}, OPTIONS)

# ── rules across fields ─────────────────────────────────────────────────────────────────────────


def _check_calls_are_answered(messages: list[dict[str, Any]]) -> None:
    waiting: list[str] = []
    for at, message in enumerate(messages):
        path: Path = ("messages", at)
        if message["role"] == "tool":
            known = message["tool_call_id"] in waiting
            orphan = "messages with role 'tool' must be a response to a preceding message with 'tool_calls'"
            require(known, (*path, "tool_call_id"), orphan)
            waiting.remove(message["tool_call_id"])
            continue
        require(not waiting, path, f"These tool_call_ids did not have response messages: {waiting}")
        waiting = [each["id"] for each in message.get("tool_calls", [])]
    require(not waiting, ("messages",), f"These tool_call_ids did not have response messages: {waiting}")


def _check_assistant_says_something(messages: list[dict[str, Any]]) -> None:
    for at, message in enumerate(messages):
        if message["role"] == "assistant":
            fields = ("content", "refusal", "tool_calls", "function_call")
            says = any(message.get(name) is not None for name in fields)
            require(says, ("messages", at, "content"), "expected a string or tool calls, got null")


def _check_options(body: dict[str, Any]) -> None:
    both = "max_tokens" in body and "max_completion_tokens" in body
    require(not both, ("max_tokens",), "max_tokens and max_completion_tokens are mutually exclusive")
    choosing = "tool_choice" in body or "parallel_tool_calls" in body
    require(not choosing or "tools" in body, ("tool_choice",), "is only allowed when 'tools' are specified")
    counted = body.get("top_logprobs") is None or body.get("logprobs")
    require(counted, ("top_logprobs",), "requires 'logprobs' to be true")
    options = body.get("stream_options") is not None
    require(
        not options or body.get("stream"), ("stream_options",), "is only allowed when 'stream' is enabled"
    )
    labelled = body.get("metadata") is None or body.get("store")
    require(labelled, ("metadata",), "The 'metadata' parameter is only allowed when 'store' is enabled.")
    _check_strict_schemas(body)


def _check_strict_schemas(body: dict[str, Any]) -> None:
    for at, tool in enumerate(body.get("tools", [])):
        if tool["function"].get("strict"):
            check_strict(tool["function"].get("parameters", {}), ("tools", at, "function", "parameters"))
    asked = body.get("response_format", {}).get("json_schema", {})
    if asked.get("strict"):
        check_strict(asked["schema"], ("response_format", "json_schema", "schema"))


def check_strict(schema: Any, path: Path) -> None:
    """A strict schema closes every object and requires every property, at all depths."""
    if isinstance(schema, list):
        for at, each in enumerate(schema):
            check_strict(each, (*path, at))
    if not isinstance(schema, dict):
        return
    if schema.get("type") == "object":
        closed = schema.get("additionalProperties") is False
        require(closed, path, "'additionalProperties' is required to be supplied and to be false")
        all_required = set(schema.get("required", [])) == set(schema.get("properties", {}))
        require(all_required, path, "'required' is required to be an array including every key in properties")
    for name, each in schema.items():
        check_strict(each, (*path, name))


def _check(call: Call) -> None:
    if call.path != "/v1/chat/completions":
        raise HttpError(404, f"Invalid URL (POST {call.path})")
    vendor.want_bearer(call, 401, "Incorrect API key provided")
    REQUEST(call.body, ())
    _check_calls_are_answered(call.body["messages"])
    _check_assistant_says_something(call.body["messages"])
    _check_options(call.body)


# ── answers ─────────────────────────────────────────────────────────────────────────────────────


def _parts(message: dict[str, Any]) -> list[dict[str, Any]]:
    content = message["content"]
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _gist(call: Call) -> Gist:
    body = call.body
    parts = [each for message in body["messages"] if message["role"] == "user" for each in _parts(message)]
    texts = [each["text"] for each in parts if each["type"] == "text"]
    present = {
        "image": any(each["type"] == "image_url" for each in parts),
        "schema": body.get("response_format", {}).get("type") == "json_schema",
        "thinking": body.get("reasoning_effort") not in (None, "none"),
        "tools": body.get("tools"),
        "stop": body.get("stop"),
        "logprobs": body.get("logprobs"),
        "choices": (body.get("n") or 1) > 1,
    }
    return Gist(
        stream=body.get("stream") or False,
        last_text=texts[-1] if texts else "",
        after_tools=body["messages"][-1]["role"] == "tool",
        forced_tool=_forced(body),
        has=frozenset(name for name, there in present.items() if there),
    )


def _forced(body: dict[str, Any]) -> str | None:
    choice, tools = body.get("tool_choice"), body.get("tools", [])
    if isinstance(choice, dict):
        return str(choice["function"]["name"])
    return str(tools[0]["function"]["name"]) if choice == "required" and len(tools) == 1 else None


def _without_usage(call: Call, events: list[bytes]) -> list[bytes]:
    """Usage is sent only to who asked for it."""
    asked = (call.body.get("stream_options") or {}).get("include_usage")
    if asked:
        return events
    return [each.replace(b',"usage":null', b"") for each in events if b'"choices":[],' not in each]


def refuse(status: int, why: Refused | HttpError) -> Answer:
    """An error as OpenAI words it."""
    param, code = None, None
    if isinstance(why, Refused):
        param = bracketed(why.path) or None
        code = {"unknown": "unknown_parameter", "missing": "missing_required_parameter"}.get(why.kind)
        words = {"unknown": "Unknown parameter", "missing": "Missing required parameter"}
        text = f"{words.get(why.kind, 'Invalid value for')}: '{param}'. {why.message}."
    else:
        text = why.text
        code = "invalid_api_key" if status == 401 else None
    error = {"message": text, "type": "invalid_request_error", "param": param, "code": code}
    return vendor.json_answer(status, {"error": error}, [("x-request-id", "req_scripted")])


def _check_compatible(call: Call) -> None:
    """What hosts take that speak this dialect with words of their own."""
    known = {name: each for name, each in call.body.items() if name not in EXTENSIONS}
    _check(replace(call, body=known))


VENDOR = Vendor("openai_chat", _check, _gist, refuse, finish_stream=_without_usage)
COMPATIBLE = replace(VENDOR, check=_check_compatible)
