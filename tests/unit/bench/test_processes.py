"""Servers as processes: their tree, their CPU time, their end."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from llmgw.bench.processes import (
    PeakMemory,
    Server,
    ServerError,
    cpu_seconds,
    free_port,
    pinned,
    resident_bytes,
)

LISTEN = """
import socket, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
with socket.create_server(("127.0.0.1", {port})) as server:
    while True:
        server.accept()[0].close()
"""

Start = Callable[[str], Server]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[Server] = []

    def start(code: str) -> Server:
        command = [sys.executable, "-c", code]
        started.append(Server(command, os.environ, None, tmp_path))
        return started[-1]

    yield start
    for server in started:
        server.stop()


def test_a_server_is_ready_when_its_port_answers_and_children_belong_to_it(start: Start) -> None:
    port = free_port()
    server = start(LISTEN.format(port=port))
    server.wait_for_port(port)
    assert len(server.processes()) == 2
    assert resident_bytes(server.processes()) > 1_000_000


def test_a_server_that_ends_is_reported_with_its_last_words(start: Start) -> None:
    server = start("raise SystemExit('no such option')")
    with pytest.raises(ServerError, match="no such option"):
        server.wait_for_port(free_port())


def test_a_server_that_ended_unasked_is_reported_when_checked(start: Start) -> None:
    server = start("import os; os._exit(3)")
    with pytest.raises(ServerError, match="ended with 3"):
        while True:
            server.check()
            time.sleep(0.001)


def test_cpu_time_is_that_of_the_process_in_full() -> None:
    before, own = cpu_seconds([os.getpid()]), time.process_time()
    sum(range(200_000))
    spent = time.process_time() - own
    assert cpu_seconds([os.getpid()]) - before >= spent > 0


def test_peak_memory_is_seen_while_it_lasts() -> None:
    with PeakMemory([os.getpid()]) as peak:
        while peak.bytes == 0:
            time.sleep(0.001)
    assert peak.bytes > 1_000_000


def test_pinning_ends_with_the_block() -> None:
    before = os.sched_getaffinity(0)
    with pinned(min(before)):
        assert os.sched_getaffinity(0) == {min(before)}
    assert os.sched_getaffinity(0) == before
