"""Chats that nobody would write, and each of them as a client of every dialect would."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

# Every script, and what is easily mistaken for something else.
ODD_TEXTS = (
    "",
    " \n\t",
    "\u0000\u001f\u007f\u2028\u2029\ufeff\ufffe",
    "\u202eשלום \u0301\u0301 你好 नमस्ते \U0001f3f3\ufe0f\u200d\U0001f308",
    '{"a": "\\u0000"}',
    "data: [DONE]\n\n",
    "x" * 60_000,
)
TEXT = st.text(max_size=30) | st.sampled_from(ODD_TEXTS)
NAME = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_-]{0,20}", fullmatch=True) | TEXT
NUMBER = st.sampled_from((0, 1, -1, 2, 0.5, 1.0, 1e-320, 1e300, 2**31, 2**53 + 1, 2**63, 2**64, 10**30))
VALUE = st.recursive(
    st.none() | st.booleans() | NUMBER | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
OBJECT = st.dictionaries(TEXT, VALUE, max_size=4)


@dataclass(frozen=True)
class Call:
    """A call of a tool, and what the tool said."""

    id: str
    name: str
    arguments: dict[str, Any]
    result: str


@dataclass(frozen=True)
class Turn:
    """What the user says, what the model answers, and the tools that it calls."""

    user: str
    assistant: str
    calls: list[Call]


@dataclass(frozen=True)
class Chat:
    """A whole chat."""

    system: str | None
    turns: list[Turn]
    last: str
    tools: list[tuple[str, dict[str, Any]]]
    settings: dict[str, Any]
    stream: bool


CHATS = st.builds(
    Chat,
    system=st.none() | TEXT,
    turns=st.lists(
        st.builds(
            Turn,
            user=TEXT,
            assistant=TEXT,
            calls=st.lists(st.builds(Call, id=TEXT, name=NAME, arguments=OBJECT, result=TEXT), max_size=2),
        ),
        max_size=2,
    ),
    last=TEXT,
    tools=st.lists(st.tuples(NAME, OBJECT), max_size=2),
    settings=st.fixed_dictionaries(
        {},
        optional={
            "max_tokens": st.integers(1, 4096) | NUMBER,
            "temperature": st.floats(0, 1) | NUMBER,
            "top_p": st.floats(0, 1) | NUMBER,
            "stop": st.lists(TEXT, max_size=5),
        },
    ),
    stream=st.booleans(),
)


def openai_chat(chat: Chat) -> dict[str, Any]:
    """A chat completion."""
    messages: list[dict[str, Any]] = []
    if chat.system is not None:
        messages.append({"role": "system", "content": chat.system})
    for turn in chat.turns:
        messages.append({"role": "user", "content": turn.user})
        calls = [
            {"id": each.id, "type": "function", "function": {"name": each.name, "arguments": _text(each)}}
            for each in turn.calls
        ]
        messages.append(
            {"role": "assistant", "content": turn.assistant, **({"tool_calls": calls} if calls else {})}
        )
        messages += [{"role": "tool", "tool_call_id": each.id, "content": each.result} for each in turn.calls]
    messages.append({"role": "user", "content": chat.last})
    tools = [{"type": "function", "function": {"name": name, "parameters": of}} for name, of in chat.tools]
    return {
        "messages": messages,
        "stream": chat.stream,
        **chat.settings,
        **({"tools": tools} if tools else {}),
    }


def openai_responses(chat: Chat) -> dict[str, Any]:
    """A response."""
    items: list[dict[str, Any]] = []
    for turn in chat.turns:
        items.append({"role": "user", "content": turn.user})
        items.append({"role": "assistant", "content": turn.assistant})
        for each in turn.calls:
            call = {"call_id": each.id, "name": each.name, "arguments": _text(each)}
            items.append({"type": "function_call", **call})
            items.append({"type": "function_call_output", "call_id": each.id, "output": each.result})
    items.append({"role": "user", "content": chat.last})
    tools = [{"type": "function", "name": name, "parameters": of} for name, of in chat.tools]
    names = {"max_tokens": "max_output_tokens"}
    settings = {names.get(name, name): each for name, each in chat.settings.items() if name != "stop"}
    return {"input": items, "instructions": chat.system, "stream": chat.stream, "tools": tools, **settings}


def anthropic_messages(chat: Chat) -> dict[str, Any]:
    """A message."""
    messages: list[dict[str, Any]] = []
    for turn in chat.turns:
        messages.append({"role": "user", "content": turn.user})
        calls = [
            {"type": "tool_use", "id": each.id, "name": each.name, "input": each.arguments}
            for each in turn.calls
        ]
        messages.append({"role": "assistant", "content": [{"type": "text", "text": turn.assistant}, *calls]})
        results = [
            {"type": "tool_result", "tool_use_id": each.id, "content": each.result} for each in turn.calls
        ]
        messages += [{"role": "user", "content": results}] if results else []
    messages.append({"role": "user", "content": chat.last})
    tools = [{"name": name, "input_schema": of} for name, of in chat.tools]
    names = {"stop": "stop_sequences"}
    settings = {names.get(name, name): each for name, each in chat.settings.items()}
    system = {} if chat.system is None else {"system": chat.system}
    return {
        "max_tokens": 100,
        "messages": messages,
        "stream": chat.stream,
        "tools": tools,
        **system,
        **settings,
    }


def gemini_generate(chat: Chat) -> dict[str, Any]:
    """Contents."""
    contents: list[dict[str, Any]] = []
    for turn in chat.turns:
        contents.append({"role": "user", "parts": [{"text": turn.user}]})
        calls = [
            {"functionCall": {"id": each.id, "name": each.name, "args": each.arguments}}
            for each in turn.calls
        ]
        contents.append({"role": "model", "parts": [{"text": turn.assistant}, *calls]})
        results = [
            {"functionResponse": {"id": each.id, "name": each.name, "response": {"output": each.result}}}
            for each in turn.calls
        ]
        contents += [{"role": "user", "parts": results}] if results else []
    contents.append({"role": "user", "parts": [{"text": chat.last}]})
    tools = [{"name": name, "parametersJsonSchema": of} for name, of in chat.tools]
    names = {"max_tokens": "maxOutputTokens", "top_p": "topP", "stop": "stopSequences"}
    settings = {names.get(name, name): each for name, each in chat.settings.items()}
    system = {} if chat.system is None else {"systemInstruction": {"parts": [{"text": chat.system}]}}
    return {
        "contents": contents,
        "tools": [{"functionDeclarations": tools}],
        "generationConfig": settings,
        **system,
    }


def _text(call: Call) -> str:
    return json.dumps(call.arguments, ensure_ascii=False)


WRITERS: dict[str, Callable[[Chat], dict[str, Any]]] = {
    "openai_chat": openai_chat,
    "openai_responses": openai_responses,
    "anthropic_messages": anthropic_messages,
    "gemini_generate": gemini_generate,
}
