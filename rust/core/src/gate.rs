//! Admission: who calls, which model, how large, whether the limits allow it, whether the answer is known.
//!
//! One function call per request and no I/O: everything it asks lies in this process's memory or in
//! the memory that all workers share.

use crate::balancer::Balancer;
use crate::cache::{Cache, CacheKey, Entry, request_key};
use crate::error::{Class, Error, Result};
use crate::json::{self, Object};
use crate::keys::{self, Shape};
use crate::limiter::{Decision, Limiter, Take, monotonic_ns};
use crate::metrics::{Counter, Metrics};
use crate::pii::{Finding, Scanner};
use crate::plan::{Key, Plan};
use crate::prompt::Prompt;
use crate::snapshot::{Operation, PiiMode};
use crate::tokens::Memo;
use bytes::Bytes;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Texts whose token counts are remembered per worker.
const MEMO_ENTRIES: usize = 16_384;

/// What all threads of a worker share.
pub struct Shop {
    /// The configuration in force.
    pub plan: arc_swap::ArcSwapOption<Plan>,
    /// Rate limits of the machine.
    pub limiter: Limiter,
    /// Health of the deployments.
    pub balancer: Balancer,
    /// Counters and histograms of the machine.
    pub metrics: Metrics,
}

/// What one edge thread has to itself: scratch space and the cache.
pub struct Desk {
    prompt: Prompt,
    memo: Memo,
    scanner: Option<Scanner>,
    findings: Vec<Finding>,
    cache: Option<Cache<Entry>>,
    cache_version: String,
    /// Chance for weights and backoff.
    pub rng: fastrand::Rng,
}

impl Desk {
    /// An empty desk.
    #[must_use]
    pub fn new() -> Self {
        Desk {
            prompt: Prompt::default(),
            memo: Memo::new(MEMO_ENTRIES),
            scanner: None,
            findings: Vec::new(),
            cache: None,
            cache_version: String::new(),
            rng: fastrand::Rng::new(),
        }
    }

    /// The cache of the plan in force; a new plan's bounds make a new cache.
    fn cache(&mut self, plan: &Plan) -> Option<&mut Cache<Entry>> {
        if self.cache_version != plan.version {
            self.cache_version.clone_from(&plan.version);
            self.cache = plan.cache.as_ref().map(|policy| {
                let bytes = usize::try_from(policy.max_bytes).unwrap_or(usize::MAX);
                let ttl = Duration::try_from_secs_f64(policy.ttl).unwrap_or(Duration::MAX);
                Cache::new(bytes, ttl)
            });
        }
        self.cache.as_mut()
    }

    /// Keeps a complete reply.
    pub fn remember(&mut self, plan: &Plan, key: CacheKey, entry: Entry) {
        let fits = plan.cache.as_ref().is_some_and(|p| entry.body.len() as u64 <= p.max_entry_bytes);
        if let Some(cache) = self.cache(plan).filter(|_| fits) {
            cache.put(key, entry, monotonic_ns());
        }
    }
}

impl Default for Desk {
    fn default() -> Self {
        Self::new()
    }
}

/// A request that was let in.
pub struct Call {
    /// The configuration it runs under to its end.
    pub plan: Arc<Plan>,
    /// Who calls.
    pub key: Arc<Key>,
    /// Which endpoint.
    pub operation: Operation,
    /// The model group asked for.
    pub group: usize,
    /// What the client's model name matched of a wildcard (else the name).
    pub matched: String,
    /// The body as received.
    pub body: Bytes,
    fields: Fields,
    /// Input tokens, counted.
    pub input_tokens: u64,
    /// Tokens reserved from the key's limit.
    reserved: u64,
    /// State of the key's limits, for the reply's headers: requests, tokens.
    pub limits: [Option<Decision>; 2],
    /// Where the reply is cached, if it may be.
    pub cache_key: Option<CacheKey>,
}

/// Where in the body the fields lie that dispatch changes.
struct Fields {
    model: Option<Range<usize>>,
    stream: bool,
    stream_options: Option<Range<usize>>,
    wants_usage: bool,
    end: usize,
    empty: bool,
}

