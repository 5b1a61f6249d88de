"""Steady load on a gateway while something happens to it."""

import threading
from collections import Counter
from itertools import cycle
from typing import Self

from tests.gateway_process import GatewayProcess, wait_until

WHOLE = "200 whole"
NO_CONNECTION = "no connection"


class Load:
    """Threads that send chats on new connections until told to stop, counting what came back."""

    def __init__(self, gateway: GatewayProcess, threads: int = 4) -> None:
        self._gateway = gateway
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(threads)]
        self.outcomes: Counter[str] = Counter()

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        for stream in cycle([False, True]):
            if self._stopping.is_set():
                return
            self.outcomes[self._one(stream)] += 1

    def _one(self, stream: bool) -> str:
        try:
            response = self._gateway.chat("plain", stream=stream)
        except OSError:
            return NO_CONNECTION
        return f"{response.status} {'whole' if response.complete else 'cut'}"

    def wait_for_more(self, count: int) -> None:
        """Wait until `count` more requests were answered well."""
        target = self.outcomes[WHOLE] + count
        wait_until(lambda: self.outcomes[WHOLE] >= target, f"{count} more answers: {self.outcomes}")
