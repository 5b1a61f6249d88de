"""On which terms people log in: what a worker is handed of the settings."""

import msgspec

from llmgw.settings.identity import RoleRule
from llmgw.settings.secrets import Secret


class OidcOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The section `oidc` of the settings, its secret fetched."""

    issuer: str
    client_id: str
    client_secret: Secret | None
    public_url: str
    """Without a slash at its end."""
    scopes: tuple[str, ...]
    algorithms: tuple[str, ...]
    email_claim: str
    name_claim: str
    groups_claim: str
    allowed_domains: tuple[str, ...]
    create_users: bool
    organisation: str | None
    roles: tuple[RoleRule, ...]
    session_idle: float
    session_lifetime: float
    ca_file: str | None
