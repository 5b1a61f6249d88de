"""`/api/v1/projects`: parts of a team or an organisation."""

from llmgw.access.rbac import Permission
from llmgw.endpoints.api.nouns import Noun
from llmgw.endpoints.api.records import Listed, Policy, ShownPolicy, change_of
from llmgw.endpoints.api.words import Name, Word
from llmgw.store import projects


class NewProject(Policy, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A project that is to be made. What it belongs to is for good."""

    name: Name
    organisation_id: Word | None = None
    team_id: Word | None = None


class Project(ShownPolicy, frozen=True, kw_only=True):
    """A project."""

    name: str
    organisation_id: str | None
    team_id: str | None


class ProjectList(Listed, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which projects to list."""

    name: Name | None = None
    organisation_id: Word | None = None
    team_id: Word | None = None
    blocked: bool | None = None
    search: Name | None = None
    """A part of the name."""


NOUN = Noun(
    kind="project",
    path="/api/v1/projects",
    shelf=projects,
    record=projects.Project,
    body=NewProject,
    change=change_of(NewProject, "organisation_id", "team_id"),
    shown=Project,
    listed=ProjectList,
    read=Permission.PROJECTS_READ,
    write=Permission.PROJECTS_WRITE,
)
