//! A snapshot made ready to run: digests decoded, URLs parsed, headers built, pools opened.

mod pools;
mod retry;
mod text;

use crate::balancer::{Candidate, deployment_hash};
use crate::fetch::Fetcher;
use crate::keys::{self, Digest, Digester};
use crate::limiter::{Limit, bucket_id};
use crate::model_map::ModelMap;
use crate::responses::account::Account;
use crate::sign::Signer;
use crate::snapshot::{self, Operation, Snapshot};
use crate::store::Terms;
use crate::through::Door;
use crate::tokens::Family;
use crate::upstream::Origin;
use http::Uri;
use pools::{PoolKey, Pools};
pub use retry::Retry;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;
pub use text::encode_segment;
use text::{JSON_TYPE, header_lines};

/// The scheme of deployments that this process answers itself.
const MOCK_SCHEME: &str = "mock://";
/// Stands for the routed model in a URL.
const MODEL: &str = "{model}";

/// A configuration in force. Immutable; a running call keeps the one it began with.
pub struct Plan {
    /// Digest of the settings.
    pub version: String,
    /// Makes the digests that `keys` is indexed by.
    pub digester: Digester,
    keys: HashMap<Digest, Arc<Key>>,
    /// Exact paths of the native endpoints.
    pub routes: HashMap<String, Operation>,
    models: HashMap<String, usize>,
    wildcards: Vec<snapshot::Wildcard>,
    /// Model groups.
    pub groups: Vec<Group>,
    /// Deployments, referred to by index.
    pub deployments: Vec<Deployment>,
    /// How failures are met.
    pub retry: Retry,
    /// The exact cache, if switched on.
    pub cache: Option<snapshot::CachePolicy>,
    /// What a PII finding leads to, if the scan is on.
    pub pii: Option<snapshot::PiiMode>,
    /// Providers' own APIs that are passed through.
    pub doors: Vec<Door>,
    /// On which terms responses are stored, if they are.
    pub responses: Option<Terms>,
    /// On which terms files and batches are remembered, if they are served.
    pub files: Option<Terms>,
    /// Fetches media for upstreams that take bytes only, if that is allowed.
    pub fetcher: Option<Fetcher>,
    pools: Pools,
}

/// A virtual key and what it may do.
pub struct Key {
    /// Name in logs and metrics.
    pub alias: String,
    digest: Digest,
    /// May use the admin endpoints.
    pub admin: bool,
    models: Option<Vec<Pattern>>,
    /// Names that mean other models when this key uses them.
    pub map: ModelMap,
    pass_through: Option<Vec<String>>,
    /// Unix seconds after which it is refused.
    pub expires_at: Option<u64>,
    /// Refused until unblocked.
    pub blocked: bool,
    /// Bucket and limit of requests per minute.
    pub requests: Option<(u128, Limit)>,
    /// Bucket and limit of tokens per minute.
    pub tokens: Option<(u128, Limit)>,
}

/// A model name, or one with a `*` in it.
struct Pattern {
    prefix: String,
    suffix: Option<String>,
}

impl Pattern {
    fn new(text: &str) -> Self {
        match text.split_once('*') {
            Some((prefix, suffix)) => {
                Pattern { prefix: prefix.into(), suffix: Some(suffix.into()) }
            }
            None => Pattern { prefix: text.into(), suffix: None },
        }
    }

    fn matches(&self, name: &str) -> bool {
        match &self.suffix {
            Some(suffix) => star(name, &self.prefix, suffix).is_some(),
            None => name == self.prefix,
        }
    }
}

/// What the `*` stands for in `name`.
fn star<'a>(name: &'a str, prefix: &str, suffix: &str) -> Option<&'a str> {
    name.strip_prefix(prefix)?.strip_suffix(suffix)
}

impl Key {
    /// Whether the key may use the public model `name`.
    #[must_use]
    pub fn may_use(&self, name: &str) -> bool {
        self.models.as_ref().is_none_or(|models| models.iter().any(|one| one.matches(name)))
    }

    /// Whether the key may use certain models only.
    #[must_use]
    pub fn is_limited(&self) -> bool {
        self.models.is_some()
    }

