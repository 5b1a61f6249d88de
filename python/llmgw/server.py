"""The supervisor: prepares what workers need, runs them on Granian, takes up new settings.

`serve()` replaces the process that parsed the command line by a fresh one, so that neither the
supervisor nor the workers forked from it carry the command line's libraries in their memory.
"""

import fcntl
import importlib
import multiprocessing
import os
import secrets
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NoReturn

from granian.constants import HTTPModes, Interfaces, Loops
from granian.log import LogLevels
from granian.server.mp import MPServer

from llmgw._native import DEBUG_BUILD, SharedState, __version__
from llmgw.books.options import BooksOptions
from llmgw.books.supervision import BookkeeperProcess
from llmgw.errors import LlmgwError
from llmgw.gateway.handover import AdminSettings, EdgeSettings, Handover, RealtimeSettings, SnapshotFiles
from llmgw.reload import First, Reloader
from llmgw.settings.process import ServeOptions
from llmgw.settings.schema import ServerSettings
from llmgw.telemetry.logs import configure_logs, log

_APP = "llmgw.app"
_RUN_PREFIX = "llmgw-"
_ALIVE = "alive"
"""Locked in the run folder of every supervisor that lives."""
_KEEP_ALIVE_SECONDS = 75.0
_KILL_GRACE_SECONDS = 5
_QUICK_DEATH_SECONDS = 2.0
_QUICK_DEATHS = 5


class StartError(LlmgwError):
    """The gateway cannot start; the text says why and what to do."""


def serve(options: ServeOptions) -> NoReturn:
    """Start the gateway in place of this process."""
    arguments = [sys.executable, "-P", "-m", "llmgw.server", options.to_json()]
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, arguments)  # noqa: S606 - our own interpreter, no shell


def run(options: ServeOptions) -> int:
    """Serve until a signal ends it; the exit code.

    Raises:
        LlmgwError: the settings, the state folder or the address cannot be used.
    """
    configure_logs(options.log_level)
    if DEBUG_BUILD:
        log.warning("this is a debug build: it is many times slower than a release build")
    reloader = Reloader(options)
    first = reloader.first()
    server = first.server
    workers = server.workers or len(os.sched_getaffinity(0))
    port = _claim_port(server.host, server.port)
    folder = _shared_memory_folder()
    _sweep(folder)
    run_folder = Path(tempfile.mkdtemp(prefix=_RUN_PREFIX, dir=folder))
    alive = _lock(run_folder / _ALIVE)
    admin = _admin_address(server)
    try:
        handover = _hand_over(run_folder, server, port, admin, workers, first)
        supervisor = Supervisor(handover, reloader.wake, options.log_level)
        books = BookkeeperProcess(_books(run_folder, first, options), first.store_url.reveal())
        with reloader.watching(handover.snapshots, handover.shared), books.running():
            # Workers are forked: what is loaded here, while the bookkeeper begins, they share.
            importlib.import_module(_APP)
            books.wait_until_ready()
            _announce(handover, first.new_master_key)
            supervisor.serve()
    finally:
        shutil.rmtree(run_folder, ignore_errors=True)
        if alive is not None:
            os.close(alive)
    return 1 if supervisor.gave_up else 0


class Supervisor(MPServer):
    """Granian's, with our ideas of SIGHUP and of workers that die."""

    def __init__(self, handover: Handover, on_hangup: Callable[[], None], log_level: str) -> None:
        super().__init__(
            f"{_APP}:make_app",
            factory=True,
            uds=Path(handover.edge.control_socket),
            uds_permissions=0o600,
            interface=Interfaces.RSGI,
            workers=handover.workers,
            loop=Loops.uvloop,
            http=HTTPModes.http1,
            websockets=False,
            log_level=LogLevels.debug if log_level == "debug" else LogLevels.warning,
            respawn_failed_workers=True,
            workers_kill_timeout=int(handover.drain_timeout) + _KILL_GRACE_SECONDS,
        )
        Handover.current = handover
        self.gave_up = False
        self._on_hangup = on_hangup
        self._quick_deaths = 0

    def signal_handler_reload(self, *_: Any, **__: Any) -> None:
        """SIGHUP means new settings, not new workers."""
        self._on_hangup()

    def _respawn_workers(self, workers: Iterable[int], *args: Any, **kwargs: Any) -> None:
        """Start workers in the place of dead ones; give up after several that die at once."""
        indexes = list(workers)
        youngest = min(time.monotonic() - self.wrks[index].birth for index in indexes)
        self._quick_deaths = self._quick_deaths + 1 if youngest < _QUICK_DEATH_SECONDS else 0
        if self._quick_deaths > _QUICK_DEATHS:
            log.error("workers die as soon as they start: giving up")
            self.gave_up = True
            self.interrupt_signal = True
            self.main_loop_interrupt.set()
            return
        log.warning("a worker died: starting another", workers=indexes)
        super()._respawn_workers(indexes, *args, **kwargs)
        # Granian would stop altogether if one worker died twice within seconds.
        self.respawned_wrks.clear()


