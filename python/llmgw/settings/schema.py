"""What a user may write in a settings file: LiteLLM's sections as they are, and our own beside them.

The string below a field is its documentation; `docs/configuration.md` is made of them.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from llmgw.settings.identity import JwtEntry, OidcSettings, ScimSettings
from llmgw.settings.limits import BudgetEntry, LimitEntry, SharedLimitEntry
from llmgw.settings.models import ModelEntry, Params
from llmgw.settings.secrets import SecretReference
from llmgw.settings.store import DatedRate, StoreSettings
from llmgw.settings.values import (
    CertificateWord,
    Count,
    Currency,
    Digest,
    Dollars,
    EndpointPattern,
    FallbackList,
    HeaderName,
    HeaderText,
    KeyAlias,
    Method,
    ModelName,
    PassGrant,
    PassName,
    PathBase,
    PathPrefix,
    Port,
    Positive,
    RegionPattern,
    Seconds,
    Section,
    Tag,
    ZeroOrSeconds,
)


class RetryCounts(Section, frozen=True, rename="pascal"):
    """Attempts after the first, by LiteLLM's error names."""

    bad_request_error_retries: Count | None = None
    """Never retried here: the answer would be the same."""
    authentication_error_retries: Count | None = None
    """Never retried here; the request falls back instead."""
    timeout_error_retries: Count | None = None
    """The upstream did not answer in time."""
    rate_limit_error_retries: Count | None = None
    """The upstream answered 429."""
    content_policy_violation_error_retries: Count | None = None
    """Never retried here."""
    internal_server_error_retries: Count | None = None
    """The upstream answered 5xx, or with something that cannot be understood."""
    service_unavailable_error_retries: Count | None = None
    """The upstream answered 503, or could not be reached."""
    not_found_error_retries: Count | None = None
    """Never retried here."""
    default_retries: Count | None = None
    """Everything else that may be retried; wins over `num_retries`."""


class AliasTarget(Section, frozen=True):
    """What an alias stands for."""

    model: ModelName
    """The model group."""
    hidden: bool = False
    """Accepted; aliases are listed either way."""


class RouterSettings(Section, frozen=True):
    """How requests find a deployment, and what happens when it fails."""

    routing_strategy: str = "simple-shuffle"
    """`simple-shuffle` shares traffic by weight. LiteLLM's others are accepted with a warning and
    do the same."""
    num_retries: Count | None = None
    """Attempts after the first within a group. Default 2."""
    timeout: Seconds | None = None
    """Seconds until the reply begins. Default 600."""
    stream_timeout: Seconds | None = None
    """Seconds between two pieces of the reply. Default: `timeout`, at most 300."""
    total_timeout: Seconds | None = None
    """Seconds for one attempt as a whole. Default 3600."""
    connect_timeout: Seconds = 10.0
    """Seconds for name lookup, TCP and TLS."""
    allowed_fails: Count | None = None
    """Consecutive failures after which a deployment rests. Default 3."""
    cooldown_time: ZeroOrSeconds = 5.0
    """Seconds of rest."""
    retry_after: ZeroOrSeconds = 0.0
    """Seconds before the first retry, doubled each time. Default 0.5."""
    retry_policy: RetryCounts = RetryCounts()
    """Retries by kind of failure."""
    fallbacks: FallbackList | None = None
    """`[{group: [next, …]}]`: groups tried in order when one fails. `"*"` stands for every group
    without its own."""
    default_fallbacks: tuple[str, ...] | None = None
    """The same for every group without its own."""
    context_window_fallbacks: FallbackList | None = None
    """Groups tried when the prompt is too long."""
    model_group_alias: dict[ModelName, ModelName | AliasTarget] = msgspec.field(default_factory=dict)
    """More names for groups: `{gpt-4: gpt-4o}`."""


class CacheParams(Section, frozen=True):
    """LiteLLM's options of the cache."""

    type: str = "local"
    """`local`; the others are accepted with a warning and are local too."""
    ttl: Seconds | None = None
    """Seconds an entry lives."""


