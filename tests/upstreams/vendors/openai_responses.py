"""OpenAI's Responses API: what it takes, what it refuses, and in which words."""

from typing import Any

from tests.upstreams.vendors import vendor
from tests.upstreams.vendors.checks import (
    Check,
    Path,
    anything,
    boolean,
    by_type,
    data_url,
    integer,
    items,
    json_schema,
    mapping,
    nullable,
    number,
    one_of,
    record,
    require,
    string,
    tagged,
    values,
    web_or_data_url,
)
from tests.upstreams.vendors.openai_chat import check_strict, refuse
from tests.upstreams.vendors.vendor import Answer, Call, Gist, HttpError, Vendor

LEAST_TOKENS = 16

# ── the shape of a request ──────────────────────────────────────────────────────────────────────

MARK = {"prompt_cache_breakpoint": record({"mode": one_of("explicit")}, {"ttl": one_of("30m", "12h")})}
TEXT = record({"type": anything, "text": string()}, MARK)


def _image(value: Any, path: Path) -> None:
    shape = {"image_url": nullable(web_or_data_url), "file_id": nullable(string()), **MARK}
    record({"type": anything}, {"detail": one_of("auto", "low", "high", "original"), **shape})(value, path)
    there = value.get("image_url") or value.get("file_id")
    require(there, path, "Expected one of 'image_url' or 'file_id'")


def _file(value: Any, path: Path) -> None:
    sources = {"file_data": data_url, "file_url": string(r"https?://.+"), "file_id": nullable(string())}
    record({"type": anything}, {"filename": string(least=1), **sources, **MARK})(value, path)
    require(sum(name in value for name in sources) == 1, path, "Expected exactly one source of the file")
    require("file_data" not in value or "filename" in value, path, "Missing required parameter: 'filename'")


INPUT_PARTS: dict[str, Check] = {"input_text": TEXT, "input_image": _image, "input_file": _file}
OUTPUT_TEXT = record(
    {"type": anything, "text": string()}, {"annotations": items(mapping), "logprobs": anything}
)
REFUSAL = record({"type": anything, "refusal": string()})
STATUS = one_of("in_progress", "completed", "incomplete")


def _content(parts: dict[str, Check]) -> Check:
    return by_type({str: string(), list: items(tagged("type", parts))})


def _message(parts: dict[str, Check]) -> Check:
    extra = {"type": anything, "id": string(r"msg_.+"), "status": STATUS, "phase": anything}
    return record({"role": anything, "content": _content(parts)}, extra)


MESSAGE = tagged(
    "role",
    {
        "user": _message(INPUT_PARTS),
        "system": _message(INPUT_PARTS),
        "developer": _message(INPUT_PARTS),
        "assistant": _message({"output_text": OUTPUT_TEXT, "refusal": REFUSAL}),
    },
)
NAME = string(r"[a-zA-Z0-9_-]{1,64}")
CALL = record(
    {"type": anything, "call_id": string(least=1, most=64), "name": NAME, "arguments": string()},
    {"id": nullable(string(r"fc_.+")), "status": STATUS, "namespace": NAME},
)
CUSTOM_CALL = record(
    {"type": anything, "call_id": string(least=1, most=64), "name": NAME, "input": string()},
    {"id": nullable(string(r"ctc_.+")), "status": STATUS, "namespace": NAME},
)
OUTPUT = record(
    {"type": anything, "call_id": string(least=1, most=64), "output": _content(INPUT_PARTS)},
    {"id": nullable(string(r"(fc|ctc).+")), "status": STATUS},
)


def _sealed(value: Any, path: Path) -> None:
    string()(value, path)
    vendor.want_known_seal(value, path, "The encrypted content could not be verified")


