"""`/api/v1/teams`: parts of an organisation, or on their own."""

from llmgw.access.rbac import Permission
from llmgw.endpoints.api.nouns import Noun
from llmgw.endpoints.api.organisations import Margin
from llmgw.endpoints.api.records import Listed, Policy, ShownPolicy, change_of
from llmgw.endpoints.api.words import Name, Word
from llmgw.store import teams


class NewTeam(Policy, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A team that is to be made."""

    name: Name
    organisation_id: Word | None = None
    """For good."""
    external_id: Name | None = None
    """What another system calls it."""
    margin_ppm: Margin = 0


class Team(ShownPolicy, frozen=True, kw_only=True):
    """A team."""

    name: str
    organisation_id: str | None
    external_id: str | None
    margin_ppm: int


class TeamList(Listed, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which teams to list."""

    name: Name | None = None
    organisation_id: Word | None = None
    external_id: Name | None = None
    blocked: bool | None = None
    search: Name | None = None
    """A part of the name."""


NOUN = Noun(
    kind="team",
    path="/api/v1/teams",
    shelf=teams,
    record=teams.Team,
    body=NewTeam,
    change=change_of(NewTeam, "organisation_id"),
    shown=Team,
    listed=TeamList,
    read=Permission.TEAMS_READ,
    write=Permission.TEAMS_WRITE,
)
