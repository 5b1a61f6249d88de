"""What workers have to know of keys, written down: the whole state, then what changes, line by line.

Each change is what is in the store when it is looked at, not what changed: so a change may be seen twice, or
together with later ones, and it comes to the same.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Row, select

from llmgw.books import lines
from llmgw.books.lines import NODES, Misshapen
from llmgw.store import changes, tables
from llmgw.store.changes import Change
from llmgw.store.transaction import Transaction
from llmgw.telemetry.logs import log

_PIECE = 500
_MOST_CHANGES = 10_000


class Told(msgspec.Struct, frozen=True):
    """Lines that belong together, the last of them an `end`."""

    sequence: int
    """The last change that is in them."""
    text: bytes
    objects: frozenset[str] = frozenset()
    """What they are about: its budgets may be new."""


class Feed:
    """Reads the store for lines, and remembers what in it makes none."""

    def __init__(self) -> None:
        self.misshapen: dict[str, str] = {}
        """Objects that no worker is told of, and why."""
        self.sequence = 0
        """The last change that is in what `everything` told."""

    async def everything(self, tx: Transaction) -> AsyncIterator[bytes]:
        """All lines there are, in pieces, up to and with an `end`; of one moment, if the transaction is."""
        self.misshapen.clear()
        self.sequence = await changes.last(tx)  # first, so that what is read is not older
        for kind in NODES:
            async for rows in tx.stream(lines.node_query(kind)):
                yield b"".join(self._node(kind, row) for row in rows)
        async for piece in self._keys(tx):
            yield piece
        yield b"".join(await self._issuers(tx, None))
        yield lines.end_line(self.sequence)

    async def since(self, tx: Transaction, sequence: int) -> Told | None:
        """What changed after `sequence`; `None` if nothing did."""
        changed = await changes.after(tx, sequence, _MOST_CHANGES)
        if not changed:
            return None
        by_kind = _by_kind(changed)
        parts: list[bytes] = []
        for kind in NODES:
            parts += await self._nodes_again(tx, kind, by_kind.get(kind, []))
        parts += await self._keys_again(tx, by_kind.get("key", []))
        if issuers := by_kind.get("jwks"):
            parts += await self._issuers(tx, issuers)
        last = changed[-1].seq
        ids = frozenset(change.object_id for change in changed)
        return Told(last, b"".join([*parts, lines.end_line(last)]), ids)

    async def _keys(self, tx: Transaction) -> AsyncIterator[bytes]:
        """All keys. One that is known by several digests has several rows, one after another."""
        table = tables.key_digests
        query = lines.key_query().add_columns(table.c.digest, table.c.valid_until)
        query = query.outerjoin(table, table.c.key_id == tables.keys.c.id).order_by(tables.keys.c.id)
        last: Row[Any] | None = None
        digests: list[tuple[str, int | None]] = []
        async for rows in tx.stream(query):
            parts = []
            for row in rows:
                if last is not None and last.id != row.id:
                    parts.append(self._key(last, digests))
                    digests = []
                last = row
                if row.digest is not None:
                    digests.append((row.digest, row.valid_until))
            yield b"".join(parts)
        if last is not None:
            yield self._key(last, digests)

    async def _nodes_again(self, tx: Transaction, kind: str, ids: Sequence[str]) -> list[bytes]:
        found: dict[str, Row[Any]] = {}
        for piece in _pieces(ids):
            query = lines.node_query(kind).where(NODES[kind].c.id.in_(piece))
            found |= {row.id: row for row in await tx.rows(query)}
        return [self._node(kind, found[id]) if id in found else self._gone(id) for id in ids]

    async def _keys_again(self, tx: Transaction, ids: Sequence[str]) -> list[bytes]:
        found: dict[str, Row[Any]] = {}
        digests: dict[str, list[tuple[str, int | None]]] = {}
        for piece in _pieces(ids):
            query = lines.key_query().where(tables.keys.c.id.in_(piece))
            found |= {row.id: row for row in await tx.rows(query)}
            for row in await tx.rows(_digest_query().where(tables.key_digests.c.key_id.in_(piece))):
                digests.setdefault(row.key_id, []).append((row.digest, row.valid_until))
        return [self._key(found[id], digests.get(id, [])) if id in found else self._gone(id) for id in ids]

    async def _issuers(self, tx: Transaction, only: Sequence[str] | None) -> list[bytes]:
        query = select(tables.jwks)
        if only is not None:
            query = query.where(tables.jwks.c.issuer.in_(only))
        found = {row.issuer: row for row in await tx.rows(query)}
        parts = []
        for issuer in found if only is None else only:
            row = found.get(issuer)
            parts.append(self._gone(issuer) if row is None else self._issuer(row))
        return parts

    def _key(self, row: Row[Any], digests: list[tuple[str, int | None]]) -> bytes:
        try:
            line = lines.key_line(row, digests)
        except Misshapen as error:
            return self._left_out(row.id, error)
        self.misshapen.pop(row.id, None)
        return line

    def _node(self, kind: str, row: Row[Any]) -> bytes:
        try:
            line = lines.node_line(kind, row)
        except Misshapen as error:
            return self._left_out(row.id, error)
        self.misshapen.pop(row.id, None)
        return line

    def _issuer(self, row: Row[Any]) -> bytes:
        try:
            return lines.jwks_line(row.issuer, row.keys, row.at)
        except Misshapen as error:
            return self._left_out(row.issuer, error)

    def _left_out(self, id: str, error: Misshapen) -> bytes:
        """A key that cannot be told of is none; keys of a node that cannot be told of are barred."""
        log.error("an object of the store cannot be served", object=id, reason=str(error))
        self.misshapen[id] = str(error)
        return lines.drop_line(id)

    def _gone(self, id: str) -> bytes:
        self.misshapen.pop(id, None)
        return lines.drop_line(id)


def _digest_query() -> Any:
    table = tables.key_digests
    return select(table.c.key_id, table.c.digest, table.c.valid_until)


def _by_kind(changed: Iterable[Change]) -> dict[str, list[str]]:
    """The objects that changed, each once."""
    by_kind: dict[str, dict[str, None]] = {}
    for change in changed:
        by_kind.setdefault(change.kind, {})[change.object_id] = None
    return {kind: list(ids) for kind, ids in by_kind.items()}


def _pieces(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[start : start + _PIECE] for start in range(0, len(ids), _PIECE)]
