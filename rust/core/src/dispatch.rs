//! Attempts: pick a deployment, send, retry within the group, fall back to the next; all before the first byte.

mod refusal;

use crate::call::{Call, for_vertex};
use crate::error::{Class, Error};
use crate::gate::Shop;
use crate::headers::Headers;
use crate::limiter::monotonic_ns;
use crate::metrics::Counter;
use crate::plan::Deployment;
use crate::snapshot::{BodyStyle, Operation};
use crate::translate::{Chat, Lane};
use crate::upstream::{Body, Outgoing, Response, SendError};
use crate::usage::Usage;
use bytes::{Bytes, BytesMut};
use std::borrow::Cow;
use std::collections::VecDeque;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::{Instant, timeout_at};

/// A reply up to this size is read whole before the client gets its head, so that it can be retried.
const WHOLE_MAX: usize = 256 * 1024;
/// The same for replies that are translated: they are held whole anyway.
const TRANSLATED_MAX: usize = 64 * 1024 * 1024;
/// Media types of streams: server-sent events, and AWS's binary ones.
const STREAMS: [&str; 2] = ["text/event-stream", "application/vnd.amazon.eventstream"];

/// Headers that one request adds to its deployment's.
pub type Extra<'a> = [(&'static str, &'a [u8])];

/// A reply that came whole.
pub struct Whole {
    /// HTTP status.
    pub status: u16,
    /// Headers as received, or as they fit the translated body.
    pub headers: Headers,
    /// The body as received, or translated.
    pub body: Bytes,
    /// What its translation found out.
    pub translated: Option<Lost>,
}

/// What was lost of a request that was translated, and what its reply says was charged.
#[derive(Debug, Default)]
pub struct Lost {
    /// What could not be carried, by the client's names.
    pub dropped: String,
    /// Tokens charged.
    pub usage: Option<Usage>,
}

/// A reply that is still coming.
pub struct Partial {
    /// HTTP status.
    pub status: u16,
    /// Headers as received.
    pub headers: Headers,
    /// What has come so far.
    pub first: Bytes,
    /// The rest.
    pub rest: Body,
    /// The usage in it was asked for on our own account.
    pub hide_usage: bool,
    /// How it is translated, if it is.
    pub lane: Option<Lane>,
    /// Longest wait between two reads.
    pub idle: Duration,
    /// When the whole attempt must be over.
    pub deadline: Instant,
}

/// What an attempt brought.
pub enum Outcome {
    /// All of it.
    Whole(Whole),
    /// The beginning.
    Partial(Partial),
}

/// How dispatch went, apart from its outcome.
#[derive(Debug, Clone, Copy, Default)]
pub struct Trail {
    /// Sends so far.
    pub attempts: u32,
    /// The deployment of the last one.
    pub deployment: Option<usize>,
    /// Time spent waiting for upstreams.
    pub upstream: Duration,
}

/// Why an attempt failed.
pub struct Failure {
    class: Class,
    /// For the client.
    message: String,
    /// The request's field at fault.
    param: Option<Cow<'static, str>>,
    /// For the operator alone: why there was no connection.
    reason: String,
    /// What the upstream answered with.
    status: Option<u16>,
    retry_after: Option<Duration>,
    /// The deployment may be sent to rest for it.
    rests: bool,
    /// The upstream's own words, where they are meant for the client.
    reply: Option<Box<Whole>>,
}

impl Failure {
    fn new(class: Class, message: String) -> Self {
        Failure {
            class,
            message,
            param: None,
            reason: String::new(),
            status: None,
            retry_after: None,
            rests: class.row().cool_down,
            reply: None,
        }
    }

