"""Loads a large directory of keys into one worker's native half, and prints what that took as JSON.

Run in a process of its own (`python -m tests.directory_load KEYS`), so that its memory tells something.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from llmgw._native import Gateway
from tests.directory_feed import DirectoryFeed, node
from tests.gateway_process import resident_bytes
from tests.unit.configurations import STATE, compiled

LOOKUPS = 20_000
LOOKED_UP = 1000
"""Different keys among them, from all over the directory."""
SETTLING_SECONDS = 0.5
KEYS_OF_A_USER = 10
USERS_OF_A_TEAM = 50
MODELS = (None, ["gpt-*"], ["plain", "claude-*"])


def secret(index: int) -> str:
    """What the clients of a key show."""
    return f"key-number-{index:012}"


def lines(feed: DirectoryFeed, count: int) -> Iterator[dict[str, Any]]:
    """An organisation of teams, users and keys."""
    yield node("organisation", "all")
    for index in range(count):
        user, team = index // KEYS_OF_A_USER, index // (KEYS_OF_A_USER * USERS_OF_A_TEAM)
        if index % (KEYS_OF_A_USER * USERS_OF_A_TEAM) == 0:
            yield node("team", f"{team:026}", parent="organisation_all", tags=["a-team"])
        if index % KEYS_OF_A_USER == 0:
            yield node("user", f"{user:026}", parent="organisation_all")
        yield feed.key(
            f"{index:026}",
            secret(index),
            organisation="organisation_all",
            team=f"team_{team:026}",
            user=f"user_{user:026}",
            models=MODELS[index % len(MODELS)],
            limits=[{"of": "requests", "amount": 60, "per": "minute", "burst": None, "model": None}],
        )


def lookup_nanoseconds(gateway: Gateway, count: int) -> float:
    """What it takes to find a key, on average."""
    keys = [secret(index * (count // LOOKED_UP)).encode() for index in range(LOOKED_UP)]
    begun = time.perf_counter_ns()
    for index in range(LOOKUPS):
        gateway.authenticate(keys[index % LOOKED_UP])
    return (time.perf_counter_ns() - begun) / LOOKUPS


def measure(count: int, folder: Path) -> dict[str, float]:
    """Load a few keys, then `count` of them, then the same from a new file."""
    gateway = Gateway(folder / "shared", 0)
    gateway.load(compiled("").encode())
    feed = DirectoryFeed(folder, STATE.pepper.reveal())
    feed.begin(*lines(feed, LOOKED_UP))
    gateway.follow_directory(folder)
    among_few = lookup_nanoseconds(gateway, LOOKED_UP)
    feed.begin(*lines(feed, count))
    before, begun, busy = resident_bytes(os.getpid()), time.perf_counter(), time.process_time()
    gateway.follow_directory(folder)
    seconds, busy = time.perf_counter() - begun, time.process_time() - busy
    loaded = resident_bytes(os.getpid())
    among_all = lookup_nanoseconds(gateway, count)
    feed.begin(*lines(feed, count))
    gateway.follow_directory(folder)
    # What was let go of is given back to the system after a moment, as more is asked for.
    time.sleep(SETTLING_SECONDS)
    feed.append(*lines(feed, LOOKED_UP))
    gateway.follow_directory(folder)
    return {
        "keys": gateway.directory.keys,
        "seconds": seconds,
        "cpu_seconds": busy,
        "bytes_per_key": (loaded - before) / count,
        "bytes_per_key_after_a_new_file": (resident_bytes(os.getpid()) - before) / count,
        "lookup_ns_among_1000": among_few,
        "lookup_ns_among_all": among_all,
    }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        sys.stdout.write(json.dumps(measure(int(sys.argv[1]), Path(made))) + "\n")
