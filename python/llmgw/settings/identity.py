"""What a user may write about identities that others vouch for: tokens of issuers, and logins of people.

The string below a field is its documentation, as in `schema`.
"""

from typing import Annotated, Literal, TypeAlias
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from llmgw.settings.secrets import SecretReference
from llmgw.settings.values import Positive, Seconds, Section

Claim: TypeAlias = Annotated[str, Meta(min_length=1, max_length=256)]
"""The name of a claim, or a JSON pointer if it begins with a slash."""
Text: TypeAlias = Annotated[str, Meta(min_length=1, max_length=512)]
SignatureAlgorithm: TypeAlias = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"
]
RoleName: TypeAlias = Literal["owner", "admin", "operator", "auditor", "developer", "viewer"]

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def is_safe_url(url: str) -> bool:
    """Whether a URL is https, or http on this machine, without credentials, query or fragment."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    secure = parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)
    return bool(secure and host) and not (parts.username or parts.password or parts.fragment or parts.query)


class RoleRule(Section, frozen=True):
    """Who gets a role in the admin API."""

    value: Text
    """A value of the claim, such as the name of a group; a `*` in it stands for anything."""
    role: RoleName
    """The role."""
    on: Literal["platform", "organisation", "team", "project"] = "organisation"
    """Where it holds: there, and in everything below."""
    id: Text | None = None
    """The id of the organisation, team or project. Without it: the one that the same claims name."""

    def __post_init__(self) -> None:
        if self.on == "platform" and self.id is not None:
            raise ValueError("the platform has no id")


class JwtClaims(Section, frozen=True):
    """Where the claims lie that name things: names of claims, or JSON pointers such as `/realm/groups`."""

    organisation: Claim | None = None
    """The organisation."""
    team: Claim | None = None
    """The team; of several, the first that is known."""
    project: Claim | None = None
    """The project."""
    user: Claim | None = None
    """The user."""
    service_account: Claim | None = None
    """The service account."""
    role: Claim | None = None
    """What `roles` looks at."""
    models: Claim | None = None
    """Names and patterns of models that the holder may use, within what the team and the others allow.
    Without the claim in a token it may use none."""
    tags: Claim | None = None
    """Tags of the holder's requests."""


class JwtDefaults(Section, frozen=True):
    """What is meant where a claim is missing."""

    organisation: Text | None = None
    """The organisation."""
    team: Text | None = None
    """The team."""
    project: Text | None = None
    """The project."""
    user: Text | None = None
    """The user."""


class JwtEntry(Section, frozen=True):
    """An issuer whose tokens (JWT) are taken instead of a virtual key. Of several entries of one issuer the
    first counts whose `when` fits."""

    issuer: Text
    """The claim `iss`, letter by letter."""
    audiences: Annotated[tuple[Text, ...], Meta(min_length=1, max_length=32)]
    """A token must be for one of these (`aud`)."""
    algorithms: Annotated[tuple[SignatureAlgorithm, ...], Meta(min_length=1)] = ("RS256",)
    """The algorithms that count, whatever a token says of itself."""
    jwks_uri: Text | None = None
    """Where the issuer publishes its keys: https, or http on this machine. They are fetched ahead of time,
    and again when a token names a key that is not known."""
    jwks_file: str | None = None
    """Or a file with them. Without either, the issuer's discovery document names the place."""
    leeway: Annotated[int, Meta(ge=0, le=300)] = 30
    """Seconds that the issuer's clock and ours may differ."""
    max_lifetime: Positive | None = 24 * 3600
    """Longest life of a token, in seconds; `null`: any."""
    required: tuple[Claim, ...] = ()
    """Claims that a token must have besides `iss`, `sub`, `aud` and `exp`."""
    when: dict[Claim, Annotated[tuple[Text, ...], Meta(min_length=1)]] = msgspec.field(default_factory=dict)
    """The entry is for tokens whose claims have one of these values each; one `*` stands for anything."""
    claims: JwtClaims = JwtClaims()
    """Where the claims lie that name things."""
    defaults: JwtDefaults = JwtDefaults()
    """What is meant where a claim is missing."""
    find_by: Literal["id", "name", "external_id"] = "id"
    """By what the claims name things: by the id here, by the name here, or, for users, by the issuer's own id
    (`externalId` of SCIM)."""
    roles: tuple[RoleRule, ...] = ()
    """Roles in the admin API, by the values of `claims.role`; without, a token gives none."""

    def __post_init__(self) -> None:
        if self.jwks_uri is not None and self.jwks_file is not None:
            raise ValueError("give either jwks_uri or jwks_file")
        if self.jwks_uri is not None and not is_safe_url(self.jwks_uri):
            raise ValueError("jwks_uri must be https, or http on this machine")
        if self.jwks_uri is None and self.jwks_file is None and not is_safe_url(self.issuer):
            raise ValueError("without jwks_uri or jwks_file, the issuer must be an https URL")
        claims, defaults = self.claims, self.defaults
        mapped = (claims.organisation, claims.team, claims.project, claims.user, claims.service_account)
        given = (defaults.organisation, defaults.team, defaults.project, defaults.user)
        if not any(mapped + given):
            raise ValueError("say in claims or defaults which organisation, team, project or user is meant")
        if self.roles and claims.role is None:
            raise ValueError("with roles, say in claims.role which claim they are about")


