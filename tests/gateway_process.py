"""The real gateway as a process: write its configuration, start it, signal it, look at its workers."""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import yaml

from tests.raw_http import RawClient, Response, exchange, request_bytes

MASTER_KEY = "test-master-key-0123456789"
START_SECONDS = 60.0
POLL_SECONDS = 0.02
JSON_TYPE = ("Content-Type", "application/json")


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def wait_until(holds: Callable[[], bool], what: str, timeout: float = START_SECONDS) -> None:
    """Poll until a condition holds that no event announces; AssertionError after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not holds():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(POLL_SECONDS)


class GatewayProcess:
    """One `python -m llmgw serve`, started on a free port with a configuration of its own."""

    def __init__(
        self,
        home: Path,
        config: dict[str, Any],
        workers: int = 1,
        env: dict[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.home = home
        self.workers = workers
        self.port = free_port()
        self.config_file = home / "config.yaml"
        self.log_file = home / "gateway.log"
        self._env = env or {}
        self._tls = tls
        self._process: subprocess.Popen[bytes] | None = None
        self.write_config(config)

    # ── life ────────────────────────────────────────────────────────────────────────────────────

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the process and wait until every worker is ready."""
        command = [sys.executable, "-m", "llmgw", "serve", "--config", str(self.config_file)]
        command += ["--host", "127.0.0.1", "--port", str(self.port), "--workers", str(self.workers)]
        environment = os.environ | self._env
        environment |= {"LLMGW_HOME": str(self.home / "state"), "LLMGW_MASTER_KEY": MASTER_KEY}
        with self.log_file.open("wb") as log:
            self._process = subprocess.Popen(command, cwd=self.home, env=environment, stdout=log, stderr=log)
        try:
            wait_until(self._is_up, "the gateway is ready")
        except AssertionError as error:
            self.stop()
            raise AssertionError(f"{error}\n{self.log()}") from error

    def _is_up(self) -> bool:
        self.assert_running()
        return self.is_ready() and len(self.worker_pids()) == self.workers

    def is_ready(self) -> bool:
        """True if readiness answers 200."""
        try:
            return self.get("/health/readiness", key=None).status == 200
        except OSError:
            return False

    def running(self) -> bool:
        """True while the main process lives."""
        return self._process is not None and self._process.poll() is None

    def assert_running(self) -> None:
        """Fail with the exit status and the log if the main process has ended."""
        status = self.process.poll()
        assert status is None, f"the gateway ended with status {status}:\n{self.log()}"

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the main process."""
        self.process.send_signal(number)

    def wait_for_drain(self) -> None:
        """Wait until the gateway (with several workers: one of them) takes no new work."""
        wait_until(self._refuses_new_work, "the gateway refuses new work")

    def _refuses_new_work(self) -> bool:
        try:
            return self.get("/health/readiness", None).status == 503
        except OSError:
            return True

    def wait(self) -> int:
        """Wait for the main process to end; its exit status."""
        return self.process.wait(START_SECONDS)

    def stop(self) -> None:
        """End the process, with its workers, however it feels about that."""
        if self._process is None:
            return
        orphans = self.worker_pids()
        if self.running():
            self.signal(signal.SIGTERM)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        for pid in orphans:
            _kill_if_alive(pid)

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The main process."""
        assert self._process is not None, "the gateway was not started"
        return self._process

    def log(self) -> str:
        """What the process has written so far."""
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    # ── configuration ───────────────────────────────────────────────────────────────────────────

    def write_config(self, config: dict[str, Any] | str) -> None:
        """Replace the configuration file in one step, as editors and deploy tools do."""
        text = config if isinstance(config, str) else yaml.safe_dump(config, sort_keys=False)
        fresh = self.config_file.with_suffix(".fresh")
        fresh.write_text(text)
        fresh.replace(self.config_file)

    # ── the workers ─────────────────────────────────────────────────────────────────────────────

    def worker_pids(self) -> list[int]:
        """The processes that accept on the gateway's port."""
        sockets = _listening_inodes(self.port)
        family = [self.process.pid, *_descendants(self.process.pid)]
        holders = [pid for pid in family if sockets & _socket_inodes(pid)]
        children = [pid for pid in holders if pid != self.process.pid]
        return children or holders

    def bookkeeper_pids(self) -> list[int]:
        """The processes that keep the books: one, if all is well."""
        return [pid for pid in _descendants(self.process.pid) if b"llmgw.books" in _command_line(pid)]

    @contextmanager
    def without_bookkeeper(self) -> Iterator[None]:
        """The bookkeeper stands still in the block, so that a test may do its work."""
        pids = self.bookkeeper_pids()
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    def resident_bytes(self) -> int:
        """Resident memory of all workers together."""
        return sum(resident_bytes(pid) for pid in self.worker_pids())

    def open_files(self) -> int:
        """Open file descriptors of all workers together."""
        return sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in self.worker_pids())

    # ── requests ────────────────────────────────────────────────────────────────────────────────

    @property
    def url(self) -> str:
        """The gateway's root."""
        return f"http://127.0.0.1:{self.port}"

    def connect(self, receive_buffer: int | None = None) -> RawClient:
        """A new raw connection."""
        return RawClient(self.port, receive_buffer, self._tls)

    def get(self, path: str, key: str | None = MASTER_KEY) -> Response:
        """GET a path on a new connection."""
        return exchange(self.port, request_bytes("GET", path, authorization(key)), self._tls)

    def post(
        self,
        path: str,
        body: bytes | dict[str, Any],
        key: str | None = MASTER_KEY,
        headers: list[tuple[str, str]] | None = None,
    ) -> Response:
        """POST a body on a new connection."""
        return exchange(self.port, post_bytes(path, body, key, headers), self._tls)

    def chat(self, model: str, key: str | None = MASTER_KEY, **fields: Any) -> Response:
        """One chat completion."""
        return self.post("/v1/chat/completions", chat_body(model, **fields), key)

    def metrics(self) -> dict[str, float]:
        """All samples of `/metrics`, by name and labels as printed."""
        lines = self.get("/metrics").body.decode().splitlines()
        samples = (line.rsplit(" ", 1) for line in lines if line and not line.startswith("#"))
        return {name: float(value) for name, value in samples}


def authorization(key: str | None) -> list[tuple[str, str]]:
    """The header that shows a key, if there is one."""
    return [("Authorization", f"Bearer {key}")] if key is not None else []


def chat_body(model: str, **fields: Any) -> dict[str, Any]:
    """A small chat request."""
    return {"model": model, "messages": [{"role": "user", "content": "hello"}], **fields}


def post_bytes(
    path: str,
    body: bytes | dict[str, Any],
    key: str | None = MASTER_KEY,
    headers: list[tuple[str, str]] | None = None,
) -> bytes:
    """A POST request's exact bytes."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = [*authorization(key), *(headers if headers is not None else [JSON_TYPE])]
    return request_bytes("POST", path, fields, data)


def resident_bytes(pid: int) -> int:
    """Resident memory of one process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _kill_if_alive(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _descendants(pid: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [int(each) for task in tasks for each in (task / "children").read_text().split()]
    except OSError:
        return []
    return children + [each for child in children for each in _descendants(child)]


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _listening_inodes(port: int) -> set[str]:
    listen_state = "0A"
    inodes = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == listen_state and int(fields[1].split(":")[1], 16) == port:
            inodes.add(f"socket:[{fields[9]}]")
    return inodes


def _socket_inodes(pid: int) -> set[str]:
    links = set()
    try:
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            try:
                links.add(str(entry.readlink()))
            except OSError:
                continue
    except OSError:
        return set()
    return links
