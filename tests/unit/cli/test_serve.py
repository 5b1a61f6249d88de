"""What `llmgw serve` starts with."""

from pathlib import Path

import pytest

from llmgw.cli import CommandError
from llmgw.cli.app import parse
from llmgw.settings.process import ServeOptions


def options(*arguments: str) -> ServeOptions:
    found = parse(["serve", *arguments])
    assert isinstance(found, ServeOptions)
    return found


def test_without_options_everything_is_left_to_the_file() -> None:
    found = options()
    assert (found.config, found.host, found.port, found.workers, found.metrics_auth) == (None,) * 5
    assert found.default_env_file == Path(".env")
    assert found.reload


def test_options_are_taken(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.touch()
    found = options("-c", str(file), "--host", "::", "--port", "0", "--workers", "3", "--no-reload")
    assert (found.config, found.host, found.port, found.workers) == (file, "::", 0, 3)
    assert not found.reload


def test_the_environment_says_what_the_command_line_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "1")
    monkeypatch.setenv("LLMGW_PORT", "2")
    monkeypatch.setenv("NUM_WORKERS", "3")
    monkeypatch.setenv("LLMGW_HOST", "0.0.0.0")
    found = options("--workers", "4")
    assert (found.host, found.port, found.workers) == ("0.0.0.0", 2, 4)


def test_a_settings_file_may_be_named_by_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.yaml").touch()
    monkeypatch.setenv("LLMGW_CONFIG", "a.yaml")
    assert options().config == Path("a.yaml")


def test_env_files_are_read_below_the_process(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("LLMGW_PORT=7\n")
    assert options("--env-file", str(tmp_path / "one")).port == 7


def test_the_default_env_file_is_read_unless_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("LLMGW_PORT=7\n")
    assert options().port == 7
    assert options("--no-env-file").port is None


@pytest.mark.parametrize("value", ["many", "-1", "65536", "1.5"])
def test_a_variable_that_is_no_port_is_told_by_name(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMGW_PORT", value)
    with pytest.raises(CommandError, match="LLMGW_PORT must be a number from 0 to 65535"):
        options()