def _hand_over(
    run_folder: Path,
    server: ServerSettings,
    port: int,
    admin: AdminSettings | None,
    workers: int,
    first: First,
) -> Handover:
    shared_path = str(run_folder / "shared")
    shared = SharedState(shared_path)
    snapshots = SnapshotFiles(shared)
    snapshots.publish(first.snapshot)
    edge = EdgeSettings(
        host=_address(server.host),
        port=port,
        admin=admin,
        max_body_bytes=server.max_body_bytes,
        max_upload_bytes=server.max_upload_bytes,
        max_held_bytes=server.max_held_bytes or server.max_body_bytes,
        max_header_bytes=server.max_header_bytes,
        header_timeout=server.header_timeout,
        body_idle_timeout=server.body_idle_timeout,
        upload_timeout=server.upload_timeout,
        write_timeout=server.write_timeout,
        keep_alive_timeout=_KEEP_ALIVE_SECONDS,
        max_connections=server.max_connections,
        tls_cert_file=str(server.tls.cert_file) if server.tls else None,
        tls_key_file=str(server.tls.key_file) if server.tls else None,
        tls_client_ca_file=server.tls.client_ca_file if server.tls else None,
        tls_client_required=server.tls is not None and server.tls.client_auth == "required",
        trusted_proxies=server.trusted_proxies,
        control_socket=str(run_folder / "control.sock"),
        responses_folder=str(first.responses_folder.absolute()),
        realtime=RealtimeSettings(
            max_sessions=server.realtime.max_sessions,
            max_message_bytes=server.realtime.max_message_bytes,
            idle_timeout=server.realtime.idle_timeout,
            max_duration=server.realtime.max_duration,
        ),
        files_folder=str(first.files_folder.absolute()),
        ledger_folder=None if first.ledger_folder is None else str(first.ledger_folder.absolute()),
        secret=secrets.token_hex(32),
    )
    return Handover(
        run_folder=str(run_folder),
        shared_path=shared_path,
        edge=edge,
        workers=workers,
        drain_timeout=server.drain_timeout,
        metrics_auth=server.metrics_auth,
        snapshots=snapshots,
        shared=shared,
        store_url=first.store_url,
        keyring=first.keyring,
        pepper=first.pepper,
        oidc=first.oidc,
        scim_roles=first.scim_roles,
    )


def _admin_address(server: ServerSettings) -> AdminSettings | None:
    """Where the admin API is served if not with all else."""
    own = server.admin
    if own is None:
        return None
    return AdminSettings(host=_address(own.host), port=_claim_port(own.host, own.port))


def _books(run_folder: Path, first: First, options: ServeOptions) -> BooksOptions:
    return BooksOptions(
        run_folder=run_folder,
        state_folder=first.state_folder,
        journal_folder=None if first.ledger_folder is None else first.ledger_folder.absolute(),
        keep=first.ledger.keep,
        max_staleness=first.store.max_staleness,
        start_timeout=first.store.start_timeout,
        drain_timeout=first.server.drain_timeout,
        config=None if options.config is None else options.config.absolute(),
        log_level=options.log_level,
        budgets=first.budgets,
        issuers=first.issuers,
        ca_file=first.ca_file,
    )


def _shared_memory_folder() -> Path:
    """Memory-backed where the system has it: what lies there is gone at the next boot."""
    memory = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
    return memory if os.access(memory, os.W_OK) else Path(tempfile.gettempdir())


def _sweep(folder: Path) -> None:
    """Remove the run folders of supervisors that were killed: those whose lock nobody holds."""
    for left in folder.glob(f"{_RUN_PREFIX}*"):
        try:
            lock = _lock(left / _ALIVE, create=False)
        except OSError:  # another user's, one that is being made or removed, or not ours at all
            continue
        if lock is not None:
            shutil.rmtree(left, ignore_errors=True)
            os.close(lock)


def _lock(path: Path, *, create: bool = True) -> int | None:
    """A lock that the system drops when this process dies; `None` if another process holds it."""
    file = os.open(path, os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if create else 0), 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return None
    return file


def _address(host: str) -> str:
    """An address to bind: names are looked up once."""
    try:
        return str(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0])
    except OSError as error:
        raise StartError(f"the host {host} is not an address of this machine: {error.strerror}") from None


def _claim_port(host: str, port: int) -> int:
    """Check that nobody listens there; 0 becomes a free port.

    The workers share the port, and the system would as readily share it with a stranger of the same user.
    """
    address = _address(host)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            hint = "choose another with --port" if port else ""
            raise StartError(f"cannot listen on {host}:{port}: {error.strerror}; {hint}") from None
        return int(probe.getsockname()[1])


def _announce(handover: Handover, new_master_key: str | None) -> None:
    edge = handover.edge
    scheme = "https" if edge.tls_cert_file else "http"
    url = f"{scheme}://{_in_url(edge.host)}:{edge.port}"
    workers = "1 worker" if handover.workers == 1 else f"{handover.workers} workers"
    lines = [f"llmgw {__version__} listens on {url} ({workers})"]
    if edge.admin is not None:
        lines.append(f"The admin API is at {scheme}://{_in_url(edge.admin.host)}:{edge.admin.port}/api/v1")
    if new_master_key is not None:
        lines += [
            "",
            f"Your admin key, shown this once:  {new_master_key}",
            "Try it:",
            "",
            f"  curl {url}/v1/chat/completions \\",
            f"    -H 'Authorization: Bearer {new_master_key}' -H 'Content-Type: application/json' \\",
            """    -d '{"model": "mock/echo", "messages": [{"role": "user", "content": "Hello"}]}'""",
            "",
        ]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def main() -> None:
    """Run with the options that `serve()` passed on."""
    options = ServeOptions.from_json(sys.argv[1])
    # Workers inherit what the supervisor has prepared: see `gateway.handover`.
    multiprocessing.set_start_method("fork")
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    try:
        sys.exit(run(options))
    except LlmgwError as error:
        if options.debug:
            raise
        sys.stderr.write(f"error: {error}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
