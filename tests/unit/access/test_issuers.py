"""The keys of issuers on their way from the issuer to the store."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from llmgw.access.fetch import Fetcher
from llmgw.access.issuers import IssuerKeys
from llmgw.access.jwks import EARLY_SECONDS, KeyRing, Source
from llmgw.store import changes, jwks
from llmgw.store.database import Store
from llmgw.store.errors import StoreUnavailable
from llmgw.store.upgrade import upgrade
from tests.upstreams.identity_provider import IdentityProvider


@pytest.fixture
def provider() -> Iterator[IdentityProvider]:
    provider = IdentityProvider()
    yield provider
    provider.close()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = Store.open(f"sqlite:///{tmp_path}/llmgw.db")
    await upgrade(store)
    yield store
    await store.close()


class Bench:
    def __init__(self, store: Store, provider: IdentityProvider) -> None:
        self.store, self.provider = store, provider
        self.seconds, self.wanted = 1000.0, 0
        source = Source(provider.url, provider.url + "/keys")
        ring = KeyRing([source], Fetcher(seconds=5.0), monotonic=lambda: self.seconds, now=lambda: 1)
        self.keys = IssuerKeys(store, ring, lambda: self.wanted)

    async def stored(self) -> list[str]:
        async with self.store.read() as tx:
            kept = await jwks.find(tx, self.provider.url)
        return [] if kept is None else [key["kid"] for key in kept.keys]

    async def noted(self) -> int:
        async with self.store.read() as tx:
            return len([one for one in await changes.after(tx, 0) if one.kind == "jwks"])


async def test_fetched_keys_are_stored_and_noted_once(store: Store, provider: IdentityProvider) -> None:
    bench = Bench(store, provider)
    for _ in range(3):
        await bench.keys.step()
    assert (await bench.stored(), await bench.noted()) == (list(provider.keys), 1)


async def test_a_token_with_an_unknown_key_brings_the_new_one(
    store: Store, provider: IdentityProvider
) -> None:
    bench = Bench(store, provider)
    await bench.keys.step()
    provider.roll_over()
    bench.seconds += EARLY_SECONDS
    await bench.keys.step()
    assert await bench.stored() != list(provider.keys)
    bench.wanted += 1000
    await bench.keys.step()
    assert (await bench.stored(), provider.asked) == (list(provider.keys), ["/keys", "/keys"])


async def test_what_cannot_be_stored_is_stored_later(
    store: Store, provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(store, provider)

    def fail(*_: object) -> None:
        raise StoreUnavailable("gone")

    with monkeypatch.context() as broken:
        broken.setattr(jwks, "put", fail)
        await bench.keys.step()
    assert await bench.stored() == []
    await bench.keys.step()
    assert await bench.stored() == list(provider.keys)
    assert provider.asked == ["/keys"]


async def test_stored_keys_serve_while_the_issuer_is_down(store: Store, provider: IdentityProvider) -> None:
    await Bench(store, provider).keys.step()
    provider.faults["/keys"] = (500, b"")
    after = Bench(store, provider)
    await after.keys.restore()
    await after.keys.step()
    assert await after.stored() == list(provider.keys)
    assert list(after.keys.failures) == [provider.url]
