"""Writes a running gateway's directory of keys by hand, as whoever feeds it does."""

import json
from pathlib import Path
from typing import Any

from llmgw import _native
from llmgw._native import SharedState
from tests.gateway_process import GatewayProcess

JsonObject = dict[str, Any]


class DirectoryFeed:
    """The files in a run folder that the workers read keys from."""

    def __init__(self, folder: Path, pepper: str) -> None:
        self.folder = folder
        self.shared = SharedState(folder / "shared")
        self.file = self.shared.directory[0]
        self._pepper = pepper
        self._length = 0
        self._sequence = 0

    @classmethod
    def of(cls, gateway: GatewayProcess) -> "DirectoryFeed":
        """That of a running gateway."""
        return cls(run_folder(gateway), (gateway.home / "state" / "pepper").read_text().strip())

    def digest(self, key: str) -> str:
        """What is kept of a key."""
        return _native.key_digest(self._pepper, key)

    def key(self, name: str, *shown: str, **fields: Any) -> JsonObject:
        """A line that puts a key; `shown`: what clients may show."""
        digests = [[self.digest(one), None] for one in shown]
        return {"put": "key", "id": f"key_{name}", "alias": name, "digests": digests, **fields}

    def begin(self, *lines: JsonObject) -> None:
        """Begin a new file with these lines."""
        self.file += 1
        self._length = 0
        self.append(*lines)

    def append(self, *lines: JsonObject) -> None:
        """Append lines, which are whole, and publish them."""
        self._sequence += 1
        self.write(_text(*lines, {"end": self._sequence}))

    def write(self, text: bytes, published: int | None = None) -> None:
        """Append these very bytes, and publish as many of them."""
        self.file = self.file or 1
        with self.path.open("ab") as file:
            file.write(text)
        self._length += len(text) if published is None else published
        self.shared.publish_directory(self.file, self._length)

    @property
    def path(self) -> Path:
        """The file that is written now."""
        return self.folder / f"directory.{self.file}"


def node(kind: str, name: str, **fields: Any) -> JsonObject:
    """A line that puts a node."""
    return {"put": "node", "id": f"{kind}_{name}", "kind": kind, "name": name, "parent": None, **fields}


def run_folder(gateway: GatewayProcess) -> Path:
    """Where a running gateway keeps what its workers share."""
    maps = Path(f"/proc/{gateway.worker_pids()[0]}/maps").read_text().splitlines()
    shared = next(line.split()[-1] for line in maps if line.endswith("/shared"))
    return Path(shared).parent


def _text(*lines: JsonObject) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)
