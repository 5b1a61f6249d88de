"""Anthropic's Messages API: what it takes, what it refuses, and in which words."""

from typing import Any

from tests.upstreams.vendors import vendor
from tests.upstreams.vendors.checks import (
    Check,
    Path,
    Refused,
    anything,
    base64_data,
    boolean,
    by_type,
    dotted,
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
    text_or,
)
from tests.upstreams.vendors.vendor import Answer, Call, Gist, HttpError, Vendor

ERROR_TYPES = {400: "invalid_request_error", 401: "authentication_error", 404: "not_found_error"}
MARKS_AT_MOST = 4
LEAST_BUDGET = 1024
NEWER_VERSION = "2026-10-21"
VERSIONS = {"2023-06-01", NEWER_VERSION}

# ── the shape of a request ──────────────────────────────────────────────────────────────────────

CACHE = {
    "cache_control": nullable(record({"type": one_of("ephemeral")}, {"ttl": one_of("5m", "1h")})),
}
URL = record({"type": anything, "url": string(r"https?://.+")})
IMAGE_TYPES = one_of("image/jpeg", "image/png", "image/gif", "image/webp")


def _filled(value: Any, path: Path) -> None:
    string()(value, path)
    require(value, path, "text content blocks must be non-empty")
    require(value.strip(), path, "text content blocks must contain non-whitespace text")


def _signature(value: Any, path: Path) -> None:
    string()(value, path)
    vendor.want_known_seal(value, path, "Invalid `signature` in `thinking` block")


def _sealed(value: Any, path: Path) -> None:
    string()(value, path)
    vendor.want_known_seal(value, path, "Invalid `data` in `redacted_thinking` block")


TEXT = record({"type": anything, "text": _filled}, {"citations": anything, **CACHE})
CITED = {"citations": nullable(record({"enabled": boolean}))}
IMAGE_SOURCE = tagged(
    "type", {"base64": record({"type": anything, "media_type": IMAGE_TYPES, "data": base64_data}), "url": URL}
)
IMAGE = record({"type": anything, "source": IMAGE_SOURCE}, CACHE)
PDF = record({"type": anything, "media_type": one_of("application/pdf"), "data": base64_data})
PLAIN = record({"type": anything, "media_type": one_of("text/plain"), "data": string()})
PARTS = record({"type": anything, "content": text_or(tagged("type", {"text": TEXT, "image": IMAGE}))})
DOCUMENT_SOURCE = tagged("type", {"base64": PDF, "text": PLAIN, "content": PARTS, "url": URL})
DOCUMENT = record(
    {"type": anything, "source": DOCUMENT_SOURCE},
    {"title": nullable(string()), "context": nullable(string()), **CITED, **CACHE},
)
SEARCH_RESULT = record(
    {
        "type": anything,
        "source": string(),
        "title": string(),
        "content": items(tagged("type", {"text": TEXT})),
    },
    {**CITED, **CACHE},
)
CALL_ID = string(r"[a-zA-Z0-9_-]+")
TOOL_NAME = string(r"[a-zA-Z0-9_-]{1,128}")
TOOL_USE = record({"type": anything, "id": CALL_ID, "name": TOOL_NAME, "input": mapping}, CACHE)
RESULT_PARTS = {"text": TEXT, "image": IMAGE, "document": DOCUMENT, "search_result": SEARCH_RESULT}
TOOL_RESULT = record(
    {"type": anything, "tool_use_id": CALL_ID},
    {
        "content": by_type({str: string(), list: items(tagged("type", RESULT_PARTS))}),
        "is_error": boolean,
        **CACHE,
    },
)
THINKING = record({"type": anything, "thinking": string(), "signature": _signature})
REDACTED = record({"type": anything, "data": _sealed})

USER_BLOCKS = {**RESULT_PARTS, "tool_result": TOOL_RESULT}
ASSISTANT_BLOCKS = {"text": TEXT, "tool_use": TOOL_USE, "thinking": THINKING, "redacted_thinking": REDACTED}


def _message(blocks: dict[str, Check]) -> Check:
    beta = {"output_config": nullable(mapping)}
    return record({"role": anything, "content": text_or(tagged("type", blocks), _filled)}, beta)


MESSAGE = tagged(
    "role",
    {
        "user": _message(USER_BLOCKS),
        "assistant": _message(ASSISTANT_BLOCKS),
        "system": _message({"text": TEXT}),
    },
)


def _schema(value: Any, path: Path) -> None:
    json_schema(value, path)
    require(value.get("type") == "object", (*path, "type"), "Input should be 'object'")


def _closed(value: Any, path: Path) -> None:
    json_schema(value, path)
    shut = value.get("type") != "object" or value.get("additionalProperties") is False
    require(shut, path, "For 'object' type, 'additionalProperties' must be explicitly set to false")


CUSTOM_TOOL = record(
    {"name": TOOL_NAME, "input_schema": _schema},
    {
        "type": nullable(one_of("custom")),
        "description": string(),
        "strict": boolean,
        "eager_input_streaming": nullable(boolean),
        "defer_loading": boolean,
        "input_examples": items(mapping),
        "allowed_callers": items(string()),
        **CACHE,
    },
)