    /// Whether the key may use the pass-through of that name.
    #[must_use]
    pub fn may_pass(&self, name: &str) -> bool {
        match &self.pass_through {
            Some(names) => names.iter().any(|one| one == name || one == "*"),
            None => !self.is_limited(),
        }
    }
}

/// A model group, ready for the balancer.
pub struct Group {
    /// The public name.
    pub name: String,
    candidates: Vec<Candidate>,
    /// Groups tried when this one fails.
    pub fallbacks: Vec<usize>,
    /// Groups tried when the prompt is too long.
    pub context_window_fallbacks: Vec<usize>,
    /// How its input is counted (its first deployment's way).
    pub tokenizer: Family,
}

/// A deployment, ready to send to.
pub struct Deployment {
    /// Unique id.
    pub id: String,
    /// Provider name.
    pub provider: String,
    /// What the balancer knows it by.
    pub id_hash: u64,
    weight: u32,
    order: u32,
    /// How its input is counted.
    pub tokenizer: Family,
    model: String,
    urls: HashMap<Operation, Target>,
    /// What its host turned out to lack, which not every host of the dialect has: a bit per operation.
    lacks: AtomicU32,
    stream_urls: HashMap<Operation, Target>,
    /// Where responses are that it has made, if its upstream is one that may keep them.
    pub account: Option<Account>,
    /// Where its files are, if its upstream keeps any.
    pub files: Option<Account>,
    /// Header lines of every request, credential included.
    pub headers: String,
    /// Ask for usage in streams.
    pub stream_usage: bool,
    /// The host invented its format.
    pub original: bool,
    /// The model takes a JSON Schema for its reply.
    pub native_schema: bool,
    /// The model thinks, and its host lets clients say how much.
    pub reasoning: bool,
    /// The host fetches pictures and documents that a request gives by URL.
    pub takes_urls: bool,
    /// The model that it is, if its name does not tell.
    pub base_model: Option<String>,
    /// What its requests are signed with, if they are.
    pub signer: Option<Signer>,
    /// How its bodies differ from those of the format.
    pub body_style: snapshot::BodyStyle,
    /// Most tokens that the model can write, if known.
    pub max_output_tokens: Option<u64>,
    /// From the request's last byte to the reply's first.
    pub first_byte: Duration,
    /// Between two reads.
    pub idle: Duration,
    /// The whole attempt.
    pub total: Duration,
    /// Where it lives, and the connections there.
    pub origin: Arc<Origin>,
}

/// Path and query of an operation.
enum Target {
    Fixed(String),
    /// The routed model stands in the path.
    Templated(String),
}

impl Deployment {
    /// The model name to send, given what the client's wildcard matched.
    #[must_use]
    pub fn routed_model(&self, matched: &str) -> String {
        self.model.replacen('*', matched, 1)
    }

    /// How the deployment serves the operation: as it is, or, for chats, by one of another dialect.
    #[must_use]
    pub fn serves(&self, operation: Operation) -> Option<Operation> {
        if self.has(operation) { Some(operation) } else { self.instead_of(operation) }
    }

    /// Whether its host has the operation, as far as is known.
    fn has(&self, operation: Operation) -> bool {
        self.urls.contains_key(&operation) && self.lacks.load(Relaxed) & bit(operation) == 0
    }

    /// The operation of another dialect that stands in for one.
    #[must_use]
    pub fn instead_of(&self, operation: Operation) -> Option<Operation> {
        let others: &[Operation] = match operation {
            _ if operation.embeds() => &Operation::EMBEDS,
            _ if operation.is_chat() => &Operation::CHATS,
            _ => &[],
        };
        others.iter().copied().find(|other| *other != operation && self.has(*other))
    }

    /// Remembers that the host lacks the operation, until the next configuration.
    pub fn note_lack_of(&self, operation: Operation) {
        self.lacks.fetch_or(bit(operation), Relaxed);
    }

    /// The header lines for a request that is not JSON.
    #[must_use]
    pub fn headers_but_type(&self) -> &str {
        self.headers.strip_prefix(JSON_TYPE).unwrap_or(&self.headers)
    }

