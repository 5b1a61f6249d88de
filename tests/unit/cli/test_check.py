"""`llmgw check`."""

import json
from pathlib import Path

import pytest

from llmgw.cli import FAILED, OK, run

Output = pytest.CaptureFixture[str]

GOOD = "model_list: [{model_name: a, params: {model: mock/echo}}]\nlitellm_settings: {drop_params: true}\n"
BAD = "model_list: [{model_name: a, params: {model: opnai/m}}]\nkeys: [{alias: k, key: canary}]\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "a.yaml"


def test_a_good_file_is_summed_up(file: Path, capsys: Output) -> None:
    file.write_text(GOOD)
    assert run(["check", "--config", str(file)]) == OK
    told = capsys.readouterr()
    assert told.out == f"{file} can be used: 1 model group, 1 deployment, 1 key, 1 warning\n"
    assert "drop_params: known from LiteLLM" in told.err


def test_a_bad_file_is_told_with_every_problem_and_no_secret(file: Path, capsys: Output) -> None:
    file.write_text(BAD)
    assert run(["check", "--config", str(file)]) == FAILED
    told = capsys.readouterr()
    assert told.out == f"{file} cannot be used: 2 problems\n"
    assert told.err.count("error: ") == 2
    assert "canary" not in told.err


def test_json_says_the_same(file: Path, capsys: Output) -> None:
    file.write_text(BAD)
    assert run(["check", "--config", str(file), "--json"]) == FAILED
    verdict = json.loads(capsys.readouterr().out)
    assert (verdict["ok"], verdict["file"]) == (False, str(file))
    assert [(each["path"], each["line"]) for each in verdict["problems"]] == [
        ("model_list[0].params.model", 1),
        ("keys[0].key", 2),
    ]


def test_the_defaults_can_be_checked_too(capsys: Output) -> None:
    assert run(["check", "--no-env-file"]) == OK
    assert capsys.readouterr().out.startswith("the defaults can be used: ")


def test_checking_leaves_no_trace(file: Path, home: Path) -> None:
    file.write_text(GOOD)
    run(["check", "--config", str(file)])
    assert not home.exists()


def test_what_only_the_native_core_refuses_is_told_too(
    file: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: bytes) -> None:
        raise ValueError("group 3 has no deployment")

    file.write_text(GOOD)
    monkeypatch.setattr("llmgw._native.check_snapshot", refuse)
    assert run(["check", "--config", str(file)]) == FAILED
    assert f"error: {file}: group 3 has no deployment" in capsys.readouterr().err
