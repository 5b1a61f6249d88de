"""`/api/v1/service-accounts`: programs that keys belong to."""

from llmgw.access.rbac import Permission
from llmgw.endpoints.api.nouns import Noun
from llmgw.endpoints.api.records import Listed, Policy, ShownPolicy, change_of
from llmgw.endpoints.api.words import Name, Word
from llmgw.store import service_accounts


class NewServiceAccount(Policy, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A service account that is to be made. What it belongs to is for good."""

    name: Name
    organisation_id: Word | None = None
    team_id: Word | None = None
    project_id: Word | None = None


class ServiceAccount(ShownPolicy, frozen=True, kw_only=True):
    """A service account."""

    name: str
    organisation_id: str | None
    team_id: str | None
    project_id: str | None


class ServiceAccountList(Listed, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which service accounts to list."""

    name: Name | None = None
    organisation_id: Word | None = None
    team_id: Word | None = None
    project_id: Word | None = None
    blocked: bool | None = None
    search: Name | None = None
    """A part of the name."""


NOUN = Noun(
    kind="service_account",
    path="/api/v1/service-accounts",
    shelf=service_accounts,
    record=service_accounts.ServiceAccount,
    body=NewServiceAccount,
    change=change_of(NewServiceAccount, "organisation_id", "team_id", "project_id"),
    shown=ServiceAccount,
    listed=ServiceAccountList,
    read=Permission.SERVICE_ACCOUNTS_READ,
    write=Permission.SERVICE_ACCOUNTS_WRITE,
)
