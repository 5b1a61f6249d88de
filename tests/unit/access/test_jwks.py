"""The keys of issuers: when they are fetched, what is kept, and what is never taken."""

from collections.abc import Iterator

import pytest

from llmgw.access import jwks
from llmgw.access.discovery import discover
from llmgw.access.fetch import LARGEST, Fetcher, ProviderError
from llmgw.access.jwks import KeyRing, KeySet, Source
from tests.upstreams.identity_provider import IdentityProvider


@pytest.fixture
def provider() -> Iterator[IdentityProvider]:
    provider = IdentityProvider()
    yield provider
    provider.close()


class Clock:
    seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def ring(*sources: Source) -> tuple[KeyRing, Clock]:
    clock = Clock()
    fetcher = Fetcher(seconds=2.0)
    return KeyRing(sources, fetcher, monotonic=clock, now=lambda: int(clock() * 1e6)), clock


def kids(known: KeySet) -> list[str]:
    return [key["kid"] for key in known.keys]


async def test_keys_are_found_by_discovery_and_fetched_once(provider: IdentityProvider) -> None:
    keys, _ = ring(Source(provider.url, None))
    [fetched] = await keys.refresh()
    assert kids(fetched) == list(provider.keys)
    assert await keys.refresh() == []
    assert provider.asked == ["/.well-known/openid-configuration", "/keys"]


async def test_keys_are_fetched_anew_before_they_are_too_old(provider: IdentityProvider) -> None:
    keys, clock = ring(Source(provider.url, provider.url + "/keys"))
    await keys.refresh()
    provider.roll_over(keep=True)
    clock.seconds += jwks.REFRESH_SECONDS
    [fetched] = await keys.refresh()
    assert kids(fetched) == list(provider.keys)


async def test_keys_that_did_not_change_are_not_told_again(provider: IdentityProvider) -> None:
    keys, clock = ring(Source(provider.url, provider.url + "/keys"))
    await keys.refresh()
    clock.seconds += jwks.REFRESH_SECONDS
    assert await keys.refresh() == []
    assert keys.known[provider.url].at == int(clock.seconds * 1e6)


async def test_an_unknown_key_leads_to_one_early_fetch(provider: IdentityProvider) -> None:
    keys, clock = ring(Source(provider.url, provider.url + "/keys"))
    await keys.refresh()
    provider.roll_over()
    clock.seconds += jwks.EARLY_SECONDS
    for _ in range(100):
        keys.want(provider.url)
        await keys.refresh()
    assert provider.asked == ["/keys", "/keys"]
    assert kids(keys.known[provider.url]) == list(provider.keys)


async def test_unknown_keys_cannot_make_us_ask_more_often_than_allowed(provider: IdentityProvider) -> None:
    keys, clock = ring(Source(provider.url, provider.url + "/keys"))
    for _ in range(100):
        keys.want()
        await keys.refresh()
        clock.seconds += 1.0
    assert len(provider.asked) == 4


@pytest.mark.parametrize(
    "fault",
    [
        (500, b"{}"),
        (302, b"{}"),
        (200, b"<html>"),
        (200, b'{"keys": []}'),
        (200, b'{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}'),
        (200, b" " * (LARGEST + 1)),
    ],
    ids=["500", "a redirect", "a page", "no keys", "a shared secret", "too much"],
)
async def test_the_last_good_keys_are_kept(provider: IdentityProvider, fault: tuple[int, bytes]) -> None:
    keys, clock = ring(Source(provider.url, provider.url + "/keys"))
    [before] = await keys.refresh()
    provider.faults["/keys"] = fault
    clock.seconds += jwks.REFRESH_SECONDS
    assert await keys.refresh() == []
    assert keys.known[provider.url] == before
    assert provider.url in keys.failures
    del provider.faults["/keys"]
    clock.seconds += jwks.RETRY_SECONDS
    await keys.refresh()
    assert keys.failures == {}


async def test_an_issuer_that_hangs_is_given_up(provider: IdentityProvider) -> None:
    provider.delay = 1.0
    with pytest.raises(ProviderError, match="did not answer within"):
        await Fetcher(seconds=0.2).get(provider.url + "/keys")


async def test_stored_keys_count_until_better_ones_come(provider: IdentityProvider) -> None:
    provider.faults["/keys"] = (500, b"")
    keys, _ = ring(Source(provider.url, provider.url + "/keys"))
    stored = KeySet(issuer=provider.url, keys=({"kty": "RSA", "kid": "old"},), at=1)
    keys.restore([stored, KeySet(issuer="https://forgotten.example", keys=(), at=1)])
    await keys.refresh()
    assert keys.known == {provider.url: stored}


async def test_a_document_of_another_issuer_is_refused(provider: IdentityProvider) -> None:
    with pytest.raises(ProviderError, match="another issuer"):
        await discover(Fetcher(), provider.url + "/")


@pytest.mark.parametrize(
    "url",
    ["http://login.example/keys", "https://user:pw@login.example", "file:///etc/passwd", "https://[::1", ""],
)
async def test_only_safe_places_are_asked(url: str) -> None:
    with pytest.raises(ProviderError, match="over https only"):
        await Fetcher().get(url)


async def test_an_https_issuer_cannot_send_us_to_this_machine() -> None:
    class Told(Fetcher):
        async def get(self, url: str) -> dict[str, str]:
            return {"issuer": "https://login.example", "jwks_uri": "http://127.0.0.1:9/keys"}

    with pytest.raises(ProviderError, match="not https"):
        await discover(Told(), "https://login.example")


def test_private_halves_and_shared_secrets_are_left_out() -> None:
    public = {"kty": "RSA", "n": "AQ", "e": "AQAB"}
    told = {"keys": [public, {**public, "d": "AQ"}, {"kty": "oct", "k": "AQ"}, "key", None, {"kty": "EC"}]}
    assert jwks.public_keys(told) == (public, {"kty": "EC"})