SUMMARY = record({"type": one_of("summary_text"), "text": string()})
REASONING = record(
    {"type": anything, "summary": items(SUMMARY)},
    {"id": string(r"rs_.+"), "encrypted_content": nullable(_sealed), "content": anything, "status": STATUS},
)
FUNCTION = record(
    {"type": anything, "name": NAME, "parameters": nullable(json_schema)},
    {"description": nullable(string()), "strict": nullable(boolean), "defer_loading": boolean},
)
CUSTOM = record({"type": anything, "name": NAME}, {"description": string(), "format": mapping})
CALLABLE: dict[str, Check] = {"function": FUNCTION, "custom": CUSTOM}
GROUP = record(
    {"type": anything, "name": NAME, "description": string(), "tools": items(tagged("type", CALLABLE))}
)
SEARCH = record(
    {"type": anything}, {"execution": one_of("client"), "description": string(), "parameters": json_schema}
)
HOSTED = {"web_search": mapping, "code_interpreter": mapping}
TOOL = tagged("type", {**CALLABLE, **HOSTED, "namespace": GROUP, "tool_search": SEARCH})
ADDED = record(
    {"type": anything, "role": one_of("developer"), "tools": items(TOOL)}, {"id": string(r"at_.+")}
)
ITEM = tagged(
    "type",
    {
        "message": MESSAGE,
        "function_call": CALL,
        "function_call_output": OUTPUT,
        "custom_tool_call": CUSTOM_CALL,
        "custom_tool_call_output": OUTPUT,
        "reasoning": REASONING,
        "additional_tools": ADDED,
    },
    default="message",
)
FORMAT = tagged(
    "type",
    {
        "text": record({"type": anything}),
        "json_object": record({"type": anything}),
        "json_schema": record(
            {"type": anything, "name": NAME, "schema": json_schema},
            {"description": string(), "strict": nullable(boolean)},
        ),
    },
)
REASONING_CONFIG = record(
    {},
    {
        "effort": nullable(one_of("none", "minimal", "low", "medium", "high", "xhigh")),
        "summary": nullable(one_of("auto", "concise", "detailed")),
        "context": nullable(string()),
    },
)
OPTIONS: dict[str, Check] = {
    "instructions": nullable(string()),
    "stream": nullable(boolean),
    "stream_options": nullable(record({}, {"include_obfuscation": boolean})),
    "max_output_tokens": nullable(integer(LEAST_TOKENS)),
    "max_tool_calls": nullable(integer(1)),
    "temperature": nullable(number(0, 2)),
    "top_p": nullable(number(0, 1)),
    "top_logprobs": nullable(integer(0, 20)),
    "text": record({}, {"format": FORMAT, "verbosity": nullable(one_of("low", "medium", "high"))}),
    "reasoning": nullable(REASONING_CONFIG),
    "include": nullable(items(one_of("reasoning.encrypted_content", "message.output_text.logprobs"))),
    "tools": items(TOOL),
    "tool_choice": by_type(
        {str: one_of("none", "auto", "required"), dict: record({"type": one_of("function"), "name": NAME})}
    ),
    "parallel_tool_calls": nullable(boolean),
    "metadata": nullable(values(string(most=512))),
    "client_metadata": nullable(values(string())),
    "user": string(),
    "safety_identifier": nullable(string(most=64)),
    "prompt_cache_key": nullable(string()),
    "prompt_cache_options": anything,
    "prompt_cache_retention": nullable(one_of("in_memory", "24h")),
    "store": nullable(boolean),
    "background": nullable(boolean),
    "previous_response_id": nullable(string()),
    "service_tier": nullable(one_of("auto", "default", "flex", "scale", "priority")),
    "truncation": nullable(one_of("auto", "disabled")),
}
REQUEST = record(
    {"model": string(least=1), "input": by_type({str: string(), list: items(ITEM, least=1)})}, OPTIONS
)

# ── rules across fields ─────────────────────────────────────────────────────────────────────────


def _items(body: dict[str, Any]) -> list[dict[str, Any]]:
    given = body["input"]
    if isinstance(given, str):
        return [{"type": "message", "role": "user", "content": given}]
    return [{"type": "message", **each} for each in given]


