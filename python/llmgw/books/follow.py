"""Keeps the workers' directory as the store has it: the whole of it at the start, then what changes."""

import asyncio
import time

from llmgw.books.backoff import Backoff, pause
from llmgw.books.budgets import Budgets
from llmgw.books.directory import DirectoryFile
from llmgw.books.feed import Feed
from llmgw.store.database import Store
from llmgw.store.errors import StoreError, StoreUnavailable
from llmgw.telemetry.logs import log

POLL_SECONDS = 0.2


class Follow:
    """Follows the store's changes."""

    def __init__(self, store: Store, directory: DirectoryFile, budgets: Budgets) -> None:
        self._store = store
        self._directory = directory
        self._budgets = budgets
        self._feed = Feed()
        self.sequence = 0
        """The last change that workers were told of."""
        self.as_of: float | None = None
        """When the directory was that of the store, in Unix seconds."""

    @property
    def misshapen(self) -> int:
        """Objects of the store that cannot be served."""
        return len(self._feed.misshapen)

    async def begin(self) -> None:
        """Write the whole directory, after the budgets of all that is in it.

        Raises:
            StoreUnavailable: the one before stays.
        """
        async with self._store.read() as tx:
            await self._budgets.restore_all(tx)
        at = time.time()
        async with self._store.read() as tx:
            await self._directory.begin(self._feed.everything(tx))
        self.sequence, self.as_of = self._feed.sequence, at

    async def run(self, stop: asyncio.Event) -> None:
        """Tell of changes until `stop`."""
        backoff = Backoff()
        while not stop.is_set():
            try:
                if self._directory.is_to_compact():
                    await self.begin()
                await self.step()
            except StoreUnavailable as error:
                await backoff.wait(stop, error)
                continue
            except StoreError as error:  # what the store holds is beyond us: others go on, and this does too
                log.error("the directory does not follow the store", reason=str(error))
                await backoff.wait(stop, error)
                continue
            backoff.reset()
            await pause(stop, POLL_SECONDS)

    async def step(self) -> None:
        """Tell of what changed since the last time.

        Raises:
            StoreUnavailable: it is told the next time.
        """
        at = time.time()
        async with self._store.read() as tx:
            told = await self._feed.since(tx, self.sequence)
            if told is not None:
                await self._budgets.restore(tx, told.objects)
        if told is not None:
            self._directory.append(told.text)
            self.sequence = told.sequence
        self.as_of = at
