"""Service accounts: programs that keys belong to, of a team or project."""

from llmgw.store.noun import Noun
from llmgw.store.policy import Policy
from llmgw.store.tables import service_accounts as table


class ServiceAccount(Policy, frozen=True, kw_only=True):
    """One program."""

    name: str
    organisation_id: str | None = None
    team_id: str | None = None
    project_id: str | None = None


_service_accounts = Noun(
    "service_account",
    "sa",
    table,
    ServiceAccount,
    fixed=("organisation_id", "team_id", "project_id"),
    filters=("name", "organisation_id", "team_id", "project_id", "blocked"),
)

create = _service_accounts.create
find = _service_accounts.find
get = _service_accounts.get
page = _service_accounts.page
count = _service_accounts.count
stream = _service_accounts.stream
update = _service_accounts.update
remove = _service_accounts.remove
