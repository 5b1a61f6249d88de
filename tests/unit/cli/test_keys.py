"""`llmgw keys`."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from llmgw.access.keys import digest
from llmgw.cli import FAILED, OK, USAGE, run
from llmgw.settings.secrets import Secret
from llmgw.state import StateFolder

Output = pytest.CaptureFixture[str]


def created(capsys: Output, *arguments: str) -> dict[str, Any]:
    assert run(["keys", "create", *arguments, "--json"]) == OK
    fields: dict[str, Any] = json.loads(capsys.readouterr().out)
    return fields


def test_a_key_is_shown_once_and_kept_as_its_digest(home: Path, capsys: Output) -> None:
    assert run(["keys", "create", "team-a"]) == OK
    key = capsys.readouterr().out.splitlines()[0]
    state = StateFolder(home).read()
    assert [entry.digest for entry in state.keys] == [digest(Secret(key), state.pepper)]
    assert not [file for file in home.iterdir() if file.is_file() and key in file.read_text()]


def test_a_key_may_be_made_for_pass_throughs(home: Path, capsys: Output) -> None:
    made = created(
        capsys, "a", "--models", "gpt-4o", "--pass-through", "anthropic", "--pass-through", "gemini"
    )
    assert made["pass_through"] == ["anthropic", "gemini"]
    assert StateFolder(home).read_keys()[0].pass_through == ("anthropic", "gemini")
    assert created(capsys, "b")["pass_through"] is None
    assert run(["keys", "create", "c", "--pass-through", "Not a name"]) == USAGE


def test_limits_are_kept(capsys: Output) -> None:
    made = created(
        capsys,
        "a",
        "--models",
        "gpt-4o",
        "--models",
        "mock/*",
        "--rpm",
        "5",
        "--tpm",
        "7",
        "--expires",
        "2030-01-31",
    )
    assert (made["models"], made["rpm_limit"], made["tpm_limit"]) == (["gpt-4o", "mock/*"], 5, 7)
    assert (made["expires"], made["standing"]) == ("2030-01-31", "active")


def test_names_of_its_own_are_kept(home: Path, capsys: Output) -> None:
    made = created(capsys, "a", "--map", "claude-*=local", "--map", "gpt-5=local")
    assert made["model_map"] == {"claude-*": "local", "gpt-5": "local"}
    assert StateFolder(home).read_keys()[0].model_map == made["model_map"]


def test_an_expiry_may_be_a_time_from_now(capsys: Output) -> None:
    expires = datetime.fromisoformat(created(capsys, "a", "--expires", "2d")["expires"])
    assert timedelta(days=1) < expires - datetime.now(UTC) <= timedelta(days=2)


def test_a_key_in_the_past_is_expired(capsys: Output) -> None:
    assert created(capsys, "a", "--expires", "2001-01-01")["standing"] == "expired"


def test_an_alias_is_taken_once(capsys: Output) -> None:
    created(capsys, "a")
    assert run(["keys", "create", "a"]) == FAILED
    assert "there is a key 'a' already" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["master"],
        ["two\nlines"],
        ["a", "--expires", "soon"],
        ["a", "--rpm", "0"],
        ["a", "--models", " "],
        ["a", "--map", "b"],
        ["a", "--map", "b=c*"],
    ],
)
def test_a_key_that_cannot_be_is_refused_and_not_kept(
    arguments: list[str], home: Path, capsys: Output
) -> None:
    assert run(["keys", "create", *arguments]) == USAGE
    assert not home.exists()
    assert capsys.readouterr().out == ""


def test_a_listing_shows_no_key_and_no_digest(capsys: Output) -> None:
    made = created(capsys, "a")
    assert run(["keys", "list"]) == OK
    table = capsys.readouterr().out
    run(["keys", "list", "--json"])
    listing = capsys.readouterr().out
    assert made["hint"] in table
    assert [entry["alias"] for entry in json.loads(listing)] == ["a"]
    assert made["key"] not in table + listing
    assert "digest" not in table + listing


def test_without_keys_the_listing_says_how_to_make_one(home: Path, capsys: Output) -> None:
    assert run(["keys", "list"]) == OK
    assert "llmgw keys create" in capsys.readouterr().out
    assert not home.exists()


def test_a_revoked_key_is_gone(home: Path, capsys: Output) -> None:
    created(capsys, "a")
    created(capsys, "b")
    assert run(["keys", "revoke", "a"]) == OK
    assert [key.alias for key in StateFolder(home).read_keys()] == ["b"]


@pytest.mark.parametrize("command", ["info", "revoke"])
def test_a_key_that_is_not_there_is_told(command: str, home: Path, capsys: Output) -> None:
    assert run(["keys", command, "nobody"]) == FAILED
    assert "there is no key 'nobody'" in capsys.readouterr().err
    assert not home.exists()


def test_info_shows_what_is_kept(capsys: Output) -> None:
    created(capsys, "a", "--rpm", "5")
    assert run(["keys", "info", "a", "--json"]) == OK
    assert json.loads(capsys.readouterr().out)["rpm_limit"] == 5
