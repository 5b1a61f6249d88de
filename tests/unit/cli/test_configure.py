"""`llmgw configure`."""

import json
import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from llmgw.cli import FAILED, OK, USAGE, run
from llmgw.settings.environment import read_env_file

Output = pytest.CaptureFixture[str]

URL = "https://llm.example"
KEY = "canary-key-0123456789"
GIVEN = ["--url", f"{URL}/v1/", "--api-key", KEY, "--model", "large", "--model", "small"]


@pytest.fixture(autouse=True)
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder of the test's own."""
    folder = tmp_path / "user"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "GEMINI_CLI_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    return folder


def written(user: Path, client: str, *arguments: str) -> None:
    assert run(["configure", client, "--write", *(arguments or GIVEN)]) == OK


def loaded(path: Path) -> Any:
    return json.loads(path.read_text())


def test_claude_code_is_told_the_root_a_token_and_models(user: Path) -> None:
    written(user, "claude")
    assert loaded(user / ".claude" / "settings.json") == {
        "env": {
            "ANTHROPIC_BASE_URL": URL,
            "ANTHROPIC_AUTH_TOKEN": KEY,
            "ANTHROPIC_MODEL": "large",
            "ANTHROPIC_DEFAULT_OPUS_MODEL": "large",
            "ANTHROPIC_DEFAULT_SONNET_MODEL": "large",
            "ANTHROPIC_DEFAULT_HAIKU_MODEL": "small",
            "CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY": "1",
        }
    }


def test_codex_is_told_a_provider_and_where_its_key_is(user: Path, capsys: Output) -> None:
    written(user, "codex")
    assert tomllib.loads((user / ".codex" / "config.toml").read_text()) == {
        "model": "large",
        "model_provider": "llmgw",
        "model_providers": {
            "llmgw": {
                "name": "llmgw",
                "base_url": f"{URL}/v1",
                "env_key": "LLMGW_API_KEY",
                "wire_api": "responses",
            }
        },
    }
    assert "export LLMGW_API_KEY=YOUR-KEY" in capsys.readouterr().out


def test_gemini_cli_is_told_the_root_and_to_sign_in_by_key(user: Path) -> None:
    written(user, "gemini")
    assert read_env_file(user / ".gemini" / ".env") == {
        "GOOGLE_GEMINI_BASE_URL": URL,
        "GEMINI_API_KEY": KEY,
        "GEMINI_MODEL": "large",
    }
    assert loaded(user / ".gemini" / "settings.json") == {
        "security": {"auth": {"selectedType": "gemini-api-key"}}
    }


def test_aider_is_told_the_base_and_a_model_with_its_prefix(user: Path) -> None:
    written(user, "aider")
    assert yaml.safe_load((user / ".aider.conf.yml").read_text()) == {
        "openai-api-base": f"{URL}/v1",
        "openai-api-key": KEY,
        "model": "openai/large",
    }


def test_opencode_is_told_a_provider_with_its_models(user: Path) -> None:
    written(user, "opencode")
    assert loaded(user / ".config" / "opencode" / "opencode.json") == {
        "$schema": "https://opencode.ai/config.json",
        "provider": {
            "llmgw": {
                "npm": "@ai-sdk/openai-compatible",
                "name": "llmgw",
                "options": {"baseURL": f"{URL}/v1", "apiKey": KEY},
                "models": {"large": {"name": "large"}, "small": {"name": "small"}},
            }
        },
        "model": "llmgw/large",
    }


def test_opencode_without_a_key_reads_it_from_the_environment(user: Path) -> None:
    written(user, "opencode", "--url", URL)
    provider = loaded(user / ".config" / "opencode" / "opencode.json")["provider"]["llmgw"]
    assert provider["options"]["apiKey"] == "{env:LLMGW_API_KEY}"


def test_cursor_is_told_by_its_user(user: Path, capsys: Output) -> None:
    written(user, "cursor")
    said = capsys.readouterr().out
    assert f"Override OpenAI Base URL and enter {URL}/v1" in said
    assert list(user.iterdir()) == []


