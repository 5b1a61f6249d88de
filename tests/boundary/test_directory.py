"""What a worker knows of the directory, how much memory that takes, and who is told of it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from llmgw._native import Gateway, Refused
from tests.directory_feed import DirectoryFeed, node
from tests.unit.configurations import STATE, compiled

KEY = "store-key-0123456789abcdef"
MOST_BYTES = 1024
"""Resident memory of a key."""


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    made = Gateway(tmp_path / "shared", 0)
    made.load(compiled("", LLMGW_MASTER_KEY="the-key-of-the-admin").encode())
    return made


@pytest.fixture
def feed(gateway: Gateway, tmp_path: Path) -> DirectoryFeed:
    return DirectoryFeed(tmp_path, STATE.pepper.reveal())


def test_before_the_first_file_nothing_is_known(gateway: Gateway, tmp_path: Path) -> None:
    assert gateway.follow_directory(tmp_path)

    state = gateway.directory
    assert (state.file, state.keys, state.nodes, state.error, state.age) == (0, 0, 0, None, None)


def test_whoever_shows_a_key_is_told_from_others_by_ids(gateway: Gateway, feed: DirectoryFeed) -> None:
    feed.begin(node("team", "t"), feed.key("one", KEY, team="team_t", alias="An alias"))
    assert gateway.follow_directory(feed.folder)

    holder = gateway.authenticate(KEY.encode())
    assert (holder.id, holder.alias, holder.admin) == ("key_one", "An alias", False)
    assert (holder.team, holder.user, holder.organisation) == ("team_t", None, None)
    assert gateway.authenticate(b"the-key-of-the-admin").id == "master"


def test_a_key_is_refused_from_outside_its_networks(gateway: Gateway, feed: DirectoryFeed) -> None:
    feed.begin(feed.key("one", KEY, networks=["10.0.0.0/8"]))
    gateway.follow_directory(feed.folder)

    assert gateway.authenticate(KEY.encode(), "10.1.2.3").id == "key_one"
    for client in (None, "192.0.2.1", "no address"):
        with pytest.raises(Refused) as refused:
            gateway.authenticate(KEY.encode(), client)
        assert refused.value.args[0] == "PermissionDenied"


def test_the_state_says_how_far_a_worker_has_read_and_what_is_wrong(
    gateway: Gateway, feed: DirectoryFeed
) -> None:
    feed.begin(node("team", "t"), feed.key("one", KEY))
    gateway.follow_directory(feed.folder)
    state = gateway.directory
    assert (state.file, state.sequence, state.keys, state.nodes, state.error) == (1, 1, 1, 1, None)
    assert state.age is not None and state.age >= 0

    feed.write(b"no json\n")
    assert not gateway.follow_directory(feed.folder)
    assert "damaged" in (gateway.directory.error or "")
    assert feed.shared.damaged_directory == 1
    assert gateway.authenticate(KEY.encode()).id == "key_one"


def test_what_is_published_is_a_file_and_a_length(feed: DirectoryFeed) -> None:
    feed.shared.publish_directory(7, 2**40 - 1)
    assert feed.shared.directory == (7, 2**40 - 1)
    with pytest.raises(ValueError, match="too large"):
        feed.shared.publish_directory(1, 2**40)


def test_two_hundred_thousand_keys_take_less_than_a_kilobyte_each() -> None:
    command = [sys.executable, "-m", "tests.directory_load", "200000"]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    print(found)

    assert found["keys"] == 200_000
    assert found["bytes_per_key"] < MOST_BYTES
    assert found["bytes_per_key_after_a_new_file"] < MOST_BYTES
