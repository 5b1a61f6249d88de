"""What a user may write in a settings file: LiteLLM's sections as they are, and our own beside them.

The string below a field is its documentation; `docs/configuration.md` is made of them.
"""

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from llmgw.settings.secrets import SecretReference

_YEAR = 365 * 24 * 3600.0
_LARGE = 2**53
"""Whole numbers above this are not exact in every JSON reader."""

Count: TypeAlias = Annotated[int, Meta(ge=0, le=1_000_000)]
Positive: TypeAlias = Annotated[int, Meta(ge=1, le=_LARGE)]
Rate: TypeAlias = Annotated[int, Meta(ge=0, le=_LARGE)]
Seconds: TypeAlias = Annotated[float, Meta(gt=0, le=_YEAR)]
ZeroOrSeconds: TypeAlias = Annotated[float, Meta(ge=0, le=_YEAR)]
"""Zero switches off."""
Dollars: TypeAlias = Annotated[float, Meta(ge=0, le=1000)]
Share: TypeAlias = Annotated[float, Meta(ge=0, le=_LARGE)]
Port: TypeAlias = Annotated[int, Meta(ge=0, le=65535)]
ModelName: TypeAlias = Annotated[
    str, Meta(pattern=r"^[^\x00-\x20\x7f]([^\x00-\x1f\x7f]*[^\x00-\x20\x7f])?$", max_length=256)
]
KeyAlias: TypeAlias = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._@:/+-]{0,63}$")]
HeaderText: TypeAlias = Annotated[
    str, Meta(pattern=r"^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$", max_length=256)
]
Digest: TypeAlias = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
FallbackList: TypeAlias = tuple[dict[str, tuple[str, ...]], ...]
PassName: TypeAlias = Annotated[str, Meta(pattern="^[a-z][a-z0-9_-]{0,31}$")]
PassGrant: TypeAlias = Annotated[str, Meta(pattern=r"^(\*|[a-z][a-z0-9_-]{0,31})$")]
PathPrefix: TypeAlias = Annotated[
    str, Meta(pattern="^(/[A-Za-z0-9_~:@.-]+)*/?$", min_length=1, max_length=256)
]
PathBase: TypeAlias = Annotated[str, Meta(pattern="^(/[A-Za-z0-9_~:@.-]+)*$", max_length=256)]
HeaderName: TypeAlias = Annotated[str, Meta(pattern="^[A-Za-z0-9-]{1,64}$")]
Method: TypeAlias = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A mapping of the settings file; keys it does not name are refused."""


class Params(Section, frozen=True):
    """How one deployment is reached."""

    model: ModelName
    """`provider/model`, as `openai/gpt-4o`. OpenAI's own names need no provider. A `*` stands for
    what the public name's `*` matched."""
    custom_llm_provider: str | None = None
    """The provider, when `model` does not begin with it."""
    api_key: SecretReference | None = None
    """The credential; without it, the provider's own environment variable."""
    api_base: str | None = None
    """Base URL; without it, the provider's own."""
    base_url: str | None = None
    """Another spelling of `api_base`."""
    api_version: str | None = None
    """Azure: the `api-version` to ask for."""
    azure_ad_token: SecretReference | None = None
    """Azure: an Entra ID token, instead of a key."""
    tenant_id: str | None = None
    """Azure: the tenant that `client_id` is of. Tokens are got and renewed by `llmgw[azure]`."""
    client_id: str | None = None
    """Azure: the application to get tokens for, instead of a key."""
    client_secret: SecretReference | None = None
    """Azure: the application's secret."""
    azure_scope: str | None = None
    """Azure: the scope of tokens, if it is another than the provider's."""
    vertex_project: str | None = None
    """Vertex AI: the Google Cloud project; without it, `VERTEXAI_PROJECT`, `GOOGLE_CLOUD_PROJECT`, or that
    of the credentials."""
    vertex_location: str | None = None
    """Vertex AI: the location, as `europe-west4`; without it, `VERTEXAI_LOCATION`, `GOOGLE_CLOUD_LOCATION`,
    or `global`."""
    vertex_credentials: SecretReference | None = None
    """Vertex AI: the path of a credentials file (service account, user, workload identity), or its JSON;
    without it, Google's default credentials. Tokens are got and renewed by `llmgw[vertex]`."""
    aws_region_name: str | None = None
    """Bedrock: the region; without it, that of an ARN, `AWS_REGION_NAME`, `AWS_REGION`,
    `AWS_DEFAULT_REGION`, or the profile's."""
    aws_bedrock_runtime_endpoint: str | None = None
    """Bedrock: another address, as that of a VPC endpoint."""
    aws_bearer_token_bedrock: SecretReference | None = None
    """Bedrock: an API key; the same as `api_key`."""
    aws_access_key_id: SecretReference | None = None
    """Bedrock: the access key that requests are signed with. Without one: `AWS_BEARER_TOKEN_BEDROCK`,
    `AWS_ACCESS_KEY_ID`, and what else AWS's tools find, by `llmgw[bedrock]`."""
    aws_secret_access_key: SecretReference | None = None
    """Bedrock: the access key's secret."""
    aws_session_token: SecretReference | None = None
    """Bedrock: the session token of a temporary access key."""
    aws_profile_name: str | None = None
    """Bedrock: a profile of AWS's shared files."""
    aws_role_name: str | None = None
    """Bedrock: the ARN of a role to assume."""
    aws_session_name: str | None = None
    """Bedrock: what the role's sessions are called. Default `llmgw`."""
    aws_external_id: str | None = None
    """Bedrock: the external id that the role asks for."""
    aws_web_identity_token: SecretReference | None = None
    """Bedrock: a token of another identity provider, to assume the role with; best `file:/path`."""
    aws_sts_endpoint: str | None = None
    """Bedrock: another address of AWS's token service."""
    organization: HeaderText | None = None
    """OpenAI: the organization to bill."""
    extra_headers: dict[str, SecretReference] = {}
    """More headers for every request."""
    timeout: Seconds | None = None
    """Seconds until the reply begins."""
    stream_timeout: Seconds | None = None
    """Seconds between two pieces of the reply."""
    total_timeout: Seconds | None = None
    """Seconds for one attempt as a whole."""
    rpm: Rate | None = None
    """Requests per minute the upstream grants; shares traffic when there is no `weight`."""
    tpm: Rate | None = None
    """Tokens per minute the upstream grants; shares traffic without `weight` and `rpm`."""
    weight: Share | None = None
    """Share of the group's traffic, relative to its other deployments. 0: only when nothing else
    is left."""
    order: Count | None = None
    """Lower is tried first; deployments without one come last."""


class ModelInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Facts about a deployment. Free-form, as in LiteLLM: keys beside these are not looked at."""

    id: HeaderText | None = None
    """The deployment's id in headers and metrics; without it, made from `model`."""
    mode: str | None = None
    """`chat`, `embedding`, …: restricts the deployment to that kind of request."""
    base_model: str | None = None
    """The model behind an opaque name (an Azure deployment, an inference profile of Bedrock), for token
    counting, for what is known of it, and for what it takes."""
    max_tokens: Positive | None = None
    """As `max_output_tokens`, in an older spelling."""
    max_input_tokens: Positive | None = None
    """Tokens that fit into a request; without it, what the model catalogue says."""
    max_output_tokens: Positive | None = None
    """Tokens that a reply may have; without it, what the model catalogue says."""
    input_cost_per_token: Dollars | None = None
    """Dollars for a token of input; without it and the next three, what the model catalogue says."""
    output_cost_per_token: Dollars | None = None
    """Dollars for a token of output."""
    cache_read_input_token_cost: Dollars | None = None
    """Dollars for a token of input that the provider had in its cache."""
    cache_creation_input_token_cost: Dollars | None = None
    """Dollars for a token of input that the provider puts into its cache."""
    supports_reasoning: bool | None = None
    """The model thinks, and its host lets clients say how much. Without it, as the catalogue says."""
    supports_response_schema: bool | None = None
    """The model takes a JSON Schema for its reply; otherwise a tool is forced in its place. Without it,
    as the catalogue says."""
    supports_url_media: bool | None = None
    """The host fetches pictures and documents that a request gives by URL. Without it, as is known of the
    host. Matters where `egress.fetch_media` is on."""


