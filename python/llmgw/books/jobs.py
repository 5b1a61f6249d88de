"""Jobs that the store holds: each is done once, by whichever bookkeeper takes it first."""

import asyncio
import os
import socket

from llmgw.books.backoff import Backoff, pause
from llmgw.store.database import Store

_POLL_SECONDS = 5.0


class Jobs:
    """Looks for jobs, and does them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._worker = f"{socket.gethostname()}:{os.getpid()}"

    async def run(self, stop: asyncio.Event) -> None:
        """Do jobs until `stop`."""
        backoff = Backoff()
        while not stop.is_set():
            await pause(stop, _POLL_SECONDS)