/// What admission decided.
pub enum Admission {
    /// Go on to dispatch.
    Call(Box<Call>),
    /// The answer is known.
    Hit(Box<Call>, Entry),
}

/// A request on its way in.
pub struct Arrival<'a> {
    /// Which endpoint.
    pub operation: Operation,
    /// The deployment named in an Azure-style path.
    pub path_model: Option<&'a str>,
    /// The body.
    pub body: Bytes,
    /// The client asked not to be answered from the cache, or not to be stored in it.
    pub no_cache: bool,
}

impl Shop {
    /// The configuration in force.
    ///
    /// # Errors
    /// `NoDeployment` before the first configuration is loaded.
    pub fn plan(&self) -> Result<Arc<Plan>> {
        let missing = || Error::new(Class::NoDeployment, "The gateway is starting.");
        self.plan.load_full().ok_or_else(missing)
    }

    /// Who shows this key.
    ///
    /// # Errors
    /// `Unauthenticated`, without a word of the key.
    pub fn authenticate(&self, plan: &Plan, shown: Option<&[u8]>) -> Result<Arc<Key>> {
        let refuse = |message: &str| Err(Error::new(Class::Unauthenticated, message));
        let Some(shown) = shown.filter(|key| !key.is_empty()) else {
            return refuse("No API key was given: send it as `Authorization: Bearer KEY`.");
        };
        if keys::shape(shown) == Shape::Mistyped {
            return refuse("The API key is mistyped or cut: its checksum does not fit.");
        }
        let Some(key) = plan.key(&plan.digester.digest(shown)) else {
            return refuse("The API key is not known here.");
        };
        if key.blocked {
            return refuse("The API key is blocked.");
        }
        if key.expires_at.is_some_and(|end| unix_seconds() >= end) {
            return refuse("The API key has expired.");
        }
        Ok(key.clone())
    }

    /// Lets a request in, or says why not.
    ///
    /// # Errors
    /// Any class up to `RateLimited`; nothing is reserved then.
    pub fn admit(
        &self,
        plan: Arc<Plan>,
        key: Arc<Key>,
        desk: &mut Desk,
        arrival: Arrival<'_>,
    ) -> Result<Admission> {
        let Arrival { operation, path_model, body, no_cache } = arrival;
        let object = json::parse_object(&body)?;
        let (name, fields) = read_fields(&body, &object, path_model)?;
        let resolved = plan.resolve(&name).ok_or_else(|| unknown_model(&name))?;
        if !key.may_use(&name) {
            let message = format!("The key may not use the model {}.", shown(&name));
            return Err(Error::new(Class::PermissionDenied, message).with_param("model"));
        }
        let (group, matched) = (resolved.group, resolved.matched.to_owned());
        desk.prompt.read(operation, &body, &object);
        let tokenizer = plan.groups[group].tokenizer;
        let Desk { prompt, memo, .. } = desk;
        let input_tokens = prompt.tokens(operation, |text| memo.count(tokenizer, text));
        if let Some(mode) = plan.pii {
            self.guard(desk, mode)?;
        }
        let reserved = input_tokens + output_ceiling(&body, &object);
        let limits = self.reserve(&key, reserved)?;
        let cache_key = plan.cache.as_ref().filter(|_| !no_cache).and_then(|_| {
            let scope: [&[u8]; 4] = [
                plan.version.as_bytes(),
                key.alias.as_bytes(),
                name.as_bytes(),
                &[operation as u8],
            ];
            request_key(&scope, &body)
        });
        let hit = cache_key.and_then(|at| desk.cache(&plan)?.get(&at, monotonic_ns()).cloned());
        let call = Box::new(Call {
            plan, key, operation, group, matched, body, fields, input_tokens, reserved, limits, cache_key,
        });
        Ok(match hit {
            Some(entry) => Admission::Hit(call, entry),
            None => Admission::Call(call),
        })
    }

