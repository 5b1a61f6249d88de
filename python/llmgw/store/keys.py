"""Virtual keys: what clients show. Of the key itself only digests are kept, and they are told nowhere."""

from collections.abc import AsyncIterator

import msgspec
import sqlalchemy as sa

from llmgw.store import ids
from llmgw.store.errors import Missing
from llmgw.store.noun import Noun
from llmgw.store.policy import Policy
from llmgw.store.scope import Scope
from llmgw.store.tables import key_digests
from llmgw.store.tables import keys as table
from llmgw.store.transaction import Transaction


class Key(Policy, frozen=True, kw_only=True, gc=False):
    """A virtual key, without what it is known by."""

    alias: str
    hint: str | None = None
    """First and last characters, for listings."""
    organisation_id: str | None = None
    team_id: str | None = None
    project_id: str | None = None
    user_id: str | None = None
    service_account_id: str | None = None
    admin_role: str | None = None
    """The role in the admin API, within what the key belongs to; without one it has no business there."""
    expires_at: int | None = None
    model_map: dict[str, str] | None = None
    pass_through: list[str] | None = None
    certificates: list[str] | None = None
    """SHA-256 (hex) of client certificates that stand for the key."""


class KeyDigest(msgspec.Struct, frozen=True, gc=False):
    """What a key is known by."""

    digest: str
    valid_until: int | None
    """Unix microseconds; `None`: as long as the key."""


FILTERS = (
    "alias",
    "organisation_id",
    "team_id",
    "project_id",
    "user_id",
    "service_account_id",
    "admin_role",
    "blocked",
)

_keys = Noun("key", "key", table, Key, fixed=("hint",), filters=FILTERS, search="alias")

_DIGESTS = sa.select(key_digests.c.digest, key_digests.c.key_id, key_digests.c.valid_until)

find = _keys.find
get = _keys.get
page = _keys.page
window = _keys.window
count = _keys.count
stream = _keys.stream
update = _keys.update
remove = _keys.remove


async def create(tx: Transaction, scope: Scope, key: Key, digest: str) -> Key:
    """Add a key that is known by this digest.

    To see the person that it is for is not enough: what else that person belongs to, the key would belong to.

    Raises:
        Missing: it would belong where the caller does not reach.
        NotWithin: it would be granted more than what it belongs to.
        Conflict: the alias or the key is taken.
    """
    made = await _keys.create(tx, scope, key)
    if await _keys.find(tx, scope, made.id) is None:
        raise Missing("user", str(made.user_id))
    await _add_digest(tx, made.id, digest)
    return made


async def rotate(
    tx: Transaction,
    scope: Scope,
    id: str,
    digest: str,
    hint: str,
    *,
    valid_until: int,
    version: int | None = None,
) -> Key:
    """Give a key another value; those it had are good until `valid_until` (Unix microseconds), not longer.

    Raises:
        Missing: it is not there, or not for this caller.
        Stale: it is at another version.
        Conflict: the new value is in use.
    """
    before = await _keys.hold(tx, scope, id, version)
    mine = key_digests.c.key_id == id
    await tx.execute(sa.delete(key_digests).where(mine, key_digests.c.valid_until <= ids.now()))
    longer = sa.or_(key_digests.c.valid_until.is_(None), key_digests.c.valid_until > valid_until)
    await tx.execute(sa.update(key_digests).where(mine, longer).values(valid_until=valid_until))
    await _add_digest(tx, id, digest)
    return await _keys.change(tx, scope, before, {"hint": hint}, "rotate")


async def block(tx: Transaction, scope: Scope, id: str, *, blocked: bool, version: int | None = None) -> Key:
    """Refuse a key, or no longer.

    Raises:
        Missing: it is not there, or not for this caller.
        Stale: it is at another version.
    """
    before = await _keys.hold(tx, scope, id, version)
    return await _keys.change(tx, scope, before, {"blocked": blocked}, "block" if blocked else "unblock")


async def find_by_digest(tx: Transaction, digest: str) -> Key | None:
    """The key that this digest stands for now, also if it is blocked or expired: see to that."""
    known = sa.select(key_digests.c.key_id).where(
        key_digests.c.digest == digest,
        sa.or_(key_digests.c.valid_until.is_(None), key_digests.c.valid_until > ids.now()),
    )
    row = await tx.first(_keys.query(Scope.all()).where(table.c.id == known.scalar_subquery()))
    return None if row is None else _keys.read(row)


async def certified(tx: Transaction, certificate: str) -> list[str]:
    """The ids of all keys, anybody's, that a certificate (SHA-256, hex) stands for."""
    listed = sa.type_coerce(table.c.certificates, sa.Text).contains(certificate, autoescape=True)
    return [row.id for row in await tx.rows(sa.select(table.c.id).where(listed))]


async def find_by_alias(tx: Transaction, scope: Scope, alias: str) -> Key | None:
    """The key of this alias, if the caller may see it."""
    row = await tx.first(_keys.query(scope).where(table.c.alias == alias))
    return None if row is None else _keys.read(row)


async def digests_of(tx: Transaction, scope: Scope, id: str) -> list[KeyDigest]:
    """What a key is known by; for the gateway itself, not for answers."""
    await _keys.get(tx, scope, id)
    query = (
        sa.select(key_digests.c.digest, key_digests.c.valid_until)
        .where(key_digests.c.key_id == id)
        .order_by(key_digests.c.created_at, key_digests.c.digest)
    )
    return [KeyDigest(row.digest, row.valid_until) for row in await tx.rows(query)]


async def feed(tx: Transaction) -> AsyncIterator[list[tuple[Key, list[KeyDigest]]]]:
    """Every key with what it is known by, in order of ids and in pieces: for the gateway's own directory."""
    async for piece in _keys.stream(tx):
        known: dict[str, list[KeyDigest]] = {}
        between = key_digests.c.key_id.between(piece[0].id, piece[-1].id)
        for row in await tx.rows(_DIGESTS.where(between)):
            known.setdefault(row.key_id, []).append(KeyDigest(row.digest, row.valid_until))
        yield [(key, known.get(key.id, [])) for key in piece]


async def _add_digest(tx: Transaction, key_id: str, digest: str) -> None:
    row = {"digest": digest, "key_id": key_id, "valid_until": None, "created_at": ids.now()}
    await tx.execute(sa.insert(key_digests).values(row))