    /// What the client gets: the upstream's reply as sent, or an error of ours.
    ///
    /// # Errors
    /// The error, if the upstream's reply is not for the client.
    pub fn into_reply(self) -> Result<Whole, Error> {
        if let Some(reply) = self.reply {
            return Ok(*reply);
        }
        let mut error = Error::new(self.class, self.message);
        error.param = self.param;
        error.retry_after = self.retry_after.map(|time| time.as_secs_f64());
        Err(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure { param: error.param, ..Failure::new(error.class, error.message) }
    }
}

/// Brings a reply's beginning from one of the call's deployments.
///
/// # Errors
/// The last failure that says something, when every attempt that the policy allows has failed.
pub async fn dispatch(
    shop: &Shop,
    chat: &Chat<'_>,
    extra: &Extra<'_>,
    rng: &mut fastrand::Rng,
    trail: &mut Trail,
) -> Result<Outcome, Failure> {
    let mut route = Route { shop, chat, extra, rng, trail };
    match route.follow(false).await {
        // Every deployment on the way rests: rather ask one of them than nobody.
        Err(failure) if route.trail.attempts == 0 && failure.class == Class::NoDeployment => {
            route.follow(true).await
        }
        result => result,
    }
}

/// A call on its way through its groups.
struct Route<'a, 'c> {
    shop: &'a Shop,
    chat: &'a Chat<'c>,
    extra: &'a Extra<'a>,
    rng: &'a mut fastrand::Rng,
    trail: &'a mut Trail,
}

impl Route<'_, '_> {
    /// Tries the call's group and, as failures lead there, its fallbacks.
    async fn follow(&mut self, even_resting: bool) -> Result<Outcome, Failure> {
        let (shop, call) = (self.shop, self.chat.call);
        let mut queue = VecDeque::from([call.group]);
        let mut visited = Vec::new();
        let mut last: Option<Failure> = None;
        while let Some(group) = queue.pop_front() {
            if visited.contains(&group) {
                continue;
            }
            visited.push(group);
            if last.is_some() {
                shop.metrics.count(Counter::Fallback);
            }
            let failure = match self.in_group(group, even_resting).await {
                Ok(outcome) => return Ok(outcome),
                Err(failure) => failure,
            };
            let groups = &call.plan.groups[group];
            if failure.class == Class::ContextWindowExceeded {
                queue.extend(&groups.context_window_fallbacks);
            } else if failure.class.row().fall_back {
                queue.extend(&groups.fallbacks);
            }
            // A group that could not even be tried says less than one that was.
            let untried = matches!(failure.class, Class::NoDeployment | Class::NotSupported);
            if !untried || last.as_ref().is_none_or(|last| last.class == Class::NotSupported) {
                last = Some(failure);
            }
        }
        Err(last.unwrap_or_else(|| {
            Failure::new(Class::NoDeployment, "No deployment is configured.".into())
        }))
    }

