"""Exit codes that a script can tell apart, and errors as one sentence with a hint."""

from pathlib import Path

import pytest

from llmgw.cli import FAILED, OK, REFUSED, UNHEALTHY, USAGE, main, run
from llmgw.settings.problems import SettingsError

Output = pytest.CaptureFixture[str]


def test_what_works_exits_with_0(capsys: Output) -> None:
    assert run(["version"]) == OK
    assert capsys.readouterr().out.startswith("llmgw ")


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["check", "--nope"], ["serve", "--port", "65536"], ["keys", "create"]]
)
def test_wrong_usage_exits_with_2(arguments: list[str], capsys: Output) -> None:
    assert run(arguments) == USAGE
    assert "Error" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["serve", "check", "doctor"])
def test_a_settings_file_that_is_not_there_exits_with_2(command: str, capsys: Output) -> None:
    assert run([command, "--config", "none.yaml"]) == USAGE
    assert "llmgw: there is no settings file none.yaml" in capsys.readouterr().err


def test_no_key_to_show_exits_with_3(home: Path, capsys: Output) -> None:
    assert run(["chat", "hello"]) == REFUSED
    assert capsys.readouterr().err == (
        "llmgw: there is no key to show the gateway\nhint: set LLMGW_API_KEY\n"
    )
    assert not home.exists()


def test_a_gateway_that_is_not_there_exits_with_4(monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    monkeypatch.setenv("LLMGW_API_KEY", "canary-key-0123456789")
    assert run(["chat", "hello", "--url", "http://127.0.0.1:1", "--model", "m"]) == UNHEALTHY
    told = capsys.readouterr().err
    assert "cannot reach http://127.0.0.1:1" in told
    assert "canary" not in told


def test_anything_else_of_ours_exits_with_1_and_a_sentence(home: Path, capsys: Output) -> None:
    home.mkdir()
    (home / "keys.yaml").touch(0o600)
    (home / "keys.yaml").write_text("keys: 5")
    assert run(["keys", "list"]) == FAILED
    assert capsys.readouterr().err.startswith(f"llmgw: {home}/keys.yaml:1: keys: expected a list")


def test_debug_shows_the_traceback(home: Path) -> None:
    home.mkdir()
    (home / "keys.yaml").touch(0o600)
    (home / "keys.yaml").write_text("keys: 5")
    with pytest.raises(SettingsError):
        run(["keys", "list", "--debug"])


def test_the_program_exits_with_the_commands_code() -> None:
    with pytest.raises(SystemExit) as caught:
        main(["check", "--config", "none.yaml"])
    assert caught.value.code == USAGE


@pytest.mark.parametrize("command", ["serve", "check", "doctor", "chat", "keys", "version"])
def test_every_command_is_explained(command: str, capsys: Output) -> None:
    assert run([command, "--help"]) == OK
    assert "Usage: llmgw" in capsys.readouterr().out
