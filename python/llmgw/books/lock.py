"""One bookkeeper books a folder of journals at a time; the system drops its lock when it dies."""

import fcntl
import os
from pathlib import Path

_NAME = "bookkeeper.lock"


class FolderLock:
    """The lock of a folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _NAME
        self._file: int | None = None

    def take(self) -> bool:
        """Take it if it is free; whether it is held then."""
        if self._file is not None:
            return True
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        self._file = file
        return True

    def give_up(self) -> None:
        """Let others take it."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
