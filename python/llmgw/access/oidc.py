"""Logins of people by OpenID Connect: the authorization code flow with PKCE (RFC 7636), state and nonce.

What has to be remembered between the two halves of a login travels in a sealed cookie, so that any worker can
finish what another began, and a stranger's link cannot finish what nobody began.
"""

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import GuestProtocol, Key, import_key

from llmgw.access.discovery import Issuer, discover
from llmgw.access.fetch import Fetcher
from llmgw.access.jwks import KeyRing, KeySet, Source
from llmgw.access.terms import OidcOptions
from llmgw.errors import LlmgwError, Unauthenticated
from llmgw.settings.secrets import Secret

CALLBACK = "/login/callback"
PENDING_SECONDS = 600
"""How long somebody may take to log in at the provider."""

_LEEWAY_SECONDS = 30
_LONGEST_NEXT = 1024
_LONGEST_TOKEN = 64 * 1024
_LONGEST_CLAIM = 512
_NONCE_BYTES = 12
_HASHES = {"256": hashlib.sha256, "384": hashlib.sha384, "512": hashlib.sha512}


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Who has logged in, as the provider tells."""

    issuer: str
    subject: str
    email: str | None
    """In lower case; only if the provider has verified it."""
    name: str | None
    groups: tuple[str, ...]


class _Pending(msgspec.Struct, frozen=True):
    """A login that has begun."""

    state: str
    nonce: str
    verifier: str
    next: str
    at: int


class Oidc:
    """One identity provider. `seal` is the secret of the cookies; `now` gives Unix seconds."""

    def __init__(
        self,
        options: OidcOptions,
        seal: Secret,
        fetcher: Fetcher,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.options = options
        self._fetcher = fetcher
        self._monotonic = monotonic
        self._now = now
        self._sealer = AESGCM(hmac.digest(seal.reveal().encode(), b"llmgw login cookie", "sha256"))
        self._issuer: Issuer | None = None
        self._ring: KeyRing | None = None
        self._asked_at = float("-inf")

    @property
    def redirect_uri(self) -> str:
        """Where the provider sends people back to."""
        return self.options.public_url + CALLBACK

    async def begin(self, next: str | None) -> tuple[str, str]:
        """The provider's page to send a browser to, and the value of the cookie to give it.

        Raises:
            ProviderError: the provider cannot be asked where that is.
        """
        issuer = await self._discovered()
        pending = _Pending(_random(), _random(), _random(), local_path(next), int(self._now()))
        challenge = _base64(hashlib.sha256(pending.verifier.encode()).digest())
        query = {
            "response_type": "code",
            "client_id": self.options.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": " ".join(self.options.scopes),
            "state": pending.state,
            "nonce": pending.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        page = issuer.authorization_endpoint or ""
        return f"{page}{'&' if '?' in page else '?'}{urlencode(query)}", self._sealed(pending)

    async def finish(self, query: Mapping[str, str], cookie: str | None) -> tuple[Person, str]:
        """Who has logged in, and the local path that they wanted to go to.

        Raises:
            Unauthenticated: this is not the end of a login that this browser has begun, or the provider's
                word is not good.
            ProviderError: the provider does not answer.
        """
        pending = self._opened(cookie)
        if not hmac.compare_digest(query.get("state", "").encode(), pending.state.encode()):
            raise Unauthenticated("This is not the login that was begun here. Begin again.")
        issuer = await self._discovered()
        named = query.get("iss")
        if (named is not None or issuer.names_itself) and named != self.options.issuer:
            raise Unauthenticated("Another identity provider answered than was asked.")
        if "error" in query or not query.get("code"):
            raise Unauthenticated("The identity provider did not let you in.")
        answer = await self._exchange(issuer, query["code"], pending.verifier)
        token = answer.get("id_token")
        if not isinstance(token, str) or len(token) > _LONGEST_TOKEN:
            raise Unauthenticated("The identity provider told nobody's identity.")
        header, claims = await self._genuine(token)
        self._check(claims, pending.nonce)
        _check_access_token(header, claims, answer.get("access_token"))
        return self._person(claims), pending.next

    async def _exchange(self, issuer: Issuer, code: str, verifier: str) -> dict[str, Any]:
        options = self.options
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "client_id": options.client_id,
            "code_verifier": verifier,
        }
        basic = None
        if options.client_secret is not None:
            basic = (options.client_id, options.client_secret.reveal())
        return await self._fetcher.post(issuer.token_endpoint or "", form, basic)

    async def _genuine(self, token: str) -> tuple[Mapping[str, Any], dict[str, Any]]:
        """Head and claims of a token that the provider has signed; its keys are asked for again once."""
        try:
            return self._decoded(token)
        except _UnknownKey:
            if self._ring is not None:
                self._ring.want()
                await self._ring.refresh()
        try:
            return self._decoded(token)
        except _UnknownKey:
            raise Unauthenticated("The identity token is signed by an unknown key.") from None

    def _decoded(self, token: str) -> tuple[Mapping[str, Any], dict[str, Any]]:
        known = self._ring.known.get(self.options.issuer) if self._ring is not None else None

        def pick(guest: GuestProtocol) -> Key:
            return _key_of(known, guest.headers())

        try:
            decoded = jwt.decode(token, pick, algorithms=self.options.algorithms, decoder_cls=_OneOfEach)
        except _UnknownKey:
            raise
        except (JoseError, ValueError, TypeError, KeyError, RecursionError):
            raise Unauthenticated("The identity token is not genuine.") from None
        return decoded.header, decoded.claims

    def _check(self, claims: Mapping[str, Any], nonce: str) -> None:
        """The claims of OpenID Connect Core 1.0 §3.1.3.7."""
        client, now = self.options.client_id, self._now()
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        party = claims.get("azp")
        expires, issued = (_moment(claims, name) for name in ("exp", "iat"))
        told = claims.get("nonce")
        sound = (
            claims.get("iss") == self.options.issuer,
            client in audiences and (party == client or (party is None and len(audiences) == 1)),
            isinstance(told, str) and hmac.compare_digest(told.encode(), nonce.encode()),
        )
        if not all(sound):
            raise Unauthenticated("The identity token is not for this login.")
        early, late = now - _LEEWAY_SECONDS, now + _LEEWAY_SECONDS
        if expires <= early or not early - PENDING_SECONDS <= issued <= late:
            raise Unauthenticated("The identity token does not count now: are the clocks right?")

    def _person(self, claims: Mapping[str, Any]) -> Person:
        options = self.options
        subject = _text(claims, "sub")
        if subject is None:
            raise Unauthenticated("The identity token names nobody.")
        email = _text(claims, options.email_claim)
        verified = email is not None and claims.get("email_verified") is True and email.count("@") == 1
        email = email.strip().lower() if email is not None and verified else None
        domain = (email or "").partition("@")[2]
        if options.allowed_domains and domain not in {one.lower() for one in options.allowed_domains}:
            raise Unauthenticated("Your address is not one of those that are let in here.")
        told = find_claim(claims, options.groups_claim)
        groups = told if isinstance(told, list) else [told]
        return Person(
            issuer=options.issuer,
            subject=subject,
            email=email,
            name=_text(claims, options.name_claim),
            groups=tuple(group for group in groups if isinstance(group, str))[:1000],
        )

    async def _discovered(self) -> Issuer:
        """What the provider says of itself, asked for once an hour, and its keys."""
        moment = self._monotonic()
        if self._issuer is None or self._ring is None or moment - self._asked_at > 3600:
            issuer = await discover(self._fetcher, self.options.issuer)
            if issuer.authorization_endpoint is None or issuer.token_endpoint is None:
                raise Unauthenticated("The identity provider does not say where people log in.")
            source = Source(issuer.issuer, issuer.jwks_uri)
            ring = KeyRing(
                [source], self._fetcher, monotonic=self._monotonic, now=lambda: int(self._now() * 1e6)
            )
            self._issuer, self._ring, self._asked_at = issuer, ring, moment
        await self._ring.refresh()
        return self._issuer

    def _sealed(self, pending: _Pending) -> str:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _base64(nonce + self._sealer.encrypt(nonce, msgspec.json.encode(pending), None))

    def _opened(self, cookie: str | None) -> _Pending:
        begin = Unauthenticated("No login was begun in this browser, or too long ago. Begin again.")
        try:
            sealed = base64.urlsafe_b64decode((cookie or "") + "==")
            text = self._sealer.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None)
            pending = msgspec.json.decode(text, type=_Pending)
        except (ValueError, InvalidTag, msgspec.DecodeError):
            raise begin from None
        if not 0 <= self._now() - pending.at <= PENDING_SECONDS:
            raise begin
        return pending


def local_path(next: str | None) -> str:
    """A path on this host that somebody may be sent to; the root for anything else.

    Browsers take backslashes for slashes and leave control characters out, so neither may be in it.
    """
    fine = (
        next is not None
        and len(next) <= _LONGEST_NEXT
        and next.startswith("/")
        and not next.startswith("//")
        and "\\" not in next
        and all("\x20" < character < "\x7f" for character in next)
    )
    return next if fine and next is not None else "/"


def find_claim(claims: Mapping[str, Any], place: str) -> Any:
    """What lies at a place in claims: a name, or a JSON pointer (RFC 6901)."""
    if not place.startswith("/"):
        return claims.get(place)
    found: Any = claims
    for step in place[1:].split("/"):
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(found, Mapping):
            found = found.get(name)
        elif isinstance(found, list) and name.isdecimal() and len(name) < 5 and int(name) < len(found):
            found = found[int(name)]
        else:
            return None
    return found


class _UnknownKey(LlmgwError):
    """A token names a key that is not among those that are known."""


class _OneOfEach(json.JSONDecoder):
    """JSON without doubled keys: two readers must not see two claims."""

    def __init__(self) -> None:
        super().__init__(object_pairs_hook=_unambiguous)


def _unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _key_of(known: KeySet | None, header: Mapping[str, Any]) -> Key:
    """The key that a token's head names; the only one, if it names none."""
    keys = known.keys if known is not None else ()
    kid = header.get("kid")
    kind = {"R": "RSA", "P": "RSA", "E": "EC"}.get(str(header.get("alg"))[:1], "")
    kind = "OKP" if str(header.get("alg")).startswith("Ed") else kind
    fitting = [key for key in keys if key.get("kty") == kind and key.get("use", "sig") == "sig"]
    named = [key for key in fitting if kid is None or key.get("kid") == kid]
    if not named or (kid is None and len(named) > 1):
        raise _UnknownKey("no key of that name")
    if named[0].get("alg", header.get("alg")) != header.get("alg"):
        raise _UnknownKey("the key is for another algorithm")
    return import_key(named[0])


def _check_access_token(header: Mapping[str, Any], claims: Mapping[str, Any], token: object) -> None:
    """`at_hash`, where it is told: the two tokens belong together."""
    told = claims.get("at_hash")
    if told is None:
        return
    digest = _HASHES.get(str(header.get("alg"))[-3:], hashlib.sha512)(str(token).encode()).digest()
    if not hmac.compare_digest(str(told).encode(), _base64(digest[: len(digest) // 2]).encode()):
        raise Unauthenticated("The identity token belongs to another login.")


def _moment(claims: Mapping[str, Any], name: str) -> float:
    """A claim that is a point of time; the beginning of all times if it is none."""
    found = claims.get(name)
    if not isinstance(found, int | float) or isinstance(found, bool) or not 0 < found < 2**53:
        return 0.0
    return float(found)


def _text(claims: Mapping[str, Any], place: str) -> str | None:
    """A claim that is a short, printable text."""
    found = find_claim(claims, place)
    if not isinstance(found, str) or not found or len(found) > _LONGEST_CLAIM or not found.isprintable():
        return None
    return found


def _random() -> str:
    """256 random bits."""
    return secrets.token_urlsafe(32)


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
