"""Amazon Bedrock's Converse: what it takes, what it refuses, and in which words."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from tests.upstreams.vendors import vendor
from tests.upstreams.vendors.bedrock_shapes import check_request
from tests.upstreams.vendors.checks import Path, Refused, dotted, require, string
from tests.upstreams.vendors.sigv4 import signature_problem
from tests.upstreams.vendors.vendor import Answer, Call, Gist, HttpError, Vendor

ACCESS_KEY = "AKIDSCRIPTED"
SECRET_KEY = "scripted-secret-key"
REGION = "eu-west-1"
PATH = re.compile(r"/model/([^/]+)/(converse|converse-stream|count-tokens)")
OPERATIONS = {"converse": "Converse", "converse-stream": "ConverseStream", "count-tokens": "CountTokens"}
TYPES = {400: "ValidationException", 403: "UnrecognizedClientException", 404: "UnknownOperationException"}
DOCUMENT_NAME = r"[a-zA-Z0-9\s\-()\[\]]+"
CALL_ID = r"[a-zA-Z0-9_.:-]{1,64}"
TOOL_NAME = r"[a-zA-Z0-9_-]{1,64}"

# ── rules beyond the service's model ────────────────────────────────────────────────────────────


def _blocks(body: dict[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    for at, message in enumerate(body["messages"]):
        for number, block in enumerate(message["content"]):
            yield ("messages", at, "content", number), block


def _check_turns(messages: list[dict[str, Any]]) -> None:
    require(messages, ("messages",), "The conversation must start with a user message.")
    waiting: list[str] = []
    for at, message in enumerate(messages):
        path: Path = ("messages", at)
        starts = at > 0 or message["role"] == "user"
        require(starts, path, "A conversation must start with a user message.")
        turns = at == 0 or message["role"] != messages[at - 1]["role"]
        require(turns, path, "A conversation must alternate between user and assistant roles.")
        require(message["content"], path, "The content field in the Message object is empty.")
        results = [each["toolResult"]["toolUseId"] for each in message["content"] if "toolResult" in each]
        fits = sorted(results) == sorted(waiting)
        require(fits, path, f"Expected toolResult blocks for {waiting}, found {results}")
        waiting = [each["toolUse"]["toolUseId"] for each in message["content"] if "toolUse" in each]
        require(len(set(waiting)) == len(waiting), path, "the toolUse ids are not unique")
    require(not waiting, ("messages",), f"Expected toolResult blocks for {waiting}")


def _check_blocks(body: dict[str, Any]) -> None:
    for path, block in _blocks(body):
        blank = "text" in block and not block["text"].strip()
        require(not blank, path, "The text field in the ContentBlock object is blank.")
        _check_names(path, block)
        _check_seals(path, block)
    for at, message in enumerate(body["messages"]):
        document = any("document" in each for each in message["content"])
        text = any("text" in each for each in message["content"])
        require(
            not document or text, ("messages", at), "A text block is required when a document is present."
        )
    for at, block in enumerate(body.get("system", [])):
        blank = "text" in block and not block["text"].strip()
        require(not blank, ("system", at), "The text field in the SystemContentBlock object is blank.")


def _check_names(path: Path, block: dict[str, Any]) -> None:
    if "document" in block:
        name = block["document"]["name"]
        string(DOCUMENT_NAME)(name, (*path, "document", "name"))
        require("  " not in name, (*path, "document", "name"), "only single white space is allowed")
    if "toolUse" in block:
        string(CALL_ID)(block["toolUse"]["toolUseId"], (*path, "toolUse", "toolUseId"))
        string(TOOL_NAME)(block["toolUse"]["name"], (*path, "toolUse", "name"))
        is_object = isinstance(block["toolUse"]["input"], dict)
        require(is_object, (*path, "toolUse"), "The format of the value at toolUse.input is invalid.")


def _check_seals(path: Path, block: dict[str, Any]) -> None:
    reasoning = block.get("reasoningContent", {})
    seal = reasoning.get("reasoningText", {}).get("signature", reasoning.get("redactedContent"))
    if seal is not None:
        vendor.want_known_seal(seal, path, "Invalid `signature` in `thinking` block")
    unsigned = "reasoningText" in reasoning and "signature" not in reasoning["reasoningText"]
    require(not unsigned, path, "thinking.signature: Field required")


def _check_tools(body: dict[str, Any]) -> None:
    tools = body.get("toolConfig", {}).get("tools", [])
    used = any("toolUse" in block or "toolResult" in block for _, block in _blocks(body))
    needed = "The toolConfig field must be defined when using toolUse and toolResult content blocks."
    require(not used or tools, ("toolConfig",), needed)
    names = [tool["toolSpec"]["name"] for tool in tools if "toolSpec" in tool]
    for at, tool in enumerate(each for each in tools if "toolSpec" in each):
        path: Path = ("toolConfig", "tools", at, "toolSpec")
        string(TOOL_NAME)(tool["toolSpec"]["name"], (*path, "name"))
        schema = tool["toolSpec"]["inputSchema"].get("json")
        is_object = isinstance(schema, dict) and schema.get("type") == "object"
        require(
            is_object, (*path, "inputSchema"), "The value at inputSchema.json.type must be one of: object."
        )
    require(len(set(names)) == len(names), ("toolConfig",), "The tool names are not unique.")
    chosen = body.get("toolConfig", {}).get("toolChoice", {}).get("tool", {}).get("name")
    require(
        chosen is None or chosen in names, ("toolConfig", "toolChoice"), "The chosen tool is not declared."
    )


def _check(call: Call) -> None:
    found = PATH.fullmatch(call.path)
    if found is None:
        raise HttpError(404, f"Unknown operation {call.path}")
    require(
        re.fullmatch(r"[\w.:/-]+", unquote(found[1])),
        ("modelId",),
        "The provided model identifier is invalid.",
    )
    problem = signature_problem(call.request, ACCESS_KEY, SECRET_KEY, REGION, "bedrock")
    if problem is not None:
        raise HttpError(403, problem)
    check_request(OPERATIONS[found[2]], call.body)
    if found[2] == "count-tokens":
        return
    _check_turns(call.body.get("messages", []))
    _check_blocks(call.body)
    _check_tools(call.body)


# ── answers ─────────────────────────────────────────────────────────────────────────────────────


def _gist(call: Call) -> Gist:
    body = call.body
    users = [each["content"] for each in body["messages"] if each["role"] == "user"]
    texts = [block["text"] for content in users for block in content if "text" in block]
    extra = body.get("additionalModelRequestFields") or {}
    inference = body.get("inferenceConfig", {})
    present = {
        "image": any("image" in block for content in users for block in content),
        "schema": body.get("outputConfig", {}).get("textFormat"),
        "thinking": "thinking" in extra
        or "reasoning_config" in extra
        or "effort" in body.get("outputConfig", {}),
        "tools": body.get("toolConfig"),
        "stop": inference.get("stopSequences"),
    }
    return Gist(
        stream=call.path.endswith("/converse-stream"),
        last_text=texts[-1] if texts else "",
        after_tools=any("toolResult" in block for block in users[-1]),
        forced_tool=_forced(body.get("toolConfig", {})),
        has=frozenset(name for name, there in present.items() if there),
    )


def _forced(config: dict[str, Any]) -> str | None:
    choice, tools = config.get("toolChoice", {}), config.get("tools", [])
    if "any" in choice and len(tools) == 1:
        return str(tools[0]["toolSpec"]["name"])
    name: str | None = choice.get("tool", {}).get("name")
    return name


def _count(call: Call) -> Answer | None:
    counting = call.path.endswith("/count-tokens")
    return vendor.json_answer(200, {"inputTokens": 17}) if counting else None


def _refuse(status: int, why: Refused | HttpError) -> Answer:
    text = f"{dotted(why.path)}: {why.message}" if isinstance(why, Refused) else why.text
    kind = TYPES.get(status, "ValidationException")
    headers = [("x-amzn-errortype", f"{kind}:http://internal.amazon.com/coral/com.amazon.bedrock/")]
    return vendor.json_answer(status, {"message": text}, headers)


VENDOR = Vendor(
    "bedrock_converse",
    _check,
    _gist,
    _refuse,
    special=_count,
    stream_type="application/vnd.amazon.eventstream",
)
