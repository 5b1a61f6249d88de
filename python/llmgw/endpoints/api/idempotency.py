"""`Idempotency-Key`: a request that was carried out is answered again, not carried out again.

The reply is kept in the transaction that it tells of, so that both are there or neither. Failures are not
kept: whoever repeats them is judged anew.
"""

import re
from hashlib import sha256

import msgspec

from llmgw.access.principal import Principal
from llmgw.endpoints.base import Reply, Request
from llmgw.endpoints.problems import Kind, Problem
from llmgw.settings.secrets import Secret
from llmgw.store import idempotency, sealing
from llmgw.store.database import Transaction
from llmgw.store.errors import Conflict
from llmgw.store.keyring import Keyring
from llmgw.store.sealing import Bound

_KEEP = 24 * 3600 * 1_000_000
"""Microseconds."""
_KEY = re.compile(r"[!-~]{1,255}")


class TakenMeanwhileError(Exception):
    """Another transaction is carrying out the same request."""


class Once(msgspec.Struct, frozen=True):
    """A request that is to be carried out once."""

    principal: str
    key: str
    fingerprint: str

    @classmethod
    def of(cls, request: Request, principal: Principal) -> "Once | None":
        """`None` for a request that does not ask for it.

        Raises:
            Problem: the header is no key.
        """
        key = request.headers.get("idempotency-key")
        if key is None:
            return None
        if not _KEY.fullmatch(key):
            raise Problem(Kind.INVALID_REQUEST, "Idempotency-Key takes 1 to 255 printable characters.")
        # Keys of one person or program may have other roles each: none is shown what another was answered.
        grants = sorted(f"{one.role} {one.scope} {one.scope_id or ''}" for one in principal.grants)
        words = (request.method, request.path, request.query, ",".join(grants))
        parts = (*(word.encode() for word in words), request.body)
        whole = b"\0".join(parts)
        return cls(f"{principal.kind}:{principal.id}", key, sha256(whole).hexdigest())

    async def replay(self, tx: Transaction, keyring: Keyring) -> Reply | None:
        """The reply, if it was carried out; otherwise it is ours to carry out.

        Raises:
            TakenMeanwhileError: another transaction took the key at this instant: begin again.
            Problem: the key was used for another request.
            Unsealable: the key that the reply is under is gone.
        """
        try:
            found = await idempotency.begin(tx, self.principal, self.key, self.fingerprint, keep=_KEEP)
        except Conflict as error:
            raise TakenMeanwhileError from error
        if found == "new":
            return None
        if found == "running":
            raise TakenMeanwhileError
        if found == "other":
            raise Problem(Kind.KEY_REUSED, "This Idempotency-Key was used for another request.")
        body = sealing.unseal(keyring, self._bound, found.body).reveal().encode()
        headers = (*found.headers.items(), ("idempotent-replayed", "true"))
        return Reply(status=found.status, headers=headers, body=body)

    async def keep(self, tx: Transaction, keyring: Keyring, reply: Reply) -> None:
        """Keep the reply for a day."""
        body = sealing.seal(keyring.current, self._bound, Secret(reply.body.decode()))
        answer = idempotency.Answer(status=reply.status, headers=dict(reply.headers), body=body)
        await idempotency.finish(tx, self.principal, self.key, answer)

    @property
    def _bound(self) -> Bound:
        """A reply may show a key: it is sealed, for this request alone."""
        return Bound("reply", f"{self.principal} {self.key}", self.fingerprint)
