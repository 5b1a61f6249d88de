"""What the supervisor hands its workers: made before the fork, read after it.

The compiled snapshot lies in two anonymous files that every worker inherits. A new one goes into the
file that is not in use, then the generation in shared memory moves on: workers read a whole snapshot
or the one before, and a file that does not compile never gets here. Secrets never touch a disk.
"""

import os
import tempfile
from typing import ClassVar

import msgspec

from llmgw._native import SharedState
from llmgw.access.terms import OidcOptions
from llmgw.settings.identity import RoleRule
from llmgw.settings.secrets import Secret
from llmgw.store.keyring import Keyring


class RealtimeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the realtime sessions of a worker may take; the mirror of the native `RealtimeSettings`."""

    max_sessions: int
    max_message_bytes: int
    idle_timeout: float
    max_duration: float


class AdminSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the admin API is served if not where all else is; the mirror of the native `AdminSettings`."""

    host: str
    port: int


class EdgeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How a worker's edge is set up; the mirror of the native `EdgeSettings`. Times in seconds."""

    host: str
    port: int
    admin: AdminSettings | None
    max_body_bytes: int
    max_upload_bytes: int
    max_held_bytes: int
    max_header_bytes: int
    header_timeout: float
    body_idle_timeout: float
    upload_timeout: float
    write_timeout: float
    keep_alive_timeout: float
    max_connections: int
    tls_cert_file: str | None
    tls_key_file: str | None
    tls_client_ca_file: str | None
    tls_client_required: bool
    trusted_proxies: tuple[str, ...]
    control_socket: str
    responses_folder: str
    """Where responses are stored; shared by all workers."""
    realtime: RealtimeSettings
    files_folder: str
    """Where it is remembered whose files are; shared by all workers."""
    ledger_folder: str | None
    """Where each worker writes its part of the ledger; nothing is written without it."""
    secret: str
    """Proves to the control plane that a request came through an edge."""


class SnapshotFiles:
    """The two files a snapshot is handed over in, by generation."""

    def __init__(self, shared: SharedState) -> None:
        self._shared = shared
        self._files = (_anonymous_file(), _anonymous_file())

    def publish(self, snapshot: bytes) -> int:
        """Make `snapshot` the next generation; returns its number."""
        file = self._files[(self._shared.generation + 1) % 2]
        os.ftruncate(file, 0)
        written = 0
        while written < len(snapshot):
            written += os.pwrite(file, snapshot[written:], written)
        return self._shared.next_generation()

    def read(self, generation: int) -> bytes:
        """The snapshot of a generation that is still the newest or the one before."""
        file = self._files[generation % 2]
        return os.pread(file, os.fstat(file).st_size, 0)


class Handover(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a worker needs to begin."""

    run_folder: str
    """Holds the shared memory's name, the control socket and the workers' numbers."""
    shared_path: str
    edge: EdgeSettings
    workers: int
    drain_timeout: float
    metrics_auth: str
    snapshots: SnapshotFiles
    shared: SharedState
    store_url: Secret
    """The database; see `llmgw.store`."""
    keyring: Keyring
    """What secrets in the database are sealed under."""
    pepper: Secret
    """Hex key of the digests of virtual keys."""
    oidc: OidcOptions | None = None
    """How people log in, if they do."""
    scim_roles: tuple[RoleRule, ...] = ()
    """Roles that groups of SCIM give their members."""

    current: ClassVar["Handover | None"] = None
    """Set by the supervisor before it forks; a worker finds it in its copy of the process."""


def _anonymous_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("llmgw-snapshot", os.MFD_CLOEXEC)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
