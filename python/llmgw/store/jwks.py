"""The last known signing keys of identity providers, for when one does not answer."""

from typing import Any

import msgspec
import sqlalchemy as sa

from llmgw.store import changes, ids
from llmgw.store.tables import jwks as table
from llmgw.store.transaction import Transaction


class KeySet(msgspec.Struct, frozen=True, kw_only=True):
    """What an issuer published."""

    issuer: str
    keys: list[dict[str, Any]]
    at: int
    """When it was fetched."""


async def put(tx: Transaction, issuer: str, keys: list[dict[str, Any]]) -> None:
    """Keep what was fetched now; a change only if the keys are others."""
    before = await find(tx, issuer)
    values = {"keys": keys, "at": ids.now()}
    if before is None:
        await tx.execute(sa.insert(table).values(issuer=issuer, **values))
    else:
        await tx.execute(sa.update(table).where(table.c.issuer == issuer).values(**values))
    if before is None or before.keys != keys:
        await changes.note(tx, "jwks", issuer)


async def find(tx: Transaction, issuer: str) -> KeySet | None:
    """What an issuer published last."""
    row = await tx.first(sa.select(table).where(table.c.issuer == issuer))
    return None if row is None else KeySet(**row._mapping)


async def all_(tx: Transaction) -> list[KeySet]:
    """What every issuer published last."""
    return [KeySet(**row._mapping) for row in await tx.rows(sa.select(table).order_by(table.c.issuer))]
