"""Gemini CLI's part of a session: its requests, what it does with the answers, and what it wants of them."""

import json
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.agents import events, tools
from tests.e2e.agents.task import TASK

MODEL = "gemini-3.1-pro-preview"
SMALL_MODEL = "gemini-3.5-flash-lite"
# What it writes before calls that came without a signature; Google's models take it for one.
UNSIGNED = "skip_thought_signature_validator"
HEADERS = {
    "user-agent": f"GeminiCLI/0.61.0/{MODEL} (linux; x64; terminal)",
    "x-goog-api-client": "google-genai-sdk/1.30.0 gl-node/v22.0.0",
}
SAMPLING = {"temperature": 1, "topP": 0.95, "topK": 64}
THINKING = {"thinkingConfig": {"includeThoughts": True, "thinkingLevel": "HIGH"}}
SYSTEM = {"role": "user", "parts": [{"text": "You are an agent.\n" + "Follow the project's ways.\n" * 400}]}
# Its own words for types, where JSON Schema's belong.
DIFFICULTY = {
    "type": "OBJECT",
    "properties": {"complexity_reasoning": {"type": "STRING"}, "complexity_score": {"type": "INTEGER"}},
    "required": ["complexity_reasoning", "complexity_score"],
}
RUN: dict[str, tools.Tool] = {
    "run_shell_command": lambda folder, arguments: tools.run(folder, arguments["command"]),
    "read_file": tools.read,
    "write_file": tools.write,
}
OTHERS = ("glob", "google_web_search", "grep_search", "list_directory", "replace", "save_memory", "web_fetch")


def declarations() -> list[dict[str, Any]]:
    """Its tools."""
    names = ("file_path", "command", "content", "description", "pattern")
    properties = {name: {"type": "string", "description": name} for name in names}
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return [
        {"name": name, "description": f"{name} does its work.", "parametersJsonSchema": schema}
        for name in (*RUN, *OTHERS)
    ]


class GeminiCli:
    """One session in a folder; `contents` is the conversation as it would be sent next."""

    def __init__(self, root: str, key: str, folder: Path) -> None:
        self._client = httpx.Client(base_url=root, headers=HEADERS | {"x-goog-api-key": key}, timeout=30)
        self._folder = folder
        self.contents: list[dict[str, Any]] = _hello()
        self.thoughts: list[str] = []
        self.usage: list[dict[str, int]] = []

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def difficulty(self) -> int:
        """How hard the task is, which a smaller model says in JSON."""
        config = {**SAMPLING, "responseMimeType": "application/json", "responseJsonSchema": DIFFICULTY}
        body = {"contents": self.contents, "systemInstruction": SYSTEM, "generationConfig": config | THINKING}
        reply = events.post(self._client, f"/v1beta/models/{SMALL_MODEL}:generateContent", body)
        text = "".join(part["text"] for part in reply["candidates"][0]["content"]["parts"] if "text" in part)
        return int(json.loads(text)["complexity_score"])

    def count(self) -> int:
        """How large the conversation is."""
        body = {"contents": self.contents}
        return int(events.post(self._client, f"/v1beta/models/{MODEL}:countTokens", body)["totalTokens"])

    def work(self) -> str:
        """Go on until the model calls nothing any more; its last words."""
        while True:
            parts = self._turn()
            self.contents.append({"role": "model", "parts": parts})
            calls = [part["functionCall"] for part in parts if "functionCall" in part]
            if not calls:
                return "".join(part.get("text", "") for part in parts)
            self.contents.append({"role": "user", "parts": [self._result(each) for each in calls]})

    def _result(self, call: dict[str, Any]) -> dict[str, Any]:
        said = {"output": RUN[call["name"]](self._folder, call["args"])}
        return {"functionResponse": {"id": call["id"], "name": call["name"], "response": said}}

    def _turn(self) -> list[dict[str, Any]]:
        body = {
            "contents": self.contents,
            "systemInstruction": SYSTEM,
            "tools": [{"functionDeclarations": declarations()}],
            "generationConfig": SAMPLING | THINKING,
        }
        path = f"/v1beta/models/{MODEL}:streamGenerateContent?alt=sse"
        parts: list[dict[str, Any]] = []
        ended = False
        usage: dict[str, int] = {}
        for name, data in events.stream(self._client, path, body):
            assert not name, "its events have no names"
            assert not ended, "nothing follows the end"
            for candidate in data.get("candidates", []):
                assert candidate.get("index", 0) == 0
                parts += candidate.get("content", {}).get("parts", [])
                ended = "finishReason" in candidate
            usage = data.get("usageMetadata", usage)
        assert ended
        self.usage.append(usage)
        return self._kept(parts)

    def _kept(self, parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """What stays of a turn: no thoughts, texts joined, its first call with a signature."""
        self.thoughts.append("".join(part["text"] for part in parts if part.get("thought")))
        kept: list[dict[str, Any]] = []
        for part in parts:
            if part.get("thought") or part.get("text") == "":
                continue
            joins = kept and part.keys() == {"text"} and kept[-1].keys() == {"text"}
            if joins:
                kept[-1]["text"] += part["text"]
            else:
                kept.append(dict(part))
        first = next((part for part in kept if "functionCall" in part), None)
        if first is not None:
            first.setdefault("thoughtSignature", UNSIGNED)
        return kept


def _hello() -> list[dict[str, Any]]:
    texts = ("<session_context>\nThis is the Gemini CLI.\n</session_context>", TASK)
    return [{"role": "user", "parts": [{"text": text}]} for text in texts]
