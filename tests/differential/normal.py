"""Requests and replies in a form in which only what they say can differ, not how they spell it."""

import json
import re
from collections.abc import Callable
from typing import Any

# The model is chosen apart, and streams are not compared.
ENVELOPE = {"model", "stream", "stream_options"}
# What Gemini's clients send on unread: their own names stay as they are.
VERBATIM = {"args", "response", "parameters", "parametersJsonSchema", "responseSchema", "responseJsonSchema"}
# What each side makes up, or copies from the envelope.
MADE_UP = {"id", "created", "model", "object", "system_fingerprint"}


def request(wire: str, body: dict[str, Any]) -> Any:
    """A request for an upstream."""
    kept = {name: each for name, each in body.items() if name not in ENVELOPE}
    return SPELLINGS[wire](kept)


def reply(body: dict[str, Any]) -> Any:
    """A chat completion; call ids are compared, the reply's own is not."""
    kept = {name: each for name, each in body.items() if name not in MADE_UP}
    for choice in kept.get("choices", []):
        for call in choice["message"].get("tool_calls") or []:
            call["function"]["arguments"] = _decoded(call["function"]["arguments"])
    return without_nothing(kept)


def _decoded(arguments: str) -> Any:
    try:
        return json.loads(arguments)
    except ValueError:
        return arguments


def without_nothing(value: Any) -> Any:
    """Without members that say nothing: null, empty, or for the callers of a Python library alone."""
    if isinstance(value, dict):
        members = {name: without_nothing(each) for name, each in value.items()}
        return {
            name: each
            for name, each in members.items()
            if each not in (None, [], {}) and name != "provider_specific_fields"
        }
    return [without_nothing(each) for each in value] if isinstance(value, list) else value


def _anthropic(body: dict[str, Any]) -> Any:
    if "system" in body:
        body["system"] = _blocks(body["system"])
    for message in body.get("messages", []):
        message["content"] = _blocks(message["content"])
        for block in message["content"]:
            if block.get("type") == "tool_result" and "content" in block:
                block["content"] = _blocks(block["content"])
    for tool in body.get("tools", []):
        if tool.get("type") == "custom":
            del tool["type"]  # the default
    return body


def _cohere(body: dict[str, Any]) -> Any:
    for message in body.get("messages", []):
        if "content" in message:
            message["content"] = _blocks(message["content"])
        for call in message.get("tool_calls", []):
            call["function"]["arguments"] = _decoded(call["function"]["arguments"])
    return body


def _blocks(content: Any) -> Any:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _gemini(value: Any) -> Any:
    """Protocol buffers take `snake_case` as well."""
    if isinstance(value, dict):
        members = ((_camel(name), each) for name, each in value.items())
        return {name: each if name in VERBATIM else _gemini(each) for name, each in members}
    return [_gemini(each) for each in value] if isinstance(value, list) else value


def _camel(name: str) -> str:
    return re.sub("_([a-z])", lambda found: found[1].upper(), name)


SPELLINGS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "anthropic_messages": _anthropic,
    "gemini_generate": _gemini,
    "bedrock_converse": lambda body: body,
    "cohere_chat": _cohere,
}
