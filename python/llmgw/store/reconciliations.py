"""Reconciliations: what a provider's usage export says of a time, against what the ledger says."""

from typing import Any

from llmgw.store.kept import Kept
from llmgw.store.noun import Noun
from llmgw.store.tables import reconciliations as table


class Reconciliation(Kept, frozen=True, kw_only=True):
    """One comparison."""

    provider: str
    starts_at: int
    ends_at: int
    state: str
    """`agrees`, `differs` or `closed`."""
    figures: dict[str, Any] | None = None
    """What was compared, and what differs."""


_reconciliations = Noun(
    "reconciliation",
    "rec",
    table,
    Reconciliation,
    fixed=("provider", "starts_at", "ends_at"),
    filters=("provider", "state"),
    search=None,
)

create = _reconciliations.create
find = _reconciliations.find
get = _reconciliations.get
page = _reconciliations.page
update = _reconciliations.update
