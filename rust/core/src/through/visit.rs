//! One request that is passed through, and what has become known of it.

use super::door::Door;
use super::known;
use super::watch::Watch;
use crate::call::Allowed;
use crate::caller::Caller;
use crate::edge::Edge;
use crate::error::Error;
use crate::gate::Refusal;
use crate::http1::Head;
use crate::ledger::{Attempt, counted};
use crate::limits::{Held, Truth};
use crate::metrics::{Counter, Labels, Sample};
use crate::plan::endpoints::PASS_THROUGH;
use crate::plan::{Deployment, Key, Plan};
use crate::price::{Cost, Served};
use crate::session::{Asked, CLIENT_GONE, Session};
use crate::snapshot::Operation;
use crate::upstream::Response;
use crate::usage::Usage;
use llmgw_formats::Kind;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The request.
pub(super) struct Visit {
    pub(super) plan: Arc<Plan>,
    pub(super) door: usize,
    pub(super) key: Option<Arc<Key>>,
    /// Who asks.
    pub(super) caller: Caller,
    /// What its path is known to be.
    pub(super) operation: Option<Operation>,
    /// Its reply tells what it cost, not what something else did: only what is made anew is charged.
    pub(super) makes: bool,
    /// The attempt that is under way.
    pub(super) attempt: Option<Attempt>,
    /// The status of the host's reply.
    pub(super) replied: Option<u16>,
    /// There was no connection to the host.
    pub(super) is_unreachable: bool,
    /// The reply was a stream.
    pub(super) is_stream: bool,
    /// The reply broke off.
    pub(super) is_broken: bool,
    pub(super) held: Held,
    pub(super) input_tokens: u64,
    /// Output that the client allows.
    pub(super) allowed: Allowed,
    /// Bytes of the request's body.
    pub(super) received: u64,
    /// Bytes of the reply's body.
    pub(super) sent: u64,
    /// When the last byte of the request had come, if it was sent on as it came.
    pub(super) arrived: Option<Instant>,
    /// When it must be over.
    pub(super) deadline: Option<tokio::time::Instant>,
    /// Time spent waiting for the upstream.
    pub(super) upstream: Duration,
    /// From the request to the first byte of the reply.
    pub(super) first_byte: Option<Duration>,
}

impl Visit {
    pub(super) fn new(plan: Arc<Plan>, door: usize) -> Self {
        Visit {
            plan,
            door,
            key: None,
            caller: Caller::default(),
            operation: None,
            makes: false,
            attempt: None,
            replied: None,
            is_unreachable: false,
            is_stream: false,
            is_broken: false,
            held: Held::default(),
            input_tokens: 0,
            allowed: Allowed::UNSAID,
            received: 0,
            sent: 0,
            arrived: None,
            deadline: None,
            upstream: Duration::ZERO,
            first_byte: None,
        }
    }

    pub(super) fn door(&self) -> &Door {
        &self.plan.doors[self.door]
    }

    pub(super) fn deployment(&self) -> &Deployment {
        self.deployment_of(&self.plan)
    }