def _check_calls_are_answered(given: list[dict[str, Any]]) -> None:
    waiting: list[str] = []
    for at, item in enumerate(given):
        if item["type"] in ("function_call", "custom_tool_call"):
            waiting.append(item["call_id"])
        if item["type"] in ("function_call_output", "custom_tool_call_output"):
            unknown = f"No tool call found for function call output with call_id {item['call_id']}"
            require(item["call_id"] in waiting, ("input", at), unknown)
            waiting.remove(item["call_id"])
    require(not waiting, ("input",), f"No tool output found for function call {waiting}")


def _check_strict_schemas(body: dict[str, Any]) -> None:
    for at, tool in enumerate(body.get("tools", [])):
        if tool.get("strict"):
            check_strict(tool["parameters"], ("tools", at, "parameters"))
    asked = body.get("text", {}).get("format", {})
    if asked.get("strict"):
        check_strict(asked["schema"], ("text", "format", "schema"))


def _check_deferred_tools(body: dict[str, Any]) -> None:
    """What is not loaded has to be found by something."""
    tools = body.get("tools", [])
    searches = any(tool["type"] == "tool_search" for tool in tools)
    for at, tool in enumerate(tools):
        deferred = tool.get("defer_loading") and not searches
        require(not deferred, ("tools", at, "defer_loading"), "requires a 'tool_search' tool")


def _check(call: Call) -> None:
    if call.path not in ("/v1/responses", "/v1/responses/input_tokens"):
        raise HttpError(404, f"Invalid URL (POST {call.path})")
    vendor.want_bearer(call, 401, "Incorrect API key provided")
    REQUEST(call.body, ())
    _check_calls_are_answered(_items(call.body))
    _check_strict_schemas(call.body)
    _check_deferred_tools(call.body)
    lonely = call.body.get("top_logprobs") and "message.output_text.logprobs" not in call.body.get(
        "include", []
    )
    require(not lonely, ("top_logprobs",), "requires 'message.output_text.logprobs' in 'include'")


# ── answers ─────────────────────────────────────────────────────────────────────────────────────


def _parts(item: dict[str, Any]) -> list[dict[str, Any]]:
    content = item["content"]
    return [{"type": "input_text", "text": content}] if isinstance(content, str) else content


def _gist(call: Call) -> Gist:
    body = call.body
    given = _items(body)
    users = [each for each in given if each["type"] == "message" and each["role"] == "user"]
    parts = [part for each in users for part in _parts(each)]
    texts = [each["text"] for each in parts if each["type"] == "input_text"]
    effort = (body.get("reasoning") or {}).get("effort")
    present = {
        "image": any(each["type"] == "input_image" for each in parts),
        "schema": body.get("text", {}).get("format", {}).get("type") == "json_schema",
        "thinking": effort not in (None, "none"),
        "tools": body.get("tools") or any(each["type"] == "additional_tools" for each in given),
        "logprobs": "message.output_text.logprobs" in (body.get("include") or []),
    }
    return Gist(
        stream=body.get("stream") or False,
        last_text=texts[-1] if texts else "",
        after_tools=given[-1]["type"] in ("function_call_output", "custom_tool_call_output"),
        forced_tool=_forced(body),
        has=frozenset(name for name, there in present.items() if there),
    )


def _forced(body: dict[str, Any]) -> str | None:
    choice, tools = body.get("tool_choice"), body.get("tools", [])
    if isinstance(choice, dict):
        return str(choice["name"])
    return str(tools[0]["name"]) if choice == "required" and len(tools) == 1 else None


def _count(call: Call) -> Answer | None:
    counting = call.path.endswith("/input_tokens")
    counted = {"object": "response.input_tokens", "input_tokens": 17}
    return vendor.json_answer(200, counted) if counting else None


VENDOR = Vendor("openai_responses", _check, _gist, refuse, special=_count)
