//! One request that is passed through, and what has become known of it.

use super::door::Door;
use super::known;
use super::watch::Watch;
use crate::caller::Caller;
use crate::edge::Edge;
use crate::error::Error;
use crate::http1::Head;
use crate::limiter::Decision;
use crate::metrics::{Counter, Labels, Sample};
use crate::plan::endpoints::PASS_THROUGH;
use crate::plan::{Deployment, Key, Plan};
use crate::price::{self, Served};
use crate::reply::LIMIT_HEADERS;
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
    makes: bool,
    pub(super) limits: [Option<Decision>; 2],
    pub(super) input_tokens: u64,
    pub(super) reserved: u64,
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
            limits: [None, None],
            input_tokens: 0,
            reserved: 0,
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
        for (names, decision) in LIMIT_HEADERS.iter().zip(&self.limits) {
            if let Some(decision) = decision {
                head.rate_limit(names, decision);
            }
        }
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
    pub(super) fn finish(&self, edge: &Edge, asked: &Asked, status: u16, watch: &mut Watch) {
        let shop = &edge.shop;
        if status == CLIENT_GONE {
            shop.metrics.count(Counter::ClientDisconnect);
        }
        shop.metrics.count_n(Counter::PassedIn, self.received);
        shop.metrics.count_n(Counter::PassedOut, self.sent);
        let reached = self.makes && (self.first_byte.is_some() || status == CLIENT_GONE);
        let output = match self.operation {
            Some(operation) if operation.writes_text() => watch.events(),
            _ => 0,
        };
        // Where nothing was said of usage, what was counted stands in for it.
        let counted = Usage { input: self.input_tokens, output, ..Usage::default() };
        let refused = (400..CLIENT_GONE).contains(&status);
        let usage = watch.usage().or((reached && !refused).then_some(counted));
        if let Some(key) = &self.key {
            shop.settle_for(key, self.reserved, usage.map(|usage| usage.input + usage.output));
        }
        self.note(edge, asked, status, usage.unwrap_or_default());
    }

    /// Notes a request that reserved nothing.
    pub(super) fn record(&self, edge: &Edge, asked: &Asked, status: u16) {
        self.note(edge, asked, status, Usage::default());
    }

    fn note(&self, edge: &Edge, asked: &Asked, status: u16, usage: Usage) {
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
            // Which model it was is not for us to know, and so neither is its price.
            cost: (!usage.is_nothing())
                .then(|| price::cost(None, &self.plan.pricing, &usage, &Served::default())),
        };
        edge.shop.metrics.record(&labels, &sample);
    }
}
