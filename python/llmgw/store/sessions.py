"""Sessions of people who logged in. Of the cookie's value only a digest is kept."""

from typing import Any

import msgspec
import sqlalchemy as sa

from llmgw.store import events, ids
from llmgw.store.tables import sessions as table
from llmgw.store.transaction import Transaction


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One login, until it ends."""

    digest: str
    id: str = ""
    user_id: str
    csrf_digest: str | None = None
    claims: dict[str, Any] | None = None
    ip: str | None = None
    created_at: int = 0
    seen_at: int = 0
    expires_at: int


async def create(tx: Transaction, session: Session) -> Session:
    """Begin a session; the store sets its id and times, but not its end."""
    at = ids.now()
    made = msgspec.structs.replace(session, id=ids.new("ses"), created_at=at, seen_at=at)
    await tx.execute(sa.insert(table).values(msgspec.structs.asdict(made)))
    await events.record(tx, "session.create", "session", made.id, after={"user_id": made.user_id})
    return made


async def find(tx: Transaction, digest: str) -> Session | None:
    """The session of this digest, if it has not ended."""
    row = await tx.first(sa.select(table).where(table.c.digest == digest, table.c.expires_at > ids.now()))
    return None if row is None else Session(**row._mapping)


async def touch(tx: Transaction, digest: str, expires_at: int) -> None:
    """It was used now, and ends later."""
    values = {"seen_at": ids.now(), "expires_at": expires_at}
    await tx.execute(sa.update(table).where(table.c.digest == digest).values(values))


async def remove(tx: Transaction, digest: str) -> bool:
    """End a session; whether there was one."""
    row = await tx.first(sa.delete(table).where(table.c.digest == digest).returning(table.c.id))
    if row is not None:
        await events.record(tx, "session.delete", "session", row.id)
    return row is not None


async def remove_all_of(tx: Transaction, user_id: str) -> int:
    """End every session of a person; how many there were."""
    rows = await tx.rows(sa.delete(table).where(table.c.user_id == user_id).returning(table.c.id))
    for row in rows:
        await events.record(tx, "session.delete", "session", row.id)
    return len(rows)


async def sweep(tx: Transaction) -> int:
    """Remove those that ended; how many."""
    return (await tx.execute(sa.delete(table).where(table.c.expires_at <= ids.now()))).rowcount
