"""Idempotency keys: a request that is sent again gets the answer of the first, and nothing happens twice."""

from typing import Literal

import msgspec
import sqlalchemy as sa

from llmgw.store import ids
from llmgw.store.tables import idempotency as table
from llmgw.store.transaction import Transaction


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What was answered."""

    status: int
    headers: dict[str, str]
    body: bytes


State = Literal["new", "running", "other"]


async def begin(tx: Transaction, principal: str, key: str, fingerprint: str, *, keep: int) -> Answer | State:
    """Take a key for a request, for `keep` microseconds; or what was answered.

    `running`: the first request with it has not been answered. `other`: it was for another request; the
    `fingerprint` tells. Take the key in the transaction of what is done: both happen, or neither.

    Raises:
        Conflict: another request took it at the same instant; it is running.
    """
    at = ids.now()
    mine = sa.and_(table.c.principal == principal, table.c.key == key)
    await tx.execute(sa.delete(table).where(mine, table.c.expires_at <= at))
    row = await tx.first(sa.select(table).where(mine))
    if row is None:
        values = {"principal": principal, "key": key, "fingerprint": fingerprint}
        await tx.execute(sa.insert(table).values(**values, created_at=at, expires_at=at + keep))
        return "new"
    if row.fingerprint != fingerprint:
        return "other"
    if row.status is None:
        return "running"
    return Answer(status=row.status, headers=row.headers or {}, body=row.body or b"")


async def finish(tx: Transaction, principal: str, key: str, answer: Answer) -> None:
    """Keep what was answered."""
    mine = sa.and_(table.c.principal == principal, table.c.key == key)
    await tx.execute(sa.update(table).where(mine).values(msgspec.structs.asdict(answer)))


async def give_up(tx: Transaction, principal: str, key: str) -> None:
    """Let the key go: what was asked for did not happen."""
    await tx.execute(sa.delete(table).where(table.c.principal == principal, table.c.key == key))


async def sweep(tx: Transaction) -> int:
    """Remove what is past its time; how many."""
    return (await tx.execute(sa.delete(table).where(table.c.expires_at <= ids.now()))).rowcount
