//! Attempts: pick a deployment, send, retry within the group, fall back to the next; all before the first byte.

mod upload;

use crate::call::Call;
use crate::error::{Class, Error};
use crate::gate::Shop;
use crate::headers::Headers;
use crate::limiter::monotonic_ns;
use crate::metrics::Counter;
use crate::plan::Deployment;
use crate::upstream::{Body, Outgoing, Response, SendError};
use bytes::{Bytes, BytesMut};
use std::collections::VecDeque;
use std::time::{Duration, SystemTime};
use tokio::time::{Instant, timeout_at};

pub use upload::{Coming, Trouble, Uploading};

/// A reply up to this size is read whole before the client gets its head, so that it can be retried.
const WHOLE_MAX: usize = 256 * 1024;
/// How much of an upstream's error is read; a longer one is not passed on.
const ERROR_MAX: usize = 1024 * 1024;

/// Headers that one request adds to its deployment's.
pub type Extra<'a> = [(&'static str, &'a [u8])];

/// A reply that came whole.
pub struct Whole {
    /// HTTP status.
    pub status: u16,
    /// Headers as received.
    pub headers: Headers,
    /// The body as received.
    pub body: Bytes,
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
    /// For the operator alone: why there was no connection.
    reason: String,
    retry_after: Option<Duration>,
    /// The deployment may be sent to rest for it.
    rests: bool,
    /// The upstream's own words, where they are meant for the client.
    reply: Option<Whole>,
    /// The client left, or sent what cannot be read: no fault of the deployment.
    is_clients: bool,
}

impl Failure {
    fn new(class: Class, message: String) -> Self {
        Failure {
            class,
            message,
            reason: String::new(),
            retry_after: None,
            rests: class.row().cool_down,
            reply: None,
            is_clients: false,
        }
    }

    /// What the client gets: the upstream's reply as sent, or an error of ours.
    ///
    /// # Errors
    /// The error, if the upstream's reply is not for the client.
    pub fn into_reply(self) -> Result<Whole, Error> {
        if let Some(reply) = self.reply {
            return Ok(reply);
        }
        let mut error = Error::new(self.class, self.message);
        error.retry_after = self.retry_after.map(|time| time.as_secs_f64());
        Err(error)
    }
}

/// Brings a reply's beginning from one of the call's deployments.
///
/// # Errors
/// The last failure that says something, when every attempt that the policy allows has failed.
pub async fn dispatch(
    shop: &Shop,
    call: &Call,
    extra: &Extra<'_>,
    rng: &mut fastrand::Rng,
    trail: &mut Trail,
) -> Result<Outcome, Failure> {
    Route { shop, call, way: Way::Held(extra), rng, trail }.run().await
}

/// The same for a request whose body is still coming.
///
/// # Errors
/// As [`dispatch`].
pub async fn dispatch_upload(
    shop: &Shop,
    call: &Call,
    coming: &mut dyn Coming,
    rng: &mut fastrand::Rng,
    trail: &mut Trail,
) -> Result<Outcome, Failure> {
    Route { shop, call, way: Way::Coming(coming), rng, trail }.run().await
}

/// A call on its way through its groups.
struct Route<'a> {
    shop: &'a Shop,
    call: &'a Call,
    way: Way<'a>,
    rng: &'a mut fastrand::Rng,
    trail: &'a mut Trail,
}

/// How a request is sent.
enum Way<'a> {
    /// Its body is at hand.
    Held(&'a Extra<'a>),
    /// Its body is still coming.
    Coming(&'a mut dyn Coming),
}

impl Way<'_> {
    async fn attempt(&mut self, call: &Call, to: &Deployment) -> Result<Outcome, Failure> {
        match self {
            Way::Held(extra) => attempt(call, to, extra).await,
            Way::Coming(coming) => coming.attempt(call, to).await,
        }
    }

    /// Whether the same request can be sent once more.
    fn may_repeat(&self) -> bool {
        match self {
            Way::Held(_) => true,
            Way::Coming(coming) => coming.may_repeat(),
        }
    }

    async fn pause(&mut self, wait: Duration) {
        match self {
            Way::Held(_) => tokio::time::sleep(wait).await,
            Way::Coming(coming) => coming.pause(wait).await,
        }
    }
}