    /// Tries the deployments of one group as often as the policy allows.
    async fn in_group(&mut self, group: usize, even_resting: bool) -> Result<Outcome, Failure> {
        let Route { shop, chat, extra, rng, trail } = self;
        let call = chat.call;
        let plan = &call.plan;
        let candidates = plan.candidates(group, call.operation);
        if candidates.is_empty() {
            let message =
                format!("The model `{}` does not serve this endpoint.", plan.groups[group].name);
            return Err(Failure::new(Class::NotSupported, message));
        }
        let now = monotonic_ns();
        let all_rest = candidates.iter().all(|one| shop.balancer.resting_until(one.id_hash) > now);
        if all_rest && !even_resting {
            let message = format!("Every deployment of `{}` is resting.", plan.groups[group].name);
            return Err(Failure::new(Class::NoDeployment, message));
        }
        let mut tried = Vec::with_capacity(candidates.len());
        let mut retry = 0;
        loop {
            let now = monotonic_ns();
            let Some(index) = shop.balancer.pick(&candidates, &tried, now, rng) else {
                tried.clear();
                continue;
            };
            tried.push(index);
            let deployment = &plan.deployments[index];
            let prepared = Prepared::new(chat, deployment)?;
            trail.attempts += 1;
            trail.deployment = Some(index);
            let started = Instant::now();
            let mut result = attempt(chat, deployment, prepared, extra).await;
            if let Err(failure) = &result
                && let Some(prepared) = Prepared::without_responses(chat, deployment, failure)
            {
                trail.attempts += 1;
                result = attempt(chat, deployment, prepared?, extra).await;
                if result.is_ok() {
                    deployment.note_lack_of_responses();
                }
            }
            trail.upstream += started.elapsed();
            let failure = match result {
                Ok(outcome) => {
                    shop.balancer.success(deployment.id_hash);
                    return Ok(outcome);
                }
                Err(failure) => failure,
            };
            note_failure(shop, call, deployment, &failure);
            if retry >= plan.retry.retries(failure.class) {
                return Err(failure);
            }
            let others_left = tried.len() < candidates.len();
            let wait = if others_left && failure.class == Class::UpstreamRateLimited {
                Duration::ZERO
            } else {
                let backoff = plan.retry.backoff(retry, rng);
                if others_left {
                    backoff
                } else {
                    backoff.max(failure.retry_after.unwrap_or_default())
                }
            };
            if wait > plan.retry.longest {
                return Err(failure);
            }
            tokio::time::sleep(wait).await;
            retry += 1;
            shop.metrics.count(Counter::Retry);
        }
    }
}

fn note_failure(shop: &Shop, call: &Call, deployment: &Deployment, failure: &Failure) {
    if failure.reply.is_none() {
        let reason = if failure.reason.is_empty() { &failure.message } else { &failure.reason };
        let fields = [
            ("deployment", &deployment.id[..]),
            ("class", failure.class.row().name),
            ("reason", reason),
        ];
        shop.log.warn("an attempt failed", &fields);
    }
    if failure.rests {
        rest(shop, call, deployment, failure.retry_after);
    }
}

/// Counts a stream that broke off against its deployment.
pub fn note_midway(shop: &Shop, call: &Call, index: usize, class: Class) {
    let deployment = &call.plan.deployments[index];
    let fields = [("deployment", &deployment.id[..]), ("class", class.row().name)];
    shop.log.warn("a stream broke off", &fields);
    rest(shop, call, deployment, None);
}

fn rest(shop: &Shop, call: &Call, deployment: &Deployment, retry_after: Option<Duration>) {
    let policy = &call.plan.retry.cooldown;
    let now = monotonic_ns();
    let rests = match retry_after.filter(|time| !time.is_zero()) {
        // The provider said how long: believe it, within reason.
        Some(time) => shop.balancer.rest(deployment.id_hash, time.min(policy.cooldown * 10), now),
        None => shop.balancer.failure(deployment.id_hash, policy, now),
    };
    if rests {
        shop.metrics.count(Counter::Cooldown);
    }
}

fn unable(deployment: &Deployment) -> Failure {
    let message = format!("Deployment `{}` does not serve this endpoint.", deployment.id);
    Failure::new(Class::NotSupported, message)
}

/// A request as one deployment gets it.
struct Prepared<'d> {
    path: Cow<'d, str>,
    body: Bytes,
    hide_usage: bool,
    lane: Option<Lane>,
}

impl<'d> Prepared<'d> {
    fn new(chat: &Chat<'_>, deployment: &'d Deployment) -> Result<Self, Failure> {
        let operation = deployment.serves(chat.call.operation);
        Self::by(chat, deployment, operation.ok_or_else(|| unable(deployment))?)
    }

    /// If the host seems to have no Responses API: the same request by another chat. Of OpenAI itself a
    /// 404 means what it says.
    fn without_responses(
        chat: &Chat<'_>,
        deployment: &'d Deployment,
        failure: &Failure,
    ) -> Option<Result<Self, Failure>> {
        let operation = Operation::Responses;
        let refused = matches!(failure.status, Some(404 | 405 | 501)) && !deployment.original;
        if chat.call.operation != operation
            || !refused
            || deployment.serves(operation) != Some(operation)
        {
            return None;
        }
        Some(Self::by(chat, deployment, deployment.instead_of(operation)?))
    }

