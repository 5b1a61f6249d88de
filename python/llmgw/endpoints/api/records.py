"""Records of the store as the admin API shows them, and bodies as the store takes them."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar, get_type_hints

import msgspec
from msgspec import Meta

from llmgw.endpoints.api.words import (
    Budgets,
    Limits,
    Metadata,
    Priority,
    Words,
    check_budgets,
    check_networks,
    moment_of,
    shown_budgets,
    shown_limits,
    stored,
)
from llmgw.store.paging import Page as StorePage
from llmgw.store.paging import Paging

T = TypeVar("T", bound=msgspec.Struct)


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a node or key may do, as it is written. `null` in a list means: not limited here."""

    models: Words | None = None
    """Public model names or patterns (`openai/*`)."""
    endpoints: Words | None = None
    """Endpoints: names, patterns (`images_*`) or families (`chat.*`)."""
    networks: Words | None = None
    """Addresses or networks (CIDR) that clients must have."""
    regions: Words | None = None
    guardrails: Words | None = None
    tags: Words | None = None
    metadata: Metadata | None = None
    limits: Limits | None = None
    budgets: Budgets | None = None
    priority: Priority | None = None
    blocked: bool = False

    def __post_init__(self) -> None:
        check_networks(self.networks)
        check_budgets(self.budgets)


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What every object shows."""

    id: str
    created_at: datetime
    updated_at: datetime
    version: int
    """As its ETag."""


class ShownPolicy(Shown, frozen=True, kw_only=True):
    """What a node or key shows of what it may do."""

    models: list[str] | None
    endpoints: list[str] | None
    networks: list[str] | None
    regions: list[str] | None
    guardrails: list[str] | None
    tags: list[str] | None
    metadata: dict[str, Any] | None
    limits: Limits | None
    budgets: Budgets | None
    priority: str | None
    blocked: bool


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """A page of a list."""

    items: list[T]
    next: str | None
    """The cursor of the next page; `null` on the last."""


def page_of(kind: Any) -> Any:
    """The type of a page of these."""
    return Page[kind]


class Listed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The query of a list."""

    limit: Annotated[int, Meta(ge=1, le=1000)] = 100
    """Objects a page."""
    cursor: Annotated[str, Meta(max_length=200)] | None = None
    """`next` of the page before."""

    @property
    def paging(self) -> Paging:
        """As the store has it."""
        return Paging(limit=self.limit, cursor=self.cursor)

    @property
    def filters(self) -> dict[str, Any]:
        """What it is filtered by."""
        fields = msgspec.structs.asdict(self)
        return {name: it for name, it in fields.items() if it is not None and name not in _NO_FILTERS}


_NO_FILTERS = frozenset({"limit", "cursor", "search"})


def change_of(kind: type[msgspec.Struct], *fixed: str) -> type[msgspec.Struct]:
    """The body that changes what `kind` makes: every field but those that are fixed, none of them needed."""
    hints = get_type_hints(kind, include_extras=True)
    fields = [
        (name, hints[name] | msgspec.UnsetType, msgspec.UNSET)
        for name in kind.__struct_fields__
        if name not in fixed
    ]
    checks = {"__post_init__": kind.__post_init__} if hasattr(kind, "__post_init__") else {}
    return msgspec.defstruct(
        f"{kind.__name__.removeprefix('New')}Change",
        fields,
        namespace={"__doc__": "What is to be changed; `null` takes away.", **checks},
        module=kind.__module__,
        frozen=True,
        kw_only=True,
        forbid_unknown_fields=True,
    )


def fields_of(body: msgspec.Struct) -> dict[str, Any]:
    """The fields that a body sets, as the store has them."""
    fields = msgspec.structs.asdict(body)
    return {name: stored(value) for name, value in fields.items() if value is not msgspec.UNSET}


def shown(record: msgspec.Struct, kind: type[T]) -> T:
    """A record as it is shown: the fields that `kind` has."""
    values = {name: getattr(record, name) for name in kind.__struct_fields__}
    return kind(**{name: _SHOWN[name](it) if name in _SHOWN else it for name, it in values.items()})


def page_shown(page: StorePage[Any], kind: type[T]) -> Page[T]:
    """A page of records as it is shown."""
    return Page(items=[shown(each, kind) for each in page.items], next=page.next)


def _moment(micros: int | None) -> datetime | None:
    return None if micros is None else moment_of(micros)


_SHOWN: Mapping[str, Callable[[Any], Any]] = {
    "limits": shown_limits,
    "budgets": shown_budgets,
    **dict.fromkeys(("at", "created_at", "updated_at", "expires_at", "settled_at"), _moment),
}
"""What the store has in other units, by the names of its fields."""
