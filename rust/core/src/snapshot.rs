//! What Python's `wiring` compiles from the settings: everything a request needs to know, names
//! already resolved to indexes. Arrives as JSON, is immutable, and is swapped by one assignment.

mod jwt;
mod operation;
mod price;
mod rules;

use crate::plan::Priority;
use crate::sign::Signer;
pub use jwt::{JwtClaims, JwtDefaults, JwtFindBy, JwtRole, JwtRule};
pub use operation::Operation;
pub use price::{
    LengthTier, Price, PricingPolicy, ServicePrice, TokenRates, UnitRates, UnknownPrice,
};
pub use rules::{
    BudgetAction, BudgetRule, BudgetWindow, LimitBy, LimitOf, LimitRule, Period, Rules, SharedLimit,
};
use serde::Deserialize;
use std::collections::HashMap;

/// A compiled configuration. Field by field the mirror of `llmgw.gateway.snapshot.Snapshot`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// Digest of the settings it was compiled from.
    pub version: String,
    /// Who may call.
    pub auth: Auth,
    /// Every endpoint served natively: exact path to operation.
    pub routes: HashMap<String, Operation>,
    /// Public model name (aliases included) to an index into `groups`.
    pub models: HashMap<String, usize>,
    /// Names with a `*`, most specific first.
    pub wildcards: Vec<Wildcard>,
    /// Model groups.
    pub groups: Vec<Group>,
    /// Deployments, referred to by index.
    pub deployments: Vec<Deployment>,
    /// How failures are met.
    pub retry: RetryPolicy,
    /// The exact cache, if switched on.
    pub cache: Option<CachePolicy>,
    /// The PII scan of the input, if switched on.
    pub pii: Option<PiiPolicy>,
    /// How responses are stored for their clients, if they are.
    pub responses: Option<ResponsesPolicy>,
    /// Providers' own APIs that are passed through.
    pub pass_through: Vec<PassThrough>,
    /// How files and batches are remembered for their clients, if they are served.
    pub files: Option<FilesPolicy>,
    /// Requests may name files by ids that are not known to be their key's.
    pub any_file_id: bool,
    /// What the gateway may connect to.
    pub egress: EgressPolicy,
    /// How media are fetched for upstreams that take bytes only, if they are.
    pub media: Option<MediaPolicy>,
    /// What a request at a model of unknown price comes to.
    pub pricing: PricingPolicy,
    /// Limits that all of a kind have, each for itself.
    pub limits: Vec<SharedLimit>,
    /// Whose tokens are taken instead of a key.
    pub jwt: Vec<JwtRule>,
}

impl Snapshot {
    /// Reads what `wiring` wrote.
    ///
    /// # Errors
    /// Where the text does not fit, without any of it: it holds secrets.
    pub fn from_json(text: &[u8]) -> Result<Self, String> {
        from_json(text, "snapshot")
    }
}

impl EdgeSettings {
    /// Reads what `server` wrote.
    ///
    /// # Errors
    /// Where the text does not fit, without any of it.
    pub fn from_json(text: &[u8]) -> Result<Self, String> {
        from_json(text, "edge settings")
    }
}

fn from_json<T: serde::de::DeserializeOwned>(text: &[u8], what: &str) -> Result<T, String> {
    serde_json::from_slice(text).map_err(|error| {
        format!("the {what} cannot be read (line {}, column {})", error.line(), error.column())
    })
}

/// Keys, as keyed digests.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    /// Secret key of the HMAC-SHA256 that makes the digests, hex (32 bytes).
    pub pepper: String,
    /// The virtual keys; the master key is one of them, with `admin` set.
    pub keys: Vec<VirtualKey>,
}

/// A key that a client may show us.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VirtualKey {
    /// Name in logs and metrics; unique.
    pub alias: String,
    /// HMAC-SHA256(pepper, key), hex.
    pub digest: String,
    /// May use the admin endpoints, and every model.
    pub admin: bool,
    /// Public model names or patterns (`openai/*`) it may use; `None` means all.
    pub models: Option<Vec<String>>,
    /// Names that mean other models when this key uses them; may hold one `*`.
    pub model_map: HashMap<String, String>,
    /// Names of pass-throughs it may use, `*` for all; `None`: all, unless `models` limits it.
    pub pass_through: Option<Vec<String>>,
    /// Endpoints it may use, by name, pattern or family; `None` means all.
    pub endpoints: Option<Vec<String>>,
    /// Networks (CIDR) its clients are in; `None` means anywhere.
    pub networks: Option<Vec<String>>,
    /// Regions or patterns that its deployments are in; `None` means anywhere.
    pub regions: Option<Vec<String>>,
    /// What its requests are filed under.
    pub tags: Vec<String>,
    /// Which of its requests go first.
    pub priority: Option<Priority>,
    /// Certificates that stand for it: SHA-256 in hex, `uri:…` or `dns:…`.
    pub certificates: Option<Vec<String>>,
    /// Unix seconds after which it is refused.
    pub expires_at: Option<u64>,
    /// Refused until unblocked.
    pub blocked: bool,
    /// Requests per minute.
    pub rpm: Option<u64>,
    /// Tokens (input and output) per minute.
    pub tpm: Option<u64>,
    /// Its other limits.
    pub limits: Vec<LimitRule>,
    /// Its budgets.
    pub budgets: Vec<BudgetRule>,
}