    fn by(
        chat: &Chat<'_>,
        deployment: &'d Deployment,
        operation: Operation,
    ) -> Result<Self, Failure> {
        let call = chat.call;
        let model = deployment.routed_model(&call.matched);
        let path =
            deployment.path(operation, call.streams(), &model).ok_or_else(|| unable(deployment))?;
        let (mut body, hide_usage, lane) = if operation == call.operation && !call.is_mixed() {
            let (body, hide_usage) = call.body_for(&model, deployment.stream_usage);
            (body, hide_usage, None)
        } else {
            let mut lane = chat.lane(operation, deployment, &model)?;
            (std::mem::take(&mut lane.sent.body).into(), false, Some(lane))
        };
        if deployment.body_style == BodyStyle::VertexAnthropic {
            body = for_vertex(&body, operation);
        }
        Ok(Prepared { path, body, hide_usage, lane })
    }
}

impl Prepared<'_> {
    /// What this request adds to its deployment's headers: what its translation needs, and its signature.
    fn headers(&self, deployment: &Deployment) -> Vec<(&'static str, String)> {
        let mut headers = match &self.lane {
            Some(lane) => lane.sent.headers.clone(),
            None => Vec::new(),
        };
        if let Some(signer) = &deployment.signer {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
            let signed = [("content-type", "application/json")];
            let host = deployment.origin.authority();
            headers.extend(signer.sign("POST", host, &self.path, &signed, &self.body, now));
        }
        headers
    }

    /// Whether a client's header says something to this upstream: one of its dialect does not to
    /// another's.
    fn understands(&self, name: &str) -> bool {
        self.lane.is_none() || !(name.starts_with("openai-") || name.starts_with("anthropic-"))
    }
}

