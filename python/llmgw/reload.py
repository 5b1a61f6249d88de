"""Settings to snapshots: at the start, whenever they change, and when a credential is about to expire.

A bad file never replaces a good one.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import watchfiles

from llmgw import _native
from llmgw._native import SharedState
from llmgw.access.jwks import Source, sources
from llmgw.access.terms import OidcOptions
from llmgw.errors import LlmgwError
from llmgw.gateway.handover import SnapshotFiles
from llmgw.plugins import load_registries
from llmgw.providers.base import Provider
from llmgw.registry import Registry
from llmgw.settings.environment import Environment
from llmgw.settings.identity import RoleRule
from llmgw.settings.load import Loaded, load_settings
from llmgw.settings.process import ServeOptions
from llmgw.settings.schema import LedgerSettings, ServerSettings
from llmgw.settings.secrets import Secret
from llmgw.settings.store import StoreSettings
from llmgw.state import StateFolder
from llmgw.store import urls
from llmgw.store.keyring import Keyring
from llmgw.telemetry.logs import log
from llmgw.wiring import Compiled
from llmgw.wiring.keys import is_master_key_given
from llmgw.wiring.renewal import Inputs, Renewal

_LOOK_MILLISECONDS = 200
_DEBOUNCE_MILLISECONDS = 400
"""A folder in which something changes all the time must not keep a change of ours waiting."""


class First(msgspec.Struct, frozen=True, kw_only=True):
    """What the process starts with."""

    snapshot: bytes
    server: ServerSettings
    responses_folder: Path
    files_folder: Path
    ledger_folder: Path | None
    """Where the ledger is written, if it is."""
    ledger: LedgerSettings
    state_folder: Path
    store: StoreSettings
    store_url: Secret
    """Where the store is; it may hold a password."""
    budgets: list[dict[str, Any]]
    """Of the settings' keys, for the bookkeeper."""
    new_master_key: str | None
    """To be shown once."""
    pepper: Secret
    issuers: list[Source]
    """Issuers of tokens whose keys have to be fetched."""
    ca_file: str | None
    oidc: OidcOptions | None
    scim_roles: tuple[RoleRule, ...]
    keyring: Keyring


