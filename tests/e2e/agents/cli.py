"""The agents themselves: installed once from their lock, started in a workspace, pointed at a gateway."""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.agents import task
from tests.upstreams.speech import Turn

SWITCH = "LLMGW_TEST_AGENTS"
SOURCE = Path(__file__).parent / "cli"
INSTALL_SECONDS = 600
RUN_SECONDS = 90


@dataclass(frozen=True)
class Cli:
    """How one of them is started: arguments, environment and settings; and what the model says to it."""

    name: str
    arguments: tuple[str, ...]
    prepare: Callable[[Path, str, str], dict[str, str]]
    turns: Callable[[Path], tuple[Turn, ...]]


def install(cache: pytest.Cache) -> Path:
    """The folder of their commands; skips where they are not asked for or cannot run."""
    if not os.environ.get(SWITCH):
        pytest.skip(f"the coding agents are large: make test-agents, or {SWITCH}=1, installs and starts them")
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("the coding agents need Node (node and npm), which is not installed")
    lock = hashlib.sha256((SOURCE / "package-lock.json").read_bytes()).hexdigest()[:16]
    folder = cache.mkdir(f"agents-{lock}")
    for each in ("package.json", "package-lock.json"):
        shutil.copy(SOURCE / each, folder)
    if not (folder / "installed").exists():
        subprocess.run(["npm", "ci"], cwd=folder, check=True, timeout=INSTALL_SECONDS, capture_output=True)
        (folder / "installed").touch()
    return folder / "node_modules" / ".bin"


def run(cli: Cli, commands: Path, home: Path, workspace: Path, root: str, key: str) -> str:
    """Let it work on the task, with nothing of this machine's settings; what it printed."""
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "TERM": "dumb"}
    environment |= cli.prepare(home, root, key)
    command = [str(commands / cli.arguments[0]), *cli.arguments[1:]]
    ended = subprocess.run(
        command,
        cwd=workspace,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )
    assert ended.returncode == 0, f"{cli.name} ended with {ended.returncode}:\n{ended.stdout}\n{ended.stderr}"
    return ended.stdout


def _claude(_home: Path, root: str, key: str) -> dict[str, str]:
    quiet = {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "IS_SANDBOX": "1"}
    return {"ANTHROPIC_BASE_URL": root, "ANTHROPIC_AUTH_TOKEN": key, **quiet}


def _codex(model: str) -> Callable[[Path, str, str], dict[str, str]]:
    def prepare(home: Path, root: str, key: str) -> dict[str, str]:
        (home / ".codex").mkdir()
        (home / ".codex/config.toml").write_text(
            f'model = "{model}"\nmodel_provider = "llmgw"\n'
            'approval_policy = "never"\nsandbox_mode = "danger-full-access"\n'
            f'[model_providers.llmgw]\nname = "llmgw"\nbase_url = "{root}/v1"\n'
            'env_key = "LLMGW_API_KEY"\nwire_api = "responses"\n'
        )
        return {"LLMGW_API_KEY": key}

    return prepare


def _gemini(home: Path, root: str, key: str) -> dict[str, str]:
    (home / ".gemini").mkdir()
    settings = {
        "security": {"auth": {"selectedType": "gemini-api-key"}},
        "privacy": {"usageStatisticsEnabled": False},
        "telemetry": {"enabled": False},
        "general": {"disableAutoUpdate": True, "disableUpdateNag": True},
    }
    (home / ".gemini/settings.json").write_text(json.dumps(settings))
    return {"GOOGLE_GEMINI_BASE_URL": root, "GEMINI_API_KEY": key}


_CLAUDE_CODE = ("claude", "-p", task.TASK, "--dangerously-skip-permissions")
_CODEX = ("codex", "exec", "--skip-git-repo-check", task.TASK)
_GEMINI_CLI = ("gemini", "--skip-trust", "-y", "-p", task.TASK)
CLIS = (
    Cli("Claude Code", _CLAUDE_CODE, _claude, task.claude_code),
    Cli("Codex", _CODEX, _codex("gpt-5.5"), task.codex),
    Cli("Codex, newer models", _CODEX, _codex("gpt-6-sol"), task.codex_of_programs),
    Cli("Gemini CLI", _GEMINI_CLI, _gemini, task.gemini_cli),
)
