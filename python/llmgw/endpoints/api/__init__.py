"""The admin API, `/api/v1`: what an operator changes and reads, one file a noun."""

from collections.abc import Callable

from llmgw.endpoints.api import models, organisations, projects, service_accounts, teams, users
from llmgw.endpoints.api.budgets import budget_endpoints
from llmgw.endpoints.api.credentials import credential_endpoints
from llmgw.endpoints.api.desk import Desk
from llmgw.endpoints.api.events import event_endpoints
from llmgw.endpoints.api.keys import key_endpoints
from llmgw.endpoints.api.me import me_endpoints
from llmgw.endpoints.api.memberships import membership_endpoints
from llmgw.endpoints.api.nouns import noun_endpoints
from llmgw.endpoints.api.spend import spend_endpoints
from llmgw.endpoints.base import Endpoint

_NOUNS = (
    organisations.NOUN,
    teams.NOUN,
    projects.NOUN,
    users.NOUN,
    service_accounts.NOUN,
    models.NOUN,
)


def admin_endpoints(desk: Desk, settings: Callable[[], str | None]) -> list[Endpoint]:
    """The rows of the admin API. `settings`: the digest of those in force."""
    return [
        *(row for noun in _NOUNS for row in noun_endpoints(desk, noun)),
        *key_endpoints(desk),
        *membership_endpoints(desk),
        *credential_endpoints(desk),
        *budget_endpoints(desk),
        *spend_endpoints(desk),
        *event_endpoints(desk),
        *me_endpoints(desk, settings),
    ]