/// One send to one deployment.
async fn attempt(
    chat: &Chat<'_>,
    deployment: &Deployment,
    prepared: Prepared<'_>,
    extra: &Extra<'_>,
) -> Result<Outcome, Failure> {
    let fail =
        |class, what: &str| Failure::new(class, format!("Deployment `{}` {what}.", deployment.id));
    let own = prepared.headers(deployment);
    let joined: Vec<(&'static str, &[u8])>;
    let mut extra = extra;
    if prepared.lane.is_some() || !own.is_empty() {
        let passed = extra.iter().copied().filter(|(name, _)| prepared.understands(name));
        joined = passed.chain(own.iter().map(|(name, value)| (*name, value.as_bytes()))).collect();
        extra = &joined;
    }
    let Prepared { path, body, hide_usage, lane } = prepared;
    let started = Instant::now();
    let deadline = started + deployment.total;
    let first_byte = (started + deployment.first_byte).min(deadline);
    let late = |_| fail(Class::UpstreamTimeout, "did not answer in time");
    let fixed = &deployment.headers;
    let request = Outgoing { method: "POST", path: &path, fixed, extra, body };
    let sent = timeout_at(first_byte, deployment.origin.send(request)).await.map_err(late)?;
    let response = sent.map_err(|error| match error {
        SendError::Protocol => fail(Class::UpstreamProtocol, "did not answer in HTTP"),
        SendError::Unreachable(reason) => {
            Failure { reason, ..fail(Class::UpstreamUnreachable, "could not be reached") }
        }
        SendError::Broken => {
            fail(Class::UpstreamUnreachable, "closed the connection without an answer")
        }
    })?;
    if !(200..300).contains(&response.status) {
        return Err(refusal::read(response, chat, lane.as_ref(), first_byte, &fail).await);
    }
    let reading = Reading { chat, lane, hide_usage, deployment, first_byte, deadline };
    reading.begin(response, &fail).await
}

/// How a good reply is read.
struct Reading<'a, 'c> {
    chat: &'a Chat<'c>,
    lane: Option<Lane>,
    hide_usage: bool,
    deployment: &'a Deployment,
    first_byte: Instant,
    deadline: Instant,
}

impl Reading<'_, '_> {
    /// Reads until the reply is whole, or large, or its first event is here. One to be translated is
    /// read whole, unless it is a stream.
    async fn begin(
        self,
        response: Response,
        fail: &impl Fn(Class, &str) -> Failure,
    ) -> Result<Outcome, Failure> {
        let Response { status, headers, body: mut rest } = response;
        if headers.is_of_type("text/html") {
            return Err(fail(Class::UpstreamProtocol, "answered with a web page"));
        }
        let is_stream = STREAMS.iter().any(|kind| headers.is_of_type(kind));
        if self.lane.is_some() && is_stream != self.chat.call.streams() {
            return Err(fail(Class::UpstreamProtocol, "did not answer in the way it was asked to"));
        }
        let most = if self.lane.is_some() { TRANSLATED_MAX } else { WHOLE_MAX };
        let broke = || fail(Class::UpstreamProtocol, "broke off its reply");
        let mut body = Buffer::default();
        loop {
            let until = if body.is_empty() {
                self.first_byte
            } else {
                self.deadline.min(Instant::now() + self.deployment.idle)
            };
            let data = match timeout_at(until, rest.chunk()).await {
                Ok(None) if is_stream && body.is_empty() => return Err(broke()),
                Ok(None) => return self.whole(status, headers, body.freeze(), fail),
                Ok(Some(Ok(data))) => data,
                Ok(Some(Err(_))) => return Err(broke()),
                Err(_) => return Err(fail(Class::UpstreamTimeout, "did not answer in time")),
            };
            body.push(data);
            let large = body.len() > most;
            if large && self.lane.is_some() && !is_stream {
                return Err(fail(
                    Class::UpstreamProtocol,
                    "sent a reply that is too large to be translated",
                ));
            }
            if (is_stream && !body.is_empty()) || large {
                return Ok(Outcome::Partial(self.partial(status, headers, body.freeze(), rest)));
            }
        }
    }

    fn whole(
        self,
        status: u16,
        headers: Headers,
        body: Bytes,
        fail: &impl Fn(Class, &str) -> Failure,
    ) -> Result<Outcome, Failure> {
        let Some(lane) = self.lane else {
            return Ok(Outcome::Whole(Whole { status, headers, body, translated: None }));
        };
        let unreadable =
            |_| fail(Class::UpstreamProtocol, "sent a reply that could not be understood");
        let reply = self.chat.reply(&lane, &body).map_err(unreadable)?;
        let translated = Some(Lost { dropped: lane.dropped, usage: reply.usage });
        let headers = Headers::of_type("application/json");
        Ok(Outcome::Whole(Whole { status, headers, body: reply.body, translated }))
    }

    fn partial(self, status: u16, headers: Headers, first: Bytes, rest: Body) -> Partial {
        let headers = match self.lane {
            Some(_) if self.chat.call.array => Headers::of_type("application/json"),
            Some(_) => Headers::of_type("text/event-stream; charset=utf-8"),
            None => headers,
        };
        let (hide_usage, lane) = (self.hide_usage, self.lane);
        let (idle, deadline) = (self.deployment.idle, self.deadline);
        Partial { status, headers, first, rest, hide_usage, lane, idle, deadline }
    }
}

/// Collects frames; a reply of one frame, the usual case, is not copied.
#[derive(Default)]
struct Buffer {
    first: Bytes,
    joined: BytesMut,
}

impl Buffer {
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn len(&self) -> usize {
        self.first.len() + self.joined.len()
    }

    fn push(&mut self, data: Bytes) {
        if self.is_empty() {
            self.first = data;
            return;
        }
        if self.joined.is_empty() {
            self.joined.extend_from_slice(&std::mem::take(&mut self.first));
        }
        self.joined.extend_from_slice(&data);
    }

    fn freeze(self) -> Bytes {
        if self.joined.is_empty() { self.first } else { self.joined.freeze() }
    }
}
