"""Makes the tokens that the native core's reader is tested with, by another implementation (joserfc).

    python scripts/jwt_vectors.py > rust/core/src/jwt/tests/vectors.json

The keys live as long as this script runs: what is written holds their public halves alone.
"""

import base64
import hashlib
import hmac
import json
import sys
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

NOW = 1_900_000_000
ISSUER = "https://login.example/realm"
AUDIENCE = "llmgw"
CLAIMS = {"iss": ISSUER, "sub": "alice", "aud": AUDIENCE, "iat": NOW - 60, "exp": NOW + 300}

RSA = RSAKey.generate_key(2048)
KEYS: dict[str, Key] = {
    "rsa": RSA,
    "p256": ECKey.generate_key("P-256"),
    "p384": ECKey.generate_key("P-384"),
    "ed": OKPKey.generate_key("Ed25519"),
}
STRANGER = ECKey.generate_key("P-256")
SMALL = RSAKey.generate_key(1024)
ALGORITHMS = {
    "RS256": "rsa",
    "RS384": "rsa",
    "RS512": "rsa",
    "PS256": "rsa",
    "PS384": "rsa",
    "PS512": "rsa",
    "ES256": "p256",
    "ES384": "p384",
    "EdDSA": "ed",
}
_REGISTRY = jws.JWSRegistry(algorithms=[*ALGORITHMS, "HS256"])


def public(kid: str, key: Key, **more: str) -> dict[str, Any]:
    """A key as its issuer publishes it."""
    return {**key.as_dict(private=False), "kid": kid, **more}


def signed(
    claims: dict[str, Any] | bytes = CLAIMS, alg: str = "ES256", key: Key | None = None, **head: Any
) -> str:
    """A token with these claims; a header of `None` is left out."""
    kid = ALGORITHMS.get(alg, "rsa")
    header = {"alg": alg, "typ": "JWT", "kid": kid, **head}
    header = {name: value for name, value in header.items() if value is not None}
    payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    return raw(json.dumps(header).encode(), payload, alg, key or KEYS[kid])


def raw(header: bytes, payload: bytes, alg: str, key: Key) -> str:
    """A token of these very bytes."""
    message = f"{encode(header)}.{encode(payload)}".encode()
    signature = _REGISTRY.get_alg(alg).sign(message, key)
    return f"{message.decode()}.{encode(signature)}"


def with_mac(secret: bytes, kid: str) -> str:
    """A token that takes what everybody knows for a shared secret."""
    header = encode(json.dumps({"alg": "HS256", "typ": "JWT", "kid": kid}).encode())
    message = f"{header}.{encode(json.dumps(CLAIMS).encode())}"
    return f"{message}.{encode(hmac.new(secret, message.encode(), hashlib.sha256).digest())}"


