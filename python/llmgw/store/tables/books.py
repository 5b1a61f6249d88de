"""Tables of the books: the ledger, its sums, and how far each journal is booked."""

from sqlalchemy import Boolean, Column, Index, Integer, PrimaryKeyConstraint, Table, Text

from llmgw.store.tables.base import METADATA, edited, json, number, own_id, tally, text

_OWNERS = ("organisation_id", "team_id", "project_id", "user_id", "service_account_id")

ledger = Table(
    "ledger",
    METADATA,
    own_id(),
    text("kind", required=True),  # attempt | call
    text("state", required=True),  # open | settled | void | call
    number("at", required=True),
    number("settled_at"),
    text("request_id"),
    Column("attempt", Integer),
    text("key_id"),
    text("alias"),
    *(text(owner) for owner in _OWNERS),
    text("end_user"),
    json("tags"),
    text("endpoint"),
    text("model_group"),
    text("requested_model"),
    text("routed_model"),
    text("reported_model"),
    text("deployment"),
    text("provider"),
    text("region"),
    text("tier"),
    Column("stream", Boolean),
    Column("status", Integer),
    text("how"),  # settled: whole | stream | cut | client_gone
    text("why"),  # void: not_sent | unreachable | refused | failed | client_gone
    text("what"),  # call: hit | blocked | limited | over_budget | denied
    text("error_class"),
    number("held"),
    number("cost"),
    number("charged"),  # the cost with the team's or organisation's margin
    text("price_status"),
    text("price_source"),
    number("input_estimate"),
    number("output_ceiling"),
    json("holds"),  # [[slot, window, nano]] while open
    number("input_tokens"),
    number("output_tokens"),
    number("cache_read_tokens"),
    number("cache_write_tokens"),
    number("reasoning_tokens"),
    json("usage"),  # what else was used
    json("served"),
    number("saved"),
    number("duration_ms"),
    number("first_ms"),
    text("upstream_id"),
    text("writer"),  # the journal that told of it
    number("repriced_cost"),
    Index(None, "at"),
    Index(None, "request_id"),
)

# What is ordered by time is ordered by id only among the rows of one microsecond: the indexes need not hold
# ids, and rows that have no such owner.
for _owner in ("key_id", *_OWNERS):
    _there = ledger.c[_owner].is_not(None)
    Index(None, ledger.c[_owner], ledger.c.at, sqlite_where=_there, postgresql_where=_there)

_open = ledger.c.state == "open"
Index("ix_ledger_open", ledger.c.at, sqlite_where=_open, postgresql_where=_open)

SUMS = (
    "attempts",  # physical sends, whatever became of them
    "settled",
    "void",
    "open",
    "calls",  # answered without a send: hits, refusals
    "hits",
    "cost",
    "charged",
    "held",  # of what is open
    "saved",
    "adjustment",  # by which later prices differ: `cost` stays what it was
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "duration_ms",
)
"""What is summed, in every table of sums."""

ROLLUP_DIMENSIONS = (
    "key_id",
    "alias",
    "user_id",
    "project_id",
    "team_id",
    "organisation_id",
    "service_account_id",
    "model_group",
    "provider",
    "deployment",
    "endpoint",
)
"""What hours are summed by, all at once: for reports by any of them together."""

TOTAL_DIMENSIONS = (*ROLLUP_DIMENSIONS, "tag", "end_user", "all")
"""What days are summed by, one at a time: a key's or a team's spending is a look-up."""

rollups = Table(
    "rollups",
    METADATA,
    own_id(),  # hex digest of the hour and the dimensions
    number("hour", required=True),  # its beginning
    *(Column(name, Text, nullable=False, server_default="") for name in ROLLUP_DIMENSIONS),
    *(tally(name) for name in SUMS),
    Index(None, "hour"),
    *(Index(None, name, "hour") for name in ("key_id", *_OWNERS)),
)

tag_rollups = Table(
    "tag_rollups",
    METADATA,
    number("hour", required=True),
    text("tag", required=True),
    *(Column(name, Text, nullable=False) for name in ("organisation_id", "team_id", "model_group")),
    *(tally(name) for name in SUMS),
    PrimaryKeyConstraint("tag", "hour", "organisation_id", "team_id", "model_group"),
    Index(None, "hour"),
)

totals = Table(
    "totals",
    METADATA,
    text("dimension", required=True),
    text("value", required=True),
    number("day", required=True),  # its beginning
    *(tally(name) for name in SUMS),
    PrimaryKeyConstraint("dimension", "value", "day"),
    Index(None, "dimension", "day"),
)

positions = Table(
    "positions",
    METADATA,
    Column("writer", Text, primary_key=True),
    number("sequence", required=True),
    json("place"),  # where the journal is read on
    number("at", required=True),
)

repricings = Table(
    "repricings",
    METADATA,
    own_id(),
    text("ledger_id", required=True),
    text("job_id", required=True),
    number("at", required=True),
    number("cost", required=True),
    number("repriced_cost", required=True),
    text("price_source"),
    Index(None, "ledger_id"),
    Index(None, "job_id", "ledger_id"),
)

reconciliations = Table(
    "reconciliations",
    METADATA,
    own_id(),
    text("provider", required=True),
    number("starts_at", required=True),
    number("ends_at", required=True),
    text("state", required=True),
    json("figures"),
    *edited(),
    Index(None, "created_at", "id"),
)

jobs = Table(
    "jobs",
    METADATA,
    own_id(),
    text("kind", required=True),
    text("state", required=True),  # waiting | running | done | failed
    json("arguments"),
    json("result"),
    text("error"),
    text("worker"),
    number("due_at", required=True),
    number("leased_until"),
    tally("attempts"),
    *edited(),
    Index(None, "state", "due_at"),
    Index(None, "created_at", "id"),
)
