"""Projects: what a team works on."""

from llmgw.store.noun import Noun
from llmgw.store.policy import Policy
from llmgw.store.tables import projects as table


class Project(Policy, frozen=True, kw_only=True):
    """One project."""

    name: str
    team_id: str | None = None
    organisation_id: str | None = None
    """Its team's, if it has one."""


_projects = Noun(
    "project",
    "proj",
    table,
    Project,
    fixed=("organisation_id", "team_id"),
    filters=("name", "organisation_id", "team_id", "blocked"),
)

create = _projects.create
find = _projects.find
get = _projects.get
page = _projects.page
count = _projects.count
stream = _projects.stream
update = _projects.update
remove = _projects.remove
