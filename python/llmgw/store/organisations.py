"""Organisations: what teams, people and what they spend belong to."""

from llmgw.store.noun import Noun
from llmgw.store.policy import Policy
from llmgw.store.tables import organisations as table


class Organisation(Policy, frozen=True, kw_only=True):
    """One organisation, or tenant."""

    name: str
    margin_ppm: int = 0
    """Parts per million that are charged on top of costs; may be negative."""


_organisations = Noun("organisation", "org", table, Organisation, filters=("name", "blocked"))

create = _organisations.create
find = _organisations.find
get = _organisations.get
page = _organisations.page
count = _organisations.count
stream = _organisations.stream
update = _organisations.update
remove = _organisations.remove