    /// Path and query of the operation for a routed model.
    #[must_use]
    pub fn path(&self, operation: Operation, stream: bool, model: &str) -> Option<Cow<'_, str>> {
        let apart = self.stream_urls.get(&operation).filter(|_| stream);
        match apart.or_else(|| self.urls.get(&operation))? {
            Target::Fixed(path) => Some(Cow::Borrowed(path)),
            // These two would lead to another place, and no encoding of them is safe from that.
            Target::Templated(_) if matches!(model, "." | "..") => None,
            Target::Templated(path) => {
                Some(Cow::Owned(path.replace(MODEL, &encode_segment(model))))
            }
        }
    }
}

/// The operation's place in a set of them.
fn bit(operation: Operation) -> u32 {
    1 << operation as u32
}

/// A model name resolved.
pub struct Resolved<'a> {
    /// Index of the group.
    pub group: usize,
    /// What the wildcard matched, or the name itself.
    pub matched: &'a str,
}

impl Plan {
    /// Makes a snapshot ready. `mock_port`: where this process's own mock upstream listens.
    ///
    /// # Errors
    /// What in the snapshot cannot be used, in one sentence.
    pub fn new(snapshot: Snapshot, mock_port: u16, before: Option<&Plan>) -> Result<Self, String> {
        let pepper =
            keys::from_hex(&snapshot.auth.pepper).ok_or("the pepper is not 32 bytes of hex")?;
        let mut pools = Pools::for_policy(&snapshot.egress, before.map(|plan| &plan.pools))?;
        let mut used = Vec::new();
        let mut deployments = Vec::with_capacity(snapshot.deployments.len());
        for one in snapshot.deployments {
            deployments.push(Deployment::new(one, mock_port, &mut pools, &mut used)?);
        }
        pools.keep_only(&used);
        let fetcher = snapshot.media.map(|policy| pools.fetcher(&policy)).transpose()?;
        let groups = snapshot.groups.into_iter().map(|group| Group::new(group, &deployments));
        let groups = groups.collect::<Result<Vec<_>, _>>()?;
        let known = |index: &usize| *index < groups.len();
        let linked =
            groups.iter().flat_map(|g| g.fallbacks.iter().chain(&g.context_window_fallbacks));
        let named = snapshot.models.values().chain(snapshot.wildcards.iter().map(|w| &w.group));
        if !linked.chain(named).all(known) {
            return Err("a name refers to a model group that does not exist".into());
        }
        let doors = snapshot.pass_through.into_iter().map(|one| Door::new(one, &deployments));
        let doors = doors.collect::<Result<Vec<_>, _>>()?;
        let mut keys = HashMap::with_capacity(snapshot.auth.keys.len());
        for key in snapshot.auth.keys {
            let key = Key::new(key)?;
            keys.insert(key.digest, Arc::new(key));
        }
        Ok(Plan {
            version: snapshot.version,
            digester: Digester::new(&pepper),
            keys,
            routes: snapshot.routes,
            models: snapshot.models,
            wildcards: snapshot.wildcards,
            groups,
            deployments,
            retry: Retry::new(snapshot.retry),
            cache: snapshot.cache,
            pii: snapshot.pii.map(|policy| policy.mode),
            doors,
            responses: snapshot.responses.map(|policy| Terms::new(&policy, &pepper)),
            files: snapshot.files.map(|policy| Terms::of_files(&policy, &pepper)),
            fetcher,
            pools,
        })
    }

    /// The key of this digest, found by hash and confirmed in constant time.
    #[must_use]
    pub fn key(&self, digest: &Digest) -> Option<&Arc<Key>> {
        use subtle::ConstantTimeEq;
        self.keys.get(digest).filter(|key| bool::from(key.digest.ct_eq(digest)))
    }