class LitellmSettings(Section, frozen=True):
    """LiteLLM's module settings; those of `router_settings` win."""

    num_retries: Count | None = None
    """As in `router_settings`."""
    request_timeout: Seconds | None = None
    """As `router_settings.timeout`."""
    allowed_fails: Count | None = None
    """As in `router_settings`."""
    fallbacks: FallbackList | None = None
    """As in `router_settings`."""
    default_fallbacks: tuple[str, ...] | None = None
    """As in `router_settings`."""
    context_window_fallbacks: FallbackList | None = None
    """As in `router_settings`."""
    enable_azure_ad_token_refresh: bool = False
    """Azure deployments without a credential take the identity that the machine has, by `llmgw[azure]`."""
    cache: bool = False
    """Switches the exact cache on; the section `cache` does too."""
    cache_params: CacheParams = CacheParams()
    """Options of the cache."""


class GeneralSettings(Section, frozen=True):
    """LiteLLM's settings of the process."""

    master_key: SecretReference | None = None
    """The admin key. `LLMGW_MASTER_KEY` wins over it; without both, one is generated into the state
    folder."""


class KeyEntry(Section, frozen=True):
    """A virtual key: what a client shows us."""

    alias: KeyAlias
    """Its name in logs and metrics; unique."""
    key: SecretReference | None = None
    """The key itself, best as a reference."""
    digest: Digest | None = None
    """Or its keyed digest, as `llmgw keys create` writes it."""
    certificates: Annotated[tuple[CertificateWord, ...], Meta(min_length=1, max_length=100)] | None = None
    """Or client certificates that stand for it, each by its SHA-256 in hex, by a URI in it (`uri:spiffe://…`),
    or by a host's name in it (`dns:…`); see `server.tls.client_ca_file`. If a key is shown as well, the two
    have to belong together."""
    models: tuple[ModelName, ...] | None = None
    """Public names and patterns (`openai/*`) it may use; without it, all."""
    model_map: dict[ModelName, ModelName] = msgspec.field(default_factory=dict)
    """Names that mean other models when this key uses them: `{claude-*: local, gpt-5: local}`. What a `*`
    matched may stand in the meaning too. It is the meaning that `models` has to allow."""
    pass_through: tuple[PassGrant, ...] | None = None
    """Names of `pass_through` that it may use, `*` for all. Without it: all, unless `models` limits the key;
    then none."""
    endpoints: tuple[EndpointPattern, ...] | None = None
    """Endpoints it may use: names as in metrics (`messages`), patterns (`images_*`), or whole families
    (`chat.*`: chats of every dialect; also `embeddings.*`, `images.*`, `audio.*`). Who may use `files`,
    `batches` or `responses` may ask for what it made there. Without it, all. The list of models is always
    served."""
    networks: tuple[str, ...] | None = None
    """Networks (CIDR) or addresses that its clients must have; without it, any. See
    `server.trusted_proxies`."""
    regions: tuple[RegionPattern, ...] | None = None
    """Regions, or patterns (`eu-*`), that deployments must be in to serve it; without it, any. A deployment
    whose region is not known (`model_info.region`) is in none."""
    tags: Annotated[tuple[Tag, ...], Meta(max_length=16)] = ()
    """What its requests are filed under, beside the tags of their header `x-llmgw-tags`."""
    priority: Literal["low", "normal", "high"] | None = None
    """Which of its requests go first where not all can; without it, `normal`."""
    rpm_limit: Positive | None = None
    """Requests per minute."""
    tpm_limit: Positive | None = None
    """Tokens, input and output, per minute."""
    limits: Annotated[tuple[LimitEntry, ...], Meta(max_length=32)] = ()
    """Its other limits: `[{of: concurrent, amount: 10}, {of: cost, amount: 5, per: day}]`."""
    budgets: Annotated[tuple[BudgetEntry, ...], Meta(max_length=16)] = ()
    """Its budgets: `[{name: monthly, amount: 100, window: month}]`."""
    expires: str | None = None
    """ISO 8601 date or time (UTC unless it says otherwise) from which it is refused."""
    blocked: bool = False
    """Refused until unblocked."""
    hint: Annotated[str, Meta(max_length=32)] | None = None
    """First and last characters, for listings."""
    created: str | None = None
    """When it was made."""

    def __post_init__(self) -> None:
        if self.key is not None and self.digest is not None:
            raise ValueError("give either key or digest")
        if self.key is None and self.digest is None and self.certificates is None:
            raise ValueError("give either key or digest, or certificates")


