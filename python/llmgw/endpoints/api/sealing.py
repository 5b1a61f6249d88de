"""Seals what must be kept for a while and may hold a secret: replies that show a key once."""

import os
from hashlib import sha256
from hmac import digest as hmac_digest

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from llmgw.settings.secrets import Secret

_NONCE = 12
_PURPOSE = b"llmgw replies to repeated requests"


class Sealer:
    """AES-256-GCM under a key that is derived from the pepper, for this purpose alone."""

    def __init__(self, pepper: Secret) -> None:
        self._cipher = AESGCM(hmac_digest(bytes.fromhex(pepper.reveal()), _PURPOSE, sha256))

    def seal(self, content: bytes, place: bytes) -> bytes:
        """The content, to be opened in the same place only."""
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, content, place)

    def open(self, sealed: bytes, place: bytes) -> bytes | None:
        """The content; `None` if it was sealed under another pepper or for another place."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], place)
        except InvalidTag:
            return None
