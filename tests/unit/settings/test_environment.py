"""The environment, and `.env` files below it."""

from pathlib import Path

import pytest

from llmgw.settings.environment import Environment, EnvironmentFileError, read_env_file


def test_our_name_wins_over_litellms() -> None:
    both = Environment({"LLMGW_MASTER_KEY": "ours", "LITELLM_MASTER_KEY": "theirs"})
    assert both.own("MASTER_KEY") == "ours"


def test_an_empty_variable_counts_as_unset() -> None:
    one = Environment({"LLMGW_MASTER_KEY": "", "LITELLM_MASTER_KEY": "theirs"})
    assert one.own("MASTER_KEY") == "theirs"
    assert Environment({"LLMGW_MASTER_KEY": ""}).own("MASTER_KEY") is None


def test_repr_shows_no_value() -> None:
    assert repr(Environment({"KEY": "canary"})) == "Environment(1 variables)"


def test_env_files_hold_assignments_quotes_and_comments(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(
        "# a comment\n\nexport A=1\nB='two words'\nC=\"a # b\"\nD=plain # a comment\nE=a=b\nF=\n",
    )
    assert read_env_file(file) == {
        "A": "1",
        "B": "two words",
        "C": "a # b",
        "D": "plain",
        "E": "a=b",
        "F": "",
    }


def test_a_line_that_is_no_assignment_is_told_without_its_text(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("A=1\nsk-canary\n")
    with pytest.raises(EnvironmentFileError, match=r":2: expected NAME=value") as caught:
        read_env_file(file)
    assert "canary" not in str(caught.value)


def test_the_process_wins_over_files_and_later_files_over_earlier(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in (("default", "A=0\nB=0\nC=0\nD=0"), ("one", "B=1\nC=1\nD=1"), ("two", "C=2\nD=2")):
        (tmp_path / name).write_text(text)
    monkeypatch.setenv("D", "3")
    for name in "ABC":
        monkeypatch.delenv(name, raising=False)
    files = [tmp_path / "one", tmp_path / "two"]
    environment = Environment.of_process(files, default_file=tmp_path / "default")
    assert [environment[name] for name in "ABCD"] == ["0", "1", "2", "3"]


def test_a_missing_default_file_is_no_error_but_a_missing_named_one_is(tmp_path: Path) -> None:
    Environment.of_process(default_file=tmp_path / "none")
    with pytest.raises(EnvironmentFileError, match="No such file"):
        Environment.of_process([tmp_path / "none"])