class CacheSettings(Section, frozen=True):
    """The exact cache: the same request again is answered from memory."""

    ttl: Seconds = 600.0
    """Seconds an entry lives."""
    max_bytes: Positive = 64 * 1024 * 1024
    """Memory of one worker, in bytes."""
    max_entry_bytes: Positive = 1024 * 1024
    """Largest reply kept, in bytes."""


class CatalogueSettings(Section, frozen=True):
    """What is known of models, besides what llmgw comes with."""

    file: str
    """JSON file in the shape of llmgw's own `models.json`. What it says of a model counts instead of what
    llmgw knew. A relative path begins at the settings file."""


class CeilingPrices(Section, frozen=True):
    """What a model of unknown price is charged at."""

    input: Dollars
    """Dollars for a token of input."""
    output: Dollars
    """Dollars for a token of output."""


class PricingSettings(Section, frozen=True):
    """What replies cost."""

    unknown: Literal["free", "block", "ceiling"] = "free"
    """What happens with a model of unknown price. `free`: nothing is charged, and the cost is marked as
    `unpriced`, so that it is not taken for that of a model that is free. `block`: it is refused. `ceiling`:
    it is charged at the prices below."""
    ceiling: CeilingPrices | None = None
    """What a model of unknown price is charged at, with `ceiling`."""

    def __post_init__(self) -> None:
        if self.unknown == "ceiling" and self.ceiling is None:
            raise ValueError("with 'unknown: ceiling', give the prices as 'ceiling: {input, output}'")


class PiiSettings(Section, frozen=True):
    """The scan of requests for personal data."""

    mode: Literal["monitor", "block"] = "monitor"
    """`monitor` counts findings, `block` refuses the request."""


class ResponsesSettings(Section, frozen=True):
    """What is stored of OpenAI's Responses API, so that clients can retrieve a response and go on from it.
    It lies sealed in the state folder; `store: false` in a request keeps its response out of it. Responses
    that are stored are not answered from the cache."""

    keep: ZeroOrSeconds = 30 * 24 * 3600.0
    """Seconds a response is kept. 0: none is stored, and what was stored is removed."""
    max_bytes: Positive = 1024 * 1024 * 1024
    """Bytes of all of them on the disk; of keys with more than their share the oldest go first."""
    max_entry_bytes: Annotated[int, Meta(ge=1, le=256 * 1024 * 1024)] = 16 * 1024 * 1024
    """Largest response that is stored, in bytes, with the conversation that it answers."""


class FilesSettings(Section, frozen=True):
    """OpenAI's files and batches. They lie at the provider; the gateway remembers, sealed in the state
    folder, which key made each and at which account it is. A key sees its own only."""

    keep: ZeroOrSeconds = 365 * 24 * 3600.0
    """Seconds that one is remembered after it was seen last. It stays at the provider when it is forgotten
    here. 0: files and batches are not served."""
    max_bytes: Positive = 1024 * 1024 * 1024
    """Bytes of all that is remembered on the disk, 4096 for most; what was seen longest ago goes first."""
    any_id: bool = False
    """Let requests name files by any id (`file_id`): also such that were brought past the gateway, or by
    another key that shares the provider's account."""


class FetchMediaSettings(Section, frozen=True):
    """Pictures, PDF documents and recordings that a request gives by URL and that its model's provider takes
    as bytes only are fetched by the gateway itself: over https, without anything of the client's request, and
    never from private addresses or metadata services. Without this section they are named in
    `x-llmgw-dropped`, as everything that cannot be carried."""

    max_bytes: Annotated[int, Meta(ge=1, le=256 * 1024 * 1024)] = 20 * 1024 * 1024
    """Bytes of all that is fetched for one request."""
    max_items: Annotated[int, Meta(ge=1, le=1000)] = 20
    """Pictures, documents and recordings that are fetched for one request."""
    timeout: Seconds = 10.0
    """Seconds until all of them have to be here."""
    allow_hosts: tuple[str, ...] = ()
    """Hosts that may be asked: `example.com`, `*.example.com`, or `example.com:8443` where the port is not
    443. Without any, every public one. A host that is named here may have a private address, if its network
    is among `allow_networks`."""