def _tool(value: Any, path: Path) -> None:
    kind = value.get("type") if isinstance(value, dict) else None
    if kind in (None, "custom"):
        CUSTOM_TOOL(value, path)
    else:
        string(r"(web_search|web_fetch|bash|code_execution|text_editor|memory)_\d{8}")(kind, (*path, "type"))


ONE_AT_A_TIME = {"disable_parallel_tool_use": boolean}
TOOL_CHOICE = tagged(
    "type",
    {
        "auto": record({"type": anything}, ONE_AT_A_TIME),
        "any": record({"type": anything}, ONE_AT_A_TIME),
        "tool": record({"type": anything, "name": TOOL_NAME}, ONE_AT_A_TIME),
        "none": record({"type": anything}),
    },
)
SHOWN = {"display": nullable(one_of("summarized", "omitted", "updates"))}
THINKING_CONFIG = tagged(
    "type",
    {
        "enabled": record({"type": anything, "budget_tokens": integer(LEAST_BUDGET)}, SHOWN),
        "adaptive": record({"type": anything}, SHOWN),
        "disabled": record({"type": anything}),
    },
)
OUTPUT_CONFIG = record(
    {},
    {
        "effort": nullable(one_of("low", "medium", "high", "xhigh", "max")),
        "format": nullable(record({"type": one_of("json_schema"), "schema": _closed})),
    },
)
COUNTED: dict[str, Check] = {
    "system": by_type({str: string(), list: items(tagged("type", {"text": TEXT}))}),
    "thinking": THINKING_CONFIG,
    "tool_choice": TOOL_CHOICE,
    "tools": items(_tool),
    "output_config": OUTPUT_CONFIG,
    **CACHE,
}
NAMED: dict[str, Check] = {"model": string(least=1), "messages": items(MESSAGE, least=1)}
COUNT_REQUEST = record(NAMED, COUNTED)
REQUEST = record(
    {**NAMED, "max_tokens": integer(1)},
    {
        **COUNTED,
        "stream": boolean,
        "temperature": number(0, 1),
        "top_p": number(0, 1),
        "top_k": integer(0),
        "stop_sequences": items(_filled),
        "metadata": record({}, {"user_id": nullable(string(most=512))}),
        "service_tier": one_of("auto", "standard_only"),
    },
)
# Fields that are known to clients of a beta only.
BETAS = {"context_management": "context-management-2025-06-27"}

# ── rules across fields ─────────────────────────────────────────────────────────────────────────


def _blocks(message: dict[str, Any]) -> list[dict[str, Any]]:
    content = message["content"]
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _check_turns(messages: list[dict[str, Any]]) -> None:
    first = messages[0]["role"]
    require(first != "system", ("messages", 0, "role"), "use the top-level `system` parameter instead")
    open_calls: list[str] = []
    for at, message in enumerate(_merged(messages)):
        path: Path = ("messages", at, "content")
        results = [each["tool_use_id"] for each in _blocks(message) if each["type"] == "tool_result"]
        for result in results:
            wrong = f"unexpected `tool_use_id` found in `tool_result` blocks: {result}"
            require(result in open_calls, path, wrong)
        unanswered = [each for each in open_calls if each not in results]
        missing = f"`tool_use` ids were found without `tool_result` blocks immediately after: {unanswered}"
        require(not unanswered, path, missing)
        kinds = [each["type"] for each in _blocks(message)]
        leading = kinds[: len(results)] == ["tool_result"] * len(results)
        require(leading, path, "tool_result blocks must come first in the message")
        open_calls = [each["id"] for each in _blocks(message) if each["type"] == "tool_use"]
        require(len(set(open_calls)) == len(open_calls), path, "`tool_use` ids must be unique")
    missing = f"`tool_use` ids were found without `tool_result` blocks immediately after: {open_calls}"
    require(not open_calls, ("messages",), missing)


