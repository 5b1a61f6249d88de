"""Sealing: a secret under a key of its own, which lies beside it under the gateway's key.

A sealed secret opens only as what it was sealed as: the same kind and id of object, for the same origin::

    "LGS1" · id of the KEK (8) · id of the DEK (8) · nonce (12) · DEK (48) · nonce (12) · secret (n + 16)

The DEK is encrypted under the KEK and the secret under the DEK, both with AES-256-GCM. A DEK encrypts one
secret, once. Another KEK means another wrapping (`rewrap`); the secret's own bytes stay as they are.
"""

import secrets
from collections.abc import Mapping

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from llmgw.settings.secrets import Secret
from llmgw.store.errors import StoreError

MAGIC = b"LGS1"
_ID, _NONCE, _KEY, _TAG = 8, 12, 32, 16
_WRAPPED = _KEY + _TAG
_HEAD = len(MAGIC) + 2 * _ID
_SECRET_AT = _HEAD + _NONCE + _WRAPPED


class Unsealable(StoreError):
    """A secret does not open: other bytes, another object or origin, or a key that is not here."""


class Kek(msgspec.Struct, frozen=True):
    """A key that wraps keys."""

    id: bytes
    """8 bytes that tell it from others."""
    key: Secret
    """32 bytes, hex."""

    @property
    def name(self) -> str:
        """The id as text."""
        return self.id.hex()

    def cipher(self) -> AESGCM:
        """What encrypts with it."""
        return AESGCM(bytes.fromhex(self.key.reveal()))


class Bound(msgspec.Struct, frozen=True):
    """What a secret is bound to."""

    kind: str
    id: str
    origin: str
    """Scheme, host and port that it may be sent to."""

    def data(self, role: bytes, key_id: bytes) -> bytes:
        """What is authenticated beside the ciphertext: each part with its length, so that none runs on."""
        parts = (MAGIC, role, self.kind.encode(), self.id.encode(), self.origin.encode(), key_id)
        return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def seal(kek: Kek, bound: Bound, secret: Secret) -> bytes:
    """Seal a secret."""
    dek, dek_id = secrets.token_bytes(_KEY), secrets.token_bytes(_ID)
    nonce = secrets.token_bytes(_NONCE)
    body = AESGCM(dek).encrypt(nonce, secret.reveal().encode(), bound.data(b"secret", dek_id))
    return _head(kek, bound, dek, dek_id) + nonce + body


def unseal(keks: Mapping[bytes, Kek], bound: Bound, sealed: bytes) -> Secret:
    """Open a sealed secret.

    Raises:
        Unsealable: it does not open.
    """
    dek, dek_id = _unwrap(keks, bound, sealed)
    nonce, body = sealed[_SECRET_AT : _SECRET_AT + _NONCE], sealed[_SECRET_AT + _NONCE :]
    try:
        return Secret(AESGCM(dek).decrypt(nonce, body, bound.data(b"secret", dek_id)).decode())
    except (InvalidTag, ValueError):
        raise Unsealable(f"the secret of {bound.kind} {bound.id} does not open") from None


def rewrap(keks: Mapping[bytes, Kek], kek: Kek, bound: Bound, sealed: bytes) -> bytes:
    """The same secret, with its key under another one.

    Raises:
        Unsealable: it does not open.
    """
    dek, dek_id = _unwrap(keks, bound, sealed)
    return _head(kek, bound, dek, dek_id) + sealed[_SECRET_AT:]


def kek_of(sealed: bytes) -> bytes:
    """The id of the key that the sealed secret's key is under."""
    return sealed[len(MAGIC) : len(MAGIC) + _ID]


def _head(kek: Kek, bound: Bound, dek: bytes, dek_id: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE)
    wrapped = kek.cipher().encrypt(nonce, dek, bound.data(b"key" + dek_id, kek.id))
    return MAGIC + kek.id + dek_id + nonce + wrapped


def _unwrap(keks: Mapping[bytes, Kek], bound: Bound, sealed: bytes) -> tuple[bytes, bytes]:
    """The key of a sealed secret, and its id."""
    if len(sealed) < _SECRET_AT + _NONCE + _TAG or not sealed.startswith(MAGIC):
        raise Unsealable(f"the secret of {bound.kind} {bound.id} is damaged, or of a later version")
    kek = keks.get(kek_of(sealed))
    if kek is None:
        raise Unsealable(
            f"the secret of {bound.kind} {bound.id} is under the key {kek_of(sealed).hex()}: not here"
        )
    dek_id = sealed[_HEAD - _ID : _HEAD]
    nonce, wrapped = sealed[_HEAD : _HEAD + _NONCE], sealed[_HEAD + _NONCE : _SECRET_AT]
    try:
        return kek.cipher().decrypt(nonce, wrapped, bound.data(b"key" + dek_id, kek.id)), dek_id
    except InvalidTag:
        raise Unsealable(f"the secret of {bound.kind} {bound.id} does not open") from None
