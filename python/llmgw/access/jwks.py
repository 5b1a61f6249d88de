"""Keys that issuers sign with: fetched ahead of time, again when a token names an unknown one, and kept.

One ring in the bookkeeper serves the whole machine: what it has is stored and told to the workers, so that
no request waits for an identity provider, and an issuer that is down takes nobody's access away.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from llmgw.access.discovery import discover
from llmgw.access.fetch import Fetcher, ProviderError
from llmgw.settings.identity import JwtEntry

REFRESH_SECONDS = 3600.0
"""Age at which keys are fetched anew."""

EARLY_SECONDS = 30.0
"""Least time between two fetches from one issuer, however many unknown keys are named to us."""

RETRY_SECONDS = 60.0
"""How long an issuer that did not answer is left alone."""

MOST_KEYS = 256

_PRIVATE = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")


class Source(msgspec.Struct, frozen=True):
    """An issuer, and where its keys are if it need not be asked for the place."""

    issuer: str
    jwks_uri: str | None


class KeySet(msgspec.Struct, frozen=True, kw_only=True):
    """The public keys of an issuer."""

    issuer: str
    keys: tuple[dict[str, Any], ...]
    at: int
    """When they were fetched, in Unix microseconds."""


class _Issuer:
    """What is known of one issuer, and when it is to be asked again; times are the ring's clock's."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.known: KeySet | None = None
        self.due = 0.0
        self.asked_at = float("-inf")
        self.failure: str | None = None


class KeyRing:
    """The keys of all issuers. `monotonic` gives seconds, `now` Unix microseconds."""

    def __init__(
        self,
        sources: Iterable[Source],
        fetcher: Fetcher,
        *,
        monotonic: Callable[[], float],
        now: Callable[[], int],
    ) -> None:
        self._fetcher = fetcher
        self._monotonic = monotonic
        self._now = now
        self._issuers: dict[str, _Issuer] = {}
        for source in sources:
            self._issuers.setdefault(source.issuer, _Issuer(source))

    def restore(self, sets: Iterable[KeySet]) -> None:
        """Take over what was stored before; it is fetched anew at once all the same."""
        for one in sets:
            if (issuer := self._issuers.get(one.issuer)) is not None:
                issuer.known = one

    def want(self, issuer: str | None = None) -> None:
        """Somebody has shown a token with a key that is not known: look again, as soon as is allowed.

        Without an issuer, all of them are looked at.
        """
        for name, one in self._issuers.items():
            if issuer in (None, name):
                one.due = min(one.due, max(self._monotonic(), one.asked_at + EARLY_SECONDS))

    async def refresh(self) -> list[KeySet]:
        """Ask the issuers whose time has come; the sets that are new or have changed."""
        moment = self._monotonic()
        due = [one for one in self._issuers.values() if one.due <= moment]
        changed = await asyncio.gather(*(self._refresh(one) for one in due))
        return [one for one in changed if one is not None]

    @property
    def next_due(self) -> float:
        """When `refresh` has something to do again."""
        return min((one.due for one in self._issuers.values()), default=float("inf"))

    @property
    def known(self) -> dict[str, KeySet]:
        """What is known, by issuer."""
        return {name: one.known for name, one in self._issuers.items() if one.known is not None}

    @property
    def failures(self) -> dict[str, str]:
        """Why issuers could not be asked the last time."""
        return {name: one.failure for name, one in self._issuers.items() if one.failure is not None}

    async def _refresh(self, one: _Issuer) -> KeySet | None:
        one.asked_at = self._monotonic()
        try:
            keys = await self._fetch(one.source)
        except ProviderError as error:
            one.failure = str(error)
            one.due = one.asked_at + RETRY_SECONDS
            return None
        one.failure = None
        one.due = one.asked_at + REFRESH_SECONDS
        before, one.known = one.known, KeySet(issuer=one.source.issuer, keys=keys, at=self._now())
        return None if before is not None and before.keys == keys else one.known

    async def _fetch(self, source: Source) -> tuple[dict[str, Any], ...]:
        uri = source.jwks_uri or (await discover(self._fetcher, source.issuer)).jwks_uri
        keys = public_keys(await self._fetcher.get(uri))
        if not keys:
            # To forget good keys for an answer without any would lock everybody out.
            raise ProviderError("the key set holds no key that could be used")
        return keys


def public_keys(document: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    """The keys of a set that may verify signatures: no shared secrets, none that tell their private half."""
    listed = document.get("keys")
    found = [key for key in listed if isinstance(key, dict)] if isinstance(listed, list) else []
    asymmetric = [key for key in found if key.get("kty") in ("RSA", "EC", "OKP")]
    return tuple(key for key in asymmetric if not any(name in key for name in _PRIVATE))[:MOST_KEYS]


def sources(entries: Sequence[JwtEntry]) -> list[Source]:
    """The issuers whose keys have to be fetched."""
    return [Source(entry.issuer, entry.jwks_uri) for entry in entries if entry.jwks_file is None]
