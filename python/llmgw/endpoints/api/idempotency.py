"""`Idempotency-Key`: a request that was carried out is answered again, not carried out again.

The reply is kept in the transaction that it tells of, so that both are there or neither. Failures are not
kept: whoever repeats them is judged anew.
"""

import re
from hashlib import sha256

import msgspec

from llmgw.access.principal import Principal
from llmgw.endpoints.api.sealing import Sealer
from llmgw.endpoints.base import Reply, Request
from llmgw.endpoints.problems import Kind, Problem
from llmgw.store import idempotency
from llmgw.store.database import Transaction

_SECONDS = 24 * 3600
_KEY = re.compile(r"[!-~]{1,255}")


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
        whole = b"\0".join((request.method.encode(), request.path.encode(), request.query.encode(), request.body))
        return cls(f"{principal.kind}:{principal.id}", key, sha256(whole).hexdigest())

    async def replay(self, tx: Transaction, sealer: Sealer) -> Reply | None:
        """The reply, if it was carried out; otherwise it is ours to carry out.

        Raises:
            Problem: the key was used for another request.
        """
        kept = await idempotency.claim(tx, self.principal, self.key, self.fingerprint, seconds=_SECONDS)
        if kept is None:
            return None
        body = sealer.open(kept.body or b"", self._place) if kept.fingerprint == self.fingerprint else None
        if body is None or kept.status is None:
            raise Problem(Kind.KEY_REUSED, "This Idempotency-Key was used for another request.")
        headers = tuple((name, value) for name, value in kept.headers or ())
        return Reply(status=kept.status, headers=(*headers, ("idempotent-replayed", "true")), body=body)

    async def keep(self, tx: Transaction, sealer: Sealer, reply: Reply) -> None:
        """Keep the reply for a day."""
        body = sealer.seal(reply.body, self._place)
        headers = [list(header) for header in reply.headers]
        await idempotency.keep(tx, self.principal, self.key, status=reply.status, headers=headers, body=body)

    @property
    def _place(self) -> bytes:
        return f"{self.principal}\0{self.key}\0{self.fingerprint}".encode()