def encode(data: bytes) -> str:
    """Base64 for URLs, without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def claims(**changes: Any) -> dict[str, Any]:
    """The usual claims, changed; `None` leaves one out."""
    changed: dict[str, Any] = {**CLAIMS, **changes}
    return {name: value for name, value in changed.items() if value is not None}


def genuine() -> dict[str, str]:
    """Tokens to be taken."""
    cases = {f"signed by {alg}": signed(alg=alg) for alg in ALGORITHMS}
    return cases | {
        "among several audiences": signed(claims(aud=["other", AUDIENCE])),
        "expired within the leeway": signed(claims(exp=NOW - 5)),
        "times with fractions": signed(claims(exp=NOW + 300.5)),
        "a type of RFC 9068": signed(typ="at+jwt"),
        "no type": signed(typ=None),
        "other headers of keys are not looked at": signed(
            jku="https://evil.example/jwks", jwk=public("p256", STRANGER), x5u="https://evil.example/x"
        ),
    }


def forged() -> dict[str, tuple[str, str]]:
    """Tokens to be refused, and why."""
    token = signed()
    head, body, signature = token.split(".")
    pem = RSA.as_pem(private=False)
    modulus = base64.urlsafe_b64decode(public("rsa", KEYS["rsa"])["n"] + "==")
    none, capitals = encode(b'{"alg":"none"}'), encode(b'{"alg":"NONE"}')
    cut = base64.urlsafe_b64decode(signature + "==")[1:]
    eve = encode(json.dumps(claims(sub="eve")).encode())
    twice = json.dumps(CLAIMS)[:-1] + ', "sub": "mallory"}'
    escaped = json.dumps(CLAIMS)[:-1] + ', "s\\u0075b": "mallory"}'
    usual = b'{"alg":"ES256","kid":"p256"}'
    p256 = KEYS["p256"]
    malformed = {
        "a key that stands twice in the claims": raw(usual, twice.encode(), "ES256", p256),
        "a key that stands twice by an escape": raw(usual, escaped.encode(), "ES256", p256),
        "a key that stands twice in the head": raw(
            b'{"alg":"ES256","alg":"none","kid":"p256"}', json.dumps(CLAIMS).encode(), "ES256", p256
        ),
        "claims that are a list": signed(b"[]"),
        "claims in another encoding": signed(json.dumps(CLAIMS).encode("utf-16")),
        "something behind the claims": signed(json.dumps(CLAIMS).encode() + b" x"),
        "a critical header": signed(crit=["exp"], exp=1),
        "unencoded claims": signed(b64=False),
        "compressed claims": signed(zip="DEF"),
        "another type": signed(typ="logout+jwt"),
        "a key id that is a list": signed(kid=["p256"]),
        "a key id without an end": signed(kid="p" * 600),
        "no algorithm": raw(b'{"kid":"p256"}', json.dumps(CLAIMS).encode(), "ES256", p256),
        "padding": f"{head}.{body}=.{signature}",
        "the other alphabet": f"{head}.{body}.+/{signature[2:]}",
        "a line break": f"{head}.{body}.{signature}\n",
        "no signature": f"{head}.{body}.",
        "two parts": f"{head}.{body}",
        "four parts": f"{token}.{signature}",
        "five parts": f"{token}.{signature}.{signature}",
        "nothing": "",
        "too long": signed(claims(more="x" * 20_000)),
        "too deep": signed(claims(more=json.loads("[" * 70 + "]" * 70))),
    }
    of_ec = claims(iss="https://ec.example")
    algorithm = {
        "no signature asked for": f"{none}.{body}.{signature}",
        "the same in capitals": f"{capitals}.{body}.{signature}",
        "the public key's PEM as a secret": with_mac(pem, "rsa"),
        "the modulus as a secret": with_mac(modulus, "rsa"),
        "a shared secret that stands in the set": with_mac(b"k" * 32, "oct"),
        "an algorithm that is not pinned for this issuer": signed(of_ec, alg="RS256"),
    }
    unknown_key = {
        "an algorithm for keys of another kind": signed(alg="RS256", kid="p256"),
        "an algorithm that the key is not for": signed(alg="RS256", kid="rsa-pss"),
        "a key that nobody has": signed(kid="nobody"),
        "a path as a key id": signed(kid="../../dev/null"),
        "SQL as a key id": signed(kid="' OR 1=1 --"),
        "an empty key id": signed(kid=""),
        "a key for encryption": signed(alg="RS256", kid="enc"),
        "one of several keys, unnamed": signed(alg="RS256", kid=None),
    }
    signatures = {
        "somebody else's signature": signed(key=STRANGER),
        "an altered signature": f"{head}.{body}.{encode(b'x' + cut)}",
        "other claims under a signature": f"{head}.{eve}.{signature}",
        "another head under a signature": f"{encode(usual)}.{body}.{signature}",
        "a signature of zeros": f"{head}.{body}.{encode(bytes(64))}",
        "a key that is too small": signed(alg="RS256", key=SMALL, kid="small"),
    }
    stranger = {
        "another issuer": signed(claims(iss="https://evil.example")),
        "the issuer with a slash": signed(claims(iss=ISSUER + "/")),
        "no issuer": signed(claims(iss=None)),
        "issuers in a list": signed(claims(iss=[ISSUER])),
    }
    claim = {
        "another audience": signed(claims(aud="other")),
        "a part of the audience": signed(claims(aud="llmg")),
        "no audience": signed(claims(aud=None)),
        "an audience in an object": signed(claims(aud={AUDIENCE: True})),
        "expired": signed(claims(exp=NOW - 10)),
        "never expiring": signed(claims(exp=None)),
        "a time in words": signed(claims(exp=str(NOW + 300))),
        "a time before all times": signed(claims(exp=-1)),
        "a time without an end": signed(claims(exp=1e300)),
        "not yet": signed(claims(nbf=NOW + 60)),
        "issued in the future": signed(claims(iat=NOW + 60)),
        "a life too long": signed(claims(exp=NOW + 90_000)),
        "a life too long without its beginning": signed(claims(exp=NOW + 90_000, iat=None)),
        "no subject": signed(claims(sub=None)),
        "an empty subject": signed(claims(sub="")),
        "a subject with a line break": signed(claims(sub="a\nb")),
    }
    groups = {
        "Malformed": malformed,
        "Algorithm": algorithm,
        "UnknownKey": unknown_key,
        "Signature": signatures,
        "Stranger": stranger,
        "Claim": claim,
    }
    return {name: (kind, token) for kind, group in groups.items() for name, token in group.items()}


def main() -> None:
    """Write the vectors to standard output."""
    keys = [public(kid, key) for kid, key in KEYS.items()]
    keys += [
        public("rsa-pss", KEYS["rsa"], alg="PS256"),
        public("enc", KEYS["rsa"], use="enc"),
        public("small", SMALL),
        {**OctKey.import_key(b"k" * 32).as_dict(private=True), "kid": "oct"},
        {"kty": "unheard of", "kid": "new"},
    ]
    vectors = {
        "now": NOW,
        "issuer": ISSUER,
        "audience": AUDIENCE,
        "jwks": {"keys": keys},
        "genuine": genuine(),
        "forged": {name: {"refusal": kind, "token": token} for name, (kind, token) in forged().items()},
    }
    json.dump(vectors, sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
