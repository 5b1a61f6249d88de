"""Cohere's chat (version 2): what it takes, what it refuses, and in which words."""

from typing import Any

from tests.upstreams.vendors import vendor
from tests.upstreams.vendors.checks import (
    Check,
    Path,
    Refused,
    anything,
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
    web_or_data_url,
)
from tests.upstreams.vendors.vendor import Answer, Call, Gist, HttpError, Vendor

STOPS_AT_MOST = 5

# ── the shape of a request ──────────────────────────────────────────────────────────────────────

TEXT = record({"type": anything, "text": string()})
DETAIL = one_of("auto", "low", "high")
IMAGE = record({"type": anything, "image_url": record({"url": web_or_data_url}, {"detail": DETAIL})})
THINKING = record({"type": anything, "thinking": string()})
PLAIN_DOCUMENT = record({"data": mapping}, {"id": string()})
DOCUMENT = record({"type": anything, "document": PLAIN_DOCUMENT})
ARGUMENTS = record({"name": string(least=1), "arguments": string()})
CALL = tagged("type", {"function": record({"id": string(least=1), "type": anything, "function": ARGUMENTS})})
ROLE = {"role": anything}
MESSAGE = tagged(
    "role",
    {
        "system": record({**ROLE, "content": text_or(tagged("type", {"text": TEXT}))}),
        "user": record({**ROLE, "content": text_or(tagged("type", {"text": TEXT, "image_url": IMAGE}))}),
        "assistant": record(
            ROLE,
            {
                "content": nullable(text_or(tagged("type", {"text": TEXT, "thinking": THINKING}))),
                "tool_calls": items(CALL, least=1),
                "tool_plan": string(),
                "citations": items(mapping),
            },
        ),
        "tool": record(
            {
                **ROLE,
                "tool_call_id": string(least=1),
                "content": text_or(tagged("type", {"text": TEXT, "document": DOCUMENT})),
            }
        ),
    },
)
FUNCTION = record({"name": string(r"\w[\w-]*"), "parameters": json_schema}, {"description": string()})
TOOL = record({"type": one_of("function"), "function": FUNCTION})
RESPONSE_FORMAT = tagged(
    "type",
    {
        "text": record({"type": anything}),
        "json_object": record({"type": anything}, {"json_schema": json_schema, "schema": json_schema}),
    },
)
OPTIONS: dict[str, Check] = {
    "stream": boolean,
    "tools": items(TOOL),
    "strict_tools": boolean,
    "tool_choice": one_of("REQUIRED", "NONE"),
    "documents": items(by_type({str: string(), dict: PLAIN_DOCUMENT})),
    "citation_options": record({}, {"mode": one_of("ENABLED", "DISABLED", "FAST", "ACCURATE", "OFF")}),
    "response_format": RESPONSE_FORMAT,
    "safety_mode": one_of("CONTEXTUAL", "STRICT", "OFF"),
    "max_tokens": integer(1),
    "stop_sequences": items(string(), most=STOPS_AT_MOST),
    "temperature": number(0, 1),
    "seed": integer(0),
    "frequency_penalty": number(0, 1),
    "presence_penalty": number(0, 1),
    "k": integer(0, 500),
    "p": number(0.01, 0.99),
    "logprobs": boolean,
    "thinking": record({"type": one_of("enabled", "disabled")}, {"token_budget": integer(1)}),
    "priority": integer(0, 999),
}
REQUEST = record({"model": string(least=1), "messages": items(MESSAGE, least=1)}, OPTIONS)

# ── rules across fields ─────────────────────────────────────────────────────────────────────────


def _check_turns(messages: list[dict[str, Any]]) -> None:
    waiting: list[str] = []
    for at, message in enumerate(messages):
        path: Path = ("messages", at)
        if message["role"] == "tool":
            known = message["tool_call_id"] in waiting
            require(known, (*path, "tool_call_id"), "tool call id not found in previous tool calls")
            waiting.remove(message["tool_call_id"])
            continue
        require(not waiting, path, f"missing tool results for the tool calls {waiting}")
        waiting = [each["id"] for each in message.get("tool_calls", [])]
        speaks = message["role"] != "assistant" or message.get("content") or waiting
        require(speaks, path, "an assistant message needs content or tool calls")
    require(not waiting, ("messages",), f"missing tool results for the tool calls {waiting}")


def _check_options(body: dict[str, Any]) -> None:
    as_json = body.get("response_format", {}).get("type") == "json_object"
    mixed = as_json and (body.get("tools") or body.get("documents"))
    require(
        not mixed, ("response_format",), "json_object is not supported in combination with tools or documents"
    )
    require("tool_choice" not in body or body.get("tools"), ("tool_choice",), "tool_choice needs tools")


def _check(call: Call) -> None:
    if call.path != "/v2/chat":
        raise HttpError(404, "page not found")
    vendor.want_bearer(call, 401, "invalid api token")
    REQUEST(call.body, ())
    _check_turns(call.body["messages"])
    _check_options(call.body)


# ── answers ─────────────────────────────────────────────────────────────────────────────────────


def _parts(message: dict[str, Any]) -> list[dict[str, Any]]:
    content = message["content"]
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _gist(call: Call) -> Gist:
    body = call.body
    parts = [each for message in body["messages"] if message["role"] == "user" for each in _parts(message)]
    texts = [each["text"] for each in parts if each["type"] == "text"]
    asked = body.get("response_format", {})
    tools, forced = body.get("tools", []), body.get("tool_choice") == "REQUIRED"
    present = {
        "image": any(each["type"] == "image_url" for each in parts),
        "schema": "json_schema" in asked or "schema" in asked,
        "thinking": body.get("thinking", {"type": "enabled"})["type"] == "enabled",
        "tools": body.get("tools"),
        "stop": body.get("stop_sequences"),
        "logprobs": body.get("logprobs"),
    }
    return Gist(
        stream=body.get("stream", False),
        last_text=texts[-1] if texts else "",
        after_tools=body["messages"][-1]["role"] == "tool",
        forced_tool=tools[0]["function"]["name"] if forced and len(tools) == 1 else None,
        has=frozenset(name for name, there in present.items() if there),
    )


def _refuse(status: int, why: Refused | HttpError) -> Answer:
    if isinstance(why, Refused):
        unknown = f"unknown field: parameter '{dotted(why.path)}' is not a valid field"
        text = unknown if why.kind == "unknown" else f"invalid request: {dotted(why.path)}: {why.message}"
    else:
        text = why.text
    return vendor.json_answer(status, {"id": "scripted", "message": text})


def _status(refused: Refused) -> int:
    return 422 if refused.kind == "unknown" else 400


VENDOR = Vendor("cohere_chat", _check, _gist, _refuse, refused_status=_status)
