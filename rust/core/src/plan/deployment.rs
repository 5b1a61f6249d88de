//! One model of one provider, ready to be sent to: paths, headers, limits of time, connections.

use super::pools::{PoolKey, Pools};
use super::seconds;
use super::text::{JSON_TYPE, encode_segment, header_lines};
use crate::balancer::{Candidate, deployment_hash};
use crate::price::PriceList;
use crate::responses::account::Account;
use crate::sign::Signer;
use crate::snapshot::{self, Operation};
use crate::tokens::Family;
use crate::upstream::Origin;
use http::Uri;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// The scheme of deployments that this process answers itself.
const MOCK_SCHEME: &str = "mock://";
/// Stands for the routed model in a URL.
const MODEL: &str = "{model}";

/// A deployment, ready to send to.
pub struct Deployment {
    /// Unique id.
    pub id: String,
    /// Where it is served, if that is known.
    pub region: Option<String>,
    /// Provider name.
    pub provider: String,
    /// What the balancer knows it by.
    pub id_hash: u64,
    weight: u32,
    order: u32,
    /// How its input is counted.
    pub tokenizer: Family,
    pub(super) model: String,
    urls: HashMap<Operation, Target>,
    /// What its host turned out to lack, which not every host of the dialect has: a bit per operation.
    lacks: AtomicU64,
    stream_urls: HashMap<Operation, Target>,
    /// Where responses are that it has made, if its upstream is one that may keep them.
    pub account: Option<Account>,
    /// Where its upstream keeps files, if it keeps any.
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
    /// Most requests that are sent to it at a time.
    pub max_concurrent: Option<u64>,
    /// What the model costs, if known.
    pub price: Option<PriceList>,
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
    pub(super) fn new(
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
            region: one.region,
            provider: one.provider,
            model: one.model,
            urls,
            account: one.urls.get(&Operation::Responses).map(|url| Account::new(url, &one.headers)),
            files: one.files_url.as_ref().map(|url| Account::new(url, &one.headers)),
            lacks: AtomicU64::new(0),
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
            max_concurrent: one.max_concurrent,
            price: one.price.map(PriceList::new),
            first_byte: seconds(one.timeouts.first_byte),
            idle: seconds(one.timeouts.idle),
            total: seconds(one.timeouts.total),
            origin,
        })
    }

    pub(super) fn candidate(&self, index: usize) -> Candidate {
        Candidate { index, weight: self.weight, order: self.order, id_hash: self.id_hash }
    }

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
fn bit(operation: Operation) -> u64 {
    1 << operation as u32
}