@pytest.mark.parametrize("client", ["claude", "codex", "gemini", "cursor", "aider", "opencode"])
def test_the_key_is_printed_only_when_asked(user: Path, client: str, capsys: Output) -> None:
    for arguments in ([], ["--write"]):
        assert run(["configure", client, *GIVEN, *arguments]) == OK
        assert KEY not in "".join(capsys.readouterr())
    assert run(["configure", client, *GIVEN, "--show-key"]) == OK
    assert KEY in capsys.readouterr().out


@pytest.mark.parametrize("client", ["claude", "codex", "gemini", "aider", "opencode"])
def test_printing_writes_nothing(user: Path, client: str) -> None:
    assert run(["configure", client, *GIVEN]) == OK
    assert list(user.iterdir()) == []


@pytest.mark.parametrize("client", ["claude", "codex", "gemini", "aider", "opencode"])
def test_what_is_written_is_for_its_owner_alone(user: Path, client: str) -> None:
    written(user, client)
    files = [path for path in user.rglob("*") if path.is_file()]
    assert files
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_what_stood_there_stays_and_a_copy_is_kept(user: Path) -> None:
    file = user / ".claude" / "settings.json"
    file.parent.mkdir()
    before = '{"theme": "dark", "env": {"ANTHROPIC_BASE_URL": "https://old.example", "OTHER": "1"}}'
    file.write_text(before)
    file.chmod(0o644)

    written(user, "claude", "--url", URL, "--api-key", KEY)

    held = loaded(file)
    assert (held["theme"], held["env"]["OTHER"], held["env"]["ANTHROPIC_BASE_URL"]) == ("dark", "1", URL)
    (backup,) = file.parent.glob("settings.json.*.bak")
    assert backup.read_text() == before
    assert {stat.S_IMODE(path.stat().st_mode) for path in (file, backup)} == {0o600}


def test_the_same_again_changes_nothing_and_keeps_no_copy(user: Path, capsys: Output) -> None:
    written(user, "claude")
    written(user, "claude")
    assert "says so already" in capsys.readouterr().out
    assert [path.name for path in (user / ".claude").iterdir()] == ["settings.json"]


def test_a_file_that_cannot_be_merged_is_left_as_it_is(user: Path, capsys: Output) -> None:
    file = user / ".claude" / "settings.json"
    file.parent.mkdir()
    file.write_text("{ // a comment\n}")
    assert run(["configure", "claude", "--write", *GIVEN]) == FAILED
    assert file.read_text() == "{ // a comment\n}"
    assert "is left as it is: it is not JSON" in capsys.readouterr().err


def test_of_two_files_none_is_written_if_one_cannot_be(user: Path) -> None:
    folder = user / ".gemini"
    folder.mkdir()
    (folder / "settings.json").write_text("[]")
    assert run(["configure", "gemini", "--write", *GIVEN]) == FAILED
    assert [path.name for path in folder.iterdir()] == ["settings.json"]


def test_a_link_stays_a_link(user: Path, tmp_path: Path) -> None:
    kept = tmp_path / "dotfiles.yml"
    kept.write_text("dark-mode: true\n")
    (user / ".aider.conf.yml").symlink_to(kept)
    written(user, "aider")
    assert (user / ".aider.conf.yml").is_symlink()
    assert yaml.safe_load(kept.read_text())["dark-mode"] is True


def test_a_client_may_keep_its_settings_elsewhere(
    user: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODEX_HOME", str(tmp_path / "codex"))
    written(user, "codex")
    assert (tmp_path / "codex" / "config.toml").exists()


def test_url_and_key_may_stand_in_the_environment(user: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMGW_URL", URL)
    monkeypatch.setenv("LLMGW_API_KEY", KEY)
    written(user, "claude", "--model", "m")
    held = loaded(user / ".claude" / "settings.json")["env"]
    assert (held["ANTHROPIC_BASE_URL"], held["ANTHROPIC_AUTH_TOKEN"]) == (URL, KEY)


@pytest.mark.parametrize(
    "arguments",
    [
        ["emacs"],
        ["claude", "--url", "llm.example"],
        ["claude", "--write", "--url", URL],
        ["claude", "--api-key", "two\nlines"],
        ["gemini", "--model", "a\nGEMINI_API_KEY=b"],
    ],
)
def test_what_cannot_be_is_refused_and_nothing_written(user: Path, arguments: list[str]) -> None:
    assert run(["configure", *arguments]) == USAGE
    assert list(user.iterdir()) == []
