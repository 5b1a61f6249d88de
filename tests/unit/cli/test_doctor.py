"""`llmgw doctor`."""

import json
import resource
import socket
import ssl
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from llmgw.cli import OK, UNHEALTHY, run
from llmgw.cli.health.finding import Finding
from llmgw.cli.health.live import check_upstream
from llmgw.cli.health.machine import check_clock, check_descriptors, check_port
from llmgw.state import StateFolder

Output = pytest.CaptureFixture[str]


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def findings(capsys: Output, *arguments: str) -> dict[str, Finding]:
    run(["doctor", "--no-env-file", "--json", *arguments])
    listed = json.loads(capsys.readouterr().out)
    return {each["check"]: Finding(**each) for each in listed}


def test_a_sound_machine_is_told_in_a_table(tmp_path: Path, port: int, capsys: Output) -> None:
    (tmp_path / "a.yaml").write_text(f"server: {{port: {port}, max_connections: 1}}")
    assert run(["doctor", "--config", "a.yaml", "--no-env-file"]) == OK
    told = capsys.readouterr().out
    assert "✗" not in told
    assert told.count("✓") >= 8


def test_every_check_is_in_the_json(tmp_path: Path, port: int, capsys: Output) -> None:
    (tmp_path / "a.yaml").write_text(f"server: {{port: {port}}}")
    assert set(findings(capsys, "--config", "a.yaml")) == {
        "python",
        "build",
        "descriptors",
        "port",
        "clock",
        "settings",
        "state",
        "references",
        "admin key",
        "models",
    }


def test_settings_that_cannot_be_used_are_unhealthy(tmp_path: Path, capsys: Output) -> None:
    (tmp_path / "a.yaml").write_text("prot: 3")
    assert run(["doctor", "--config", "a.yaml", "--no-env-file"]) == UNHEALTHY
    assert "unknown key 'prot'" in " ".join(capsys.readouterr().out.split())


def test_a_reference_that_leads_nowhere_is_told(tmp_path: Path, capsys: Output) -> None:
    (tmp_path / "a.yaml").write_text("keys: [{alias: a, key: env:NOWHERE_AT_ALL}]")
    found = findings(capsys, "--config", "a.yaml")["references"]
    assert (found.level, found.message) == (
        "failure",
        "keys[0].key: the environment variable NOWHERE_AT_ALL is not set",
    )


def test_a_reference_that_the_environment_overrides_need_not_resolve(
    tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.yaml").write_text("general_settings: {master_key: env:NOWHERE_AT_ALL}")
    monkeypatch.setenv("LLMGW_MASTER_KEY", "a-good-and-long-key")
    assert findings(capsys, "--config", "a.yaml")["references"].level == "ok"


def test_a_weak_admin_key_is_told_and_not_shown(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMGW_MASTER_KEY", "canary")
    found = findings(capsys)["admin key"]
    assert found.level == "failure"
    assert "canary" not in found.message


def test_a_state_folder_that_others_may_enter_is_warned_of(home: Path, capsys: Output) -> None:
    StateFolder(home).prepare(with_master_key=True)
    home.chmod(0o755)
    found = findings(capsys)["state"]
    assert (found.level, found.hint) == ("warning", f"chmod 700 {home}")


def test_a_key_file_that_others_may_read_is_a_failure(home: Path, capsys: Output) -> None:
    StateFolder(home).prepare(with_master_key=True)
    (home / "master.key").chmod(0o644)
    found = findings(capsys)
    assert (found["state"].level, found["admin key"].level) == ("failure", "failure")
    assert "chmod 600" in found["state"].message


def test_the_port_of_the_environment_is_the_one_looked_at(
    port: int, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMGW_PORT", str(port))
    assert findings(capsys)["port"].message == f"127.0.0.1:{port} is free"


def test_the_doctor_leaves_no_trace(home: Path, capsys: Output) -> None:
    findings(capsys)
    assert not home.exists()


def test_a_port_that_is_taken_is_a_failure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        taken.settimeout(0)
        port = int(taken.getsockname()[1])
        found = check_port("127.0.0.1", port)
    assert (found.level, found.hint) == ("failure", "choose another --port")


def test_too_few_descriptors_are_warned_of_with_the_remedy() -> None:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert check_descriptors(1).level == "ok"
    assert check_descriptors(soft).level == "warning"


def test_a_clock_before_the_installation_is_a_failure() -> None:
    assert check_clock(0.0).level == "failure"


def test_an_upstream_that_is_not_there_is_a_failure(port: int) -> None:
    found = check_upstream(urlsplit(f"https://127.0.0.1:{port}"), ssl.create_default_context())
    assert found.level == "failure"
