"""Real servers for tests: PostgreSQL and Redis, each on a free port and in a folder of its own.

`postgres` and `redis` are fixtures (import them in a `conftest.py`) that live for the session; a test that
stops or kills a server starts one of its own: `with PostgresServer(folder) as server: …`.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from tests.gateway_process import free_port

START_SECONDS = 30.0
_SCRATCH = "/tmp"  # a folder that the user of the server may reach, unlike pytest's own


def _postgres_programs() -> Path | None:
    """The folder of `initdb` and `postgres`, of the newest version."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("postgres")
    if found:
        return found[-1].parent
    return Path(on_path).resolve().parent if on_path else None


def _unprivileged() -> list[str]:
    """What to put before a command that refuses to run as root."""
    if os.geteuid() != 0:
        return []
    user = "postgres" if _exists("postgres") else "nobody"
    return ["setpriv", "--reuid", user, "--regid", _group_of(user), "--clear-groups"]


def _exists(user: str) -> bool:
    return subprocess.run(["id", user], capture_output=True, check=False).returncode == 0


def _group_of(user: str) -> str:
    return subprocess.run(["id", "-gn", user], capture_output=True, text=True, check=True).stdout.strip()


class Server(ABC):
    """A server process that can be stopped dead, woken, killed and started again."""

    def __init__(self) -> None:
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self) -> list[str]:
        """What starts it."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether it can be used."""

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._process = subprocess.Popen(
            self.command(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # its children are in its group
        )
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            assert self._process.poll() is None, f"{self.command()[0]} did not start"
            assert time.monotonic() < deadline, f"{self.command()[0]} does not answer"
            time.sleep(0.05)

    def suspend(self) -> None:
        """Leave it there, but hung: every connection stays open and nothing answers."""
        self._signal_all(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._signal_all(signal.SIGCONT)

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._signal_all(signal.SIGKILL)
        assert self._process is not None
        self._process.wait()

    def stop(self) -> None:
        """End it if it runs."""
        if self._process is None or self._process.poll() is not None:
            return
        self._signal_all(signal.SIGCONT)
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self.kill()

    def _signal_all(self, number: signal.Signals) -> None:
        """Signal the process and all that it started: PostgreSQL has a process a connection."""
        for pid in [*_children(self.pid), self.pid]:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _children(pid: int) -> list[int]:
    """The processes below one."""
    try:
        direct = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:
        return []
    return [each for child in map(int, direct) for each in (*_children(child), child)]


class PostgresServer(Server):
    """One PostgreSQL with a fresh cluster, for the user `llmgw` without a password."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        programs = _postgres_programs()
        if programs is None:
            pytest.skip("PostgreSQL is not installed")
        self._programs = programs
        self._folder = folder

    @property
    def url(self) -> str:
        """Of the database `postgres`, which is there from the beginning."""
        return self.database_url("postgres")

    def database_url(self, name: str) -> str:
        """Of a database of this name."""
        return f"postgresql://llmgw@127.0.0.1:{self.port}/{name}"

    def make_database(self, name: str, template: str = "template1") -> str:
        """Make a database, empty unless it is made after another; its URL."""
        self._client("-c", f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.database_url(name)

    def command(self) -> list[str]:
        """`postgres`, as gentle to the disk as a test may be."""
        options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off"}
        flags = [each for name, value in options.items() for each in ("-c", f"{name}={value}")]
        program = [f"{self._programs}/postgres", "-D", str(self._data), "-p", str(self.port)]
        return [*_unprivileged(), *program, *flags]

    def answers(self) -> bool:
        """Whether it takes connections."""
        ready = [f"{self._programs}/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port), "-t", "1"]
        return subprocess.run(ready, check=False).returncode == 0

    def start(self) -> None:
        """Make the cluster, the first time, and start it."""
        if not self._data.exists():
            self._make_cluster()
        (self._data / "postmaster.pid").unlink(missing_ok=True)  # of one that was killed
        super().start()

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _make_cluster(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            shutil.chown(self._folder, "postgres" if _exists("postgres") else "nobody")
        initdb = [f"{self._programs}/initdb", "-D", str(self._data), "-U", "llmgw", "-A", "trust"]
        done = subprocess.run(
            [*_unprivileged(), *initdb, "-E", "UTF8", "--no-sync", "--locale=C"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def _client(self, *arguments: str) -> None:
        subprocess.run(
            [f"{self._programs}/psql", "-q", "-X", "-d", self.url, *arguments],
            check=True,
            capture_output=True,
        )


class RedisServer(Server):
    """One Redis or Valkey, which keeps nothing on the disk."""

    def __init__(self) -> None:
        super().__init__()
        program = shutil.which("valkey-server") or shutil.which("redis-server")
        if program is None:
            pytest.skip("neither Redis nor Valkey is installed")
        self._program = program

    @property
    def url(self) -> str:
        """Of its first database."""
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> list[str]:
        """`redis-server` without snapshots."""
        options = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        return [self._program, "--port", str(self.port), *options]

    def answers(self) -> bool:
        """Whether it says PONG."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def scratch_folder(name: str) -> Path:
    """A new folder that other users may enter; whoever made it removes it."""
    folder = Path(tempfile.mkdtemp(prefix=f"llmgw-{name}-", dir=_SCRATCH))
    folder.chmod(0o755)
    return folder


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL for the session: make a database in it with `make_database`."""
    folder = scratch_folder("postgres")
    try:
        with PostgresServer(folder) as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def redis() -> Iterator[RedisServer]:
    """A Redis for the session."""
    with RedisServer() as server:
        yield server
