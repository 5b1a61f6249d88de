"""Claude Code's part of a session: its requests, what it does with the answers, and what it wants of them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.agents import events, tools
from tests.e2e.agents.task import TASK

MODEL = "claude-sonnet-4-5"
BETAS = (
    "claude-code-20250219,interleaved-thinking-2025-05-14,context-management-2025-06-27,"
    "advanced-tool-use-2025-11-20,effort-2025-11-24"
)
HEADERS = {
    "anthropic-beta": BETAS,
    "anthropic-dangerous-direct-browser-access": "true",
    "anthropic-version": "2023-06-01",
    "user-agent": "claude-cli/2.1.331 (external, cli)",
    "x-app": "cli",
    "x-stainless-lang": "js",
    "x-stainless-retry-count": "0",
}
MARK = {"cache_control": {"type": "ephemeral"}}
SYSTEM = [
    {"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1.331; cc_entrypoint=cli;"},
    {"type": "text", "text": "You are an agent that works on the user's code.", **MARK},
    {"type": "text", "text": "# Rules\n" + "Read before you write. Say plainly what failed.\n" * 400, **MARK},
]
RUN: dict[str, tools.Tool] = {
    "Bash": lambda folder, arguments: tools.run(folder, arguments["command"]),
    "Read": tools.read,
    "Write": tools.write,
}
OTHERS = (
    *("Agent", "AskUserQuestion", "Edit", "EnterPlanMode", "ExitPlanMode", "Glob", "Grep", "KillShell"),
    *("ListMcpResources", "LSP", "NotebookEdit", "ReadMcpResource", "Skill", "Task", "TaskOutput"),
    *("TaskStop", "TodoWrite", "ToolSearch", "WebFetch", "WebSearch"),
    *("mcp__files__list_directory", "mcp__files__read_text_file"),
)


def declarations() -> list[dict[str, Any]]:
    """Its tools, more than twenty."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "file_path": {"type": "string", "description": "An absolute path"},
            "command": {"type": "string"},
            "content": {"type": "string"},
            "description": {"type": "string"},
            "limit": {"type": "integer", "exclusiveMinimum": 0, "maximum": 9007199254740991},
            "edits": {
                "type": "array",
                "items": {"type": "object", "properties": {"old": {"type": "string"}}},
            },
        },
        "additionalProperties": False,
    }
    names = [*RUN, *OTHERS]
    return [{"name": name, "description": f"{name} does its work.", "input_schema": schema} for name in names]


class ClaudeCode:
    """One session in a folder; `messages` is the conversation as it would be sent next."""

    def __init__(self, root: str, key: str, folder: Path) -> None:
        headers = HEADERS | {"authorization": f"Bearer {key}"}
        self._client = httpx.Client(base_url=root, headers=headers, timeout=30)
        self._folder = folder
        self.messages: list[dict[str, Any]] = []
        self.usage: list[dict[str, int]] = []

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def models(self) -> list[str]:
        """The models that its picker offers."""
        reply = self._client.get("/v1/models", params={"limit": 1000})
        assert reply.status_code == 200, reply.text
        listed = reply.json()
        assert {"data", "first_id", "has_more", "last_id"} <= set(listed)
        assert all(each["type"] == "model" for each in listed["data"])
        return [each["id"] for each in listed["data"]]

    def is_there(self) -> bool:
        """Whether somebody answers at the root, whatever it is."""
        return self._client.head("/").status_code < 500

    def count(self) -> int:
        """How large the conversation is."""
        asked = {"model": MODEL, "messages": self.messages or _hello(), "tools": declarations()}
        return int(events.post(self._client, "/v1/messages/count_tokens?beta=true", asked)["input_tokens"])

    def title(self) -> str:
        """A name for the session, which its smaller model finds."""
        asked = {"model": "claude-haiku-4-5", "max_tokens": 512, "messages": _hello(), "system": SYSTEM[:2]}
        reply = events.post(self._client, "/v1/messages?beta=true", asked)
        assert (reply["type"], reply["role"], reply["stop_reason"]) == ("message", "assistant", "end_turn")
        return str(reply["content"][0]["text"])

    def work(self) -> str:
        """Go on until the model calls nothing any more; its last words."""
        self.messages = _hello()
        while True:
            content, reason = self._turn()
            self.messages.append({"role": "assistant", "content": content})
            calls = [each for each in content if each["type"] == "tool_use"]
            assert reason == ("tool_use" if calls else "end_turn")
            if not calls:
                return "".join(each["text"] for each in content if each["type"] == "text")
            # Whichever is ready first.
            self.messages.append({"role": "user", "content": [self._result(each) for each in calls[::-1]]})

    def _result(self, call: dict[str, Any]) -> dict[str, Any]:
        said = RUN[call["name"]](self._folder, call["input"])
        return {"tool_use_id": call["id"], "type": "tool_result", "content": said, "is_error": False}

    def _turn(self) -> tuple[list[dict[str, Any]], str]:
        body = {
            "model": MODEL,
            "messages": _marked(self.messages),
            "system": SYSTEM,
            "tools": declarations(),
            "metadata": {"user_id": json.dumps({"device_id": "0" * 64, "session_id": "01a2"})},
            "max_tokens": 32000,
            "thinking": {"type": "enabled", "budget_tokens": 16000},
            "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
            "stream": True,
        }
        message = Message()
        for name, data in events.stream(self._client, "/v1/messages?beta=true", body):
            assert data["type"] == name
            message.take(data)
        self.usage.append(message.usage)
        return message.content, message.finish()


