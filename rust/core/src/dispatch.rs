//! Attempts: pick a deployment, send, retry within the group, fall back to the next; all before the first byte.

mod booking;
mod failure;
mod open;
mod prepared;
mod pressure;
mod queue;
mod reading;
mod refusal;
mod region;
mod upload;

use crate::call::Call;
use crate::error::Class;
use crate::files::named;
use crate::gate::Shop;
use crate::headers::Headers;
use crate::ledger::Attempt;
use crate::limiter::monotonic_ns;
use crate::metrics::Counter;
use crate::plan::Deployment;
use crate::responses::previous;
use crate::translate::{Chat, Translation};
use crate::upstream::{Body, Outgoing, SendError};
use crate::usage::Usage;
use bytes::Bytes;
use prepared::Prepared;
use queue::Queue;
use reading::Reading;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

pub use failure::Failure;
pub use open::Opening;
pub use upload::{Coming, Trouble, Uploading};

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
    pub translated: Option<Box<Lost>>,
}

/// What was lost of a request that was translated, and what its reply says was charged.
#[derive(Debug, Default)]
pub struct Lost {
    /// What could not be carried, by the client's names.
    pub dropped: String,
    /// Tokens charged.
    pub usage: Option<Usage>,
    /// The upstream keeps the reply itself.
    pub kept_upstream: bool,
}

/// A stream in the middle of its translation.
pub struct Midway {
    /// What turns the rest of it into the client's dialect.
    pub translation: Translation,
    /// What could not be carried, by the client's names.
    pub dropped: String,
    /// The upstream keeps the reply itself.
    pub kept_upstream: bool,
}

/// A reply that is still coming.
pub struct Partial {
    /// HTTP status.
    pub status: u16,
    /// Headers as received.
    pub headers: Headers,
    /// What has come so far; of a stream that is translated, what the client gets for it.
    pub first: Bytes,
    /// The rest.
    pub rest: Body,
    /// The usage in it was asked for on our own account.
    pub hide_usage: bool,
    /// How it is translated, if it is.
    pub translated: Option<Midway>,
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
    Partial(Box<Partial>),
}

/// How dispatch went, apart from its outcome.
#[derive(Default)]
pub struct Trail {
    /// Sends so far.
    pub attempts: u32,
    /// The deployment of the last one.
    pub deployment: Option<usize>,
    /// Time spent waiting for upstreams.
    pub upstream: Duration,
    /// The attempt that is under way, or has brought the outcome.
    pub open: Option<Attempt>,
    /// Nano-dollars that attempts before it may have cost.
    pub lost: u64,
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
    let result = Route { shop, chat, way: Way::Held(extra), rng, trail: &mut *trail }.run().await;
    trail.upstream += chat.waited_for_media();
    result
}

/// The same for a request whose body is still coming; `chat` has an empty one.
///
/// # Errors
/// As [`dispatch`].
pub async fn dispatch_upload(
    shop: &Shop,
    chat: &Chat<'_>,
    coming: &mut dyn Coming,
    rng: &mut fastrand::Rng,
    trail: &mut Trail,
) -> Result<Outcome, Failure> {
    Route { shop, chat, way: Way::Coming(coming), rng, trail }.run().await
}

/// A call on its way through its groups.
struct Route<'a, 'c> {
    shop: &'a Shop,
    chat: &'a Chat<'c>,
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

/// The same, for one deployment.
enum Ready<'w, 'd> {
    Held(Prepared<'d>, &'w Extra<'w>),
    Coming(&'w mut dyn Coming),
}

impl Way<'_> {
    async fn ready<'d>(
        &mut self,
        shop: &Shop,
        chat: &Chat<'_>,
        to: &'d Deployment,
    ) -> Result<Ready<'_, 'd>, Failure> {
        Ok(match self {
            Way::Held(extra) => Ready::Held(Prepared::new(shop, chat, to).await?, extra),
            Way::Coming(coming) => Ready::Coming(&mut **coming),
        })
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

impl Route<'_, '_> {
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
                Err(failure) if !self.way.may_repeat() => return Err(failure),
                Err(failure) => failure,
            };
            let groups = &call.plan.groups[group];
            if failure.class == Class::ContextWindowExceeded {
                queue.extend(&groups.context_window_fallbacks);
            } else if failure.class.row().fall_back || failure.is_shed {
                queue.extend(&groups.fallbacks);
            }
            if last.as_ref().is_none_or(|last| failure.outweighs(last)) {
                last = Some(failure);
            }
        }
        Err(last.unwrap_or_else(|| {
            Failure::new(Class::NoDeployment, "No deployment is configured.".into())
        }))
    }

