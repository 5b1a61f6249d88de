"""Logins by OpenID Connect, against a provider that signs, checks and misbehaves."""

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.jwk import ECKey, OctKey

from llmgw.access.fetch import Fetcher, ProviderError
from llmgw.access.oidc import PENDING_SECONDS, Oidc, find_claim, local_path
from llmgw.access.terms import OidcOptions
from llmgw.errors import Unauthenticated
from llmgw.settings.secrets import Secret
from tests.upstreams.identity_provider import CLIENT, SECRET, IdentityProvider


@pytest.fixture
def provider() -> Iterator[IdentityProvider]:
    provider = IdentityProvider()
    yield provider
    provider.close()


def options(provider: IdentityProvider, **more: Any) -> OidcOptions:
    usual: dict[str, Any] = {
        "issuer": provider.url,
        "client_id": CLIENT,
        "client_secret": Secret(SECRET),
        "public_url": "http://127.0.0.1:4000",
        "scopes": ("openid", "email"),
        "algorithms": ("RS256", "ES256"),
        "email_claim": "email",
        "name_claim": "name",
        "groups_claim": "groups",
        "allowed_domains": (),
        "create_users": True,
        "organisation": None,
        "roles": (),
        "session_idle": 3600.0,
        "session_lifetime": 36000.0,
        "ca_file": None,
    }
    return OidcOptions(**{**usual, **more})


def login(provider: IdentityProvider, **more: Any) -> Oidc:
    return Oidc(options(provider, **more), Secret("seal"), Fetcher(seconds=5.0))


