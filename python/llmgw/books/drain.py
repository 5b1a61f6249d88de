"""The drain: what is new in the journal goes into the store, a batch at a time."""

from pathlib import Path

from llmgw.books import booking
from llmgw.books.booking import Behind, Booked
from llmgw.books.journal import Batch, JournalFolder, writers_in
from llmgw.store.database import Store
from llmgw.store.errors import StoreError, StoreUnavailable
from llmgw.telemetry.logs import log

MOST = 5000
"""Records of a batch: some 100 ms of work, and of waiting for others who write."""


class Drain:
    """Books one folder of journals into one store."""

    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        self._folder = folder
        self._journal: JournalFolder | None = None
        self._batch: Batch | None = None
        self._booked: dict[str, int] = {}
        self.records = 0
        """Records booked by this process."""
        self.repeated = 0

    @property
    def journal(self) -> JournalFolder | None:
        """What is followed, once the store has said from where on."""
        return self._journal

    @property
    def positions(self) -> dict[str, int]:
        """The sequence that is booked next, of each writer."""
        return self._booked

    @property
    def is_pending(self) -> bool:
        """Whether records were read that are not booked."""
        return self._batch is not None and bool(self._batch.raw)

    async def step(self) -> bool:
        """Book one batch; whether there is more to be booked at once.

        Raises:
            StoreUnavailable: the batch stays, and is booked by the next call.
        """
        if self._journal is None:
            self._journal = await self._begin()
        if self._batch is None:
            self._batch = self._journal.read(MOST)
        batch = self._batch
        if batch.raw:
            try:
                await self._book(self._journal, batch)
            except Behind:
                log.warning("the store was put back: booking again what it has forgotten")
                self._journal = self._batch = None
                return True
        self._batch = None
        return batch.is_full

    def ended(self) -> list[str]:
        """Dead writers of whom everything is booked."""
        return self._journal.ended() if self._journal and not self._batch else []

    async def _begin(self) -> JournalFolder:
        async with self._store.read() as tx:
            known = await booking.next_sequences(tx)
        here = writers_in(self._folder)
        self._booked = {writer: sequence for writer, sequence in known.items() if writer in here}
        return JournalFolder(self._folder, self._booked)

    async def _book(self, journal: JournalFolder, batch: Batch) -> None:
        """Book a batch; if the store refuses it, its halves, down to the record that is to blame."""
        reads = journal.decoded(batch)
        ends = batch.ends()
        begins = {writer: self._booked[writer] for writer in ends if writer in self._booked}
        try:
            async with self._store.begin() as tx:
                booked = await booking.book(tx, reads, begins, ends)
        except StoreUnavailable:
            raise
        except StoreError as error:
            if len(batch.raw) == 1:
                await self._leave_out(journal, batch, str(error))
                return
            for half in batch.halves():
                await self._book(journal, half)
            return
        self._take(booked)

    async def _leave_out(self, journal: JournalFolder, batch: Batch, reason: str) -> None:
        journal.put_aside(batch.raw[0], reason)
        async with self._store.begin() as tx:
            self._take(await booking.book(tx, [], {}, batch.ends()))

    def _take(self, booked: Booked) -> None:
        self._booked |= booked.positions
        self.records += booked.records
        self.repeated += booked.repeated
