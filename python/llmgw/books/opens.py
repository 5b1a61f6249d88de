"""What dead workers left open: reserved, perhaps sent, and settled by nobody.

It stays booked at what was held for it, as `unsettled`, until a reconciliation says what it cost. In shared
memory the hold becomes money that is spent.
"""

from llmgw.books.memory import Memory
from llmgw.store import entries, ledger
from llmgw.store.database import Store
from llmgw.telemetry.logs import log

UNSETTLED = "unsettled"


class Opens:
    """Looks after dead writers, each once."""

    def __init__(self, store: Store, memory: Memory) -> None:
        self._store = store
        self._memory = memory
        self._done: set[str] = set()

    async def book(self, ended: list[str]) -> None:
        """Book what these writers left; all of their records are booked.

        Raises:
            StoreUnavailable: the next call goes on.
        """
        for writer in ended:
            if writer not in self._done:
                await self._book(writer)
                self._done.add(writer)

    async def _book(self, writer: str) -> None:
        async with self._store.begin() as tx:
            left = [row for row in await entries.open_of(tx, writer) if row.price_status != UNSETTLED]
            if left:
                await ledger.mark_unsettled(tx, writer)
        held = sum(row.held or 0 for row in left)
        if left:
            log.warning("a worker died with requests under way", writer=writer, requests=len(left), held=held)
        for row in left:
            for slot, window, nano in row.holds or ():
                self._memory.lose_hold(slot, window, nano)
