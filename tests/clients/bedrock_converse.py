"""AWS's SDK, Converse of the Bedrock runtime: for the upstream alone, the gateway has no such surface."""

import base64
import json
from contextlib import closing
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

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
from tests.upstreams.vendors.bedrock_converse import ACCESS_KEY, REGION, SECRET_KEY


class BedrockConverse:
    """Converse at `root`; the key is the scripted one, whatever is given."""

    errors: dict[int, type[Exception]] = dict.fromkeys((400, 403, 404, 408, 424, 429, 500, 503), ClientError)

    def __init__(self, root: str, _key: str, model: str) -> None:
        self._model = model
        self.boto: Any = boto3.client(
            "bedrock-runtime",
            region_name=REGION,
            endpoint_url=root,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            config=Config(retries={"max_attempts": 1, "mode": "standard"}, read_timeout=20),
        )

    def close(self) -> None:
        """Let go of the connections."""
        self.boto.close()

    def ask(self, ask: Ask, later: Later | None = None) -> Outcome:
        """A whole reply."""
        reply = self.boto.converse(**self._request(ask, later))
        return _outcome(reply["output"]["message"]["content"], reply["stopReason"], reply["usage"])

    def stream(self, ask: Ask, later: Later | None = None) -> Outcome:
        """A streamed reply."""
        with closing(self.boto.converse_stream(**self._request(ask, later))["stream"]) as events:
            return _joined(list(events))

    def _request(self, ask: Ask, later: Later | None) -> dict[str, Any]:
        messages: list[dict[str, Any]] = [{"role": "user", "content": _user(ask)}]
        if later is not None:
            messages.append({"role": "assistant", "content": later.outcome.native})
            results = [
                {"toolResult": {"toolUseId": call.id, "content": [{"text": text}]}}
                for call, text in zip(later.outcome.calls, later.results, strict=True)
            ]
            messages.append({"role": "user", "content": results})
        inference: dict[str, Any] = {"maxTokens": MAX_TOKENS}
        if ask.needs("stop"):
            inference["stopSequences"] = [STOP]
        request = {"modelId": self._model, "system": [{"text": SYSTEM}], "messages": messages}
        return request | {"inferenceConfig": inference} | _options(ask)


def _user(ask: Ask) -> list[dict[str, Any]]:
    image = {"image": {"format": "png", "source": {"bytes": base64.b64decode(PNG)}}}
    return [{"text": ask.text}, *([image] if ask.needs("image") else [])]


def _options(ask: Ask) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if ask.needs("tools"):
        specs = [
            {"toolSpec": {"name": name, "description": about, "inputSchema": {"json": schema}}}
            for name, (about, schema) in TOOLS.items()
        ]
        options["toolConfig"] = {"tools": specs}
    if ask.needs("schema"):
        structure = {"jsonSchema": {"name": "capital", "schema": json.dumps(SCHEMA)}}
        options["outputConfig"] = {"textFormat": {"type": "json_schema", "structure": structure}}
    if ask.needs("thinking"):
        thinking = {"type": "enabled", "budget_tokens": THINKING_TOKENS}
        options["additionalModelRequestFields"] = {"thinking": thinking}
    return options


def _outcome(content: list[dict[str, Any]], stop: str, usage: dict[str, int]) -> Outcome:
    outcome = Outcome(finish=stop, native=content)
    for block in content:
        outcome.text += block.get("text", "")
        reasoning = block.get("reasoningContent", {})
        outcome.thinking += reasoning.get("reasoningText", {}).get("text", "")
        outcome.signature = reasoning.get("reasoningText", {}).get("signature", outcome.signature)
        if "redactedContent" in reasoning:
            outcome.redacted_thinking = base64.b64encode(reasoning["redactedContent"]).decode()
        if "toolUse" in block:
            call = block["toolUse"]
            outcome.calls.append(ToolCall(call["toolUseId"], call["name"], call["input"]))
    cached, written = usage.get("cacheReadInputTokens", 0), usage.get("cacheWriteInputTokens", 0)
    total = usage["inputTokens"] + cached + written
    outcome.usage = {
        "input": total,
        "output": usage["outputTokens"],
        "cached": cached,
        "cache_write": written,
    }
    return outcome


def _joined(events: list[dict[str, Any]]) -> Outcome:
    blocks: dict[int, dict[str, Any]] = {}
    for event in events:
        if "contentBlockStart" in event:
            start = event["contentBlockStart"]
            blocks[start["contentBlockIndex"]] = {"toolUse": {**start["start"]["toolUse"], "input": ""}}
        if "contentBlockDelta" in event:
            found = event["contentBlockDelta"]
            _add(blocks.setdefault(found["contentBlockIndex"], {}), found["delta"])
    for block in blocks.values():
        if "toolUse" in block:
            block["toolUse"]["input"] = _json(block["toolUse"]["input"] or "{}")
    stop = next(event["messageStop"]["stopReason"] for event in events if "messageStop" in event)
    return _outcome(list(blocks.values()), stop, events[-1]["metadata"]["usage"])


def _add(block: dict[str, Any], delta: dict[str, Any]) -> None:
    if "text" in delta:
        block["text"] = block.get("text", "") + delta["text"]
    if "toolUse" in delta:
        block["toolUse"]["input"] += delta["toolUse"]["input"]
    reasoning = delta.get("reasoningContent", {})
    if "redactedContent" in reasoning:
        block["reasoningContent"] = {"redactedContent": reasoning["redactedContent"]}
    elif reasoning:
        said = block.setdefault("reasoningContent", {}).setdefault("reasoningText", {"text": ""})
        said["text"] += reasoning.get("text", "")
        if "signature" in reasoning:
            said["signature"] = reasoning["signature"]


def _json(arguments: str) -> Any:
    try:
        return json.loads(arguments)
    except ValueError:
        return arguments