def back(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


async def test_who_logs_in_is_known_by_what_the_provider_signed(provider: IdentityProvider) -> None:
    oidc = login(provider)
    page, cookie = await oidc.begin("/console?tab=keys")
    person, next = await oidc.finish(back(provider.authorise(page)), cookie)
    assert (person.subject, person.email, person.groups) == ("alice", "alice@example.com", ("llm-users",))
    assert next == "/console?tab=keys"


@pytest.mark.parametrize("rsa", [False, True])
async def test_keys_that_rolled_over_are_asked_for_once(provider: IdentityProvider, rsa: bool) -> None:
    oidc = login(provider)
    page, cookie = await oidc.begin(None)
    provider.roll_over(rsa=rsa)
    oidc._ring._issuers[provider.url].asked_at = float("-inf")  # type: ignore[union-attr]
    person, _ = await oidc.finish(back(provider.authorise(page)), cookie)
    assert person.subject == "alice"


async def test_a_login_is_finished_by_the_browser_that_began_it(provider: IdentityProvider) -> None:
    oidc = login(provider)
    page, cookie = await oidc.begin(None)
    _, others = await oidc.begin(None)
    answer = back(provider.authorise(page))
    for wrong in (None, "", others, cookie[:-2], "x" * 5000, "é"):
        with pytest.raises(Unauthenticated):
            await oidc.finish(answer, wrong)
    with pytest.raises(Unauthenticated):
        await oidc.finish({**answer, "state": "other"}, cookie)
    with pytest.raises(Unauthenticated):
        await Oidc(oidc.options, Secret("another seal"), Fetcher()).finish(answer, cookie)
    assert "/token" not in provider.asked


async def test_a_code_is_good_once(provider: IdentityProvider) -> None:
    oidc = login(provider)
    page, cookie = await oidc.begin(None)
    answer = back(provider.authorise(page))
    await oidc.finish(answer, cookie)
    with pytest.raises(ProviderError, match="status 400"):
        await oidc.finish(answer, cookie)


async def test_a_code_of_another_login_is_of_no_use(provider: IdentityProvider) -> None:
    oidc = login(provider)
    page, cookie = await oidc.begin(None)
    stolen, _ = await oidc.begin(None)
    answer = {**back(provider.authorise(page)), "code": back(provider.authorise(stolen))["code"]}
    with pytest.raises(ProviderError, match="status 400"):
        await oidc.finish(answer, cookie)


async def test_a_login_takes_no_longer_than_it_may(provider: IdentityProvider) -> None:
    moment = 1_900_000_000.0
    oidc = Oidc(options(provider), Secret("seal"), Fetcher(), now=lambda: moment)
    page, cookie = await oidc.begin(None)
    moment += PENDING_SECONDS + 1
    with pytest.raises(Unauthenticated, match="too long ago"):
        await oidc.finish(back(provider.authorise(page)), cookie)


async def test_an_answer_of_another_provider_is_refused(provider: IdentityProvider) -> None:
    oidc = login(provider)
    page, cookie = await oidc.begin(None)
    answer = {**back(provider.authorise(page)), "iss": "https://evil.example"}
    with pytest.raises(Unauthenticated, match="Another identity provider"):
        await oidc.finish(answer, cookie)


def changed(**claims: Any) -> Callable[[dict[str, Any]], None]:
    return lambda told: told.update(claims)


@pytest.mark.parametrize(
    "change",
    [
        changed(iss="https://evil.example"),
        changed(aud="other"),
        changed(aud=[CLIENT, "other"]),
        changed(aud=[CLIENT, "other"], azp="other"),
        changed(azp="other"),
        changed(nonce="other"),
        changed(nonce=None),
        changed(exp=1),
        changed(exp=None),
        changed(exp="soon"),
        changed(iat=1),
        changed(iat=4_000_000_000),
        changed(at_hash="AAAA"),
        changed(sub=None),
        changed(sub=""),
        changed(sub=7),
        changed(sub="a\nb"),
    ],
    ids=str,
)
async def test_claims_that_do_not_fit_let_nobody_in(
    provider: IdentityProvider, change: Callable[[dict[str, Any]], None]
) -> None:
    provider.change_claims = change
    oidc = login(provider)
    page, cookie = await oidc.begin(None)
    with pytest.raises(Unauthenticated):
        await oidc.finish(back(provider.authorise(page)), cookie)


async def test_several_audiences_are_fine_if_the_token_was_made_for_us(provider: IdentityProvider) -> None:
    provider.change_claims = changed(aud=["other", CLIENT], azp=CLIENT)
    oidc = login(provider)
    page, cookie = await oidc.begin(None)
    person, _ = await oidc.finish(back(provider.authorise(page)), cookie)
    assert person.subject == "alice"


def answering(provider: IdentityProvider, token: str) -> None:
    provider.faults["/token"] = (200, json.dumps({"id_token": token, "access_token": "a"}).encode())


async def test_forged_identity_tokens_let_nobody_in(provider: IdentityProvider) -> None:
    oidc = login(provider)
    page, cookie = await oidc.begin(None)
    nonce = back(page)["nonce"]
    public = next(iter(provider.keys.values()))
    pem = OctKey.import_key(str(public.as_dict(private=False)["x"]))
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    body = provider.token(nonce=nonce).split(".")[1]
    for token in (
        provider.token(nonce=nonce, key=ECKey.generate_key("P-256")),
        provider.token(nonce=nonce, key=pem, alg="HS256"),
        f"{none}.{body}.",
        f"{none}.{body}.AAAA",
        provider.token(nonce=nonce)[:-4] + "AAAA",
        "a.b.c",
        "",
        "x" * 100_000,
    ):
        answering(provider, token)
        with pytest.raises(Unauthenticated):
            await oidc.finish(back(provider.authorise(page)), cookie)
    answering(provider, provider.token(nonce=nonce))
    assert (await oidc.finish(back(provider.authorise(page)), cookie))[0].subject == "alice"


@pytest.mark.parametrize("fault", [(500, b""), (302, b""), (200, b"[]"), (200, b"<html>")], ids=str)
async def test_a_provider_that_fails_lets_nobody_in(
    provider: IdentityProvider, fault: tuple[int, bytes]
) -> None:
    oidc = login(provider)
    page, cookie = await oidc.begin(None)
    provider.faults["/token"] = fault
    with pytest.raises(ProviderError):
        await oidc.finish(back(provider.authorise(page)), cookie)


async def test_addresses_count_only_if_they_are_verified(provider: IdentityProvider) -> None:
    for verified, email in ((True, "alice@example.com"), (False, None), ("true", None), (None, None)):
        provider.change_claims = changed(email_verified=verified)
        oidc = login(provider)
        page, cookie = await oidc.begin(None)
        person, _ = await oidc.finish(back(provider.authorise(page)), cookie)
        assert person.email == email


@pytest.mark.parametrize(
    ("email", "verified", "may_come"),
    [
        ("a@example.com", True, True),
        ("A@EXAMPLE.COM", True, True),
        ("a@example.com", False, False),
        ("a@evil.example", True, False),
        ("a@sub.example.com", True, False),
        ("a@evil@example.com", True, False),
        (None, True, False),
    ],
)
async def test_only_allowed_domains_are_let_in(
    provider: IdentityProvider, email: str | None, verified: bool, may_come: bool
) -> None:
    provider.change_claims = changed(email=email, email_verified=verified)
    oidc = login(provider, allowed_domains=("Example.com",))
    page, cookie = await oidc.begin(None)
    answer = back(provider.authorise(page))
    if may_come:
        assert await oidc.finish(answer, cookie)
    else:
        with pytest.raises(Unauthenticated, match="not one of those"):
            await oidc.finish(answer, cookie)


@pytest.mark.parametrize(
    "next",
    [
        None,
        "",
        "console",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https://evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "/ok\r\nset-cookie: a=b",
        "/é",
        "javascript:alert(1)",
        "/" + "a" * 2000,
    ],
)
def test_nobody_is_sent_to_another_host(next: str | None) -> None:
    assert local_path(next) == "/"


def test_a_path_of_ours_is_kept() -> None:
    assert local_path("/console/keys?page=2#a") == "/console/keys?page=2#a"


def test_claims_are_found_by_name_and_by_pointer() -> None:
    claims = {"a": {"b/c": ["x", {"d": 1}]}, "https://x/y": 2}
    found = [find_claim(claims, place) for place in ("/a/b~1c/1/d", "https://x/y", "/a/0", "/a/b~1c/9", "z")]
    assert found == [1, 2, None, None, None]
