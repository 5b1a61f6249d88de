"""Lines of the directory's file: what the workers are told of keys, of what they belong to, and of issuers.

Fields that say nothing are left out. The columns are checked here, since a line that a worker cannot read
would keep it from reading all that follow: what is wrong with one object stays that object's own trouble.
No key of the store is `admin` to the workers, which would put it above every tenant: what its role allows is
asked of the store.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from ipaddress import ip_network
from typing import Annotated, Any

import msgspec
import orjson
from msgspec import Meta
from sqlalchemy import Column, Row, Select, Text, select, type_coerce

from llmgw import _native
from llmgw.store import tables
from llmgw.store.tables import Json

_LONGEST_NAME = 512
_LONGEST_LINE = 1 << 20
_TEXTS = msgspec.json.Decoder(list[str])
_HEX = msgspec.json.Decoder(list[Annotated[str, Meta(pattern="^[0-9a-fA-F]{64}$")]])
_DECODERS: dict[str, msgspec.json.Decoder[Any]] = {
    "models": _TEXTS,
    "endpoints": _TEXTS,
    "networks": _TEXTS,
    "regions": _TEXTS,
    "guardrails": _TEXTS,
    "tags": _TEXTS,
    "pass_through": _TEXTS,
    "certificates": _HEX,
    "metadata": msgspec.json.Decoder(dict[str, Any]),
    "model_map": msgspec.json.Decoder(dict[str, str]),
}
_RULES = ("limits", "budgets")
_POLICY = ("models", "endpoints", "networks", "regions", "guardrails", "tags", "limits", "budgets")
_OWNERS = {
    "organisation_id": "organisation",
    "team_id": "team",
    "project_id": "project",
    "user_id": "user",
    "service_account_id": "service_account",
}
_KEY_COLUMNS = (
    *("id", "alias", "expires_at", "priority", "blocked"),
    *_OWNERS,
    *_POLICY,
    *("metadata", "model_map", "pass_through", "certificates"),
)
_NODE_COLUMNS = ("id", "priority", "blocked", *_POLICY)

NODES = {
    "organisation": tables.organisations,
    "team": tables.teams,
    "project": tables.projects,
    "user": tables.users,
    "service_account": tables.service_accounts,
}
"""The tables of what keys belong to, by kind; what belongs to something comes after it."""

_PARENTS = {
    "organisation": (),
    "team": ("organisation_id",),
    "project": ("team_id", "organisation_id"),
    "user": ("organisation_id",),
    "service_account": ("project_id", "team_id", "organisation_id"),
}


class Misshapen(ValueError):
    """An object whose columns make no line; the text says what is wrong, and holds no secret."""


def key_query() -> Select[Any]:
    """What a line of a key is made of."""
    return select(*_as_text(tables.keys.c[name] for name in _KEY_COLUMNS))


def node_query(kind: str) -> Select[Any]:
    """What a line of a node is made of."""
    table = NODES[kind]
    names = (*_NODE_COLUMNS, "email" if kind == "user" else "name", *_PARENTS[kind])
    margin = [table.c.margin_ppm] if "margin_ppm" in table.c else []
    active = [table.c.active] if kind == "user" else []
    return select(*_as_text(table.c[name] for name in names), *margin, *active)


def key_line(row: Row[Any], digests: list[tuple[str, int | None]]) -> bytes:
    """The line of a key that is known by these digests.

    Raises:
        Misshapen: a column holds what no worker would read.
    """
    columns = dict(zip(_KEY_COLUMNS, row, strict=False))  # digests may stand behind them
    line: dict[str, Any] = {"put": "key", "id": columns["id"], "alias": _name(columns["alias"])}
    line["digests"] = digests
    for column, field in _OWNERS.items():
        if columns[column] is not None:
            line[field] = columns[column]
    if columns["expires_at"] is not None:
        line["expires_at"] = max(columns["expires_at"], 0)
    _put_policy(line, columns, (*_POLICY, "metadata", "model_map", "pass_through", "certificates"))
    return _encode(line)


def node_line(kind: str, row: Row[Any]) -> bytes:
    """The line of a node.

    Raises:
        Misshapen: as `key_line`.
    """
    columns = row._asdict()
    name = columns["email" if kind == "user" else "name"]
    line: dict[str, Any] = {"put": "node", "id": columns["id"], "kind": kind, "name": _name(name or "")}
    for parent in _PARENTS[kind]:
        if columns[parent] is not None:
            line["parent"] = columns[parent]
            break
    _put_policy(line, columns, _POLICY)
    if kind == "user" and not columns["active"]:
        line["blocked"] = True
    if columns.get("external_id"):
        line["external_id"] = columns["external_id"]
    if columns.get("margin_ppm"):
        line["margin_ppm"] = columns["margin_ppm"]
    return _encode(line)


def jwks_line(issuer: str, keys: Any, at: int) -> bytes:
    """The line of an issuer of tokens, and its public keys."""
    return _encode({"put": "jwks", "issuer": issuer, "keys": keys or [], "at": at})


def drop_line(id: str) -> bytes:
    """The line of something that is gone."""
    return _encode({"drop": id})


def end_line(sequence: int) -> bytes:
    """The line behind what belongs together."""
    return _encode({"end": sequence})


def _put_policy(line: dict[str, Any], columns: Mapping[str, Any], fields: Iterable[str]) -> None:
    if columns["blocked"]:
        line["blocked"] = True
    if columns["priority"] is not None:
        line["priority"] = columns["priority"]
    for field in fields:
        if (text := columns[field]) is None:
            continue
        try:
            _check(field, text)
        except ValueError as error:
            raise Misshapen(f"{field}: {error}") from None
        line[field] = orjson.Fragment(text)


@lru_cache(maxsize=4096)
def _check(field: str, text: str) -> None:
    """Raises: ValueError: no worker would read it. Many keys say the same."""
    if field in _RULES:
        other = next(each for each in _RULES if each != field)
        _native.check_rules(f'{{"{field}": {text}, "{other}": []}}')
        return
    value = _DECODERS[field].decode(text)
    if field == "networks":
        for network in value:
            ip_network(network, strict=False)


def _name(name: str) -> str:
    """A name as it may stand in logs and metrics."""
    if len(name.encode()) > _LONGEST_NAME or not name.isprintable():
        return "".join(letter for letter in name if letter.isprintable())[: _LONGEST_NAME // 4]
    return name


def _as_text(columns: Iterable[Column[Any]]) -> list[Any]:
    """The columns, JSON as it is stored: it is put into lines without being read into objects."""
    return [
        type_coerce(column, Text).label(column.name) if isinstance(column.type, Json) else column
        for column in columns
    ]


def _encode(line: Mapping[str, Any]) -> bytes:
    encoded = orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
    if len(encoded) > _LONGEST_LINE:
        raise Misshapen("it is larger than a mebibyte")
    return encoded
