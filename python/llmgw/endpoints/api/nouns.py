"""What the nouns of the admin API have in common: made, listed, read, changed and deleted alike."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from llmgw.access.rbac import Permission
from llmgw.endpoints.api.calls import Answer, Call, row
from llmgw.endpoints.api.desk import Desk
from llmgw.endpoints.api.reach import PLACES, check_field, places_of
from llmgw.endpoints.api.records import fields_of, page_of, page_shown, shown
from llmgw.endpoints.base import Contract, Endpoint
from llmgw.endpoints.problems import Kind, Problem

GUARDED = dict.fromkeys(("limits", "budgets", "priority", "margin_ppm"), Permission.BUDGETS_WRITE)
"""Fields of nodes and keys that ask for a permission of their own."""
_ROOF = ("blocked", "endpoints", "guardrails", "models", "networks", "regions")
"""Fields of a place by which whoever is above it holds it down, besides those."""


class Shelf(Protocol):
    """A noun's module in the store."""

    @property
    def create(self) -> Callable[..., Awaitable[Any]]:
        """Adds one."""

    @property
    def get(self) -> Callable[..., Awaitable[Any]]:
        """Finds one."""

    @property
    def page(self) -> Callable[..., Awaitable[Any]]:
        """Lists some."""

    @property
    def update(self) -> Callable[..., Awaitable[Any]]:
        """Changes one."""

    @property
    def remove(self) -> Callable[..., Awaitable[Any]]:
        """Removes one."""


async def check_fields(call: Call, noun: "Noun", record: Any, fields: set[str]) -> None:
    """Refuse the fields that the caller may not set on this object.

    What an organisation, team or project may do is said from above: its own admins would lift it otherwise.

    Raises:
        Problem: there is one.
    """
    guarded = dict(noun.guarded)
    if noun.kind in PLACES:
        guarded |= dict.fromkeys(_ROOF, noun.write)
    for name in sorted(fields & set(guarded)):
        check_field(call.principal, guarded[name], places_of(record), name)


@dataclass(frozen=True, kw_only=True)
class Noun:
    """One noun: where it stands, what is kept of it, what is taken and shown."""

    kind: str
    """As the store has it: `service_account`."""
    path: str
    shelf: Shelf
    record: Callable[..., Any]
    """The store's struct."""
    body: type[msgspec.Struct]
    change: type[msgspec.Struct]
    shown: Any
    listed: type[msgspec.Struct]
    read: Permission
    write: Permission
    guarded: Mapping[str, Permission] = field(default_factory=lambda: GUARDED)
    """Fields that ask for a permission of their own."""
    check: Callable[[Call, "Noun", Any, set[str]], Awaitable[None]] = check_fields
    """Judges what is made, changed or deleted (`made`, or as it is), and which fields are set."""

    @property
    def words(self) -> str:
        """As people say it."""
        return self.kind.replace("_", " ")


def noun_endpoints(desk: Desk, noun: Noun) -> list[Endpoint]:
    """The five rows of a noun."""
    one, words = f"{noun.path}/{{id}}", noun.words
    article = "an" if words[0] in "aeiou" else "a"
    return [
        row(desk, "GET", noun.path, noun.read, f"List {words}s, page by page.", listing(noun),
            Contract(query=noun.listed, reply=page_of(noun.shown), problems=(400,))),
        row(desk, "POST", noun.path, noun.write, f"Make {article} {words}.", making(noun),
            Contract(body=noun.body, reply=noun.shown, status=201, tagged=True)),
        row(desk, "GET", one, noun.read, f"Read {article} {words}.", reading(noun),
            Contract(reply=noun.shown, tagged=True)),
        row(desk, "PATCH", one, noun.write, f"Change {article} {words}: the fields that are named.",
            changing(noun), Contract(body=noun.change, reply=noun.shown, tagged=True, conditional=True)),
        row(desk, "DELETE", one, noun.write, f"Delete {article} {words}, to which nothing belongs any more.",
            deleting(noun), Contract(conditional=True)),
    ]  # fmt: skip


def listing(noun: Noun) -> Callable[[Call], Awaitable[Answer]]:
    """Lists the noun."""

    async def work(call: Call) -> Answer:
        query = call.query
        page = await noun.shelf.page(call.tx, call.scope, query.paging, query.filters, _search(query))
        return Answer(value=page_shown(page, noun.shown))

    return work


def making(noun: Noun) -> Callable[[Call], Awaitable[Answer]]:
    """Makes one."""

    async def work(call: Call) -> Answer:
        record = noun.record(**fields_of(call.body))
        made = await noun.shelf.create(call.tx, call.scope, record)
        await noun.check(call, noun, made, set_fields(call.body))
        return Answer(value=shown(made, noun.shown), version=made.version)

    return work


def reading(noun: Noun) -> Callable[[Call], Awaitable[Answer]]:
    """Reads one."""

    async def work(call: Call) -> Answer:
        found = await noun.shelf.get(call.tx, call.scope, call.parameters["id"])
        return Answer(value=shown(found, noun.shown), version=found.version)

    return work


def changing(noun: Noun) -> Callable[[Call], Awaitable[Answer]]:
    """Changes one."""

    async def work(call: Call) -> Answer:
        fields = fields_of(call.body)
        if not fields:
            raise Problem(Kind.INVALID_BODY, "Name a field that is to be changed.")
        before = await noun.shelf.get(call.tx, call.scope, call.parameters["id"])
        await noun.check(call, noun, before, set(fields))
        changed = await noun.shelf.update(call.tx, call.scope, before.id, fields, call.version)
        return Answer(value=shown(changed, noun.shown), version=changed.version)

    return work


def deleting(noun: Noun) -> Callable[[Call], Awaitable[Answer]]:
    """Deletes one."""

    async def work(call: Call) -> Answer:
        before = await noun.shelf.get(call.tx, call.scope, call.parameters["id"])
        await noun.check(call, noun, before, set())
        await noun.shelf.remove(call.tx, call.scope, before.id, call.version)
        return Answer()

    return work


def set_fields(body: msgspec.Struct) -> set[str]:
    """The fields of a body that say something: defaults need no permission."""
    defaults = {each.name: each.default for each in msgspec.structs.fields(body)}
    return {name for name in body.__struct_fields__ if getattr(body, name) not in (defaults[name], None)}


def _search(query: Any) -> str | None:
    return query.search if "search" in query.__struct_fields__ else None