    /// Scans the input for personal data and secrets.
    fn guard(&self, desk: &mut Desk, mode: PiiMode) -> Result<()> {
        if desk.scanner.is_none() {
            let failed = |_| Error::new(Class::InternalError, "The PII scanner could not start.");
            desk.scanner = Some(Scanner::new().map_err(failed)?);
        }
        let Desk { prompt, scanner, findings, .. } = desk;
        findings.clear();
        if let Some(scanner) = scanner {
            let failed = |_| Error::new(Class::GuardrailBlocked, "The input could not be scanned.");
            scanner.scan(prompt.text(), findings).map_err(failed)?;
        }
        if findings.is_empty() {
            self.metrics.count(Counter::PiiPassed);
            return Ok(());
        }
        if mode == PiiMode::Monitor {
            self.metrics.count(Counter::PiiFound);
            return Ok(());
        }
        self.metrics.count(Counter::PiiBlocked);
        let mut kinds: Vec<&str> = findings.iter().map(|finding| finding.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let message = format!("The request holds data that may not leave: {}.", kinds.join(", "));
        Err(Error::new(Class::GuardrailBlocked, message))
    }

    /// Takes one request and the tokens from the key's limits, or nothing.
    fn reserve(&self, key: &Key, tokens: u64) -> Result<[Option<Decision>; 2]> {
        let mut takes = Vec::with_capacity(2);
        takes.extend(key.requests.map(|(id, limit)| Take { id, cost: 1, limit }));
        takes.extend(key.tokens.map(|(id, limit)| Take { id, cost: tokens, limit }));
        if takes.is_empty() {
            return Ok([None, None]);
        }
        match self.limiter.acquire_all(&takes, monotonic_ns()) {
            Ok(decisions) => {
                let mut decisions = decisions.into_iter();
                let requests = key.requests.and_then(|_| decisions.next());
                Ok([requests, decisions.next()])
            }
            Err(denied) => {
                let of_tokens = key.requests.is_none() || denied.index == 1;
                self.metrics.count(if of_tokens {
                    Counter::LimitedTokens
                } else {
                    Counter::LimitedRequests
                });
                Err(rate_limited(of_tokens, tokens, &denied.decision))
            }
        }
    }

    /// Corrects the reservation once the truth is known; `None` gives all of it back.
    pub fn settle(&self, call: &Call, spent: Option<u64>) {
        if let Some((id, limit)) = &call.key.tokens {
            let spent = i64::try_from(spent.unwrap_or(0)).unwrap_or(i64::MAX);
            let reserved = i64::try_from(call.reserved).unwrap_or(i64::MAX);
            self.limiter.settle(*id, spent.saturating_sub(reserved), limit, monotonic_ns());
        }
    }
}

impl Call {
    /// Whether the client asked for a stream.
    #[must_use]
    pub fn streams(&self) -> bool {
        self.fields.stream
    }

    /// The public model name in metrics: the group's, so that clients cannot invent labels.
    #[must_use]
    pub fn model_label(&self) -> &str {
        &self.plan.groups[self.group].name
    }

    /// The body for a deployment: the routed model in place, usage asked for. The second value says
    /// whether usage was asked for on our own account and has to be hidden from the client.
    #[must_use]
    pub fn body_for(&self, model: &str, stream_usage: bool) -> (Bytes, bool) {
        let mut edits = Vec::with_capacity(2);
        let model = json::quote(model);
        match &self.fields.model {
            Some(range) if self.body[range.clone()] != model[..] => edits.push((range.clone(), model)),
            Some(_) => {}
            None => edits.push(self.added("\"model\":", &model)),
        }
        let asks = stream_usage
            && self.fields.stream
            && !self.fields.wants_usage
            && matches!(self.operation, Operation::ChatCompletions | Operation::Completions);
        if asks {
            edits.push(self.usage_edit());
        }
        if edits.is_empty() {
            return (self.body.clone(), false);
        }
        edits.sort_by_key(|(range, _)| range.start);
        (json::splice(&self.body, &edits).into(), asks)
    }

