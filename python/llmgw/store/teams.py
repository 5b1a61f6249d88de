"""Teams: part of an organisation, or on their own."""

from llmgw.store.noun import Noun
from llmgw.store.policy import Policy
from llmgw.store.tables import teams as table


class Team(Policy, frozen=True, kw_only=True):
    """One team."""

    name: str
    organisation_id: str | None = None
    external_id: str | None = None
    """What another system calls it."""
    margin_ppm: int = 0
    """Parts per million that are charged on top of costs, over the organisation's."""


_teams = Noun(
    "team",
    "team",
    table,
    Team,
    fixed=("organisation_id",),
    filters=("name", "organisation_id", "external_id", "blocked"),
)

create = _teams.create
find = _teams.find
get = _teams.get
page = _teams.page
window = _teams.window
count = _teams.count
stream = _teams.stream
update = _teams.update
remove = _teams.remove
