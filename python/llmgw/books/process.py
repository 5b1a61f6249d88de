"""The bookkeeper: the process in which journal, store and shared memory meet.

Everything it does can be done again. Records are booked by id, and with the position, in one transaction; the
directory is what the store says; budgets are restored once. So it may be killed at any instant, and the next
one goes on. It ends when its standard input does: then the workers have ended, or the supervisor has died.
"""

import asyncio
import os
import signal
import sys
import time

from llmgw._native import SharedState, die_with_parent
from llmgw.access.fetch import Fetcher
from llmgw.access.issuers import IssuerKeys, clocks
from llmgw.access.jwks import KeyRing
from llmgw.books.backoff import Backoff, pause
from llmgw.books.budgets import Budgets, budgets_of
from llmgw.books.directory import DirectoryFile
from llmgw.books.follow import Follow
from llmgw.books.jobs import Jobs
from llmgw.books.keeping import Keeping
from llmgw.books.last import Last, LastState, is_usable
from llmgw.books.memory import Memory
from llmgw.books.options import URL_VARIABLE, BooksOptions
from llmgw.books.replay import committed_after, together
from llmgw.books.status import Status
from llmgw.books.supervision import DONE
from llmgw.store.database import Store
from llmgw.store.errors import StoreError
from llmgw.store.upgrade import upgrade
from llmgw.telemetry.logs import configure_logs, log

_STATUS_SECONDS = 1.0
_STATEMENT_SECONDS = 30.0
"""A batch of records on a slow disk takes its time, and nobody waits for it."""
_LAST_STATE_SECONDS = 5.0
_GRACE_SECONDS = 10.0
"""For workers that outlive their supervisor, on top of the time that they have anyway."""


class Bookkeeper:
    """The process's parts, and its life."""

    def __init__(self, options: BooksOptions, store: Store, memory: Memory) -> None:
        folder = options.journal_folder
        self._options = options
        self._store = store
        self._last = LastState(options.state_folder / "books")
        self._budgets = Budgets(memory, budgets_of(options.budgets))
        self._directory = DirectoryFile(options.run_folder, memory, self._last.directory)
        self._follow = Follow(store, self._directory, self._budgets)
        self._keeping = None if folder is None else Keeping(store, memory, folder, options.keep)
        self._jobs = Jobs(store, options.config)
        monotonic, now = clocks()
        ring = KeyRing(options.issuers, Fetcher(options.ca_file), monotonic=monotonic, now=now)
        self._issuers = IssuerKeys(store, ring, lambda: memory.wanted_issuer_keys)
        self._adopted: Last | None = None
        self._is_ready = False
        self._stop = asyncio.Event()
        """Shutdown has begun: only the journal is still of interest."""
        self._end = asyncio.Event()
        """Nobody writes to the journal any more, or nobody is there to say so."""
        self._patience = options.drain_timeout + _GRACE_SECONDS
        self._status = Status(options, store, self._follow, self._keeping, self._directory)

    async def run(self) -> None:
        """Keep the books until standard input ends."""
        self._last.prepare()
        listening = await self._listen()
        telling = asyncio.create_task(self._tell())
        try:
            if await self._start():
                await self._work()
            if self._keeping is not None:
                await self._keeping.finish(self._patience)
            self._keep_state()
        finally:
            listening.cancel()
            telling.cancel()
            self._directory.close()
            await self._store.close()

    async def _listen(self) -> asyncio.Task[None]:
        """Signals say that the end is near, standard input that it is there."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        reader = asyncio.StreamReader()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        return asyncio.create_task(self._await_end(reader))

    async def _await_end(self, reader: asyncio.StreamReader) -> None:
        if await reader.read() == DONE:
            self._patience = 0.0
        self._stop.set()
        self._end.set()

    async def _start(self) -> bool:
        """Have the workers' needs met: by the store, or after a while by the last known state.

        False if the end came first.
        """
        beginning = asyncio.create_task(self._begin())
        ending = asyncio.create_task(self._end.wait())
        tasks = {beginning, ending}
        try:
            await asyncio.wait(tasks, timeout=self._options.start_timeout, return_when="FIRST_COMPLETED")
            if not beginning.done() and not ending.done():
                self._adopt()
                await asyncio.wait(tasks, return_when="FIRST_COMPLETED")
            if beginning.done():
                beginning.result()
            return not ending.done()
        finally:
            for task in tasks:
                task.cancel()

    async def _begin(self) -> None:
        """Bring tables, books, budgets and directory up to date, however long it takes."""
        backoff, begun = Backoff(), time.monotonic()
        while True:
            try:
                await upgrade(self._store)
                is_ours = self._keeping is None or self._keeping.take()
                if not is_ours and time.monotonic() - begun < self._options.start_timeout:
                    await pause(self._end, 0.2)  # the bookkeeper of an earlier run finishes
                    continue
                if is_ours and self._keeping is not None:
                    await self._keeping.catch_up()
                await self._follow.begin()
            except (StoreError, OSError) as error:
                self._status.note_trouble(str(error))
                await backoff.wait(self._end, error)
                continue
            self._is_ready = True
            self._status.tell(self._is_ready, self._adopted)
            return

    def _adopt(self) -> None:
        """Serve the last known state, if it is not too old."""
        kept, length = self._last.read(), self._last.length()
        if kept is None or length == 0 or not is_usable(kept, time.time(), self._options.max_staleness):
            log.warning("the store cannot be used, and there is no state to serve without it: waiting")
            return
        after = () if self._options.journal_folder is None else committed_after(
            self._options.journal_folder, kept.positions
        )  # fmt: skip
        self._budgets.adopt(together(kept.budgets, after))
        self._directory.adopt(length)
        self._adopted, self._is_ready = kept, True
        log.warning("the store cannot be used: serving the last known state", as_of=kept.as_of)

    async def _work(self) -> None:
        """Until the end."""
        async with asyncio.TaskGroup() as tasks:
            if self._keeping is not None:
                tasks.create_task(self._keeping.run(self._end))
            tasks.create_task(self._follow.run(self._stop))
            tasks.create_task(self._jobs.run(self._stop))
            tasks.create_task(self._keep_states())
            issuers = tasks.create_task(self._issuers.run())
            await self._end.wait()
            issuers.cancel()

    async def _keep_states(self) -> None:
        while not self._end.is_set():
            self._keep_state()
            await pause(self._end, _LAST_STATE_SECONDS)

    def _keep_state(self) -> None:
        """Write the last known state, unless that is what we have it from."""
        as_of = self._follow.as_of
        if as_of is None:
            return
        positions = {} if self._keeping is None else self._keeping.ahead()[0]
        try:
            self._last.write(Last(as_of=as_of, positions=positions, budgets=self._budgets.committed()))
        except OSError as error:
            self._status.note_trouble(f"the last known state cannot be written: {error}")

    async def _tell(self) -> None:
        while True:
            self._status.tell(self._is_ready, self._adopted)
            await asyncio.sleep(_STATUS_SECONDS)


def main() -> None:
    """Keep the books, as the supervisor asks for it."""
    options = BooksOptions.from_json(sys.argv[1])
    configure_logs(options.log_level)
    die_with_parent()
    store = Store.open(os.environ[URL_VARIABLE], statement_seconds=_STATEMENT_SECONDS)
    memory = SharedState(options.run_folder / "shared")
    asyncio.run(Bookkeeper(options, store, memory).run())
