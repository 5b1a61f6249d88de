"""Settings to snapshots, at the start and whenever they change; a bad file never replaces a good one."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import msgspec
import watchfiles

from llmgw import _native
from llmgw._native import SharedState
from llmgw.errors import LlmgwError
from llmgw.gateway.handover import SnapshotFiles
from llmgw.plugins import load_registries
from llmgw.settings.environment import Environment
from llmgw.settings.load import load_settings
from llmgw.settings.process import ServeOptions
from llmgw.settings.schema import ServerSettings
from llmgw.state import StateFolder
from llmgw.telemetry.logs import log
from llmgw.wiring import compile_snapshot
from llmgw.wiring.keys import is_master_key_given

_LOOK_MILLISECONDS = 200
_DEBOUNCE_MILLISECONDS = 400
"""A folder in which something changes all the time must not keep a change of ours waiting."""


class First(msgspec.Struct, frozen=True):
    """What the process starts with."""

    snapshot: bytes
    server: ServerSettings
    new_master_key: str | None
    """To be shown once."""


class Reloader:
    """Compiles the settings, watches their files, publishes what compiles."""

    def __init__(self, options: ServeOptions) -> None:
        self._options = options
        self._folder = StateFolder.locate(self._environment())
        self._hangup = threading.Event()
        self._stop = threading.Event()
        self._digest = b""

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
        return First(self._compile(), self._options.over(loaded.settings.server), new_key)

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

    def _reload(self, snapshots: SnapshotFiles, shared: SharedState) -> None:
        self._digest = self._content()
        try:
            generation = snapshots.publish(self._compile())
        except LlmgwError as error:
            shared.note_reload(False)
            log.error("the new settings cannot be used; the old ones stay", reason=str(error))
        except Exception:  # whatever it is, the next change of the settings must find us listening
            shared.note_reload(False)
            log.exception("reading the new settings failed; the old ones stay")
        else:
            shared.note_reload(True)
            log.info("new settings are in force", generation=generation)

    def _compile(self) -> bytes:
        loaded = load_settings(self._options.config, self._environment())
        state = self._folder.read()
        providers = load_registries().providers
        snapshot = compile_snapshot(loaded.settings, loaded.environment, state, loaded.report, providers)
        for warning in loaded.report.warnings:
            log.warning(str(warning))
        encoded = snapshot.encode()
        try:
            _native.check_snapshot(encoded)
        except ValueError as error:
            raise UnusableSnapshotError(str(error)) from None
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