    /// A member put before the object's closing brace.
    fn added(&self, name: &str, value: &[u8]) -> (Range<usize>, Vec<u8>) {
        let comma = if self.fields.empty { "" } else { "," };
        let text = [comma.as_bytes(), name.as_bytes(), value].concat();
        (self.fields.end..self.fields.end, text)
    }

    fn usage_edit(&self) -> (Range<usize>, Vec<u8>) {
        const ASK: &[u8] = b"{\"include_usage\":true}";
        let Some(range) = self.fields.stream_options.clone() else {
            return self.added("\"stream_options\":", ASK);
        };
        let old = &self.body[range.clone()];
        let inside = old.strip_prefix(b"{").and_then(|rest| rest.strip_suffix(b"}"));
        match inside.map(<[u8]>::trim_ascii).filter(|inside| !inside.is_empty()) {
            None => (range, ASK.to_vec()),
            Some(_) => match json::find_member(old, "include_usage") {
                Some(field) => {
                    let at = range.start + field.value.start..range.start + field.value.end;
                    (at, b"true".to_vec())
                }
                None => (range.start + 1..range.start + 1, b"\"include_usage\":true,".to_vec()),
            },
        }
    }
}

/// The model's name and the fields that dispatch needs.
fn read_fields(body: &[u8], object: &Object, path_model: Option<&str>) -> Result<(String, Fields)> {
    let model = object.get(body, "model");
    let name = match (path_model, &model) {
        (Some(name), _) => name.to_owned(),
        (None, Some(range)) => text_of(&body[range.clone()])
            .ok_or_else(|| invalid("The field `model` must be a string.", "model"))?,
        (None, None) => return Err(invalid("The field `model` is missing.", "model")),
    };
    let stream = match object.get(body, "stream").map(|range| &body[range]) {
        Some(b"true") => true,
        None | Some(b"false" | b"null") => false,
        Some(_) => return Err(invalid("The field `stream` must be true or false.", "stream")),
    };
    let stream_options = object.get(body, "stream_options");
    let wants_usage = stream_options.clone().is_some_and(|range| {
        let options = &body[range];
        json::find_member(options, "include_usage").is_some_and(|field| &options[field.value] == b"true")
    });
    let (end, empty) = (object.end, object.fields.is_empty());
    Ok((name, Fields { model, stream, stream_options, wants_usage, end, empty }))
}

fn invalid(message: &str, param: &'static str) -> Error {
    Error::new(Class::InvalidRequest, message).with_param(param)
}

fn unknown_model(name: &str) -> Error {
    let message = format!("The model {} does not exist here.", shown(name));
    Error::new(Class::ModelNotFound, message).with_param("model")
}

/// A client's word, safe and short enough to be put into a message.
fn shown(name: &str) -> String {
    let clean: String = name.chars().filter(|c| !c.is_control()).take(100).collect();
    format!("`{clean}`")
}

fn text_of(value: &[u8]) -> Option<String> {
    let inside = value.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let mut decoded = Vec::with_capacity(inside.len());
    json::unescape(inside, &mut decoded);
    String::from_utf8(decoded).ok()
}

/// Output tokens the client allows, over all choices; 0 if it does not say.
fn output_ceiling(body: &[u8], object: &Object) -> u64 {
    let number = |name: &str| {
        let text = std::str::from_utf8(&body[object.get(body, name)?]).ok()?;
        text.parse::<u64>().ok()
    };
    let tokens = ["max_completion_tokens", "max_tokens", "max_output_tokens"].iter().find_map(|n| number(n));
    tokens.unwrap_or(0).saturating_mul(number("n").unwrap_or(1).clamp(1, 128)).min(1 << 32)
}

fn rate_limited(of_tokens: bool, tokens: u64, decision: &Decision) -> Error {
    let message = if of_tokens {
        let limit = decision.limit;
        format!("The key's limit of {limit} tokens per minute does not allow {tokens} more now.")
    } else {
        format!("The key's limit of {} requests per minute is used up.", decision.limit)
    };
    Error::new(Class::RateLimited, message).with_retry_after(decision.retry_after.as_secs_f64())
}

fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}
