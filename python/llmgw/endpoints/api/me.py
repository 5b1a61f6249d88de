"""`/api/v1/me` and `/api/v1/status`: who one is here, and how the gateway is."""

from collections.abc import Callable

import msgspec

from llmgw._native import __version__
from llmgw.access.principal import Principal
from llmgw.access.rbac import Permission, permissions_of
from llmgw.endpoints.api.calls import encoded, plain_row
from llmgw.endpoints.api.desk import Desk
from llmgw.endpoints.base import Access, Contract, Endpoint, Reply, Request
from llmgw.endpoints.problems import Kind, Problem


class GrantShown(msgspec.Struct, frozen=True, kw_only=True):
    """A role, where it holds, and what it lets do there."""

    role: str
    scope: str
    scope_id: str | None
    permissions: list[str]


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """Whoever asks."""

    kind: str
    id: str
    name: str
    organisation_id: str | None
    team_id: str | None
    project_id: str | None
    user_id: str | None
    grants: list[GrantShown]


class DatabaseStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The database."""

    kind: str
    """`sqlite` or `postgresql`."""
    up: bool


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """How the gateway is."""

    version: str
    settings: str | None
    """A digest of the settings in force."""
    database: DatabaseStatus


def me_endpoints(desk: Desk, settings: Callable[[], str | None]) -> list[Endpoint]:
    """The rows of this family; they answer without the database. `settings`: the digest of those in force."""

    async def me(request: Request) -> Reply:
        if request.principal is None:
            raise Problem(Kind.UNAUTHENTICATED, "This endpoint asks for a key.")
        return encoded(_me(request.principal))

    async def status(_: Request) -> Reply:
        database = DatabaseStatus(kind=desk.store.kind, up=await desk.store.ping())
        return encoded(Status(version=__version__, settings=settings(), database=database))

    summary = "How the gateway is: its version, its settings, its database."
    return [
        plain_row("/api/v1/me", Access.KEY, "Who the caller is, and may do.", me, Contract(reply=Me)),
        plain_row("/api/v1/status", Permission.CONFIG_READ, summary, status, Contract(reply=Status)),
    ]


def _me(principal: Principal) -> Me:
    grants = [
        GrantShown(
            role=grant.role,
            scope=grant.scope,
            scope_id=grant.scope_id,
            permissions=sorted(permissions_of(grant)),
        )
        for grant in principal.grants
    ]
    return Me(
        kind=principal.kind,
        id=principal.id,
        name=principal.name,
        organisation_id=principal.organisation,
        team_id=principal.team,
        project_id=principal.project,
        user_id=principal.user,
        grants=grants,
    )
