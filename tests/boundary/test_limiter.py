"""The rate limiter as Python calls it, and as processes share it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from llmgw._native import Limiter

YEAR = 365 * 86400.0
"""A window so long that nothing flows in while a test runs."""

HAMMER = """
import sys, threading
from llmgw._native import Limiter

path, amount, tries = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
limiter = Limiter(path)
admitted = []

def hammer():
    admitted.append(sum(limiter.acquire("shared", 1, amount, 365 * 86400.0)[0] for _ in range(tries)))

print("ready", flush=True)
sys.stdin.readline()
threads = [threading.Thread(target=hammer) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(sum(admitted))
"""

CONFESS = """
import os, sys
from llmgw._native import Limiter

limiter = Limiter(sys.argv[1])
while limiter.acquire("shared", 1, int(sys.argv[2]), 365 * 86400.0)[0]:
    os.write(1, b".")
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "llmgw.shm"


@contextmanager
def process(script: str, *arguments: object) -> Iterator[subprocess.Popen[bytes]]:
    child = subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with child:
        try:
            yield child
        finally:
            child.kill()


def ask(child: subprocess.Popen[bytes]) -> bytes:
    assert child.stdout is not None
    return child.stdout.readline()


def start(child: subprocess.Popen[bytes]) -> None:
    assert child.stdin is not None
    child.stdin.write(b"go\n")
    child.stdin.flush()


def test_a_bucket_gives_its_burst_and_then_says_how_long_to_wait() -> None:
    limiter = Limiter()
    answers = [limiter.acquire("a", 1, 3, 60.0) for _ in range(4)]
    assert [answer[:2] for answer in answers] == [(True, 2), (True, 1), (True, 0), (False, 0)]
    assert 19 < answers[3][2] <= 20


def test_scopes_have_buckets_of_their_own() -> None:
    limiter = Limiter()
    assert limiter.acquire("a", 3, 3, 60.0)[0]
    assert limiter.acquire("b", 3, 3, 60.0)[0]


def test_a_burst_may_be_smaller_than_the_amount() -> None:
    limiter = Limiter()
    assert limiter.acquire("a", 2, 1000, YEAR, burst=2) == (True, 0, 0.0)
    assert not limiter.acquire("a", 1, 1000, YEAR, burst=2)[0]


def test_settling_gives_back_what_was_not_used() -> None:
    limiter = Limiter()
    limiter.acquire("a", 80, 100, YEAR)
    limiter.settle("a", -50, 100, YEAR)
    assert limiter.acquire("a", 70, 100, YEAR) == (True, 0, 0.0)


def test_settling_charges_what_was_used_beyond() -> None:
    limiter = Limiter()
    limiter.acquire("a", 80, 100, YEAR)
    limiter.settle("a", 50, 100, YEAR)
    assert not limiter.acquire("a", 0, 100, YEAR)[0]


@pytest.mark.parametrize("window", [0.0, -1.0, float("nan"), float("inf")])
def test_a_window_that_is_none_is_refused(window: float) -> None:
    with pytest.raises(ValueError, match="no window"):
        Limiter().acquire("a", 1, 1, window)


def test_a_file_that_is_not_ours_is_refused(path: Path) -> None:
    path.write_bytes(b"x" * 4096)
    path.chmod(0o600)
    with pytest.raises(OSError, match="not a shared memory file"):
        Limiter(path)


def test_the_file_is_for_its_owner_only(path: Path) -> None:
    Limiter(path)
    assert path.stat().st_mode & 0o777 == 0o600


def test_processes_and_threads_on_one_bucket_are_admitted_exactly_its_burst(path: Path) -> None:
    with (
        process(HAMMER, path, 50_000, 10_000) as first,
        process(HAMMER, path, 50_000, 10_000) as second,
        process(HAMMER, path, 50_000, 10_000) as third,
        process(HAMMER, path, 50_000, 10_000) as fourth,
    ):
        children = [first, second, third, fourth]
        assert [ask(child) for child in children] == [b"ready\n"] * 4
        for child in children:
            start(child)
        admitted = [int(ask(child)) for child in children]
    assert sum(admitted) == 50_000
    assert sum(count > 0 for count in admitted) > 1


def test_a_forked_process_shares_the_buckets_it_inherited(path: Path) -> None:
    limiter = Limiter(path)
    child = os.fork()
    if child == 0:
        os._exit(0 if limiter.acquire("shared", 60, 100, YEAR)[0] else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert limiter.acquire("shared", 40, 100, YEAR) == (True, 0, 0.0)


def test_killed_processes_leave_every_bucket_exact(path: Path) -> None:
    kills, amount, confessed = 10, 1_000_000, 0
    for _ in range(kills):
        with process(CONFESS, path, amount) as child:
            assert child.stdout is not None
            confessed += len(child.stdout.read(500))
            child.send_signal(signal.SIGKILL)
            confessed += len(child.stdout.read())
    left = Limiter(path).acquire("shared", 0, amount, YEAR)[1]
    # A process may die between taking a unit and owning up to it.
    assert amount - confessed - kills <= left <= amount - confessed
    assert Limiter(path).acquire("newcomer", 1, 1, YEAR)[0]
