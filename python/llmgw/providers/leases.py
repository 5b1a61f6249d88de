"""Leases: credentials for a time. Fetched once, kept over reloads, renewed ahead of their expiry."""

import threading
import time
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

import msgspec

from llmgw.errors import LlmgwError

T = TypeVar("T")

_MARGIN_SECONDS = 200.0
"""How long before its expiry a credential is renewed. Clouds' metadata servers hand the old one out
until a few minutes before, so that asking earlier brings nothing."""
_MARGIN_SHARE = 0.25
"""The same for short ones, as a share of what is left."""
_SHORTEST_WAIT_SECONDS = 1.0
_FIRST_RETRY_SECONDS = 5.0
_LAST_RETRY_SECONDS = 60.0
_LONGEST_MESSAGE = 300


class LeaseError(LlmgwError):
    """A credential cannot be fetched; the text says why, and holds none."""


class Lease(msgspec.Struct, Generic[T], frozen=True):
    """A credential that was fetched."""

    value: T
    expires_at: float
    """Unix seconds."""


class Held(msgspec.Struct, Generic[T], frozen=True):
    """What there is of a credential now."""

    value: T | None
    """`None` if it never could be fetched, or has expired."""
    renew_at: float
    """Unix seconds at which to ask again."""
    problem: str | None
    """Why it was not fetched or renewed, if it was not."""


class Leases:
    """The credentials that one provider has fetched, by what they were fetched with.

    Any thread may ask. A renewal that takes its time holds nobody up who can go on with what there is.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """`clock` gives Unix seconds."""
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: dict[Hashable, _Entry] = {}

    def get(self, source: Hashable, fetch: Callable[[], Lease[T]]) -> Held[T]:
        """The credential of this source: the one at hand until it is time to renew it, else a new one.

        `fetch` raises `LeaseError` when it fails.
        """
        with self._lock:
            entry = self._entries.setdefault(source, _Entry())
        if entry.busy.acquire(blocking=self._value(entry) is None):
            try:
                if self._clock() >= entry.renew_at:
                    self._renew(entry, fetch)
            finally:
                entry.busy.release()
        return Held(self._value(entry), entry.renew_at, entry.problem)

    def _value(self, entry: "_Entry") -> Any:
        lease = entry.lease
        return lease.value if lease is not None and lease.expires_at > self._clock() else None

    def _renew(self, entry: "_Entry", fetch: Callable[[], Lease[Any]]) -> None:
        try:
            lease = fetch()
        except LeaseError as error:
            entry.problem = str(error)[:_LONGEST_MESSAGE]
            entry.renew_at = self._clock() + entry.retry_after
            entry.retry_after = min(2 * entry.retry_after, _LAST_RETRY_SECONDS)
            return
        now = self._clock()
        entry.lease, entry.problem, entry.retry_after = lease, None, _FIRST_RETRY_SECONDS
        margin = min(_MARGIN_SECONDS, _MARGIN_SHARE * (lease.expires_at - now))
        entry.renew_at = max(lease.expires_at - margin, now + _SHORTEST_WAIT_SECONDS)


class _Entry:
    """One source's credential, and when to ask for the next."""

    def __init__(self) -> None:
        self.busy = threading.Lock()
        self.lease: Lease[Any] | None = None
        self.problem: str | None = None
        self.renew_at = 0.0
        self.retry_after = _FIRST_RETRY_SECONDS