/// A model name with one `*`: `openai/*`, `*`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wildcard {
    /// Text before the `*`.
    pub prefix: String,
    /// Text after the `*`.
    pub suffix: String,
    /// The group that serves it.
    pub group: usize,
}

/// A public model name and the deployments behind it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// The public name.
    pub name: String,
    /// Indexes into `Snapshot::deployments`.
    pub deployments: Vec<usize>,
    /// Groups tried in order when this one fails.
    pub fallbacks: Vec<usize>,
    /// Groups tried when the prompt is too long for this one.
    pub context_window_fallbacks: Vec<usize>,
}

/// One model at one provider with one credential.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deployment {
    /// Unique id, shown in `x-llmgw-deployment` and in metrics.
    pub id: String,
    /// Provider name, shown in metrics.
    pub provider: String,
    /// Where it is served, if that is known.
    pub region: Option<String>,
    /// Model name sent upstream; a `*` stands for what the client's wildcard matched.
    pub model: String,
    /// Full upstream URL per operation; `{model}` is replaced by the routed model.
    pub urls: HashMap<Operation, String>,
    /// The same for streams, where they are asked for elsewhere.
    pub stream_urls: HashMap<Operation, String>,
    /// Where its provider keeps files, though the deployment itself may not serve them.
    pub files_url: Option<String>,
    /// Headers added to every request, credential included.
    pub headers: Vec<(String, String)>,
    /// The same, with values that are renewed while the gateway runs; not part of the version.
    pub token_headers: Vec<(String, String)>,
    /// Signs the requests instead of a credential in them, if there is one; not part of the version.
    pub signing: Option<Signer>,
    /// Share of the traffic among the group's deployments.
    pub weight: u32,
    /// Lower is tried first; equal orders share by weight.
    pub order: u32,
    /// Ask for usage in streams (`stream_options.include_usage`) when the client did not.
    pub stream_usage: bool,
    /// The host is the inventor of its format, not one that is compatible with it.
    pub original: bool,
    /// The model takes a JSON Schema for its reply.
    pub native_schema: bool,
    /// The model thinks, and its host lets clients say how much.
    pub reasoning: bool,
    /// The host fetches pictures and documents that a request gives by URL.
    pub takes_urls: bool,
    /// How its bodies differ from those of the format.
    pub body_style: BodyStyle,
    /// The model that it is, if its name does not tell.
    pub base_model: Option<String>,
    /// Most tokens that the model can write, if known.
    pub max_output_tokens: Option<u64>,
    /// Most requests that are sent to it at a time, by all workers of the machine.
    pub max_concurrent: Option<u64>,
    /// What the model costs, if known.
    pub price: Option<Price>,
    /// The tokenizer family used to count (`o200k`, `cl100k`, …).
    pub tokenizer: String,
    /// Deadlines, in seconds.
    pub timeouts: Timeouts,
}

/// How the bodies of a host differ from those of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyStyle {
    /// Not at all.
    Plain,
    /// Anthropic's as Google Cloud takes them: they say `"anthropic_version": "vertex-2023-10-16"`, and
    /// messages name their model in the path alone.
    VertexAnthropic,
}

/// Deadlines of one attempt, in seconds.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timeouts {
    /// Name lookup, TCP and TLS.
    pub connect: f64,
    /// From the request's last byte to the reply's head.
    pub first_byte: f64,
    /// Between two reads of the reply's body.
    pub idle: f64,
    /// The whole attempt.
    pub total: f64,
}

/// How often, how long apart, and when a deployment rests.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetryPolicy {
    /// Attempts after the first, within one group.
    pub retries: u32,
    /// Attempts after the first for single error classes, by class name.
    pub by_class: HashMap<String, u32>,
    /// Seconds before the first retry; doubles each time.
    pub backoff_base: f64,
    /// Longest wait between attempts, and the longest `Retry-After` waited for.
    pub backoff_max: f64,
    /// Consecutive failures after which a deployment rests.
    pub allowed_fails: u32,
    /// Seconds of rest.
    pub cooldown: f64,
}

/// The exact cache.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CachePolicy {
    /// Seconds an entry lives.
    pub ttl: f64,
    /// Memory bound of one worker, in bytes.
    pub max_bytes: u64,
    /// Largest reply kept, in bytes.
    pub max_entry_bytes: u64,
}