class ModelEntry(Section, frozen=True):
    """One deployment of a model group; the same `model_name` twice makes a load-balanced group."""

    model_name: ModelName
    """The public name. One `*` makes it a pattern: `openai/*`, `*`."""
    litellm_params: Params | None = None
    """How the deployment is reached."""
    params: Params | None = None
    """Another spelling of `litellm_params`."""
    model_info: ModelInfo = ModelInfo()
    """Facts about the deployment."""
    rpm: Rate | None = None
    """As in `litellm_params`."""
    tpm: Rate | None = None
    """As in `litellm_params`."""

    def __post_init__(self) -> None:
        if self.litellm_params is not None and self.params is not None:
            raise ValueError("give either litellm_params or params, not both")


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
    model_group_alias: dict[ModelName, ModelName | AliasTarget] = {}
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
    models: tuple[ModelName, ...] | None = None
    """Public names and patterns (`openai/*`) it may use; without it, all."""
    model_map: dict[ModelName, ModelName] = {}
    """Names that mean other models when this key uses them: `{claude-*: local, gpt-5: local}`. What a `*`
    matched may stand in the meaning too. It is the meaning that `models` has to allow."""
    pass_through: tuple[PassGrant, ...] | None = None
    """Names of `pass_through` that it may use, `*` for all. Without it: all, unless `models` limits the key;
    then none."""
    rpm_limit: Positive | None = None
    """Requests per minute."""
    tpm_limit: Positive | None = None
    """Tokens, input and output, per minute."""
    expires: str | None = None
    """ISO 8601 date or time (UTC unless it says otherwise) from which it is refused."""
    blocked: bool = False
    """Refused until unblocked."""
    hint: Annotated[str, Meta(max_length=32)] | None = None
    """First and last characters, for listings."""
    created: str | None = None
    """When it was made."""

    def __post_init__(self) -> None:
        if (self.key is None) == (self.digest is None):
            raise ValueError("give either key or digest")


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


class ServerSettings(Section, frozen=True):
    """The listening side."""

    host: str = "127.0.0.1"
    """Address to listen on; `0.0.0.0` for all."""
    port: Port = 4000
    """Port to listen on."""
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
    environment_variables: dict[str, SecretReference] = {}
    """Variables that references in this file see, before those of the process."""
    keys: tuple[KeyEntry, ...] = ()
    """Virtual keys."""
    cache: CacheSettings | None = None
    """The exact cache; off without this section."""
    model_catalogue: CatalogueSettings | None = None
    """Facts of models over the built-in ones."""
    pii: PiiSettings | None = None
    """The scan for personal data; off without this section."""
    responses: ResponsesSettings = ResponsesSettings()
    """What is stored of the Responses API."""
    pass_through: dict[PassName, PassThroughEntry] = {}
    """Providers' own APIs, each below a path of that name; none without this section."""
    files: FilesSettings = FilesSettings()
    """How it is remembered whose files and batches are."""
    egress: EgressSettings = EgressSettings()
    """Where the gateway may connect."""
    server: ServerSettings = ServerSettings()
    """The listening side."""


class KeysFile(Section, frozen=True):
    """The state folder's `keys.yaml`."""

    keys: tuple[KeyEntry, ...] = ()
    """Virtual keys made with `llmgw keys create`."""
