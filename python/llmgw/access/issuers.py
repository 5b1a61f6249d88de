"""Keeps the keys of issuers in the store, from where they reach every worker: a task of the bookkeeper."""

import asyncio
import time
from collections.abc import Callable

from llmgw.access.jwks import KeyRing, KeySet
from llmgw.store import ids, jwks
from llmgw.store.database import Store
from llmgw.store.errors import StoreError

LOOK_SECONDS = 1.0
"""How often it is looked whether something is to be done."""


class IssuerKeys:
    """The ring of one machine, and where it is kept."""

    def __init__(self, store: Store, ring: KeyRing, wanted: Callable[[], int]) -> None:
        """`wanted` counts tokens with unknown keys, on all workers: `SharedState.wanted_issuer_keys`."""
        self._store = store
        self._ring = ring
        self._wanted = wanted
        self._seen = wanted()
        self._unsaved: dict[str, KeySet] = {}

    async def run(self) -> None:
        """Keep the keys fresh until cancelled."""
        await self.restore()
        while True:
            await self.step()
            await asyncio.sleep(LOOK_SECONDS)

    async def restore(self) -> None:
        """Begin with what was stored; without the database, with nothing."""
        try:
            async with self._store.read() as tx:
                kept = await jwks.all_(tx)
        except StoreError:
            return
        self._ring.restore(KeySet(issuer=one.issuer, keys=tuple(one.keys), at=one.at) for one in kept)

    async def step(self) -> None:
        """Fetch what is due, sooner if workers saw unknown keys; store what changed, again if that fails."""
        if (wanted := self._wanted()) != self._seen:
            self._seen = wanted
            self._ring.want()
        for changed in await self._ring.refresh():
            self._unsaved[changed.issuer] = changed
        for issuer, one in list(self._unsaved.items()):
            try:
                async with self._store.begin() as tx:
                    await jwks.put(tx, issuer, list(one.keys))
            except StoreError:
                return
            del self._unsaved[issuer]

    @property
    def failures(self) -> dict[str, str]:
        """Why issuers could not be asked the last time."""
        return self._ring.failures


def clocks() -> tuple[Callable[[], float], Callable[[], int]]:
    """The clocks of a ring that serves: seconds that only go on, and Unix microseconds."""
    return time.monotonic, ids.now
