"""The compiled configuration: field by field the mirror of the native `Snapshot`.

Names are resolved to indexes, secrets are fetched, indexes are built. A snapshot is immutable and
swapped as a whole; `encode()` gives the JSON that the native core takes. It holds credentials, so
`repr` shows its shape only.
"""

from hashlib import sha256
from typing import Literal

import msgspec

from llmgw.model import Operation


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A part of the snapshot; all fields are always sent."""


class LimitRule(Part, frozen=True):
    """How much may pass in a time, or be in hand at once."""

    of: Literal["requests", "tokens", "input_tokens", "output_tokens", "concurrent", "bytes", "cost"]
    amount: int
    """Nano-dollars of a cost."""
    per: Literal["second", "minute", "hour", "day"] | None = None
    burst: int | None = None
    model: str | None = None


class BudgetRule(Part, frozen=True):
    """How much may be spent in a time."""

    name: str
    amount: int
    """Nano-dollars."""
    window: Literal["day", "week", "month", "year", "total"] | dict[Literal["rolling"], int]
    soft: tuple[int, ...] = ()
    """Thousandths of the amount."""
    action: Literal["block", "alert", "throttle", "downgrade"] = "block"
    throttle: LimitRule | None = None
    downgrade_to: str | None = None
    model: str | None = None


class SharedLimit(Part, frozen=True):
    """A limit that all of a kind have, each for itself."""

    by: Literal["key", "user", "team", "project", "organisation", "model", "ip", "tag"]
    matching: str | None
    rule: LimitRule


class VirtualKey(Part, frozen=True):
    """A key that a client may show us, as its keyed digest."""

    alias: str
    digest: str
    admin: bool = False
    models: tuple[str, ...] | None = None
    model_map: dict[str, str] = {}
    """Names that mean other models when this key uses them; may hold one `*` (`claude-*`)."""
    pass_through: tuple[str, ...] | None = None
    """Names of pass-throughs it may use, `*` for all; `None`: all, unless `models` limits it."""
    endpoints: tuple[str, ...] | None = None
    """Endpoints it may use, by name, pattern or family; `None`: all."""
    networks: tuple[str, ...] | None = None
    """Networks (CIDR) its clients are in; `None`: anywhere."""
    regions: tuple[str, ...] | None = None
    """Regions or patterns that its deployments are in; `None`: anywhere."""
    tags: tuple[str, ...] = ()
    """What its requests are filed under."""
    priority: Literal["low", "normal", "high"] | None = None
    """Which of its requests go first."""
    certificates: tuple[str, ...] | None = None
    """Certificates that stand for it: SHA-256 in hex, `uri:…` or `dns:…`."""
    expires_at: int | None = None
    """Unix seconds."""
    blocked: bool = False
    rpm: int | None = None
    tpm: int | None = None
    limits: tuple[LimitRule, ...] = ()
    budgets: tuple[BudgetRule, ...] = ()


class Auth(Part, frozen=True):
    """Who may call."""

    pepper: str
    """Hex key of the HMAC-SHA256 that makes the digests."""
    keys: tuple[VirtualKey, ...]

    def __repr__(self) -> str:
        return f"Auth(pepper=**********, keys={len(self.keys)})"


class Wildcard(Part, frozen=True):
    """A public name with one `*`: what stands before and after it, and the group that serves it."""

    prefix: str
    suffix: str
    group: int


class Group(Part, frozen=True):
    """A public model name, the deployments behind it, and the groups to try next."""

    name: str
    deployments: tuple[int, ...]
    fallbacks: tuple[int, ...] = ()
    context_window_fallbacks: tuple[int, ...] = ()


class Timeouts(Part, frozen=True):
    """Deadlines of one attempt, in seconds."""

    connect: float
    first_byte: float
    idle: float
    total: float


class Signer(Part, frozen=True):
    """How requests are signed (AWS SigV4) instead of carrying a credential."""

    region: str
    service: str
    access_key_id: str
    secret_access_key: str
    session_token: str | None

    def __repr__(self) -> str:
        return f"Signer(region={self.region!r}, service={self.service!r})"


class TokenRates(Part, frozen=True, omit_defaults=True):
    """Nano-dollars per thousand tokens; `None` is not known."""

    input: int | None = None
    output: int | None = None
    cached: int | None = None
    cache_write: int | None = None
    cache_write_1h: int | None = None
    reasoning: int | None = None
    audio_input: int | None = None
    audio_output: int | None = None
    audio_cached: int | None = None
    image_input: int | None = None
    image_output: int | None = None


class LengthTier(Part, frozen=True):
    """The prices of a whole request with more input tokens than that."""

    above: int
    rates: TokenRates


class ServicePrice(Part, frozen=True):
    """The prices of a whole request that is served so."""

    service: Literal["batch", "flex", "priority"]
    rates: TokenRates
    tiers: tuple[LengthTier, ...]


class UnitRates(Part, frozen=True, omit_defaults=True):
    """Nano-dollars per one (of characters, per thousand); `None` is not known."""

    per_request: int | None = None
    per_image: int | None = None
    per_image_seen: int | None = None
    per_second: int | None = None
    per_second_heard: int | None = None
    characters: int | None = None
    per_page: int | None = None
    per_query: int | None = None


class Price(Part, frozen=True):
    """What a deployment's model costs."""

    source: str
    """Where it is from: `settings`, `catalogue 2026-11-25`."""
    rates: TokenRates
    tiers: tuple[LengthTier, ...]
    services: tuple[ServicePrice, ...]
    units: UnitRates


