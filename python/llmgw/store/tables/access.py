"""Tables of the doors: sessions of people, answers to be asked for again, keys of identity providers."""

from sqlalchemy import Column, Index, LargeBinary, PrimaryKeyConstraint, Table, Text

from llmgw.store.tables.base import METADATA, json, number, reference, text

sessions = Table(
    "sessions",
    METADATA,
    Column("digest", Text, primary_key=True),  # hex, of the cookie's value
    text("id", required=True),
    reference("user_id", "users", required=True, cascade=True),
    text("csrf_digest"),
    json("claims"),  # what the login told that grants depend on
    text("ip"),
    number("created_at", required=True),
    number("seen_at", required=True),
    number("expires_at", required=True),
    Index(None, "user_id"),
    Index(None, "expires_at"),
)

idempotency = Table(
    "idempotency",
    METADATA,
    text("principal", required=True),
    text("key", required=True),
    text("fingerprint", required=True),  # of the request, so that the key cannot stand for another one
    number("status"),  # NULL while the first request is under way
    json("headers"),
    Column("body", LargeBinary),
    number("created_at", required=True),
    number("expires_at", required=True),
    PrimaryKeyConstraint("principal", "key"),
    Index(None, "expires_at"),
)

jwks = Table(
    "jwks",
    METADATA,
    Column("issuer", Text, primary_key=True),
    json("keys"),
    number("at", required=True),
)
