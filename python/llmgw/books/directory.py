"""The files in which workers read the directory, and the copy for a start without the store.

A file is appended to, and how long it is is published only then, so that nobody reads half a change. When
changes have made it long, or a worker found it damaged, the whole state goes into the next one.
"""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

from llmgw.books.memory import Memory

_LEAST_TO_COMPACT = 16 << 20


class DirectoryFile:
    """Writes the directory where the workers read it; `copy` is kept alike, for the next start."""

    def __init__(self, folder: Path, memory: Memory, copy: Path) -> None:
        self._folder = folder
        self._memory = memory
        self._copy_path = copy
        self._number, _ = memory.directory
        self._file: BinaryIO | None = None
        self._copy: BinaryIO | None = None
        self._whole = 0
        self._length = 0

    @property
    def is_open(self) -> bool:
        """Whether there is a file of this process's own."""
        return self._file is not None

    @property
    def length(self) -> int:
        """Bytes of the file."""
        return self._length

    def is_to_compact(self) -> bool:
        """Whether the whole state should go into a new file."""
        if self._memory.damaged_directory >= self._number > 0:
            return True
        return self._length > max(2 * self._whole, _LEAST_TO_COMPACT)

    async def begin(self, pieces: AsyncIterator[bytes]) -> None:
        """Put the whole state, which ends with an `end`, into a new file, and publish it."""
        number = self._number + 1
        path = self._path(number)
        fresh_copy = self._copy_path.with_suffix(".new")
        file, copy, length = _create(path), _create(fresh_copy), 0
        try:
            async for piece in pieces:
                file.write(piece)
                copy.write(piece)
                length += len(piece)
        except BaseException:
            file.close()
            copy.close()
            path.unlink()
            fresh_copy.unlink()
            raise
        self.close()
        self._file, self._copy = file, copy
        copy.flush()
        os.fsync(copy.fileno())
        fresh_copy.replace(self._copy_path)
        self._publish(number, length)

    def adopt(self, length: int) -> None:
        """Publish the copy of an earlier run, up to `length`: the store cannot be asked."""
        number = self._number + 1
        file = _create(self._path(number))
        with self._copy_path.open("rb") as copy:
            left = length
            while left > 0 and (piece := copy.read(min(left, 1 << 20))):
                file.write(piece)
                left -= len(piece)
        self.close()
        self._file = file
        self._publish(number, length - left)

    def append(self, text: bytes) -> None:
        """Add lines that end with an `end`, and publish them."""
        if self._file is None:
            raise ValueError("there is no file yet")
        self._file.write(text)
        self._file.flush()
        self._length += len(text)
        self._memory.publish_directory(self._number, self._length)
        if self._copy is not None:
            self._copy.write(text)
            self._copy.flush()

    def close(self) -> None:
        """Let go of the files; they stay."""
        for file in (self._file, self._copy):
            if file is not None:
                file.close()
        self._file = self._copy = None

    def _publish(self, number: int, length: int) -> None:
        if self._file is not None:
            self._file.flush()
        self._memory.publish_directory(number, length)
        self._path(self._number - 1).unlink(missing_ok=True)
        self._number, self._length, self._whole = number, length, length

    def _path(self, number: int) -> Path:
        return self._folder / f"directory.{number}"


def _create(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb")


def whole_length(path: Path) -> int:
    """Up to where a copy ends with an `end` and can be read: a crash may have left less than was written."""
    whole = length = 0
    try:
        with path.open("rb") as file:
            for line in file:
                if not line.endswith(b"}\n") or b"\0" in line:
                    break
                length += len(line)
                if line.startswith(b'{"end":'):
                    whole = length
    except FileNotFoundError:
        return 0
    return whole
