"""Codex's part of a session: its requests, what it does with the answers, and what it wants of them."""

import json
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.agents import events, tools
from tests.e2e.agents.task import TASK

MODEL = "gpt-5.5"
SESSION = "01a2118c-a9ee-7771-9f76-17460517fa66"
HEADERS = {
    "accept": "text/event-stream",
    "originator": "codex_cli_rs",
    "session-id": SESSION,
    "thread-id": SESSION,
    "user-agent": "codex_cli_rs/0.169.0 (Debian 12.0.0; x86_64) xterm",
    "x-codex-beta-features": "remote_compaction_v2",
}
INSTRUCTIONS = "You are a coding agent.\n" + "Keep going until the task is done.\n" * 400
COMMAND = {
    "type": "object",
    "properties": {"cmd": {"type": "string"}, "workdir": {"type": "string"}, "tty": {"type": "boolean"}},
    "required": ["cmd"],
    "additionalProperties": False,
}
GRAMMAR = {
    "type": "grammar",
    "syntax": "lark",
    "definition": 'start: "*** Begin Patch" LF hunk+ "*** End Patch"',
}
PATCH = {"type": "custom", "name": "apply_patch", "description": "Edits files.", "format": GRAMMAR}
TOOLS: list[dict[str, Any]] = [
    {
        "type": "function",
        "name": "exec_command",
        "description": "Runs a command.",
        "strict": False,
        "parameters": COMMAND,
    },
    {
        "type": "function",
        "name": "update_plan",
        "description": "Says what comes next.",
        "strict": False,
        "parameters": {"type": "object", "properties": {"plan": {"type": "array", "items": COMMAND}}},
    },
    PATCH,
]
GROUP = {"type": "namespace", "name": "functions", "description": "", "tools": [TOOLS[0], PATCH]}


class Codex:
    """One session in a folder; `items` is the conversation as it would be sent next.

    With `grouped`, the tools stand in a group and in the conversation, as for OpenAI's newer models.
    """

    def __init__(self, root: str, key: str, folder: Path, *, grouped: bool = False) -> None:
        headers = HEADERS | {"authorization": f"Bearer {key}"}
        self._client = httpx.Client(base_url=root, headers=headers, timeout=30)
        self._folder = folder
        self._grouped = grouped
        self.items: list[dict[str, Any]] = _hello()
        if grouped:
            self.items.insert(0, {"type": "additional_tools", "role": "developer", "tools": [GROUP]})
        self.usage: list[dict[str, Any]] = []

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def work(self) -> str:
        """Go on until the model calls nothing any more; its last words."""
        while True:
            output = self._turn()
            self.items += output
            results = [self._result(each) for each in output if each["type"].endswith("_call")]
            if not results:
                last = output[-1]
                assert (last["type"], last["role"]) == ("message", "assistant")
                return "".join(each["text"] for each in last["content"])
            self.items += results

    def _result(self, call: dict[str, Any]) -> dict[str, Any]:
        assert call.get("namespace") == ("functions" if self._grouped else None)
        if call["type"] == "custom_tool_call":
            assert call["name"] == "apply_patch"
            said = tools.patch(self._folder, call["input"])
        else:
            said = tools.run(self._folder, json.loads(call["arguments"])["cmd"])
        return {"type": f"{call['type']}_output", "call_id": call["call_id"], "output": said}

    def _turn(self) -> list[dict[str, Any]]:
        body: dict[str, Any] = {
            "model": MODEL,
            "instructions": INSTRUCTIONS,
            "input": self.items,
            "tool_choice": "auto",
            "parallel_tool_calls": True,
            "reasoning": {"effort": "medium", "summary": "auto"},
            "store": False,
            "stream": True,
            "include": ["reasoning.encrypted_content"],
            "prompt_cache_key": SESSION,
            "text": {"verbosity": "low"},
            "client_metadata": {"x-codex-installation-id": SESSION},
        }
        if not self._grouped:
            body["tools"] = TOOLS
        response = Response()
        for name, data in events.stream(self._client, "/v1/responses", body):
            assert data["type"] == name
            response.take(data)
        self.usage.append(response.usage)
        return response.output


def _hello() -> list[dict[str, Any]]:
    def said(role: str, text: str) -> dict[str, Any]:
        return {"type": "message", "role": role, "content": [{"type": "input_text", "text": text}]}

    return [
        said("developer", "<permissions instructions>\nEverything is allowed.\n</permissions instructions>"),
        said("user", "<environment_context>\n  <shell>bash</shell>\n</environment_context>"),
        said("user", TASK),
    ]


# Which event's text is a piece of which field of an item.
PIECES = {
    "response.function_call_arguments.delta": "arguments",
    "response.custom_tool_call_input.delta": "input",
    "response.output_text.delta": "text",
    "response.reasoning_summary_text.delta": "summary",
}


class Response:
    """A response as it comes together out of a stream, which has to keep to the order of events."""

    def __init__(self) -> None:
        self.output: list[dict[str, Any]] = []
        self.usage: dict[str, Any] = {}
        self._events = 0
        self._open: dict[str, Any] | None = None
        self._said: dict[str, str] = {}

    def take(self, data: dict[str, Any]) -> None:
        """One event."""
        assert data["sequence_number"] == self._events, "events are numbered one after the other"
        assert (self._events == 0) == (data["type"] == "response.created")
        assert not self.usage, "nothing follows the end"
        self._events += 1
        match data["type"]:
            case "response.output_item.added":
                assert self._open is None
                assert data["output_index"] == len(self.output)
                self._open, self._said = data["item"], {}
            case "response.output_item.done":
                self._done(data["item"])
            case "response.completed":
                self._completed(data["response"])
            case kind if kind in PIECES:
                assert self._open is not None
                assert data["item_id"] == self._open["id"]
                field = PIECES[kind]
                self._said[field] = self._said.get(field, "") + data["delta"]
            case kind:
                assert kind not in {"response.failed", "response.incomplete", "error"}, data

    def _done(self, item: dict[str, Any]) -> None:
        assert self._open is not None
        assert (item["id"], item["type"]) == (self._open["id"], self._open["type"])
        self._open = None
        whole = {
            "arguments": item.get("arguments", ""),
            "input": item.get("input", ""),
            "text": "".join(each.get("text", "") for each in item.get("content") or []),
            "summary": "".join(each["text"] for each in item.get("summary", [])),
        }
        assert {name: text for name, text in whole.items() if text} == self._said
        self.output.append(item)

    def _completed(self, response: dict[str, Any]) -> None:
        assert self._open is None
        assert response["status"] == "completed"
        assert response["output"] == self.output
        self.usage = response["usage"]
        assert self.usage["total_tokens"] == self.usage["input_tokens"] + self.usage["output_tokens"]