    /// Tries the deployments of one group as often as the policy allows.
    async fn in_group(&mut self, group: usize, even_resting: bool) -> Result<Outcome, Failure> {
        let Route { shop, chat, way, rng, trail } = self;
        let call = chat.call;
        let plan = &call.plan;
        let mut candidates = plan.candidates(group, call.operation);
        if candidates.is_empty() {
            let message =
                format!("The model `{}` does not serve this endpoint.", plan.groups[group].name);
            return Err(Failure::new(Class::NotSupported, message));
        }
        if plan.refuses_unpriced(call.operation) {
            candidates.retain(|one| plan.deployments[one.index].price.is_some());
            if candidates.is_empty() {
                let name = &plan.groups[group].name;
                let message = format!(
                    "The price of the model `{name}` is not known, and models of unknown price are blocked."
                );
                return Err(Failure::new(Class::NotPriced, message));
            }
        }
        region::keep_allowed(call, &mut candidates, group)?;
        candidates.retain(|one| call.past.is_open_to(plan, &plan.deployments[one.index]));
        if candidates.is_empty() {
            return Err(previous::elsewhere(&plan.groups[group].name).into());
        }
        if let Some(files) = call.files_at {
            let sees = |index| named::lie_together(plan, files, &plan.deployments[index]);
            candidates.retain(|one| sees(one.index));
            if candidates.is_empty() {
                return Err(named::elsewhere(&plan.groups[group].name).into());
            }
        }
        let now = monotonic_ns();
        let all_rest = candidates.iter().all(|one| shop.balancer.resting_until(one.id_hash) > now);
        if all_rest && !even_resting {
            let message = format!("Every deployment of `{}` is resting.", plan.groups[group].name);
            return Err(Failure::new(Class::NoDeployment, message));
        }
        pressure::respect(shop, call, &mut candidates, way, group).await?;
        let mut tried = Vec::with_capacity(candidates.len());
        let mut queue = Queue::new(shop, call);
        let mut retry = 0;
        loop {
            let now = monotonic_ns();
            let out = queue.without(&tried);
            let Some(index) = shop.balancer.pick(&candidates, &out, now, rng) else {
                if queue.is_crowded() {
                    queue.wait(way, &plan.groups[group].name).await?;
                } else {
                    tried.clear();
                }
                continue;
            };
            if !queue.enter(index) {
                continue;
            }
            let deployment = &plan.deployments[index];
            let ready = match way.ready(shop, chat, deployment).await {
                Ok(ready) => ready,
                // A group may have deployments of several dialects: another one can say it, perhaps.
                Err(failure) if failure.is_of_the_request() && candidates.len() > 1 => {
                    queue.leave(index);
                    candidates.retain(|one| one.index != index);
                    continue;
                }
                Err(failure) => return Err(failure),
            };
            tried.push(index);
            trail.deployment = Some(index);
            let started = Instant::now();
            let result = match ready {
                Ready::Held(prepared, extra) => {
                    send(shop, chat, index, prepared, extra, trail).await
                }
                Ready::Coming(coming) => {
                    let attempt = trail.begin(shop, chat, index)?;
                    coming.attempt(chat, deployment, attempt).await
                }
            };
            trail.upstream += started.elapsed();
            let failure = match result {
                Ok(outcome) => {
                    shop.balancer.success(deployment.id_hash);
                    return Ok(outcome);
                }
                Err(failure) => failure,
            };
            trail.end_failed(shop, chat, &failure);
            queue.leave(index);
            if failure.class == Class::LedgerFull {
                return Err(failure);
            }
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

/// What a failure that an upstream tells of amounts to.
#[must_use]
pub fn class_of(said: &llmgw_formats::chat::Failure<'_>) -> Class {
    refusal::classify(said.status, said.kind)
}

/// Counts a stream that broke off against its deployment, unless the request itself was at fault.
pub fn note_midway(shop: &Shop, call: &Call, index: usize, class: Class) {
    if !class.row().retry {
        return;
    }
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

/// One try of one deployment: what its host turns out to lack is asked for otherwise, and remembered.
async fn send(
    shop: &Shop,
    chat: &Chat<'_>,
    index: usize,
    prepared: Prepared<'_>,
    extra: &Extra<'_>,
    trail: &mut Trail,
) -> Result<Outcome, Failure> {
    let deployment = &chat.call.plan.deployments[index];
    let booked = trail.begin(shop, chat, index)?;
    let result = attempt(shop, chat, deployment, prepared, extra, booked).await;
    let Err(failure) = &result else { return result };
    let operation = chat.call.operation;
    if operation.counts() && prepared::seems_to_lack(deployment, operation, failure) {
        deployment.note_lack_of(operation);
    }
    let Some(prepared) = Prepared::otherwise(shop, chat, deployment, failure).await else {
        return result;
    };
    trail.end_failed(shop, chat, failure);
    let prepared = prepared?;
    let booked = trail.begin(shop, chat, index)?;
    let result = attempt(shop, chat, deployment, prepared, extra, booked).await;
    if result.is_ok() {
        deployment.note_lack_of(operation);
    }
    result
}

/// One send to one deployment.
async fn attempt(
    shop: &Shop,
    chat: &Chat<'_>,
    deployment: &Deployment,
    prepared: Prepared<'_>,
    extra: &Extra<'_>,
    booked: &Attempt,
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
    let fixed = Prepared::fixed(deployment, extra);
    let sent = Some(booked.sent());
    let request = Outgoing { method: "POST", path: &path, fixed: &fixed, extra, body, sent };
    let sent = timeout_at(first_byte, deployment.origin.send(request)).await.map_err(late)?;
    let response = sent.map_err(|error| unsent(error, &fail))?;
    // Who answers may charge for it, also where not all of it was read.
    booked.sent().set(true);
    pressure::note(&shop.balancer, deployment, &response.headers);
    if !(200..300).contains(&response.status) {
        return Err(refusal::read(response, chat, lane.as_ref(), first_byte, &fail).await);
    }
    let reading = Reading { chat, lane, hide_usage, deployment, first_byte, deadline };
    reading.begin(response, &fail).await
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
