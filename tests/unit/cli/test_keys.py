"""`llmgw keys`."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from llmgw.access.keys import digest
from llmgw.cli import FAILED, OK, USAGE, run
from llmgw.settings.secrets import Secret
from llmgw.state import StateFolder

Output = pytest.CaptureFixture[str]


def created(capsys: Output, *arguments: str) -> dict[str, Any]:
    assert run(["keys", "create", *arguments, "--json"]) == OK
    fields: dict[str, Any] = json.loads(capsys.readouterr().out)
    return fields


def listed(capsys: Output) -> list[dict[str, Any]]:
    assert run(["keys", "list", "--json"]) == OK
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return found


def test_a_key_is_shown_once_and_kept_as_its_digest(home: Path, capsys: Output) -> None:
    assert run(["keys", "create", "team-a"]) == OK
    key = capsys.readouterr().out.splitlines()[0]
    assert [each["alias"] for each in listed(capsys)] == ["team-a"]
    kept = [file.read_bytes() for file in home.rglob("*") if file.is_file()]
    assert not [content for content in kept if key.encode() in content]
    pepper = StateFolder(home).read().pepper
    assert [content for content in kept if digest(Secret(key), pepper).encode() in content]


def test_a_key_may_be_made_for_pass_throughs(capsys: Output) -> None:
    made = created(capsys, "a", "--pass-through", "anthropic", "--pass-through", "gemini")
    assert made["pass_through"] == ["anthropic", "gemini"]
    assert created(capsys, "b")["pass_through"] is None
    assert run(["keys", "create", "c", "--pass-through", "Not a name"]) == USAGE


def test_limits_are_kept(capsys: Output) -> None:
    models = ["--models", "gpt-4o", "--models", "mock/*"]
    made = created(capsys, "a", *models, "--rpm", "5", "--tpm", "7", "--expires", "2030-01-31")
    limits = [(each["of"], each["amount"], each["per"]) for each in made["limits"]]
    assert limits == [("requests", 5, "minute"), ("tokens", 7, "minute")]
    assert (made["models"], made["expires_at"]) == (["gpt-4o", "mock/*"], "2030-01-31T00:00:00Z")


def test_every_field_of_the_admin_api_may_be_set(capsys: Output) -> None:
    made = created(capsys, "a", "--set", 'tags=["x"]', "--set", "admin_role=viewer")
    assert (made["tags"], made["admin_role"]) == (["x"], "viewer")
    assert run(["keys", "update", "a", "--set", "tags=null", "--set", "blocked=true", "--json"]) == OK
    changed = json.loads(capsys.readouterr().out)
    assert (changed["tags"], changed["blocked"]) == (None, True)
    assert run(["keys", "update", "a", "--set", "nothing=1"]) == USAGE


def test_names_of_its_own_are_kept(capsys: Output) -> None:
    made = created(capsys, "a", "--map", "claude-*=local", "--map", "gpt-5=local")
    assert made["model_map"] == {"claude-*": "local", "gpt-5": "local"}


def test_an_expiry_may_be_a_time_from_now(capsys: Output) -> None:
    expires = datetime.fromisoformat(created(capsys, "a", "--expires", "2d")["expires_at"])
    assert timedelta(days=1) < expires - datetime.now(UTC) <= timedelta(days=2)


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
        ["a", "--set", "alias"],
    ],
)
def test_a_key_that_cannot_be_is_refused_and_not_kept(arguments: list[str], capsys: Output) -> None:
    assert run(["keys", "create", *arguments]) == USAGE
    assert capsys.readouterr().out == ""
    assert listed(capsys) == []


def test_a_listing_shows_no_key_and_no_digest(capsys: Output) -> None:
    made = created(capsys, "a")
    for form in ("table", "json", "yaml", "csv"):
        assert run(["keys", "list", "--output", form]) == OK
        listing = capsys.readouterr().out
        assert made["hint"] in listing
        assert made["key"] not in listing
        assert "digest" not in listing


def test_without_keys_the_listing_says_how_to_make_one(capsys: Output) -> None:
    assert run(["keys", "list"]) == OK
    assert "llmgw keys create" in capsys.readouterr().out


def test_a_revoked_key_is_gone(capsys: Output) -> None:
    created(capsys, "a")
    created(capsys, "b")
    assert run(["keys", "revoke", "a"]) == OK
    capsys.readouterr()
    assert [key["alias"] for key in listed(capsys)] == ["b"]


def test_a_key_is_blocked_and_unblocked(capsys: Output) -> None:
    created(capsys, "a")
    for command, blocked in (("block", True), ("unblock", False)):
        assert run(["keys", command, "a"]) == OK
        capsys.readouterr()
        assert listed(capsys)[0]["blocked"] is blocked


def test_a_rotated_key_has_another_value(capsys: Output) -> None:
    made = created(capsys, "a")
    assert run(["keys", "rotate", "a", "--grace", "1h", "--json"]) == OK
    assert json.loads(capsys.readouterr().out)["key"] != made["key"]
    assert run(["keys", "rotate", "a", "--grace", "soon"]) == USAGE


@pytest.mark.parametrize("command", ["info", "revoke", "block", "rotate"])
def test_a_key_that_is_not_there_is_told(command: str, capsys: Output) -> None:
    assert run(["keys", command, "nobody"]) == FAILED
    assert "there is no key 'nobody'" in capsys.readouterr().err


def test_keys_of_an_earlier_versions_file_are_taken_over_once(
    home: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llmgw.cli.import_keys._UNTIL_TAKEN_UP", 0.0)
    folder = StateFolder(home)
    folder.prepare(with_master_key=False)
    folder.keys_file.touch(0o600)
    entry = {"alias": "old", "digest": "ab" * 32, "hint": "sk-…ab12", "rpm_limit": 5, "blocked": True}
    folder.keys_file.write_text(yaml.safe_dump({"keys": [entry]}))
    first = listed(capsys)[0]
    assert (first["alias"], first["hint"], first["blocked"]) == ("old", "sk-…ab12", True)
    assert first["limits"][0]["amount"] == 5
    assert not folder.keys_file.exists()
    assert listed(capsys)[0] == first


def test_what_was_changed_is_in_the_journal(home: Path, capsys: Output) -> None:
    created(capsys, "a")
    written = b"".join(file.read_bytes() for file in (home / "journal").rglob("*") if file.is_file())
    assert b"key.create" in written