class LedgerSettings(Section, frozen=True):
    """The ledger: what every attempt may cost is written down before it is sent, and what it did cost
    after."""

    enabled: bool = True
    """Without it nothing is written."""
    folder: str | None = None
    """Where it is written, on a disk of this machine. A relative path begins at the settings file. Default:
    `journal` in the state folder. Read at the start only."""
    keep: Count = 7
    """Days that a file of it is kept after all of it was taken into the store. 0: it is removed at once."""


class EgressSettings(Section, frozen=True):
    """Where the gateway may connect, checked on the address that is dialled."""

    allow_networks: tuple[str, ...] = ()
    """Networks (CIDR) allowed besides the built-in rule: https leads to public addresses, plain http
    to private ones, and either to an address that an `api_base` spells out."""
    ca_file: str | None = None
    """PEM file of more trust anchors."""
    fetch_media: FetchMediaSettings | None = None
    """Fetch media for providers that take bytes only; off without this section. `{}` is enough."""


class PassThroughEntry(Section, frozen=True):
    """A provider's own API, passed through below `/NAME/`: what its clients send there goes to the provider's
    host, under the same path, with the gateway's credential in the place of the client's key."""

    paths: Annotated[tuple[PathPrefix, ...], Meta(min_length=1)]
    """Beginnings of the paths that are let through, as the provider has them, up to a slash or a colon:
    `[/v1/messages, /v1/files]`. `/` is all of them."""
    deployment: HeaderText | None = None
    """The id of a deployment of `model_list` whose address and credential are used."""
    litellm_params: Params | None = None
    """Or how the provider is reached: `model` is `provider/*`, and of `api_base` the host counts. Without
    either, the provider is the one of the entry's own name, with its address and environment variables."""
    params: Params | None = None
    """Another spelling of `litellm_params`."""
    methods: Annotated[tuple[Method, ...], Meta(min_length=1)] = (
        "GET",
        "HEAD",
        "POST",
        "PUT",
        "PATCH",
        "DELETE",
    )
    """HTTP methods that are let through."""
    base_path: PathBase = ""
    """What stands before the client's path at the provider's host."""
    headers: tuple[HeaderName, ...] = ()
    """Headers of clients that the provider gets to see besides the usual ones. Never credentials, cookies,
    or what HTTP itself uses."""

    def __post_init__(self) -> None:
        given = [self.deployment is not None, self.litellm_params is not None, self.params is not None]
        if sum(given) > 1:
            raise ValueError("give either deployment, litellm_params or params")


class TlsSettings(Section, frozen=True):
    """The certificate shown to clients."""

    cert_file: str
    """PEM file of the certificate chain."""
    key_file: str
    """PEM file of the private key."""
    client_ca_file: str | None = None
    """PEM file of the authorities whose clients' certificates are taken: a certificate stands for the key
    that names it in `certificates`."""
    client_auth: Literal["optional", "required"] = "optional"
    """With `client_ca_file`: whether clients have to show a certificate. A bad one is refused either way."""

    def __post_init__(self) -> None:
        if self.client_auth == "required" and self.client_ca_file is None:
            raise ValueError("'client_auth: required' takes a client_ca_file")


class RealtimeSettings(Section, frozen=True):
    """Realtime sessions (WebSockets), per worker."""

    max_sessions: Positive = 1000
    """Sessions at a time."""
    max_message_bytes: Positive = 16 * 1024 * 1024
    """Largest message of either side, in bytes; a client's is held in memory until it is whole."""
    idle_timeout: Seconds = 600.0
    """Seconds without a message from either side; pings are no messages."""
    max_duration: Seconds = 7200.0
    """Seconds of a whole session."""


class AdminSettings(Section, frozen=True):
    """An address of its own for the admin API."""

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: Port = 4001
    """Port to listen on."""