def _merged(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Messages of one role in a row count as one."""
    merged: list[dict[str, Any]] = []
    for message in messages:
        if merged and merged[-1]["role"] == message["role"]:
            merged[-1] = {"role": message["role"], "content": _blocks(merged[-1]) + _blocks(message)}
        else:
            merged.append(message)
    return merged


def _check_newer_version(body: dict[str, Any]) -> None:
    """What the version of 2026 took away."""
    for name in ("temperature", "top_p", "top_k"):
        require(name not in body, (name,), "Extra inputs are not permitted")
    for at, message in enumerate(body["messages"]):
        cited = message["role"] == "user" and any(block.get("citations") for block in _texts(message))
        require(not cited, ("messages", at), "citations are not permitted in user messages")


def _texts(message: dict[str, Any]) -> list[dict[str, Any]]:
    return [block for block in _blocks(message) if block["type"] == "text"]


def _check_thinking(body: dict[str, Any]) -> None:
    config = body.get("thinking", {"type": "disabled"})
    if config["type"] != "enabled":
        return
    limit = body.get("max_tokens", config["budget_tokens"] + 1)
    require(limit > config["budget_tokens"], ("max_tokens",), "must be greater than `thinking.budget_tokens`")
    warm = body.get("temperature", 1) == 1 and "top_k" not in body
    require(warm, ("temperature",), "may only be set to 1 when thinking is enabled")
    forced = body.get("tool_choice", {}).get("type") in ("any", "tool")
    require(not forced, ("tool_choice",), "Thinking may not be enabled when tool_choice forces tool use")
    _check_turn_begins_with_thinking(body["messages"])


def _check_turn_begins_with_thinking(messages: list[dict[str, Any]]) -> None:
    spoken = [
        at
        for at, message in enumerate(messages)
        if message["role"] == "user" and any(each["type"] != "tool_result" for each in _blocks(message))
    ]
    start = spoken[-1] + 1 if spoken else 0
    answering = [each for each in messages[start:] if each["role"] == "assistant"]
    if answering:
        first = _blocks(answering[0])[0]["type"]
        expected = f"Expected `thinking` or `redacted_thinking`, but found `{first}`"
        require(first in ("thinking", "redacted_thinking"), ("messages", start), expected)


def _check_calls_are_declared(body: dict[str, Any]) -> None:
    used = any(
        block["type"] in ("tool_use", "tool_result")
        for message in body["messages"]
        for block in _blocks(message)
    )
    require(not used or body.get("tools"), ("tools",), "Requests which include tool blocks must define tools")
    names = {each.get("name") for each in body.get("tools", [])}
    choice = body.get("tool_choice", {"type": "none"})
    require(
        choice["type"] == "none" or names, ("tool_choice",), "may only be specified while providing `tools`"
    )
    known = choice["type"] != "tool" or choice["name"] in names
    require(known, ("tool_choice", "name"), "Tool not found in provided tools")


def _count_marks(value: Any) -> int:
    if isinstance(value, list):
        return sum(map(_count_marks, value))
    if isinstance(value, dict):
        return (value.get("cache_control") is not None) + sum(map(_count_marks, value.values()))
    return 0


def _check(call: Call) -> None:
    counting = call.path == "/v1/messages/count_tokens"
    if call.path != "/v1/messages" and not counting:
        raise HttpError(404, "Not found")
    if call.request.header("x-api-key") != vendor.CREDENTIAL:
        vendor.want_bearer(call, 401, "invalid x-api-key")  # how newer SDKs send it
    version = call.request.header("anthropic-version")
    if version not in VERSIONS:
        raise HttpError(400, f"anthropic-version: {version!r} is not a valid version")
    betas = (call.request.header("anthropic-beta") or "").split(",")
    body = {name: each for name, each in call.body.items() if BETAS.get(name) not in betas}
    (COUNT_REQUEST if counting else REQUEST)(body, ())
    if version == NEWER_VERSION:
        _check_newer_version(body)
    _check_turns(body["messages"])
    _check_thinking(body)
    _check_calls_are_declared(body)
    marks = _count_marks([body["messages"], body.get("system"), body.get("tools")])
    require(
        marks <= MARKS_AT_MOST,
        (),
        f"A maximum of 4 blocks with cache_control may be provided. Found {marks}.",
    )
    last = body["messages"][-1]
    tail = _blocks(last)[-1].get("text", "x") if last["role"] == "assistant" else "x"
    require(tail == tail.rstrip(), (), "final assistant content cannot end with trailing whitespace")


# ── answers ─────────────────────────────────────────────────────────────────────────────────────


def _gist(call: Call) -> Gist:
    body = call.body
    users = [_blocks(each) for each in body["messages"] if each["role"] == "user"]
    texts = [block["text"] for blocks in users for block in blocks if block["type"] == "text"]
    kinds = {block["type"] for blocks in users for block in blocks}
    output = body.get("output_config", {})
    present = {
        "image": "image" in kinds,
        "schema": output.get("format"),
        "thinking": body.get("thinking", {}).get("type") in ("enabled", "adaptive"),
        "tools": body.get("tools"),
        "stop": body.get("stop_sequences"),
    }
    return Gist(
        stream=body.get("stream", False),
        last_text=texts[-1] if texts else "",
        after_tools=any(block["type"] == "tool_result" for blocks in users[-1:] for block in blocks),
        forced_tool=_forced(body),
        has=frozenset(name for name, there in present.items() if there),
    )


def _forced(body: dict[str, Any]) -> str | None:
    choice, tools = body.get("tool_choice", {}), body.get("tools", [])
    only = tools[0]["name"] if choice.get("type") == "any" and len(tools) == 1 else None
    name: str | None = choice.get("name", only)
    return name


def _count(call: Call) -> Answer | None:
    counting = call.path.endswith("/count_tokens")
    return vendor.json_answer(200, {"input_tokens": 17}) if counting else None


def _refuse(status: int, why: Refused | HttpError) -> Answer:
    text = f"{dotted(why.path)}: {why.message}" if isinstance(why, Refused) else why.text
    error = {"type": ERROR_TYPES.get(status, "invalid_request_error"), "message": text}
    return vendor.json_answer(status, {"type": "error", "error": error, "request_id": "req_scripted"})


VENDOR = Vendor("anthropic_messages", _check, _gist, _refuse, special=_count)
