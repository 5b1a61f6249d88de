"""What nouns have in common: made, read within a scope, listed, changed at a version, removed; each noted."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

import msgspec
import orjson
import sqlalchemy as sa
from sqlalchemy import ColumnElement, Row, Select, Table, and_, delete, func, insert, select, update

from llmgw.store import changes, events, ids, lineage
from llmgw.store.errors import Missing, Stale, StoreError
from llmgw.store.kept import Kept
from llmgw.store.paging import Page, Paging, page_of, paged
from llmgw.store.scope import Scope
from llmgw.store.tables import Json
from llmgw.store.transaction import Transaction


class Refused(StoreError):
    """Something was asked for that nobody may: an unknown field, or one that is never changed."""


T = TypeVar("T", bound=Kept)

_STORES = frozenset(Kept.__struct_fields__)


class Noun(Generic[T]):
    """The table of one noun. `fixed` fields are set once; `hidden` ones are not told in events."""

    def __init__(
        self,
        kind: str,
        prefix: str,
        table: Table,
        record: type[T],
        *,
        fixed: Sequence[str] = (),
        hidden: Sequence[str] = (),
        filters: Sequence[str] = (),
        search: str | None = "name",
    ) -> None:
        self.kind = kind
        self.table = table
        self._prefix = prefix
        self._record = record
        self._hidden = frozenset(hidden)
        self._editable = frozenset(record.__struct_fields__) - _STORES - frozenset(fixed)
        self._filters = frozenset(filters)
        self._search = search
        columns = [table.c[name] for name in record.__struct_fields__]
        # JSON is fetched as text: most of it is NULL, and `read` looks at the rest.
        self._columns = [sa.type_coerce(each, sa.Text) if _is_json(each) else each for each in columns]
        self._fields = [(each.name, _is_json(each)) for each in columns]

    async def create(self, tx: Transaction, scope: Scope, record: T) -> T:
        """Add one; what is returned has its id.

        Raises:
            Missing: it would belong where the caller does not reach.
            NotWithin: it would be granted more than what it belongs to.
            Conflict: its name is taken, or what it belongs to is not there.
        """
        at = ids.now()
        made = msgspec.structs.replace(
            record, id=record.id or ids.new(self._prefix), created_at=at, updated_at=at, version=1
        )
        made = await lineage.placed(tx, scope, self.table, made)
        values = msgspec.structs.asdict(made)
        await tx.execute(insert(self.table).values(values))
        await self.note(tx, "create", made, after=self._told(values))
        return made

    async def find(self, tx: Transaction, scope: Scope, id: str) -> T | None:
        """The one of this id, if the caller may see it."""
        row = await tx.first(self.query(scope).where(self.table.c.id == id))
        return None if row is None else self.read(row)

    async def get(self, tx: Transaction, scope: Scope, id: str) -> T:
        """The same, which has to be there.

        Raises:
            Missing: it is not, or not for this caller.
        """
        found = await self.find(tx, scope, id)
        if found is None:
            raise Missing(self.kind, id)
        return found

    async def page(
        self,
        tx: Transaction,
        scope: Scope,
        paging: Paging,
        filters: Mapping[str, Any] | None = None,
        search: str | None = None,
    ) -> Page[T]:
        """A page: of those whose columns equal `filters`, and whose name holds `search`.

        Raises:
            Refused: there is no such filter.
            BadCursor: the cursor is none.
        """
        query = self._filtered(self.query(scope), filters or {}, search)
        rows = await tx.rows(paged(query, self.table.c.created_at, self.table.c.id, paging))
        return page_of([self.read(row) for row in rows], paging)

    async def window(
        self, tx: Transaction, scope: Scope, condition: ColumnElement[bool], offset: int, limit: int
    ) -> tuple[list[T], int]:
        """Those that fit, from the `offset`th on, and how many fit: for protocols without cursors."""
        fitting = and_(self.seen(scope), condition)
        total = await tx.value(select(func.count()).select_from(self.table).where(fitting))
        query = select(*self._columns).where(fitting).order_by(self.table.c.created_at, self.table.c.id)
        rows = await tx.rows(query.offset(offset).limit(limit)) if limit else []
        return [self.read(row) for row in rows], int(total)

    async def count(
        self,
        tx: Transaction,
        scope: Scope,
        filters: Mapping[str, Any] | None = None,
        search: str | None = None,
    ) -> int:
        """How many a list without pages would hold."""
        query = select(func.count()).select_from(self.table).where(self.seen(scope))
        return int(await tx.value(self._filtered(query, filters or {}, search)))

    async def stream(self, tx: Transaction) -> AsyncIterator[Sequence[T]]:
        """All of them in order of their ids, in pieces: for the gateway itself."""
        async for rows in tx.stream(self.query(Scope.all()).order_by(self.table.c.id)):
            yield [self.read(row) for row in rows]

    async def update(
        self, tx: Transaction, scope: Scope, id: str, fields: Mapping[str, Any], version: int | None = None
    ) -> T:
        """Change fields; with `version`, only if it is at that one.

        Raises:
            Missing: it is not there, or not for this caller.
            Stale: it is at another version.
            Refused: a field is unknown or fixed.
            NotWithin: it would be granted more than what it belongs to.
            Conflict: a constraint says no.
        """
        if unknown := set(fields) - self._editable:
            raise Refused(f"{self.kind}: {', '.join(sorted(unknown))} cannot be changed")
        before = await self.hold(tx, scope, id, version)
        return await self.change(tx, scope, before, fields)

    async def remove(self, tx: Transaction, scope: Scope, id: str, version: int | None = None) -> T:
        """Remove one; what it was.

        Raises:
            Missing, Stale: as in `update`.
            Conflict: something still belongs to it.
        """
        before = await self.hold(tx, scope, id, version)
        await tx.execute(delete(self.table).where(self.table.c.id == id))
        await self.note(tx, "delete", before, before=self._told(msgspec.structs.asdict(before)))
        return before

    async def hold(self, tx: Transaction, scope: Scope, id: str, version: int | None = None) -> T:
        """Read one that is about to be changed, so that no other transaction changes it meanwhile."""
        row = await tx.first(self.query(scope).where(self.table.c.id == id).with_for_update())
        if row is None:
            raise Missing(self.kind, id)
        held = self.read(row)
        if version is not None and held.version != version:
            raise Stale(self.kind, id, held.version)
        return held

    async def change(
        self, tx: Transaction, scope: Scope, before: T, fields: Mapping[str, Any], action: str = "update"
    ) -> T:
        """Write fields of one that is held."""
        after = msgspec.structs.replace(
            before, **fields, updated_at=max(ids.now(), before.updated_at + 1), version=before.version + 1
        )
        after = await lineage.placed(tx, scope, self.table, after, moved=fields)
        values = msgspec.structs.asdict(after)
        await tx.execute(update(self.table).where(self.table.c.id == before.id).values(values))
        old = msgspec.structs.asdict(before)
        changed = [name for name in fields if old[name] != values[name]]
        await self.note(
            tx,
            action,
            after,
            before=self._told({name: old[name] for name in changed}),
            after=self._told({name: values[name] for name in changed}),
        )
        return after

    async def note(
        self,
        tx: Transaction,
        action: str,
        record: T,
        *,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        """The change and the event of something that happened to one."""
        await changes.note(tx, self.kind, record.id)
        own = {"organisation": "organisation_id", "team": "team_id"}.get(self.kind)
        owners = {name: getattr(record, name, None) for name in ("organisation_id", "team_id")}
        if own is not None:
            owners[own] = record.id
        await events.record(
            tx, f"{self.kind}.{action}", self.kind, record.id, before=before, after=after, **owners
        )

    def query(self, scope: Scope) -> Select[Any]:
        """A query of what the caller may see."""
        return select(*self._columns).where(self.seen(scope))

    def seen(self, scope: Scope) -> ColumnElement[bool]:
        """The condition under which a caller sees a row."""
        return scope.over(self.table)

    def read(self, row: Row[Any]) -> T:
        """The record of a row of `query`."""
        values = {
            name: orjson.loads(value) if is_json else value
            for (name, is_json), value in zip(self._fields, row, strict=True)
            if value is not None
        }
        return self._record(**values)

    def _filtered(self, query: Select[Any], filters: Mapping[str, Any], search: str | None) -> Select[Any]:
        for name, value in filters.items():
            if name not in self._filters:
                raise Refused(f"{self.kind}s are not listed by {name}")
            query = query.where(self.table.c[name] == value)
        if search and self._search is not None:
            query = query.where(self.table.c[self._search].icontains(search, autoescape=True))
        return query

    def _told(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """What an event says of fields: those that are set, and none that is hidden."""
        return {
            name: value for name, value in values.items() if value is not None and name not in self._hidden
        }


def _is_json(column: sa.Column[Any]) -> bool:
    return isinstance(column.type, Json)
