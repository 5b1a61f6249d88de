"""LiteLLM's `/team/*`."""

import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from llmgw.access.rbac import Permission
from llmgw.endpoints.api import teams as api
from llmgw.endpoints.api.calls import Answer, Call
from llmgw.endpoints.api.desk import Desk
from llmgw.endpoints.api.nouns import changing, deleting, making
from llmgw.endpoints.api.words import moment_of
from llmgw.endpoints.base import Contract, Endpoint
from llmgw.endpoints.litellm.lists import Pages, paged, where
from llmgw.endpoints.litellm.rows import Fields, converted, row, said, taken
from llmgw.endpoints.litellm.rules import Rules, policy_of, rules_shown
from llmgw.endpoints.litellm.spent import spent
from llmgw.endpoints.problems import Kind, Problem
from llmgw.store import teams
from llmgw.store.scope import Scope
from llmgw.store.tables import teams as table

_MOST = 1000


class TeamFields(Rules, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is made or changed."""

    team_alias: str | UnsetType | None = UNSET


class CreateTeam(TeamFields, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A team that is to be made; its id is made here."""

    organization_id: str | UnsetType | None = UNSET


class UpdateTeam(TeamFields, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A team that is to be changed."""

    team_id: str


class OneTeam(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A team."""

    team_id: str


class DeleteTeams(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """DeleteTeams that are to be deleted: all of them, or none."""

    team_ids: Annotated[list[str], Meta(min_length=1, max_length=100)]


class ListTeams(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which teams to list, of those that the caller may see."""

    organization_id: str | None = None


class PageTeams(Pages, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which teams to list, page by page."""

    team_id: str | None = None
    team_alias: str | None = None
    organization_id: str | None = None


UNKEPT = frozenset(
    {
        *("team_id", "admins", "members", "members_with_roles", "model_aliases", "router_settings"),
        *("policies", "prompts", "object_permission", "allowed_passthrough_routes", "access_group_ids"),
        *("denied_passthrough_routes", "disable_global_guardrails", "require_trace_id", "budget_limits"),
        *("secret_manager_settings", "rpm_limit_type", "tpm_limit_type", "default_estimated_output_tokens"),
        *("default_estimated_output_tokens_per_model", "mcp_rpm_limit", "team_member_budget"),
        *("team_member_rpm_limit", "team_member_tpm_limit", "team_member_key_duration", "budget_id"),
        *("team_member_budget_duration", "team_member_model_max_budget", "allowed_vector_store_indexes"),
        *("enforced_batch_output_expires_after", "enforced_file_expires_after", "team_member_permissions"),
    }
)
"""Fields of LiteLLM's that may only say nothing; other unknown ones are refused whatever they say."""
_OF_UPDATE = (UNKEPT - {"team_id"}) | {"organization_id"}
_NAMES = {"team_alias": "name"}


def team_endpoints(desk: Desk) -> list[Endpoint]:
    """The rows of this noun."""
    read, write = Permission.TEAMS_READ, Permission.TEAMS_WRITE
    every, block = list[Fields], "LiteLLM: refuse all keys of a team."
    return [
        row(desk, "POST", "/team/new", write, "LiteLLM: make a team.", _new, Contract(body=CreateTeam)),
        row(
            desk, "POST", "/team/update", write, "LiteLLM: change a team.", _update, Contract(body=UpdateTeam)
        ),
        row(
            desk,
            "POST",
            "/team/delete",
            write,
            "LiteLLM: delete empty teams.",
            _delete,
            Contract(body=DeleteTeams),
        ),
        row(desk, "POST", "/team/block", write, block, _block, Contract(body=OneTeam)),
        row(
            desk,
            "POST",
            "/team/unblock",
            write,
            "LiteLLM: take a block off.",
            _unblock,
            Contract(body=OneTeam),
        ),
        row(desk, "GET", "/team/info", read, "LiteLLM: read a team.", _info, Contract(query=OneTeam)),
        row(
            desk,
            "GET",
            "/team/list",
            read,
            "LiteLLM: list teams.",
            _list,
            Contract(query=ListTeams, reply=every),
        ),
        row(
            desk,
            "GET",
            "/v2/team/list",
            read,
            "LiteLLM: list teams by pages.",
            _pages,
            Contract(query=PageTeams),
        ),
    ]


def shown(team: teams.Team, spend: Any = 0) -> Fields:
    """A team in LiteLLM's fields."""
    return {
        "team_id": team.id,
        "team_alias": team.name,
        "organization_id": team.organisation_id,
        "spend": spend,
        **rules_shown(team),
        "created_at": moment_of(team.created_at),
        "updated_at": moment_of(team.updated_at),
    }


async def _new(call: Call) -> Answer:
    body = taken(call.body, CreateTeam, UNKEPT)
    fields = {**policy_of(body), **said(body, {"organization_id": "organisation_id"})}
    fields["name"] = body.team_alias or f"team-{secrets.token_hex(6)}"
    made = await making(api.NOUN)(replace(call, body=converted(fields, api.NewTeam)))
    return Answer(value=await _told(call, made.value.id))


async def _update(call: Call) -> Answer:
    body = taken(call.body, UpdateTeam, _OF_UPDATE)
    team = await teams.get(call.tx, call.scope, body.team_id)
    return await _change(call, team, {**policy_of(body, team), **said(body, _NAMES)})


async def _delete(call: Call) -> Answer:
    ids = list(dict.fromkeys(taken(call.body, DeleteTeams).team_ids))
    for id in ids:
        await deleting(api.NOUN)(replace(call, parameters={"id": id}, body=None))
    return Answer(value={"deleted_teams": ids})


async def _block(call: Call) -> Answer:
    return await _set_blocked(call, blocked=True)


async def _unblock(call: Call) -> Answer:
    return await _set_blocked(call, blocked=False)


async def _set_blocked(call: Call, *, blocked: bool) -> Answer:
    team = await teams.get(call.tx, call.scope, taken(call.body, OneTeam).team_id)
    return await _change(call, team, {"blocked": blocked})


async def _change(call: Call, team: teams.Team, fields: Fields) -> Answer:
    change = converted(fields, api.NOUN.change)
    await changing(api.NOUN)(replace(call, parameters={"id": team.id}, body=change))
    return Answer(value=await _told(call, team.id))


async def _info(call: Call) -> Answer:
    team = await teams.get(call.tx, call.scope, call.query.team_id)
    return Answer(value={"team_id": team.id, "team_info": await _told(call, team.id)})


async def _list(call: Call) -> Answer:
    condition = where(table, organisation_id=call.query.organization_id)
    found, total = await teams.window(call.tx, call.scope, condition, 0, _MOST)
    if total > _MOST:
        raise Problem(Kind.INVALID_REQUEST, f"There are {total} teams: ask /v2/team/list for pages of them.")
    return Answer(value=await _all(call, found))


async def _pages(call: Call) -> Answer:
    query: PageTeams = call.query
    condition = where(table, id=query.team_id, name=query.team_alias, organisation_id=query.organization_id)
    offset = (query.page - 1) * query.page_size
    found, total = await teams.window(call.tx, call.scope, condition, offset, query.page_size)
    return Answer(value=paged("teams", await _all(call, found), total, query))


async def _all(call: Call, found: Sequence[teams.Team]) -> list[Fields]:
    spend = await spent(call, "team_id", [team.id for team in found])
    return [shown(team, spend.get(team.id, 0)) for team in found]


async def _told(call: Call, id: str) -> Fields:
    team = await teams.get(call.tx, Scope.all(), id)  # it was found within the caller's own
    return shown(team, (await spent(call, "team_id", [id])).get(id, 0))