impl Route<'_> {
    async fn run(mut self) -> Result<Outcome, Failure> {
        match self.follow(false).await {
            // Every deployment on the way rests: rather ask one of them than nobody.
            Err(failure) if self.trail.attempts == 0 && failure.class == Class::NoDeployment => {
                self.follow(true).await
            }
            result => result,
        }
    }

    /// Tries the call's group and, as failures lead there, its fallbacks.
    async fn follow(&mut self, even_resting: bool) -> Result<Outcome, Failure> {
        let (shop, call) = (self.shop, self.call);
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
                Err(failure) if !self.way.may_repeat() => return Err(failure),
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
        let Route { shop, call, way, rng, trail } = self;
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
            trail.attempts += 1;
            trail.deployment = Some(index);
            let started = Instant::now();
            let result = way.attempt(call, deployment).await;
            trail.upstream += started.elapsed();
            let failure = match result {
                Ok(outcome) => {
                    shop.balancer.success(deployment.id_hash);
                    return Ok(outcome);
                }
                Err(failure) => failure,
            };
            note_failure(shop, call, deployment, &failure);
            if retry >= plan.retry.retries(failure.class) || !way.may_repeat() {
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
            way.pause(wait).await;
            retry += 1;
            shop.metrics.count(Counter::Retry);
        }
    }
}