class ServerSettings(Section, frozen=True):
    """The listening side."""

    host: str = "127.0.0.1"
    """Address to listen on; `0.0.0.0` for all."""
    port: Port = 4000
    """Port to listen on."""
    admin: AdminSettings | None = None
    """Serve the admin API at an address of its own: it is gone from the other, and nothing but it is here.
    Without this section it is served with all else."""
    workers: Positive | None = None
    """Worker processes; without it, one per core."""
    max_body_bytes: Positive = 10 * 1024 * 1024
    """Largest request body, in bytes; forms with files have a limit of their own."""
    max_upload_bytes: Positive = 100 * 1024 * 1024
    """Largest form with files, or body of a pass-through, in bytes. It is passed on as it comes."""
    max_held_bytes: Positive | None = None
    """Bytes of a form that are held in memory: the fields that routing needs must be among them, and
    only as long as all of it is held can it be sent again. Of a pass-through, the largest body that has to be
    read or signed. Default: `max_body_bytes`."""
    max_header_bytes: Annotated[int, Meta(ge=1024)] = 32 * 1024
    """Largest request head, in bytes."""
    header_timeout: Seconds = 10.0
    """Seconds for a request's head to arrive."""
    body_idle_timeout: Seconds = 10.0
    """Seconds between two pieces of a request's body."""
    upload_timeout: Seconds = 60.0
    """Seconds for a request's body as a whole."""
    write_timeout: Seconds = 60.0
    """Seconds a client may leave us unable to write."""
    max_connections: Positive = 10_000
    """Client connections per worker."""
    drain_timeout: ZeroOrSeconds = 30.0
    """Seconds running requests get at shutdown."""
    realtime: RealtimeSettings = RealtimeSettings()
    """Realtime sessions (WebSockets), per worker."""
    tls: TlsSettings | None = None
    """Serve HTTPS."""
    trusted_proxies: tuple[str, ...] = ()
    """Networks (CIDR) or addresses of proxies that stand before the gateway. If one of them is the peer, the
    client is the last address in its `x-forwarded-for` that is not a proxy of these; otherwise the client is
    the peer itself, and that header is not looked at."""
    metrics_auth: Literal["key", "none"] = "key"
    """Whether `/metrics` asks for the admin key."""


class Settings(Section, frozen=True):
    """A settings file."""

    model_list: tuple[ModelEntry, ...] = ()
    """The deployments. Without any, `mock/*` and the providers whose keys are in the environment
    are served."""
    router_settings: RouterSettings = RouterSettings()
    """Routing, retries, fallbacks."""
    litellm_settings: LitellmSettings = LitellmSettings()
    """LiteLLM's module settings."""
    general_settings: GeneralSettings = GeneralSettings()
    """LiteLLM's settings of the process."""
    environment_variables: dict[str, SecretReference] = msgspec.field(default_factory=dict)
    """Variables that references in this file see, before those of the process."""
    keys: tuple[KeyEntry, ...] = ()
    """Virtual keys."""
    limits: tuple[SharedLimitEntry, ...] = ()
    """Limits for all of a kind: `[{by: ip, of: requests, amount: 60, per: minute}]`."""
    jwt: tuple[JwtEntry, ...] = ()
    """Issuers whose tokens are taken instead of a virtual key."""
    oidc: OidcSettings | None = None
    """Logins of people; off without this section."""
    scim: ScimSettings = ScimSettings()
    """What provisioning by SCIM gives."""
    cache: CacheSettings | None = None
    """The exact cache; off without this section."""
    model_catalogue: CatalogueSettings | None = None
    """Facts of models over the built-in ones."""
    pricing: PricingSettings = PricingSettings()
    """What replies cost."""
    pii: PiiSettings | None = None
    """The scan for personal data; off without this section."""
    responses: ResponsesSettings = ResponsesSettings()
    """What is stored of the Responses API."""
    pass_through: dict[PassName, PassThroughEntry] = msgspec.field(default_factory=dict)
    """Providers' own APIs, each below a path of that name; none without this section."""
    files: FilesSettings = FilesSettings()
    """How it is remembered whose files and batches are."""
    ledger: LedgerSettings = LedgerSettings()
    """The ledger of what everything costs."""
    egress: EgressSettings = EgressSettings()
    """Where the gateway may connect."""
    currencies: dict[Currency, tuple[DatedRate, ...]] = msgspec.field(default_factory=dict)
    """Currencies besides dollars that reports may be in, with their rates: `{EUR: [{from: 2026-01-01, rate:
    0.92}]}`. A rate holds until the next one begins."""
    store: StoreSettings = StoreSettings()
    """The database of who there is and what was spent."""
    server: ServerSettings = ServerSettings()
    """The listening side."""


class KeysFile(Section, frozen=True):
    """The state folder's `keys.yaml`."""

    keys: tuple[KeyEntry, ...] = ()
    """Virtual keys that earlier versions made with `llmgw keys create`."""