    /// Finds the group of a public model name.
    #[must_use]
    pub fn resolve<'a>(&self, name: &'a str) -> Option<Resolved<'a>> {
        if let Some(&group) = self.models.get(name) {
            return Some(Resolved { group, matched: name });
        }
        self.wildcards.iter().find_map(|wildcard| {
            let matched = star(name, &wildcard.prefix, &wildcard.suffix)?;
            (!matched.is_empty()).then_some(Resolved { group: wildcard.group, matched })
        })
    }

    /// The key of that alias.
    #[must_use]
    pub fn key_named(&self, alias: &str) -> Option<&Key> {
        self.keys.values().find(|key| key.alias == alias).map(|key| &**key)
    }

    /// Whether a key may use the model that the host of a deployment calls `model`, under any public name
    /// that leads there.
    #[must_use]
    pub fn may_reach(&self, key: &Key, host: &Deployment, model: &str) -> bool {
        let there = |index: &usize| {
            let one = &self.deployments[*index];
            (one.origin.authority() == host.origin.authority()).then_some(one)
        };
        let members = |group: usize| {
            self.groups[group].candidates.iter().filter_map(move |one| there(&one.index))
        };
        let named = self.models.iter().any(|(name, &group)| {
            key.may_use(name) && members(group).any(|one| one.model == model)
        });
        named
            || self.wildcards.iter().any(|wild| {
                members(wild.group).any(|one| match one.model.split_once('*') {
                    Some((before, after)) => star(model, before, after).is_some_and(|matched| {
                        key.may_use(&[&wild.prefix, matched, &wild.suffix].concat())
                    }),
                    None => one.model == model && key.may_use(&self.groups[wild.group].name),
                })
            })
    }

    /// Whether a name leads a key to a model that it may use.
    #[must_use]
    pub fn leads(&self, key: &Key, name: &str) -> bool {
        let meaning = key.map.meaning(name);
        self.resolve(&meaning).is_some() && key.may_use(&meaning)
    }

    /// Whether a name leads a key to a model that chats.
    #[must_use]
    pub fn chats(&self, key: &Key, name: &str) -> bool {
        let Some(found) = self.resolve(&key.map.meaning(name)).map(|found| found.group) else {
            return false;
        };
        let serves = |one: &Candidate| {
            Operation::CHATS.iter().any(|&chat| self.deployments[one.index].serves(chat).is_some())
        };
        self.groups[found].candidates.iter().any(serves)
    }

    /// The public model names that a key may use, sorted; of wildcards the names the key lists, else
    /// the pattern. The names of its own map are among them.
    #[must_use]
    pub fn visible_models(&self, key: &Key) -> Vec<String> {
        let listed =
            key.models.iter().flatten().filter(|one| one.suffix.is_none()).map(|one| &one.prefix);
        let listed = listed.filter(|name| self.resolve(name).is_some()).cloned();
        let named = self.models.keys().filter(|name| key.may_use(name)).cloned();
        let patterns = self.wildcards.iter().map(|one| format!("{}*{}", one.prefix, one.suffix));
        let patterns = patterns.filter(|pattern| key.may_use(pattern));
        let mapped = key.map.names().filter(|name| self.leads(key, name));
        let names: std::collections::BTreeSet<String> =
            listed.chain(named).chain(patterns).chain(mapped).collect();
        names.into_iter().collect()
    }

    /// Lets go of idle connections that are no longer good.
    pub fn sweep(&self) {
        self.pools.origins.values().for_each(|origin| origin.sweep());
    }

    /// The deployments of a group, those first that are tried first.
    pub fn members(&self, group: usize) -> impl Iterator<Item = usize> {
        let mut all: Vec<Candidate> = self.groups[group].candidates.clone();
        all.sort_by_key(|one| one.order);
        all.into_iter().map(|one| one.index)
    }

    /// The candidates of a group that serve the operation.
    #[must_use]
    pub fn candidates(&self, group: usize, operation: Operation) -> Vec<Candidate> {
        let all = self.groups[group].candidates.iter().copied();
        all.filter(|one| self.deployments[one.index].serves(operation).is_some()).collect()
    }
}

impl Key {
    fn new(key: snapshot::VirtualKey) -> Result<Self, String> {
        let digest = keys::from_hex(&key.digest)
            .ok_or_else(|| format!("the digest of key {} is not 32 bytes of hex", key.alias))?;
        let per_minute = |kind: &str, amount: Option<u64>| {
            amount.map(|amount| (bucket_id(kind, &key.alias), Limit::per_minute(amount)))
        };
        Ok(Key {
            requests: per_minute("key-requests", key.rpm),
            tokens: per_minute("key-tokens", key.tpm),
            map: ModelMap::new(key.model_map),
            pass_through: key.pass_through,
            models: key.models.map(|models| models.iter().map(|text| Pattern::new(text)).collect()),
            alias: key.alias,
            digest,
            admin: key.admin,
            expires_at: key.expires_at,
            blocked: key.blocked,
        })
    }
}