fn note_failure(shop: &Shop, call: &Call, deployment: &Deployment, failure: &Failure) {
    if failure.reply.is_none() && !failure.is_clients {
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

/// One send to one deployment.
async fn attempt(
    call: &Call,
    deployment: &Deployment,
    extra: &Extra<'_>,
) -> Result<Outcome, Failure> {
    let fail =
        |class, what: &str| Failure::new(class, format!("Deployment `{}` {what}.", deployment.id));
    let model = deployment.routed_model(&call.matched);
    let path = deployment
        .path(call.operation, &model)
        .ok_or_else(|| fail(Class::NotSupported, "does not serve this endpoint"))?;
    let (body, hide_usage) = call.body_for(&model, deployment.stream_usage);
    let started = Instant::now();
    let deadline = started + deployment.total;
    let first_byte = (started + deployment.first_byte).min(deadline);
    let late = |_| fail(Class::UpstreamTimeout, "did not answer in time");
    let fixed = &deployment.headers;
    let request = Outgoing { method: "POST", path: &path, fixed, extra, body };
    let sent = timeout_at(first_byte, deployment.origin.send(request)).await.map_err(late)?;
    let response = sent.map_err(|error| unsent(error, &fail))?;
    if !(200..300).contains(&response.status) {
        return Err(refusal(response, first_byte, &fail).await);
    }
    begin(response, hide_usage, deployment, first_byte, deadline, &fail).await
}

/// A send that brought no reply.
fn unsent(error: SendError, fail: &impl Fn(Class, &str) -> Failure) -> Failure {
    match error {
        SendError::Protocol => fail(Class::UpstreamProtocol, "did not answer in HTTP"),
        SendError::Unreachable(reason) => {
            Failure { reason, ..fail(Class::UpstreamUnreachable, "could not be reached") }
        }
        SendError::Broken => {
            fail(Class::UpstreamUnreachable, "closed the connection without an answer")
        }
    }
}

/// Reads a good reply until it is whole, or large, or its first event is here.
async fn begin(
    response: Response,
    hide_usage: bool,
    deployment: &Deployment,
    first_byte: Instant,
    deadline: Instant,
    fail: &impl Fn(Class, &str) -> Failure,
) -> Result<Outcome, Failure> {
    let Response { status, headers, body: mut rest } = response;
    if headers.is_of_type("text/html") {
        return Err(fail(Class::UpstreamProtocol, "answered with a web page"));
    }
    let is_stream = headers.is_of_type("text/event-stream");
    let passes_at_once = is_stream || is_media(&headers);
    let broke = || fail(Class::UpstreamProtocol, "broke off its reply");
    let mut body = Buffer::default();
    loop {
        let until = if body.is_empty() {
            first_byte
        } else {
            deadline.min(Instant::now() + deployment.idle)
        };
        let data = match timeout_at(until, rest.chunk()).await {
            Ok(None) if is_stream && body.is_empty() => return Err(broke()),
            Ok(None) => {
                return Ok(Outcome::Whole(Whole { status, headers, body: body.freeze() }));
            }
            Ok(Some(Ok(data))) => data,
            Ok(Some(Err(_))) => return Err(broke()),
            Err(_) => return Err(fail(Class::UpstreamTimeout, "did not answer in time")),
        };
        body.push(data);
        if (passes_at_once && !body.is_empty()) || body.len() > WHOLE_MAX {
            let first = body.freeze();
            let idle = deployment.idle;
            return Ok(Outcome::Partial(Partial {
                status,
                headers,
                first,
                rest,
                hide_usage,
                idle,
                deadline,
            }));
        }
    }
}

/// Sound and pictures are played as they come.
fn is_media(headers: &Headers) -> bool {
    ["audio/", "image/", "video/", "application/octet-stream"]
        .iter()
        .any(|kind| headers.is_of_type(kind))
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

/// Reads what an upstream that refused has to say, and what it means for dispatch.
async fn refusal(
    response: Response,
    until: Instant,
    fail: &impl Fn(Class, &str) -> Failure,
) -> Failure {
    let Response { status, headers, body: mut rest } = response;
    let mut body = Buffer::default();
    let whole = loop {
        match timeout_at(until, rest.chunk()).await {
            Ok(Some(Ok(data))) if body.len() < ERROR_MAX => {
                body.push(data);
            }
            Ok(None) => break true,
            _ => break false,
        }
    };
    let reply = Whole { status, headers, body: body.freeze() };
    let class = classify(&reply);
    let retry_after = retry_after(&reply.headers);
    let mut failure = match class {
        Class::UpstreamRateLimited => fail(class, "is over its provider's rate limit"),
        Class::UpstreamAuth => {
            fail(class, "was refused by its provider: its credential does not work")
        }
        Class::UpstreamRejected | Class::ContextWindowExceeded => {
            fail(class, "refused the request")
        }
        _ => fail(class, &format!("answered with status {}", reply.status)),
    };
    failure.retry_after = retry_after;
    // A web page is nothing that a client of ours could read.
    let readable = whole && reply.headers.is_of_type("application/json");
    if readable && matches!(class, Class::UpstreamRejected | Class::ContextWindowExceeded) {
        failure.reply = Some(reply);
    } else if status == 403 {
        // Said of single prompts too: no reason for the deployment to rest.
        failure.rests = false;
    }
    failure
}

fn classify(reply: &Whole) -> Class {
    match reply.status {
        401 | 403 => Class::UpstreamAuth,
        408 | 504 => Class::UpstreamTimeout,
        429 => Class::UpstreamRateLimited,
        400 | 413 if says_context(&reply.body) => Class::ContextWindowExceeded,
        400..=499 => Class::UpstreamRejected,
        100..=399 => Class::UpstreamProtocol,
        _ => Class::UpstreamOverloaded,
    }
}

/// OpenAI's code, and the words of llama.cpp and vLLM for the same.
fn says_context(body: &[u8]) -> bool {
    const SIGNS: [&[u8]; 3] =
        [b"context_length_exceeded", b"exceed_context_size_error", b"maximum context length"];
    SIGNS.iter().any(|sign| memchr::memmem::find(body, sign).is_some())
}

/// `retry-after-ms`, or `retry-after` in seconds or as a date.
fn retry_after(headers: &Headers) -> Option<Duration> {
    if let Some(milliseconds) =
        headers.text("retry-after-ms").and_then(|text| text.parse::<f64>().ok())
    {
        return Duration::try_from_secs_f64(milliseconds / 1000.0).ok();
    }
    let value = headers.text("retry-after")?;
    if let Ok(seconds) = value.trim().parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
}

#[cfg(test)]
mod tests;
