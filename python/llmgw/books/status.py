"""What is told of the books: which promises hold, which do not, and what holds instead."""

import time

from llmgw.books.directory import DirectoryFile
from llmgw.books.follow import Follow
from llmgw.books.keeping import Keeping
from llmgw.books.last import Last, is_usable
from llmgw.books.options import BooksOptions
from llmgw.store.database import Store
from llmgw.telemetry import books as health
from llmgw.telemetry.books import Health
from llmgw.telemetry.logs import log


class Status:
    """Puts together what the parts know."""

    def __init__(
        self,
        options: BooksOptions,
        store: Store,
        follow: Follow,
        keeping: Keeping | None,
        directory: DirectoryFile,
    ) -> None:
        self._options = options
        self._store = store
        self._follow = follow
        self._keeping = keeping
        self._directory = directory
        self._is_up: bool | None = None
        self._since = time.time()
        self._trouble: str | None = None

    def note_trouble(self, reason: str) -> None:
        """Something does not work, until the store works again."""
        self._trouble = reason

    def tell(self, is_ready: bool, adopted: Last | None) -> None:
        """Write down how the books are."""
        now = time.time()
        is_up = self._store.is_up and self._follow.as_of is not None
        if is_up != self._is_up:
            self._is_up, self._since = is_up, now
        if is_up:
            self._trouble = None
        try:
            health.write(self._options.run_folder, self._health(now, is_ready, adopted))
        except OSError as error:  # no room, or the folder is being removed
            log.warning("the books' health cannot be told", reason=str(error))

    def _health(self, now: float, is_ready: bool, adopted: Last | None) -> Health:
        as_of = self._follow.as_of or (adopted.as_of if adopted else 0.0)
        is_fresh = bool(as_of) and is_usable(Last(as_of=as_of), now, self._options.max_staleness)
        waiting = 0 if self._keeping is None else self._keeping.ahead()[1]
        drain = None if self._keeping is None else self._keeping.drain
        journal = None if drain is None else drain.journal
        kinds = [] if journal is None else [kind for kind, *_ in journal.findings]
        told = Health(
            at=now,
            ready=is_ready,
            can_serve=is_fresh,
            store=self._store.name,
            store_up=bool(self._is_up),
            store_since=self._since,
            keys_as_of=as_of,
            sequence=self._follow.sequence,
            directory_bytes=self._directory.length,
            misshapen=self._follow.misshapen,
            booked=0 if drain is None else drain.records,
            waiting=waiting,
            lag=0.0 if self._keeping is None else self._keeping.lag(),
            repeated=0 if drain is None else drain.repeated,
            refused=0 if journal is None else journal.refused,
            torn=kinds.count("torn"),
            corrupt=kinds.count("corrupt"),
            trouble=self._trouble,
        )
        return told
