"""Tables of what is shown and used: virtual keys and their digests, credentials, deployments."""

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, Table, Text, UniqueConstraint

from llmgw.store.tables.base import METADATA, edited, flag, json, number, own_id, policy, reference, text

_OWNERS = ("organisation_id", "team_id", "project_id", "user_id", "service_account_id")

keys = Table(
    "keys",
    METADATA,
    own_id(),
    text("alias", required=True),
    text("hint"),
    reference("organisation_id", "organisations"),
    reference("team_id", "teams"),
    reference("project_id", "projects"),
    reference("user_id", "users"),
    reference("service_account_id", "service_accounts"),
    text("admin_role"),
    number("expires_at"),
    json("model_map"),
    json("pass_through"),
    json("certificates"),  # sha256 of client certificates, hex
    *policy(),
    *edited(),
    UniqueConstraint("alias"),
    Index(None, "created_at", "id"),
    *(Index(None, owner, "created_at", "id") for owner in _OWNERS),
)

key_digests = Table(
    "key_digests",
    METADATA,
    Column("digest", Text, primary_key=True),  # hex HMAC under the pepper
    Column("key_id", Text, ForeignKey("keys.id", ondelete="CASCADE"), nullable=False, index=True),
    number("valid_until"),  # NULL: as long as the key
    number("created_at", required=True),
)

credentials = Table(
    "credentials",
    METADATA,
    own_id(),
    text("name", required=True),
    reference("organisation_id", "organisations"),
    text("provider", required=True),
    text("origin", required=True),  # scheme, host and port it may be sent to
    Column("sealed", LargeBinary, nullable=False),
    text("kek_id", required=True),
    *edited(),
    UniqueConstraint("name"),
    Index(None, "kek_id", "id"),
    Index(None, "created_at", "id"),
)

models = Table(
    "models",
    METADATA,
    own_id(),
    text("name", required=True),  # the model group
    reference("organisation_id", "organisations"),
    json("entry"),  # an entry of `model_list`, without its credential
    reference("credential_id", "credentials"),
    flag("blocked"),
    *edited(),
    Index(None, "name"),
    Index(None, "created_at", "id"),
)
