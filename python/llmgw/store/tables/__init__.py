"""The tables. Times are Unix microseconds (UTC), money is nano-dollars, ids are text of `llmgw.store.ids`.

A column that may be absent is nullable; where it is part of a key of sums it is the empty text instead.
"""

from llmgw.store.tables.access import idempotency, jwks, sessions
from llmgw.store.tables.base import METADATA, Json
from llmgw.store.tables.books import (
    ROLLUP_DIMENSIONS,
    SUMS,
    TOTAL_DIMENSIONS,
    jobs,
    ledger,
    positions,
    reconciliations,
    repricings,
    rollups,
    tag_rollups,
    totals,
)
from llmgw.store.tables.changes import changes, events
from llmgw.store.tables.identities import (
    group_members,
    groups,
    memberships,
    organisations,
    projects,
    service_accounts,
    teams,
    users,
)
from llmgw.store.tables.keys import credentials, key_digests, keys, models

__all__ = [
    "METADATA",
    "ROLLUP_DIMENSIONS",
    "SUMS",
    "TOTAL_DIMENSIONS",
    "Json",
    "changes",
    "credentials",
    "events",
    "group_members",
    "groups",
    "idempotency",
    "jobs",
    "jwks",
    "key_digests",
    "keys",
    "ledger",
    "memberships",
    "models",
    "organisations",
    "positions",
    "projects",
    "reconciliations",
    "repricings",
    "rollups",
    "service_accounts",
    "sessions",
    "tag_rollups",
    "teams",
    "totals",
    "users",
]
