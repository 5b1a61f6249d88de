"""Tables of who there is: organisations, teams, projects, users, service accounts, groups, memberships."""

from sqlalchemy import Column, Index, Table, Text, UniqueConstraint

from llmgw.store.tables.base import METADATA, edited, flag, json, own_id, policy, reference, tally, text

organisations = Table(
    "organisations",
    METADATA,
    own_id(),
    text("name", required=True),
    *policy(),
    tally("margin_ppm"),
    *edited(),
    UniqueConstraint("name"),
    Index(None, "created_at", "id"),
)

teams = Table(
    "teams",
    METADATA,
    own_id(),
    text("name", required=True),
    reference("organisation_id", "organisations"),
    text("external_id"),
    *policy(),
    tally("margin_ppm"),
    *edited(),
    Index(None, "created_at", "id"),
    Index(None, "organisation_id", "created_at", "id"),
    Index(None, "name"),
    Index(None, "external_id"),
)

projects = Table(
    "projects",
    METADATA,
    own_id(),
    text("name", required=True),
    reference("team_id", "teams"),
    reference("organisation_id", "organisations"),
    *policy(),
    *edited(),
    Index(None, "created_at", "id"),
    Index(None, "organisation_id", "created_at", "id"),
    Index(None, "team_id", "created_at", "id"),
)

users = Table(
    "users",
    METADATA,
    own_id(),
    reference("organisation_id", "organisations"),
    text("email"),
    text("name"),
    text("external_id"),
    text("issuer"),
    text("subject"),
    flag("active", default=True),
    json("scim"),
    *policy(),
    *edited(),
    UniqueConstraint("issuer", "subject"),
    UniqueConstraint("email"),
    Index(None, "external_id"),
    Index(None, "created_at", "id"),
    Index(None, "organisation_id", "created_at", "id"),
)

service_accounts = Table(
    "service_accounts",
    METADATA,
    own_id(),
    text("name", required=True),
    reference("organisation_id", "organisations"),
    reference("team_id", "teams"),
    reference("project_id", "projects"),
    *policy(),
    *edited(),
    Index(None, "created_at", "id"),
    Index(None, "organisation_id", "created_at", "id"),
    Index(None, "team_id", "created_at", "id"),
    Index(None, "project_id", "created_at", "id"),
)

memberships = Table(
    "memberships",
    METADATA,
    own_id(),
    reference("user_id", "users", required=True, cascade=True),
    text("scope_kind", required=True),
    text("scope_id", required=True),  # the empty text for the platform
    text("role", required=True),
    Column("source", Text, nullable=False, server_default=""),  # a group, "login" for claims, else a person
    *edited(),
    UniqueConstraint("user_id", "scope_kind", "scope_id", "role", "source"),
    Index(None, "scope_kind", "scope_id", "user_id"),
    Index(None, "created_at", "id"),
)

groups = Table(
    "groups",
    METADATA,
    own_id(),
    text("name", required=True),
    reference("organisation_id", "organisations"),
    text("external_id"),
    json("grants"),  # [{"role", "scope_kind", "scope_id"}]: what its members may do
    *edited(),
    UniqueConstraint("organisation_id", "name"),
    Index(None, "external_id"),
    Index(None, "created_at", "id"),
)

group_members = Table(
    "group_members",
    METADATA,
    reference("group_id", "groups", required=True, cascade=True),
    reference("user_id", "users", required=True, cascade=True),
    UniqueConstraint("group_id", "user_id"),
    Index(None, "user_id"),
)
