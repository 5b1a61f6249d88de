"""The state folder: the pepper, the generated master key, stored responses, keys of earlier versions.

It is `$LLMGW_HOME`, else `~/.llmgw`, for the owner alone. Files are written whole or not at all.
"""

import os
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from llmgw import _native
from llmgw.errors import LlmgwError
from llmgw.settings.decode import decode
from llmgw.settings.environment import Environment
from llmgw.settings.parse import parse
from llmgw.settings.problems import Report, SettingsError
from llmgw.settings.schema import KeyEntry, KeysFile
from llmgw.settings.secrets import Secret

KEYS_FILE = "keys.yaml"
"""The file in which earlier versions kept the keys made with `llmgw keys create`."""

_PEPPER_BYTES = 32
_OTHERS = 0o007


class StateError(LlmgwError):
    """The state folder cannot be used; the text says what to do."""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What the state folder holds. Secrets are hidden."""

    pepper: Secret
    """Hex key of the digests of virtual keys."""
    master_key: Secret | None
    """The generated admin key."""
    keys: tuple[KeyEntry, ...] = ()
    """Keys of the file that earlier versions wrote; digests only."""
    made_master_key: bool = False
    """The admin key is new, and should be shown this once."""


class StateFolder:
    """The folder and its files. Nothing is read or written before a method is called."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.master_key_file = path / "master.key"
        self.pepper_file = path / "pepper"
        self.keys_file = path / KEYS_FILE
        self.responses_folder = path / "responses"
        """Written by the workers; what is in it is sealed under the pepper."""
        self.files_folder = path / "files"
        """The same, of what is remembered of files and batches."""
        self.journal_folder = path / "journal"
        """The ledger, as the workers write it: one journal for each process that ever was one."""

    @classmethod
    def locate(cls, environment: Environment) -> "StateFolder":
        """`$LLMGW_HOME`, else `~/.llmgw`."""
        home = environment.get("LLMGW_HOME")
        return cls(Path(home) if home else Path.home() / ".llmgw")

    def prepare(self, *, with_master_key: bool) -> State:
        """Make what is missing, and read the rest: for the process that starts the gateway.

        Raises:
            StateError: it cannot be written, or others may read a key.
            SettingsError: `keys.yaml` cannot be used.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            _make_once(self.pepper_file, lambda: secrets.token_hex(_PEPPER_BYTES))
            made = with_master_key and _make_once(self.master_key_file, _native.generate_key)
        except OSError as error:
            raise StateError(_cannot("write", self.path, error)) from None
        return msgspec.structs.replace(self.read(), made_master_key=made)

    def read(self) -> State:
        """Read what the folder holds, writing nothing: for workers and commands.

        Raises:
            StateError: it was never prepared, cannot be read, or others may read a key.
            SettingsError: `keys.yaml` cannot be used.
        """
        pepper = _read_private(self.pepper_file)
        if pepper is None:
            raise StateError(f"{self.pepper_file} is missing: start the gateway once (llmgw serve)")
        if len(pepper) != 2 * _PEPPER_BYTES or not all(c in "0123456789abcdef" for c in pepper):
            raise StateError(f"{self.pepper_file} is damaged: expected 64 hex digits")
        master_key = _read_private(self.master_key_file)
        return State(
            pepper=Secret(pepper),
            master_key=Secret(master_key) if master_key else None,
            keys=self.read_keys(),
        )

    def read_keys(self) -> tuple[KeyEntry, ...]:
        """The keys that earlier versions made with `llmgw keys create`; without the file, none.

        Raises:
            StateError: the file cannot be read, or others may read it.
            SettingsError: it cannot be used.
        """
        text = _read_private(self.keys_file)
        if not text:
            return ()
        parsed = parse(text, str(self.keys_file))
        report = Report(str(self.keys_file), parsed.lines)
        file = decode(parsed.tree, KeysFile, report, {})
        report.raise_errors()
        if file is None:
            raise SettingsError(report.problems)
        return file.keys


def passing_state() -> State:
    """A state that is kept nowhere: for checking a configuration without touching the folder."""
    return State(
        pepper=Secret(secrets.token_hex(_PEPPER_BYTES)),
        master_key=Secret(_native.generate_key()),
    )


def _read_private(path: Path) -> str | None:
    """The file's text, or `None` if there is none; refused when others may read or write it."""
    try:
        with path.open(encoding="utf-8") as file:
            if os.fstat(file.fileno()).st_mode & _OTHERS:
                raise StateError(f"others may read {path}; run: chmod 600 {path}")
            return file.read().strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise StateError(_cannot("read", path, error)) from None


def _make_once(path: Path, content: Callable[[], str]) -> bool:
    """Write a file that does not exist yet; of several processes, one does. Whether it was us."""
    if path.exists():
        return False
    temporary = _write_beside(path, content() + "\n")
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        return False
    finally:
        temporary.unlink()
    _sync_folder(path.parent)
    return True


def _write_beside(path: Path, text: str) -> Path:
    """A synced temporary file (mode 0600) in the same folder."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return Path(name)


def _sync_folder(path: Path) -> None:
    """Make the new name survive a crash."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _cannot(verb: str, path: Path, error: Exception) -> str:
    reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
    return f"cannot {verb} {path}: {reason}"