class Reloader:
    """Compiles the settings, watches their files, publishes what compiles."""

    def __init__(self, options: ServeOptions) -> None:
        self._options = options
        self._folder = StateFolder.locate(self._environment())
        self._hangup = threading.Event()
        self._stop = threading.Event()
        self._digest = b""
        self._providers: Registry[Provider] | None = None
        self._renewal = Renewal()
        self._published = b""
        """A digest of the snapshot in force."""

    def first(self) -> First:
        """Prepare the state folder and compile for the first time.

        Raises:
            LlmgwError: the settings or the state folder cannot be used.
        """
        loaded = load_settings(self._options.config, self._environment())
        given = is_master_key_given(loaded.settings, loaded.environment)
        state = self._folder.prepare(with_master_key=not given)
        self._digest = self._content()
        new_key = state.master_key.reveal() if state.made_master_key and state.master_key else None
        inputs = self._read()
        compiled = self._compile(inputs)
        encoded = self._encode(inputs, compiled)
        server = self._options.over(loaded.settings.server)
        return First(
            snapshot=encoded,
            server=server,
            responses_folder=self._folder.responses_folder,
            files_folder=self._folder.files_folder,
            ledger_folder=self._ledger_folder(loaded.settings.ledger),
            ledger=loaded.settings.ledger,
            state_folder=self._folder.path.absolute(),
            store=loaded.settings.store,
            store_url=self._store_url(loaded),
            budgets=[
                {"owner": f"file:{key.alias}", "rule": msgspec.to_builtins(rule)}
                for key in compiled.snapshot.auth.keys
                for rule in key.budgets
            ],
            new_master_key=new_key,
            pepper=state.pepper,
            issuers=sources(loaded.settings.jwt),
            ca_file=compiled.snapshot.egress.ca_file,
            oidc=compiled.oidc,
            scim_roles=loaded.settings.scim.roles,
            keyring=Keyring.locate(loaded.environment, self._folder.path),
        )

    def _ledger_folder(self, ledger: LedgerSettings) -> Path | None:
        if not ledger.enabled:
            return None
        if ledger.folder is None:
            return self._folder.journal_folder
        beside = Path() if self._options.config is None else self._options.config.absolute().parent
        return beside / Path(ledger.folder).expanduser()

    def _store_url(self, loaded: Loaded) -> Secret:
        configured = loaded.settings.store.url
        url = None if configured is None else configured.resolve(loaded.environment).reveal()
        return Secret(urls.locate(loaded.environment, url, self._folder.path))

    def wake(self) -> None:
        """Look at the settings now, changed or not (SIGHUP)."""
        self._hangup.set()

    @contextmanager
    def watching(self, snapshots: SnapshotFiles, shared: SharedState) -> Iterator[None]:
        """Watch in the background until the block ends."""
        thread = threading.Thread(
            target=self._watch, args=(snapshots, shared), name="llmgw-reload", daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()

    def _watch(self, snapshots: SnapshotFiles, shared: SharedState) -> None:
        folders = {self._folder.path}
        if self._options.reload and self._options.config is not None:
            folders.add(self._options.config.absolute().parent)
        looks = watchfiles.watch(
            *folders,
            stop_event=self._stop,
            rust_timeout=_LOOK_MILLISECONDS,
            yield_on_timeout=True,
            recursive=False,
            raise_interrupt=False,
            debounce=_DEBOUNCE_MILLISECONDS,
            watch_filter=None,
        )
        for changes in looks:
            asked = self._hangup.is_set()
            self._hangup.clear()
            if asked or (changes and self._content() != self._digest):
                self._reload(snapshots, shared)
            elif (renewed := self._renewal.poll()) is not None:
                self._take_renewed(renewed, snapshots)

    def _reload(self, snapshots: SnapshotFiles, shared: SharedState) -> None:
        self._digest = self._content()
        try:
            inputs = self._read()
            generation = snapshots.publish(self._encode(inputs, self._compile(inputs)))
        except LlmgwError as error:
            shared.note_reload(False)
            log.error("the new settings cannot be used; the old ones stay", reason=str(error))
        except Exception:  # whatever it is, the next change of the settings must find us listening
            shared.note_reload(False)
            log.exception("reading the new settings failed; the old ones stay")
        else:
            shared.note_reload(True)
            log.info("new settings are in force", generation=generation)

    def _take_renewed(self, renewed: Compiled | LlmgwError, snapshots: SnapshotFiles) -> None:
        """Publish what a renewal has changed. The metrics of reloads tell of the settings, not of this."""
        if isinstance(renewed, LlmgwError):
            log.error("credentials were not renewed; the old ones stay", reason=str(renewed))
            return
        for problem in renewed.credential_problems:
            log.warning("a credential was not renewed", reason=problem)
        encoded = renewed.snapshot.encode()
        if (digest := sha256(encoded).digest()) == self._published:
            return
        self._published = digest
        log.info("renewed credentials are in force", generation=snapshots.publish(encoded))

    def _read(self) -> Inputs:
        """The settings and the state as they are now."""
        if self._providers is None:  # kept, as they keep the credentials that they have fetched
            self._providers = load_registries().providers
        loaded = load_settings(self._options.config, self._environment())
        return Inputs(loaded, self._folder.read(), self._providers)

    def _compile(self, inputs: Inputs) -> Compiled:
        compiled = inputs.compile(inputs.loaded.report)
        for warning in inputs.loaded.report.warnings:
            log.warning(str(warning))
        return compiled

    def _encode(self, inputs: Inputs, compiled: Compiled) -> bytes:
        """The snapshot's bytes, tried on the native core; its credentials are kept up from now on."""
        encoded = compiled.snapshot.encode()
        try:
            _native.check_snapshot(encoded)
        except ValueError as error:
            raise UnusableSnapshotError(str(error)) from None
        self._published = sha256(encoded).digest()
        self._renewal.follow(inputs, compiled.renew_at)
        return encoded

    def _environment(self) -> Environment:
        return Environment.of_process(self._options.env_files, self._options.default_env_file)

    def _content(self) -> bytes:
        """A digest of the files that settings are made of."""
        digest = sha256()
        files: list[Path] = [self._folder.keys_file, *self._options.env_files]
        if self._options.config is not None:
            files.append(self._options.config)
        for file in files:
            try:
                digest.update(file.read_bytes())
            except OSError:
                digest.update(b"-")
            digest.update(b"\0")
        return digest.digest()


class UnusableSnapshotError(LlmgwError):
    """The native core does not take what the settings compiled to."""
