"""The admin API, `/api/v1`: what an operator changes and reads, one file a noun."""

from llmgw.endpoints.api import organisations, projects, service_accounts, teams, users
from llmgw.endpoints.api.desk import Desk
from llmgw.endpoints.api.keys import key_endpoints
from llmgw.endpoints.api.nouns import noun_endpoints
from llmgw.endpoints.base import Endpoint

_NOUNS = (organisations.NOUN, teams.NOUN, projects.NOUN, users.NOUN, service_accounts.NOUN)


def admin_endpoints(desk: Desk) -> list[Endpoint]:
    """The rows of the admin API."""
    return [
        *(row for noun in _NOUNS for row in noun_endpoints(desk, noun)),
        *key_endpoints(desk),
    ]
