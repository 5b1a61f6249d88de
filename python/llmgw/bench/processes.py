"""The processes under test: started on one core, waited for, metered, stopped."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")
_START_LIMIT = 60.0
_STOP_LIMIT = 20.0
_POLL = 0.05


class ServerError(Exception):
    """A server did not come up, or ended by itself; the text holds the end of its output."""


class Server:
    """A server's process and its children, all on one core."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], core: int | None, home: Path
    ) -> None:
        """Start it in its `home`, whose name it goes by and where its output goes."""
        self.name = home.name
        self._log = home / "output"
        # A child inherits the affinity of the thread that starts it.
        with self._log.open("wb") as output, pinned(core):
            self._process = subprocess.Popen(
                command,
                cwd=home,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def wait_for_port(self, port: int) -> None:
        """Wait until the server accepts connections.

        Raises:
            ServerError: it has ended, or a minute has passed.
        """
        deadline = time.monotonic() + _START_LIMIT
        while time.monotonic() < deadline:
            self.check()
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            except OSError:
                time.sleep(_POLL)
            else:
                return
        raise ServerError(f"{self.name} does not listen on port {port}: {self._tail()}")

    def check(self) -> None:
        """Make sure that it runs.

        Raises:
            ServerError: it has ended.
        """
        if (status := self._process.poll()) is not None:
            raise ServerError(f"{self.name} ended with {status}: {self._tail()}")

    def processes(self) -> tuple[int, ...]:
        """Ids of the process and all its descendants."""
        parents = _parents()
        found = [self._process.pid]
        for process in found:
            found += [child for child, parent in parents.items() if parent == process]
        return tuple(found)

    def stop(self) -> None:
        """End it, in the end by force."""
        self._process.terminate()
        try:
            self._process.wait(_STOP_LIMIT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _tail(self) -> str:
        return self._log.read_text("utf-8", "replace").strip()[-800:]


class PeakMemory:
    """The largest resident memory of some processes while the block runs, in bytes."""

    def __init__(self, processes: Sequence[int]) -> None:
        self._processes = processes
        self._done = threading.Event()
        self._watch = threading.Thread(target=self._sample)
        self.bytes = 0

    def __enter__(self) -> PeakMemory:
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._watch.join()

    def _sample(self) -> None:
        while not self._done.wait(_POLL):
            self.bytes = max(self.bytes, resident_bytes(self._processes))


def cpu_seconds(processes: Sequence[int]) -> float:
    """User and system time of these processes so far, all threads, living and ended.

    It is the sum of `utime` and `stime` in `/proc/PID/stat`, read through the process's CPU clock,
    which counts nanoseconds where that file counts hundredths of a second.
    """
    return sum(time.clock_gettime(_cpu_clock(process)) for process in processes)


def resident_bytes(processes: Sequence[int]) -> int:
    """Resident memory of these processes; pages they share count in each."""
    return sum(_resident(process) for process in processes)


@contextmanager
def pinned(core: int | None) -> Iterator[None]:
    """This thread, and what it starts, on one core; `None` changes nothing."""
    if core is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _cpu_clock(process: int) -> int:
    # The kernel's encoding of "CPU clock of that process": include/linux/posix-timers_types.h.
    return (~process << 3) | 2


def _resident(process: int) -> int:
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * _PAGE
    except (FileNotFoundError, ProcessLookupError):
        return 0


def _parents() -> dict[int, int]:
    parents = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                stat = (folder / "stat").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            # The name, in parentheses, may hold spaces; the parent is the second field behind it.
            parents[int(folder.name)] = int(stat.rpartition(")")[2].split()[1])
    return parents