def _hello() -> list[dict[str, Any]]:
    reminder = {
        "type": "text",
        "text": "<system-reminder>\nThe folder is no git repository.\n</system-reminder>",
    }
    return [{"role": "user", "content": [reminder, {"type": "text", "text": TASK}]}]


def _marked(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The conversation with the end of its last message marked for the cache."""
    *before, last = messages
    *blocks, end = last["content"]
    return [*before, {**last, "content": [*blocks, {**end, **MARK}]}]


class Message:
    """A message as it comes together out of a stream, which has to keep to the order of events."""

    def __init__(self) -> None:
        self.content: list[dict[str, Any]] = []
        self.usage: dict[str, int] = {}
        self._arguments = ""
        self._stage = "new"
        self._reason: str | None = None

    def take(self, data: dict[str, Any]) -> None:
        """One event."""
        steps: dict[str, Callable[[dict[str, Any]], None]] = {
            "message_start": self._start,
            "content_block_start": self._begin,
            "content_block_delta": self._add,
            "content_block_stop": self._end,
            "message_delta": self._delta,
            "message_stop": self._stop,
            "ping": lambda _: None,
        }
        steps[data["type"]](data)

    def finish(self) -> str:
        """Why it ended."""
        assert self._stage == "stopped"
        assert self._reason is not None
        return self._reason

    def _move(self, before: str, after: str) -> None:
        assert self._stage == before, f"{after} may not follow {self._stage}"
        self._stage = after

    def _start(self, data: dict[str, Any]) -> None:
        self._move("new", "between")
        message = data["message"]
        assert message["role"] == "assistant"
        assert message["content"] == []
        assert message["id"]
        self.usage |= message["usage"]

    def _begin(self, data: dict[str, Any]) -> None:
        self._move("between", "within")
        assert data["index"] == len(self.content)
        self.content.append(dict(data["content_block"]))
        self._arguments = ""

    def _add(self, data: dict[str, Any]) -> None:
        assert self._stage == "within"
        assert data["index"] == len(self.content) - 1
        block, delta = self.content[-1], data["delta"]
        if delta["type"] == "input_json_delta":
            self._arguments += delta["partial_json"]
            return
        field = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "signature"}
        name = field[delta["type"]]
        block[name] = block.get(name, "") + delta[name]

    def _end(self, data: dict[str, Any]) -> None:
        self._move("within", "between")
        assert data["index"] == len(self.content) - 1
        block = self.content[-1]
        if block["type"] == "tool_use":
            block["input"] = json.loads(self._arguments or "{}")
        if block["type"] == "thinking":
            assert block["signature"], "a thought without a signature cannot be sent back"

    def _delta(self, data: dict[str, Any]) -> None:
        self._move("between", "ended")
        self._reason = data["delta"]["stop_reason"]
        self.usage |= data["usage"]

    def _stop(self, _data: dict[str, Any]) -> None:
        self._move("ended", "stopped")
