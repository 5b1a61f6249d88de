"""Deployments that were defined by the admin API: entries of `model_list`, their credentials aside."""

from collections.abc import Mapping
from typing import Any

from llmgw.store.kept import Kept
from llmgw.store.noun import Noun
from llmgw.store.tables import models as table


class Model(Kept, frozen=True, kw_only=True):
    """One deployment."""

    name: str
    """The model group that it belongs to."""
    entry: Mapping[str, Any]
    """As in `model_list`; never with a credential in it."""
    organisation_id: str | None = None
    """Whose it is; without one, the platform's."""
    credential_id: str | None = None
    blocked: bool = False
    """Not used until it is unblocked."""


_models = Noun(
    "model",
    "model",
    table,
    Model,
    fixed=("organisation_id",),
    filters=("name", "organisation_id", "credential_id", "blocked"),
)

create = _models.create
find = _models.find
get = _models.get
page = _models.page
count = _models.count
stream = _models.stream
update = _models.update
remove = _models.remove
