"""What was said in a client's dialect is what the upstream reads in its own, word for word and in order."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.dialects.conftest import Dialects
from tests.e2e.dialects.test_conversations import CASES, CONVERSATIONS, lost, send

INSTRUCTING = ("system", "developer")  # where these turns go is each dialect's own affair


def leaves(value: Any) -> Iterator[str]:
    """Every string in a request, in order; those in JSON inside of strings as well."""
    if isinstance(value, dict):
        for each in value.values():
            yield from leaves(each)
    elif isinstance(value, list):
        for each in value:
            yield from leaves(each)
    elif isinstance(value, str):
        yield value
        inner = unpacked(value)
        if inner is not None:
            yield from leaves(inner)


def unpacked(text: str) -> Any:
    """The object that a string holds as JSON, if it does."""
    if not text.startswith(("{", "[")):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None


def objects(value: Any) -> Iterator[Any]:
    """Every object in a request, those in JSON inside of strings as well."""
    if isinstance(value, str):
        value = unpacked(value)
    if isinstance(value, dict):
        yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in inner:
        yield from objects(each)


def texts(blocks: list[dict[str, Any]]) -> Iterator[str]:
    """What blocks say, results of tools included; without thoughts, which only their own provider reads."""
    for block in blocks:
        if "text" in block and block["text"].strip():
            yield block["text"]
        if "result" in block:
            yield from texts(block["result"]["blocks"])


def data(blocks: list[dict[str, Any]]) -> Iterator[str]:
    """The bytes that blocks carry, in base64."""
    for block in blocks:
        for kind in ("image", "file", "audio"):
            if "data" in block.get(kind, {}):
                yield block[kind]["data"]
        if "result" in block:
            yield from data(block["result"]["blocks"])


def in_order(wanted: list[str], found: list[str]) -> bool:
    """True if each wanted text is part of a later one of `found` than the text before it, or of the same."""
    at = 0
    for text in wanted:
        at = next((place for place in range(at, len(found)) if text in found[place]), -1)
        if at < 0:
            return False
    return True


TRANSLATED = [case for case in CASES if "refused" not in CONVERSATIONS[case[0]]]


@pytest.mark.parametrize(("name", "surface", "wire"), TRANSLATED)
def test_everything_said_arrives(dialects: Dialects, name: str, surface: str, wire: str) -> None:
    chat = CONVERSATIONS[name]["chat"]
    if send(dialects, name, surface, wire).status != 200:
        dialects.refused()  # whether that is right, test_conversations.py says
        return
    body = dialects.upstreams[wire].requests[-1].json()
    found, inner = list(leaves(body)), list(objects(body))

    conversation = [turn for turn in chat["turns"] if turn["role"] not in INSTRUCTING]
    instructions = [turn for turn in chat["turns"] if turn["role"] in INSTRUCTING]
    said = [text for turn in conversation for text in texts(turn["blocks"])]
    assert in_order([text for text in said if unpacked(text) is None], found), (
        "the turns' texts, in their order"
    )
    assert all(unpacked(text) in inner for text in said if unpacked(text) is not None), (
        "results that are JSON"
    )
    system = chat.get("system", []) + [block for turn in instructions for block in turn["blocks"]]
    assert all(any(text in each for each in found) for text in texts(system)), "the system prompts"
    blocks = [block for turn in conversation for block in turn["blocks"]]
    if not lost(name, wire):
        assert set(data(blocks)) <= {each.rpartition(",")[2] for each in found}, "images, files and sounds"
    for call in (block["call"] for block in blocks if "call" in block):
        assert call["name"] in found
        assert call["arguments"] in inner
    for tool in needed_tools(chat, wire):
        assert tool["name"] in found
        assert tool.get("description", tool["name"]) in found


def needed_tools(chat: dict[str, Any], wire: str) -> list[dict[str, Any]]:
    """The tools that have to be declared: some choices are best made by what is declared."""
    choice, tools = chat.get("tool_choice"), chat.get("tools", [])
    if wire == "bedrock_converse" and choice == "none":
        return []
    if wire == "cohere_chat" and isinstance(choice, dict):
        return [tool for tool in tools if tool["name"] == choice["tool"]]
    return list(tools)