class PricingPolicy(Part, frozen=True):
    """What a request at a model of unknown price comes to."""

    unknown: Literal["free", "block", "ceiling"]
    ceiling_input: int
    """Nano-dollars per thousand tokens, as `ceiling_output`."""
    ceiling_output: int


class Deployment(Part, frozen=True):
    """One model at one provider with one credential."""

    id: str
    provider: str
    region: str | None
    """Where it is served, if that is known."""
    model: str
    urls: dict[Operation, str]
    stream_urls: dict[Operation, str]
    """Where streams are asked for elsewhere: Gemini, Bedrock."""
    files_url: str | None
    """Where its provider keeps files, though the deployment itself may not serve them."""
    headers: tuple[tuple[str, str], ...]
    token_headers: tuple[tuple[str, str], ...]
    """Headers whose values are renewed while the gateway runs; not part of the version."""
    signing: Signer | None
    """As `token_headers`, not part of the version."""
    weight: int
    order: int
    stream_usage: bool
    original: bool
    """The host is the inventor of its format, not one that is compatible with it."""
    native_schema: bool
    """The model takes a JSON Schema for its reply."""
    reasoning: bool
    """The model thinks, and its host lets clients say how much."""
    takes_urls: bool
    """The host fetches pictures and documents that a request gives by URL."""
    body_style: Literal["plain", "vertex_anthropic"]
    """How its bodies differ from those of the format; see `providers.base.BodyStyle`."""
    base_model: str | None
    """The model that it is, if its name does not tell."""
    max_output_tokens: int | None
    max_concurrent: int | None
    """Requests that are sent to it at a time, by all workers of the machine."""
    price: Price | None
    """`None` if nothing is known of it."""
    tokenizer: str
    timeouts: Timeouts

    def __repr__(self) -> str:
        return f"Deployment(id={self.id!r}, provider={self.provider!r}, model={self.model!r})"


class RetryPolicy(Part, frozen=True):
    """How often, how long apart (seconds), and when a deployment rests."""

    retries: int
    by_class: dict[str, int]
    """By class name of `llmgw.errors`."""
    backoff_base: float
    backoff_max: float
    allowed_fails: int
    cooldown: float


class CachePolicy(Part, frozen=True):
    """The exact cache: seconds an entry lives, and bounds in bytes."""

    ttl: float
    max_bytes: int
    max_entry_bytes: int


class PiiPolicy(Part, frozen=True):
    """The scan of requests for personal data."""

    mode: Literal["monitor", "block"]


