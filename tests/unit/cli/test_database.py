"""`llmgw db` and `llmgw secrets`, as an operator runs them."""

import json
from pathlib import Path

import pytest

from llmgw.cli import FAILED, OK, UNHEALTHY, run
from llmgw.store import upgrade


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LLMGW_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("LLMGW_DATABASE_URL", raising=False)
    monkeypatch.delenv("LLMGW_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


def test_a_database_is_brought_to_this_version(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["db", "current"]) == UNHEALTHY
    assert run(["db", "upgrade"]) == OK
    capsys.readouterr()
    assert run(["db", "current", "--json"]) == OK
    newest = upgrade.newest()
    told = {"store": f"sqlite:///{home}/llmgw.db", "version": newest, "newest": newest}
    assert json.loads(capsys.readouterr().out) == told


def test_a_settings_file_names_the_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.yaml").write_text(f"store: {{url: 'sqlite:///{tmp_path}/named.db'}}\n")
    assert run(["db", "upgrade", "--config", "config.yaml"]) == OK
    assert (tmp_path / "named.db").exists()


def test_a_backup_fills_an_empty_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["db", "upgrade"])
    assert run(["db", "backup", "all.jsonl.gz"]) == OK
    assert run(["db", "backup", "all.jsonl.gz"]) == FAILED
    monkeypatch.setenv("LLMGW_DATABASE_URL", f"sqlite:///{tmp_path}/other.db")
    assert run(["db", "restore", "all.jsonl.gz"]) == OK
    assert run(["db", "current"]) == OK


def test_a_database_that_is_not_there_is_told_without_its_password(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LLMGW_DATABASE_URL", "postgresql://u:hunter2@127.0.0.1:1/x")
    assert run(["db", "current"]) == FAILED
    told = capsys.readouterr()
    assert "cannot be reached" in told.err
    assert "hunter2" not in told.out + told.err


def test_the_key_that_credentials_are_under_is_changed(home: Path) -> None:
    run(["db", "upgrade"])
    assert run(["secrets", "rotate-master"]) == OK
    first = (home / "seal.key").read_text().splitlines()
    assert run(["secrets", "rotate-master"]) == OK
    second = (home / "seal.key").read_text().splitlines()
    assert second[1] == first[0]
    assert len({*first, *second}) == len(first) + 1
