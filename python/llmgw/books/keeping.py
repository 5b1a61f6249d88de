"""The books of one journal folder: drained, what dead workers left, and how far ahead the journal is."""

import asyncio
import time
from pathlib import Path

from llmgw.books import upkeep
from llmgw.books.backoff import Backoff, pause
from llmgw.books.drain import Drain
from llmgw.books.journal import writers_in
from llmgw.books.lock import FolderLock
from llmgw.books.memory import Memory
from llmgw.books.opens import Opens
from llmgw.books.scout import Scout
from llmgw.store.database import Store
from llmgw.store.errors import StoreError
from llmgw.telemetry.logs import log

_IDLE_SECONDS = 0.1
_UPKEEP_SECONDS = 60.0


class Keeping:
    """Keeps the books of a folder, while no other process does."""

    def __init__(self, store: Store, memory: Memory, folder: Path, keep_days: int) -> None:
        self.drain = Drain(store, folder)
        self._store = store
        self._folder = folder
        self._keep_days = keep_days
        self._opens = Opens(store, memory)
        self._scout = Scout(folder)
        self._lock = FolderLock(folder)
        self._is_caught_up = False
        self._caught_up_at = time.monotonic()

    @property
    def is_caught_up(self) -> bool:
        """Whether all that was found in the journal is booked."""
        return self._is_caught_up and not self.drain.is_pending

    def take(self) -> bool:
        """Become the one who keeps them; false as long as another process does."""
        return self._lock.take()

    async def catch_up(self) -> None:
        """Book all that is there.

        Raises:
            StoreUnavailable: the next call goes on.
        """
        self._is_caught_up = False
        upkeep.repair(self._folder)
        while await self.drain.step():
            pass
        await self._opens.book(self.drain.ended())
        self._note_caught_up()

    async def run(self, stop: asyncio.Event) -> None:
        """Book what comes until `stop`; wait out a database that does not answer."""
        backoff, upkeep_at = Backoff(), time.monotonic() + _UPKEEP_SECONDS
        while not stop.is_set():
            if not self.take():
                await pause(stop, 1.0)
                continue
            try:
                if not await self._step():
                    await pause(stop, _IDLE_SECONDS)
                if time.monotonic() >= upkeep_at:
                    upkeep_at = time.monotonic() + _UPKEEP_SECONDS
                    await self._look_after_files()
            except (StoreError, OSError) as error:
                self._is_caught_up = False
                await backoff.wait(stop, error)
                continue
            backoff.reset()

    async def finish(self, seconds: float) -> None:
        """The last drain: at once, or when the workers have closed their journals, if they do in time."""
        deadline = time.monotonic() + seconds
        while self.take():
            try:
                await self.catch_up()
            except (StoreError, OSError) as error:
                log.warning(
                    "the store cannot be used: the journal keeps what is not booked", reason=str(error)
                )
                return
            if time.monotonic() >= deadline or not self._living():
                return
            await asyncio.sleep(_IDLE_SECONDS)

    def ahead(self) -> tuple[dict[str, int], int]:
        """The sequence behind each journal's last record, and how many of them are not booked."""
        if self.is_caught_up:
            return dict(self.drain.positions), 0
        return self._scout.look(self.drain.positions)

    def lag(self) -> float:
        """Seconds since all was booked."""
        return 0.0 if self.is_caught_up else time.monotonic() - self._caught_up_at

    async def _step(self) -> bool:
        """Book a batch; whether there is more."""
        is_more = await self.drain.step()
        if is_more:
            self._is_caught_up = False
        else:
            await self._opens.book(self.drain.ended())
            self._note_caught_up()
        return is_more

    def _note_caught_up(self) -> None:
        self._is_caught_up = True
        self._caught_up_at = time.monotonic()
        self._scout.rest()

    async def _look_after_files(self) -> None:
        upkeep.repair(self._folder)
        if self.drain.journal is not None:
            await upkeep.remove_booked(
                self._store, self.drain.journal, dict(self.drain.positions), self._keep_days
            )

    def _living(self) -> set[str]:
        """Writers that may still write."""
        return writers_in(self._folder) - set(self.drain.ended())