class ResponsesPolicy(Part, frozen=True):
    """How responses are stored for clients that may ask for them again: seconds, and bounds in bytes."""

    keep: float
    max_bytes: int
    max_entry_bytes: int


class PassThrough(Part, frozen=True):
    """A provider's own API under a path of this name."""

    name: str
    deployment: int
    """Whose host and credential; it need not be of any group."""
    base_path: str
    paths: tuple[str, ...]
    methods: tuple[str, ...]
    headers: tuple[str, ...]
    """In lower case."""


class FilesPolicy(Part, frozen=True):
    """How it is remembered whose the files and batches at providers are: seconds, and bytes of all of it."""

    keep: float
    max_bytes: int


class EgressPolicy(Part, frozen=True):
    """Networks (CIDR) allowed besides the built-in rule, and more trust anchors."""

    allow_networks: tuple[str, ...]
    ca_file: str | None


class MediaPolicy(Part, frozen=True):
    """How media are fetched for upstreams that take bytes only: bounds for one request, and seconds."""

    max_bytes: int
    max_items: int
    timeout: float
    allow_hosts: tuple[str, ...]


class JwtClaims(Part, frozen=True):
    """Where the claims lie that name things: names of claims, or JSON pointers."""

    organisation: str | None
    team: str | None
    project: str | None
    user: str | None
    service_account: str | None
    role: str | None
    models: str | None
    tags: str | None


class JwtDefaults(Part, frozen=True):
    """What is meant where a claim is missing."""

    organisation: str | None
    team: str | None
    project: str | None
    user: str | None


class JwtRole(Part, frozen=True):
    """Who gets a role in the admin API, and where."""

    value: str
    role: str
    on: str
    id: str | None


class JwtRule(Part, frozen=True):
    """On which terms tokens of one issuer are taken."""

    issuer: str
    audiences: tuple[str, ...]
    algorithms: tuple[str, ...]
    keys: dict[str, object] | None
    """The issuer's key set, where it stands in a file; else it comes through the directory."""
    leeway: int
    max_lifetime: int | None
    required: tuple[str, ...]
    when: tuple[tuple[str, tuple[str, ...]], ...]
    claims: JwtClaims
    defaults: JwtDefaults
    find_by: str
    roles: tuple[JwtRole, ...]


class Snapshot(Part, frozen=True):
    """Everything a request needs to know."""

    version: str
    """SHA-256 of everything else, so that two equal configurations have one version."""
    auth: Auth
    routes: dict[str, Operation]
    models: dict[str, int]
    wildcards: tuple[Wildcard, ...]
    groups: tuple[Group, ...]
    deployments: tuple[Deployment, ...]
    retry: RetryPolicy
    cache: CachePolicy | None
    pii: PiiPolicy | None
    responses: ResponsesPolicy | None
    pass_through: tuple[PassThrough, ...]
    files: FilesPolicy | None
    any_file_id: bool
    """Requests may name files by ids that are not known to be their key's."""
    egress: EgressPolicy
    media: MediaPolicy | None
    pricing: PricingPolicy
    limits: tuple[SharedLimit, ...]
    jwt: tuple[JwtRule, ...]
    """Whose tokens are taken instead of a key."""

    def encode(self) -> bytes:
        """The JSON for the native core. Holds credentials: never log it."""
        return msgspec.json.encode(self)

    def versioned(self) -> "Snapshot":
        """The same snapshot under the version that its content gives."""
        renewed = tuple(
            msgspec.structs.replace(one, token_headers=(), signing=None) for one in self.deployments
        )
        content = msgspec.structs.replace(self, version="", deployments=renewed)
        digest = sha256(msgspec.json.encode(content, order="deterministic")).hexdigest()
        return msgspec.structs.replace(self, version=digest)

    def __repr__(self) -> str:
        return (
            f"Snapshot(version={self.version[:12]!r}, groups={len(self.groups)}, "
            f"deployments={len(self.deployments)}, keys={len(self.auth.keys)})"
        )
