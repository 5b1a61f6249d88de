"""The gateway's own keys, which secrets are sealed under: the present one, and those before it.

They are in `LLMGW_MASTER_SEAL_KEY`, or in `seal.key` of the state folder, which is made when it is first
needed: one key a line, the present one first.
"""

import os
import secrets
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from llmgw.settings.environment import Environment
from llmgw.settings.secrets import Secret, resolve_text
from llmgw.store.errors import StoreError
from llmgw.store.sealing import Kek

VARIABLE = "LLMGW_MASTER_SEAL_KEY"
FILE = "seal.key"
SHORTEST = 32
"""Characters of a key that was not made here."""

_OTHERS = 0o077


class KeyringError(StoreError):
    """The keys cannot be used; the text says what to do, and never a key."""


class Keyring(Mapping[bytes, Kek]):
    """Keys by their ids. One that is not known is looked for where they come from: it may be new."""

    def __init__(self, read: Callable[[], Sequence[Secret]]) -> None:
        """`read` gives the keys as they are now, the present one first."""
        self._read = read
        self._keks: dict[bytes, Kek] = {}
        self._reload()

    @classmethod
    def locate(cls, environment: Environment, folder: Path) -> "Keyring":
        """The keys of the environment, else of the state folder, where one is made if there is none.

        Raises:
            KeyringError: they cannot be read, or others may read them.
        """
        if text := environment.get(VARIABLE):
            return cls(lambda: _split(resolve_text(text, environment)))
        path = folder / FILE
        _make_once(path)
        return cls(lambda: _read_file(path))

    @property
    def current(self) -> Kek:
        """The key that secrets are sealed under at this moment: another process may have made a new one."""
        self._reload()
        return next(iter(self._keks.values()))

    def __getitem__(self, id: bytes) -> Kek:
        if id not in self._keks:
            self._reload()
        return self._keks[id]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._keks)

    def __len__(self) -> int:
        return len(self._keks)

    def _reload(self) -> None:
        keks = [derive(key) for key in self._read()]
        if not keks:
            raise KeyringError("there is no key to seal secrets under")
        self._keks = {kek.id: kek for kek in keks}


def derive(master: Secret) -> Kek:
    """The key that wraps keys, and its id, of what an operator has."""
    text = master.reveal()
    if len(text) < SHORTEST:
        raise KeyringError(
            f"the key in {VARIABLE} has fewer than {SHORTEST} characters: openssl rand -hex 32"
        )
    material = text.encode()
    return Kek(_hkdf(material, b"llmgw seal id", 8), Secret(_hkdf(material, b"llmgw seal key", 32).hex()))


def add_key(folder: Path) -> None:
    """Put a new key before those of the state folder's file.

    Raises:
        KeyringError: the file cannot be read or written.
    """
    path = folder / FILE
    _write(path, [Secret(secrets.token_hex(32)), *_read_file(path)])


def drop_keys(folder: Path, keep: Iterable[bytes]) -> int:
    """Remove the keys of the file that are neither the present one nor among these ids; how many.

    Raises:
        KeyringError: the file cannot be read or written.
    """
    path = folder / FILE
    present = _read_file(path)
    wanted = set(keep)
    kept = [key for place, key in enumerate(present) if place == 0 or derive(key).id in wanted]
    _write(path, kept)
    return len(present) - len(kept)


def _hkdf(material: bytes, label: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=label).derive(material)


def _split(text: str) -> list[Secret]:
    return [Secret(part) for part in text.replace(",", " ").split()]


def _read_file(path: Path) -> list[Secret]:
    try:
        with path.open(encoding="utf-8") as file:
            if os.fstat(file.fileno()).st_mode & _OTHERS:
                raise KeyringError(f"others may read {path}; run: chmod 600 {path}")
            return _split(file.read())
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise KeyringError(f"cannot read {path}: {reason}") from None


def _make_once(path: Path) -> None:
    """Make the file with one new key; of several processes, one does."""
    if path.exists():
        return
    temporary = _beside(path, [Secret(secrets.token_hex(32))])
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()


def _write(path: Path, keys: Sequence[Secret]) -> None:
    try:
        _beside(path, keys).replace(path)
    except OSError as error:
        raise KeyringError(f"cannot write {path}: {error.strerror}") from None


def _beside(path: Path, keys: Sequence[Secret]) -> Path:
    """A synced file (mode 0600) in the same folder."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write("".join(f"{key.reveal()}\n" for key in keys))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise KeyringError(f"cannot write {path}: {error.strerror}") from None
    return Path(name)