/// The PII scan of requests.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PiiPolicy {
    /// `monitor` counts findings, `block` refuses the request.
    pub mode: PiiMode,
}

/// How responses are stored for clients that may ask for them again.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResponsesPolicy {
    /// Seconds a response is kept.
    pub keep: f64,
    /// Bytes of all of them on the machine's disk.
    pub max_bytes: u64,
    /// Bytes of a response with what it answers.
    pub max_entry_bytes: u64,
}

/// A provider's own API under a path of this name.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PassThrough {
    /// The first segment of its paths here.
    pub name: String,
    /// Whose host and credential; it need not be of any group.
    pub deployment: usize,
    /// What stands before the client's path at the host.
    pub base_path: String,
    /// Beginnings of the paths that are let through.
    pub paths: Vec<String>,
    /// Methods that are let through.
    pub methods: Vec<String>,
    /// More headers of clients that the host gets to see, in lower case.
    pub headers: Vec<String>,
}

/// How it is remembered whose the files and batches are that lie at providers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilesPolicy {
    /// Seconds that one is remembered after it was seen last.
    pub keep: f64,
    /// Bytes of all that is remembered on the machine's disk.
    pub max_bytes: u64,
}

/// What a finding leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum PiiMode {
    Monitor,
    Block,
}

/// Where the gateway may connect, checked on the address that is dialled.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EgressPolicy {
    /// Networks (CIDR) allowed whatever the scheme, besides the built-in rule.
    pub allow_networks: Vec<String>,
    /// More trust anchors, PEM file path.
    pub ca_file: Option<String>,
}

/// How media are fetched for upstreams that take bytes only.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MediaPolicy {
    /// Bytes of all that is fetched for one request.
    pub max_bytes: u64,
    /// Pictures, documents and recordings that are fetched for one request.
    pub max_items: usize,
    /// Seconds until all of them have to be here.
    pub timeout: f64,
    /// Hosts that may be asked (`host`, `*.host`, `host:port`); none: every public one.
    pub allow_hosts: Vec<String>,
}

/// How a worker's edge is set up: fixed until the process ends.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EdgeSettings {
    /// Address to listen on.
    pub host: std::net::IpAddr,
    /// Port to listen on.
    pub port: u16,
    /// Another address, that the admin API alone is served at; without it, it is served with all else.
    pub admin: Option<AdminSettings>,
    /// Bytes of a request's body.
    pub max_body_bytes: u64,
    /// Bytes of a body that is passed on as it comes: forms with files.
    pub max_upload_bytes: u64,
    /// Bytes of such a body that are held, to find the model in it and to send it again.
    pub max_held_bytes: u64,
    /// Bytes of a request's head.
    pub max_header_bytes: usize,
    /// Seconds for a head.
    pub header_timeout: f64,
    /// Seconds between two reads of a body.
    pub body_idle_timeout: f64,
    /// Seconds for a whole body.
    pub upload_timeout: f64,
    /// Seconds a client may leave a write untaken.
    pub write_timeout: f64,
    /// Seconds between two requests of a connection.
    pub keep_alive_timeout: f64,
    /// Connections of this worker at a time.
    pub max_connections: usize,
    /// PEM file of the certificate chain; with `tls_key_file`, HTTPS is served.
    pub tls_cert_file: Option<std::path::PathBuf>,
    /// PEM file of the private key.
    pub tls_key_file: Option<std::path::PathBuf>,
    /// PEM file of the authorities whose clients' certificates are taken.
    pub tls_client_ca_file: Option<std::path::PathBuf>,
    /// Clients have to show a certificate.
    pub tls_client_required: bool,
    /// Networks (CIDR) of the proxies whose `x-forwarded-for` is believed.
    pub trusted_proxies: Vec<String>,
    /// The control plane's Unix socket.
    pub control_socket: std::path::PathBuf,
    /// The folder of stored responses; shared by all workers.
    pub responses_folder: std::path::PathBuf,
    /// What realtime sessions may take.
    pub realtime: RealtimeSettings,
    /// The folder of what is remembered of files and batches; shared by all workers.
    pub files_folder: std::path::PathBuf,
    /// The folder of the ledger's journals, one for each worker; none: nothing is written.
    pub ledger_folder: Option<std::path::PathBuf>,
    /// Shared with the control plane: proves that a request came through an edge.
    pub secret: String,
}

/// Where the admin API is served if that is not where all else is.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdminSettings {
    /// Address to listen on.
    pub host: std::net::IpAddr,
    /// Port to listen on.
    pub port: u16,
}

/// What the realtime sessions of a worker may take.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RealtimeSettings {
    /// Sessions at a time.
    pub max_sessions: usize,
    /// Bytes of a message, of either side's.
    pub max_message_bytes: usize,
    /// Seconds without a message from either side.
    pub idle_timeout: f64,
    /// Seconds of a whole session.
    pub max_duration: f64,
}
