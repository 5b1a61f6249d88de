"""The state folder: private, whole files, one winner."""

import os
import threading
from pathlib import Path

import pytest

from llmgw.settings.environment import Environment
from llmgw.settings.problems import SettingsError
from llmgw.settings.schema import KeyEntry
from llmgw.state import StateError, StateFolder

DIGEST = "0123456789abcdef" * 4
ENTRY = KeyEntry(alias="a", digest=DIGEST, models=("openai/*",), rpm_limit=5)


@pytest.fixture
def folder(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path / "home" / "state")


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_the_environment_says_where_it_is(tmp_path: Path) -> None:
    assert StateFolder.locate(Environment({"LLMGW_HOME": str(tmp_path)})).path == tmp_path
    assert StateFolder.locate(Environment({})).path == Path.home() / ".llmgw"


def test_the_first_start_makes_private_files(folder: StateFolder) -> None:
    state = folder.prepare(with_master_key=True)
    assert state.made_master_key
    assert state.master_key is not None
    assert mode(folder.path) == 0o700
    assert [mode(path) for path in (folder.master_key_file, folder.pepper_file)] == [0o600, 0o600]


def test_files_are_private_whatever_the_umask(folder: StateFolder) -> None:
    before = os.umask(0)
    try:
        folder.prepare(with_master_key=True)
    finally:
        os.umask(before)
    assert {mode(path) for path in folder.path.iterdir() if path.is_file()} == {0o600}


def test_the_second_start_keeps_what_the_first_made(folder: StateFolder) -> None:
    first = folder.prepare(with_master_key=True)
    second = folder.prepare(with_master_key=True)
    assert not second.made_master_key
    assert (second.pepper, second.master_key) == (first.pepper, first.master_key)


def test_no_master_key_is_made_when_one_is_given(folder: StateFolder) -> None:
    assert folder.prepare(with_master_key=False).master_key is None
    assert not folder.master_key_file.exists()


def test_of_several_first_starts_one_wins(folder: StateFolder) -> None:
    states = []
    barrier = threading.Barrier(8)

    def start() -> None:
        barrier.wait()
        states.append(folder.prepare(with_master_key=True))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({state.pepper for state in states}) == 1
    assert len({state.master_key for state in states}) == 1
    assert sum(state.made_master_key for state in states) == 1
    assert not [path for path in folder.path.iterdir() if path.name.startswith(".")]


def test_a_key_file_that_others_may_read_is_refused_with_the_remedy(folder: StateFolder) -> None:
    folder.prepare(with_master_key=True)
    folder.pepper_file.chmod(0o644)
    with pytest.raises(StateError, match=f"others may read .*; run: chmod 600 {folder.pepper_file}"):
        folder.read()


def test_reading_a_folder_that_was_never_prepared_says_what_to_do(folder: StateFolder) -> None:
    with pytest.raises(StateError, match="start the gateway once"):
        folder.read()
    assert not folder.path.exists()


def test_a_damaged_pepper_is_refused(folder: StateFolder) -> None:
    folder.prepare(with_master_key=False)
    folder.pepper_file.write_text("short")
    with pytest.raises(StateError, match="damaged"):
        folder.read()


def test_keys_are_read_back_as_they_were_kept(folder: StateFolder) -> None:
    folder.prepare(with_master_key=False)
    folder.keys_file.touch(0o600)
    folder.keys_file.write_text(
        f"keys:\n- {{alias: a, digest: {DIGEST}}}\n"
        f"- {{alias: b, digest: {DIGEST}, models: [], blocked: true}}\n"
    )
    first, second = folder.read().keys
    assert (first.alias, first.digest) == ("a", DIGEST)
    assert (second.models, second.blocked) == ((), True)


def test_a_keys_file_with_a_mistake_is_told_with_its_line(folder: StateFolder) -> None:
    folder.prepare(with_master_key=False)
    folder.keys_file.touch(0o600)
    folder.keys_file.write_text(f"keys:\n  - alias: a\n    digset: {DIGEST}\n")
    with pytest.raises(SettingsError, match=r"keys\.yaml:3: keys\[0\]\.digset: unknown key"):
        folder.read()


def test_repr_shows_no_secret(folder: StateFolder) -> None:
    state = folder.prepare(with_master_key=True)
    assert state.master_key is not None
    shown = repr(state)
    assert state.pepper.reveal() not in shown
    assert state.master_key.reveal() not in shown