    /// The same, of a plan that somebody else holds.
    pub(super) fn deployment_of<'p>(&self, plan: &'p Plan) -> &'p Deployment {
        &plan.deployments[plan.doors[self.door].deployment]
    }

    /// Notes what method and path tell.
    pub(super) fn learn(&mut self, head: &Head, rest: &str) {
        self.makes = head.method() == "POST";
        self.operation = known::operation(&self.plan, rest).filter(|_| self.makes);
    }

    /// Who reads the usage off the reply.
    pub(super) fn watch(&self, response: &Response, dialect: Kind) -> Watch {
        if !self.makes || !(200..300).contains(&response.status) {
            return Watch::blind();
        }
        let kind = self.operation.and_then(Operation::format).unwrap_or(dialect);
        Watch::new(kind, &response.headers)
    }

    /// Begins the head of the reply.
    pub(super) fn begin<S>(&self, session: &mut Session<S>, status: u16, asked: &Asked) {
        let head = session.head.begin(status, &asked.request_id);
        if asked.dialect == Kind::AnthropicMessages {
            head.header("request-id", asked.request_id.as_bytes());
        }
        head.header("x-llmgw-deployment", self.deployment().id.as_bytes());
        head.rate_limits(&self.held.shown(), asked.dialect);
    }

    /// Tells the operator of a failure.
    pub(super) fn warn(&self, edge: &Edge, error: &Error, reason: &str) {
        let reason = if reason.is_empty() { &*error.message } else { reason };
        let fields = [
            ("deployment", &*self.deployment().id),
            ("pass_through", &*self.door().name),
            ("class", error.class.row().name),
            ("reason", reason),
        ];
        edge.shop.log.warn("a request that was passed through failed", &fields);
    }

    /// Settles the reservation and notes the request in the metrics.
    pub(super) fn finish(&mut self, edge: &Edge, asked: &Asked, status: u16, watch: &mut Watch) {
        let shop = &edge.shop;
        if status == CLIENT_GONE {
            shop.metrics.count(Counter::ClientDisconnect);
        }
        shop.metrics.count_n(Counter::PassedIn, self.received);
        shop.metrics.count_n(Counter::PassedOut, self.sent);
        let attempt = self.attempt.take();
        let is_sent = attempt.as_ref().is_some_and(Attempt::is_sent);
        let refused = self.replied.is_some_and(|status| !(200..300).contains(&status));
        let reached = self.makes && is_sent && !refused;
        let output = match self.operation {
            Some(operation) if operation.writes_text() => watch.events(),
            _ => 0,
        };
        // Where nothing was said of usage, what was counted stands in for it.
        let counted = counted(self.input_tokens, output);
        let told = watch.usage();
        let usage = told.or(reached.then_some(counted));
        let mut cost = None;
        if let Some(attempt) = attempt {
            let none = Served::default();
            let of_this = attempt.tariff().cost(told.as_ref(), &counted, &none);
            cost = usage.filter(|usage| !usage.is_nothing()).map(|_| of_this);
            self.end(attempt, status, usage, of_this);
        }
        let usage = usage.unwrap_or_default();
        let truth = Truth {
            input: usage.input,
            output: usage.output,
            bytes: self.received.saturating_add(self.sent),
            cost: cost.map_or(0, |cost| cost.nano_dollars),
        };
        shop.settle(&self.held, &truth);
        self.note(edge, asked, status, usage, cost);
    }

    /// Notes a request that was refused before anything was reserved.
    pub(super) fn refuse(&self, edge: &Edge, asked: &Asked, error: &Error) {
        if let Some(key) = &self.key {
            let (request, endpoint) = (&*asked.request_id, PASS_THROUGH);
            let refusal = Refusal { key, tags: &asked.tags, request, endpoint, model: None };
            edge.shop.note_refusal(&refusal, error);
        }
        self.record(edge, asked, error.class.row().status);
    }

    /// Notes a request that reserved nothing.
    fn record(&self, edge: &Edge, asked: &Asked, status: u16) {
        self.note(edge, asked, status, Usage::default(), None);
    }

    fn note(&self, edge: &Edge, asked: &Asked, status: u16, usage: Usage, cost: Option<Cost>) {
        let deployment = self.deployment();
        let labels = Labels {
            endpoint: PASS_THROUGH,
            model: &self.door().name,
            provider: &deployment.provider,
            deployment: &deployment.id,
            key: self.key.as_ref().map_or("", |key| &key.alias),
            status,
        };
        let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let sample = Sample {
            total_ns: nanoseconds(asked.started.elapsed()),
            upstream_ns: nanoseconds(self.upstream),
            first_byte_ns: self.first_byte.map(nanoseconds),
            input_tokens: usage.input,
            output_tokens: usage.output,
            cache_read_tokens: usage.cache_read,
            reasoning_tokens: usage.reasoning,
            cost,
        };
        edge.shop.metrics.record(&labels, &sample);
    }
}
