"""The JavaScript SDKs: installed once from their lock, asked all at once in a process of their own."""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.clients.base import MAX_TOKENS, PNG, SCHEMA, THINKING_TOKENS, TOOLS, Ask

SOURCE = Path(__file__).parents[1] / "e2e/dialects/node"
INSTALL_SECONDS = 300
ASK_SECONDS = 110
# Each SDK, with the surface it speaks.
SDKS = {
    "openai_chat": "openai_chat",
    "openai_responses": "openai_responses",
    "anthropic_messages": "anthropic_messages",
    "ai_openai_chat": "openai_chat",
    "ai_openai_responses": "openai_responses",
    "ai_anthropic": "anthropic_messages",
    "ai_google": "gemini_generate",
}
# Vercel's AI SDK has its own words for the reasons to stop.
AI_FINISH = {"stop": "stop", "tool_calls": "tool-calls", "length": "length"}
SCENARIOS = ("text", "unicode", "parallel_tools", "json_schema", "reasoning", "image", "usage")
# It asks OpenAI's models for thoughts only if it knows them by name.
NOT_ASKED = {("ai_openai_chat", "reasoning"), ("ai_openai_responses", "reasoning")}


def install(cache: pytest.Cache) -> Path:
    """A folder with the SDKs and the scripts; made once for each version of the lock.

    Skips where there is no Node, and fails if the packages cannot be had.
    """
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("the JavaScript SDKs need Node (node and npm), which is not installed")
    lock = hashlib.sha256((SOURCE / "package-lock.json").read_bytes()).hexdigest()[:16]
    folder = cache.mkdir(f"node-sdks-{lock}")
    for each in SOURCE.iterdir():
        if each.is_file():
            shutil.copy(each, folder)
    if not (folder / "installed").exists():
        subprocess.run(["npm", "ci"], cwd=folder, check=True, timeout=INSTALL_SECONDS, capture_output=True)
        (folder / "installed").touch()
    return folder


def job(sdk: str, root: str, key: str, model: str, scenario: str, *, stream: bool) -> dict[str, Any]:
    """One question for `run`."""
    ask = Ask(scenario)
    question: dict[str, Any] = {"text": ask.text, "maxTokens": MAX_TOKENS, "thinkingTokens": THINKING_TOKENS}
    if ask.needs("image"):
        question["image"] = PNG
    if ask.needs("tools"):
        question["tools"] = [
            {"name": name, "description": about, "schema": schema} for name, (about, schema) in TOOLS.items()
        ]
    if ask.needs("schema"):
        question["schema"] = SCHEMA
    question["thinking"] = ask.needs("thinking")
    return {"sdk": sdk, "root": root, "key": key, "model": model, "stream": stream, "ask": question}


def run(folder: Path, jobs: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """What came of the jobs, in their order: `{"outcome": …}` or `{"error": {name, status, message}}`."""
    given = json.dumps(list(jobs))
    done = subprocess.run(
        ["node", "ask.mjs"],
        cwd=folder,
        input=given,
        capture_output=True,
        text=True,
        timeout=ASK_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    results: list[dict[str, Any]] = json.loads(done.stdout)
    return results
