//! One request that asks no model but for something kept: who asks, under which limits, and what the
//! metrics are told.

use crate::access;
use crate::caller::Caller;
use crate::edge::Edge;
use crate::error::Result;
use crate::gate::{Payer, Shop, check_endpoint};
use crate::headers::Headers;
use crate::http1::Head;
use crate::limits::{Held, Truth};
use crate::metrics::{Labels, Sample};
use crate::plan::{Deployment, Key, Plan};
use crate::session::{Asked, Session};
use crate::stream;
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;

/// A whole reply.
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers, of which a client sees what it may.
    pub headers: Headers,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// A reply of our own making.
    pub fn json(body: impl Into<Bytes>) -> Self {
        Answer { status: 200, headers: Headers::of_type("application/json"), body: body.into() }
    }
}

/// Such a request, and what has become known of it.
pub struct Visit {
    /// The endpoint's name in metrics.
    pub endpoint: &'static str,
    /// The configuration it is served under.
    pub plan: Arc<Plan>,
    /// Whose key is shown, once that is known.
    pub key: Option<Arc<Key>>,
    /// Who asks, once that is known.
    pub caller: Caller,
    /// What it has taken of limits.
    pub held: Held,
    /// The deployment that has to do with it.
    pub deployment: Option<usize>,
    /// The model group that has to do with it; empty if none has.
    pub group: String,
    /// Time spent waiting for the upstream.
    pub upstream: Duration,
}

impl Visit {
    /// A request of which nothing is known yet.
    #[must_use]
    pub fn new(endpoint: &'static str, plan: Arc<Plan>) -> Self {
        Visit {
            endpoint,
            plan,
            key: None,
            caller: Caller::default(),
            held: Held::default(),
            deployment: None,
            group: String::new(),
            upstream: Duration::ZERO,
        }
    }

    /// Checks the key that the client shows, and the tags that it gives.
    ///
    /// # Errors
    /// `Unauthenticated`, `PermissionDenied`, or `InvalidRequest` if two keys are shown.
    pub fn let_in(&mut self, shop: &Shop, head: &Head, asked: &Asked) -> Result<Arc<Key>> {
        let key = shop.authenticate(&self.plan, access::credential(head)?, asked.sender())?;
        self.key = Some(key.clone());
        check_endpoint(&key, self.endpoint)?;
        self.caller = Caller::new(asked.address, head)?;
        Ok(key)
    }

    /// The deployment that has to do with it, if it is still configured.
    #[must_use]
    pub fn target(&self) -> Option<&Deployment> {
        self.deployment.and_then(|index| self.plan.deployments.get(index))
    }

    /// Takes a request from the limits of its key.
    ///
    /// # Errors
    /// `RateLimited`.
    pub fn take_request(&mut self, shop: &Shop, key: &Key) -> Result<()> {
        self.held = shop.take_request(Payer { plan: &self.plan, key, caller: &self.caller })?;
        Ok(())
    }

    /// Begins the head of the reply.
    pub fn begin<S>(
        &self,
        session: &mut Session<S>,
        status: u16,
        headers: &Headers,
        asked: &Asked,
    ) {
        let head = session.head.begin(status, &asked.request_id);
        if let Some(deployment) = self.target() {
            head.header("x-llmgw-deployment", deployment.id.as_bytes());
        }
        head.rate_limits(&self.held.shown(), asked.dialect);
        stream::upstream_headers(head, headers, self.held.is_limited());
    }

    /// Notes in the metrics how it ended, and settles what it has taken.
    pub fn record(&self, edge: &Edge, asked: &Asked, status: u16) {
        edge.shop.settle(&self.held, &Truth::default());
        let deployment = self.target();
        let labels = Labels {
            endpoint: self.endpoint,
            model: &self.group,
            provider: deployment.map_or("", |one| &one.provider),
            deployment: deployment.map_or("", |one| &one.id),
            key: self.key.as_ref().map_or("", |key| &key.alias),
            status,
        };
        let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let sample = Sample {
            total_ns: nanoseconds(asked.started.elapsed()),
            upstream_ns: nanoseconds(self.upstream),
            ..Sample::default()
        };
        edge.shop.metrics.record(&labels, &sample);
    }
}
