"""Tables of what happened: changes, which workers follow, and events, which people read."""

from sqlalchemy import BigInteger, Column, Index, Integer, Table

from llmgw.store.tables.base import METADATA, json, number, own_id, text

changes = Table(
    "changes",
    METADATA,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    text("kind", required=True),
    text("object_id", required=True),
    number("at", required=True),
    Index(None, "at"),
    sqlite_autoincrement=True,  # a number is never used again, also when old changes were removed
)

events = Table(
    "events",
    METADATA,
    own_id(),
    number("at", required=True),
    text("actor_kind", required=True),
    text("actor_id"),
    text("actor_name"),
    text("action", required=True),
    text("object_kind", required=True),
    text("object_id", required=True),
    text("organisation_id"),
    text("team_id"),
    json("before"),
    json("after"),
    text("ip"),
    text("request_id"),
    Index(None, "at", "id"),
    Index(None, "object_id", "at", "id"),
    Index(None, "actor_id", "at", "id"),
    Index(None, "organisation_id", "at", "id"),
    Index(None, "team_id", "at", "id"),
)