impl Group {
    fn new(group: snapshot::Group, deployments: &[Deployment]) -> Result<Self, String> {
        let mut candidates = Vec::with_capacity(group.deployments.len());
        for &index in &group.deployments {
            let deployment = deployments.get(index).ok_or_else(|| {
                format!("group {} names a deployment that does not exist", group.name)
            })?;
            candidates.push(deployment.candidate(index));
        }
        let first = group.deployments.first().map(|&index| deployments[index].tokenizer);
        Ok(Group {
            name: group.name,
            candidates,
            fallbacks: group.fallbacks,
            context_window_fallbacks: group.context_window_fallbacks,
            tokenizer: first.unwrap_or(Family::O200k),
        })
    }
}

impl Deployment {
    fn new(
        one: snapshot::Deployment,
        mock_port: u16,
        pools: &mut Pools,
        used: &mut Vec<PoolKey>,
    ) -> Result<Self, String> {
        let fail = |what: &str| format!("deployment {}: {what}", one.id);
        let own = one.headers.iter().chain(&one.token_headers);
        let headers = header_lines(own).map_err(fail)?;
        let (mut urls, mut stream_urls) = (HashMap::new(), HashMap::new());
        let mut pool = None;
        let whole = one.urls.iter().map(|url| (url, false));
        for ((operation, url), streams) in
            whole.chain(one.stream_urls.iter().map(|url| (url, true)))
        {
            let url = match url.strip_prefix(MOCK_SCHEME) {
                Some(path) => {
                    format!("http://127.0.0.1:{mock_port}/{}", path.trim_start_matches('/'))
                }
                None => url.clone(),
            };
            let probe: Uri = url.replace(MODEL, "x").parse().map_err(|_| fail("a bad URL"))?;
            let origin = pools.origin(&probe, seconds(one.timeouts.connect));
            let (key, origin) =
                origin.ok_or_else(|| fail("its URL must begin with http:// or https://"))?;
            if pool.replace((key.clone(), origin)).is_some_and(|(other, _)| other != key) {
                return Err(fail("its URLs lead to different hosts"));
            }
            let path = url.splitn(4, '/').nth(3).unwrap_or_default();
            let path = format!("/{path}");
            let target =
                if path.contains(MODEL) { Target::Templated(path) } else { Target::Fixed(path) };
            let urls = if streams { &mut stream_urls } else { &mut urls };
            urls.insert(*operation, target);
        }
        let (key, origin) = pool.ok_or_else(|| fail("it has no URL"))?;
        used.push(key);
        Ok(Deployment {
            tokenizer: Family::from_name(&one.tokenizer)
                .ok_or_else(|| fail("an unknown tokenizer"))?,
            id_hash: deployment_hash(&one.id),
            weight: one.weight,
            order: one.order,
            id: one.id,
            provider: one.provider,
            model: one.model,
            urls,
            account: one.urls.get(&Operation::Responses).map(|url| Account::new(url, &one.headers)),
            files: one.urls.get(&Operation::Files).map(|url| Account::new(url, &one.headers)),
            lacks: AtomicU32::new(0),
            stream_urls,
            headers,
            stream_usage: one.stream_usage,
            original: one.original,
            native_schema: one.native_schema,
            reasoning: one.reasoning,
            takes_urls: one.takes_urls,
            base_model: one.base_model.clone(),
            signer: one.signing,
            body_style: one.body_style,
            max_output_tokens: one.max_output_tokens,
            first_byte: seconds(one.timeouts.first_byte),
            idle: seconds(one.timeouts.idle),
            total: seconds(one.timeouts.total),
            origin,
        })
    }

    fn candidate(&self, index: usize) -> Candidate {
        Candidate { index, weight: self.weight, order: self.order, id_hash: self.id_hash }
    }
}

pub(crate) fn seconds(value: f64) -> Duration {
    Duration::try_from_secs_f64(value).unwrap_or(Duration::MAX / 4)
}
