"""Writes journals as workers do, and remembers what it wrote: the truth that the books have to come to."""

import json
import secrets
import time
from pathlib import Path
from typing import Any

from llmgw._native import Journal
from llmgw.store.ids import now

HELD = 500


class Scribe:
    """One writer of a folder."""

    def __init__(self, folder: Path) -> None:
        self._journal = Journal(folder)
        self._last = -1
        self.cost = 0
        """Of all that was settled."""
        self.settled = 0
        self.void = 0
        self.calls = 0
        self.open: dict[str, int] = {}
        """What is held for what was not settled."""

    @property
    def writer(self) -> str:
        """The name of its journal."""
        return self._journal.writer

    def append(self, record: dict[str, Any] | bytes) -> None:
        """Any record, or what is none."""
        payload = record if isinstance(record, bytes) else json.dumps(record).encode()
        self._last = self._journal.append(payload)

    def reserve(self, held: int = HELD, **fields: Any) -> str:
        """An attempt that is about to be sent; its id."""
        id = secrets.token_hex(16)
        record = {"t": "reserve", "id": id, "at": now(), "attempt": 1, "request": f"req-{id}", "held": held}
        record |= {"key": "key_a", "alias": "app", "team": "team_a", "organisation": "org_a"}
        record |= {"endpoint": "chat", "group": "gpt", "model": "gpt", "deployment": "one", "tags": ["batch"]}
        record |= {"provider": "openai", "routed": "gpt-4o", "input": 7, "output": 9, "holds": []}
        self.append(record | fields)
        self.open[id] = held
        return id

    def settle(self, id: str, cost: int = 200, **fields: Any) -> None:
        """What it cost."""
        record = {"t": "settle", "id": id, "at": now(), "status": 200, "how": "whole", "cost": cost}
        record |= {"price": "priced", "source": "catalogue", "usage": {"input": 7, "output": 3}, "ms": 12}
        self.append(record | fields)
        del self.open[id]
        self.cost += cost
        self.settled += 1

    def void_it(self, id: str, **fields: Any) -> None:
        """Nothing was billed for it."""
        self.append({"t": "void", "id": id, "at": now(), "why": "unreachable"} | fields)
        del self.open[id]
        self.void += 1

    def call(self, what: str = "hit", **fields: Any) -> None:
        """A request that was answered without a send."""
        record = {"t": "call", "id": secrets.token_hex(16), "at": now(), "what": what, "status": 200}
        self.append(record | {"key": "key_a", "alias": "app", "endpoint": "chat", "saved": 5} | fields)
        self.calls += 1

    def pay(self, cost: int = 200) -> None:
        """An attempt from its beginning to its end."""
        self.settle(self.reserve(), cost)

    def sync(self) -> None:
        """Have all of it on the disk."""
        if self._last >= 0:
            assert self._journal.wait(self._last, 60.0)

    def close(self) -> None:
        """As a worker ends."""
        self._journal.close()


def eventually(holds: Any, seconds: float = 30.0) -> None:
    """Wait until something holds that no event announces."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