class ScimSettings(Section, frozen=True):
    """Users and groups that identity providers keep here by SCIM 2.0 (`/scim/v2`)."""

    roles: tuple[RoleRule, ...] = ()
    """Roles of the members of groups, by the group's name. Groups that a key of an organisation keeps give
    roles within that organisation only, whatever stands here."""


class OidcClaims(Section, frozen=True):
    """Where the claims of an identity token lie."""

    email: Claim = "email"
    """The address by which a user is found who was made before; it counts only if `email_verified` is
    true."""
    name: Claim = "name"
    """What people call the user."""
    groups: Claim = "groups"
    """What `roles` looks at."""


class OidcSettings(Section, frozen=True):
    """Logins of people by OpenID Connect, for the admin API and the console."""

    issuer: Text
    """The identity provider, as its discovery document names it: https, or http on this machine."""
    client_id: Text
    """What the gateway is called there."""
    public_url: Text
    """Where browsers reach the gateway: `https://llm.example.com`. The provider has to allow
    `PUBLIC_URL/login/callback`."""
    client_secret: SecretReference | None = None
    """The gateway's secret there; without it, it is a public client, which PKCE protects."""
    scopes: tuple[Text, ...] = ("openid", "profile", "email")
    """What is asked for."""
    algorithms: Annotated[tuple[SignatureAlgorithm, ...], Meta(min_length=1)] = ("RS256", "ES256")
    """Algorithms of identity tokens that count."""
    claims: OidcClaims = OidcClaims()
    """Where the claims lie."""
    allowed_domains: tuple[Text, ...] = ()
    """Domains of addresses that are let in, verified by the provider; without any, everybody whom it
    knows."""
    create_users: bool = True
    """Make a user at the first login; else only those are let in who were made before."""
    organisation: Text | None = None
    """The id of the organisation that such users belong to."""
    roles: tuple[RoleRule, ...] = ()
    """Roles by group, as of each login. Those that were granted here are not touched."""
    session_idle: Seconds = 3600.0
    """Seconds without a request after which a session ends."""
    session_lifetime: Seconds = 12 * 3600.0
    """Seconds after which it ends anyhow."""

    def __post_init__(self) -> None:
        if not is_safe_url(self.issuer):
            raise ValueError("issuer must be https, or http on this machine")
        if not is_safe_url(self.public_url) or urlsplit(self.public_url).path not in ("", "/"):
            raise ValueError("public_url must be https, or http on this machine, and have no path")
        if "openid" not in self.scopes:
            raise ValueError("scopes must name openid")
