"""`/api/v1/organisations`: tenants."""

from typing import Annotated

from msgspec import Meta

from llmgw.access.rbac import Permission
from llmgw.endpoints.api.nouns import Noun
from llmgw.endpoints.api.records import Listed, Policy, ShownPolicy, change_of
from llmgw.endpoints.api.words import Name
from llmgw.store import organisations

Margin = Annotated[int, Meta(ge=-1_000_000, le=100_000_000)]
"""Parts per million on top of costs; below zero it is a discount."""


class NewOrganisation(Policy, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An organisation that is to be made."""

    name: Name
    margin_ppm: Margin = 0


class Organisation(ShownPolicy, frozen=True, kw_only=True):
    """An organisation."""

    name: str
    margin_ppm: int


class OrganisationList(Listed, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which organisations to list."""

    name: Name | None = None
    blocked: bool | None = None
    search: Name | None = None
    """A part of the name."""


NOUN = Noun(
    kind="organisation",
    path="/api/v1/organisations",
    shelf=organisations,
    record=organisations.Organisation,
    body=NewOrganisation,
    change=change_of(NewOrganisation),
    shown=Organisation,
    listed=OrganisationList,
    read=Permission.ORGANISATIONS_READ,
    write=Permission.ORGANISATIONS_WRITE,
)
