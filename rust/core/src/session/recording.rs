//! What becomes of a call's numbers: the reservation is settled, the metrics are told.

use super::{Asked, Session};
use crate::call::{Call, Ticket};
use crate::dispatch::Trail;
use crate::error::Error;
use crate::limits::Truth;
use crate::metrics::{Counter, Labels, Sample};
use crate::price::{self, Cost, Served};
use crate::snapshot::Operation;
use crate::usage::Usage;
use std::time::Duration;

/// The status that metrics show for a client that left: nginx's.
pub const CLIENT_GONE: u16 = 499;

/// How a call ended, for settlement and metrics.
#[derive(Default)]
pub(super) struct Ending {
    pub(super) status: u16,
    pub(super) usage: Option<Usage>,
    /// Output tokens if the provider does not say: events of a stream, or by the size of a whole reply.
    pub(super) output_estimate: u64,
    pub(super) first_byte: Option<Duration>,
    /// What was served beside tokens.
    pub(super) served: Served,
    /// Bytes of the reply's body.
    pub(super) bytes: u64,
    /// It ended before all of it was told: its usage is the least that it can be.
    pub(super) is_cut: bool,
}

/// What a call used, and what that cost.
#[derive(Default)]
pub(super) struct Used {
    pub(super) usage: Usage,
    pub(super) cost: Option<Cost>,
}

/// What a reply of the deployment costs its call, by what was used: the provider's word, or, where it says
/// nothing (`None`), what was counted. Counting tokens and asking nobody cost nothing at all.
pub(super) fn cost_of(
    call: &Ticket,
    deployment: Option<usize>,
    told: Option<&Usage>,
    counted: &Usage,
    served: &Served,
) -> Option<Cost> {
    let deployment = call.plan.deployments.get(deployment?)?;
    if call.operation.counts() {
        return None;
    }
    let usage = told.unwrap_or(counted);
    let price = deployment.price.as_ref();
    let cost = price::cost(price, &call.plan.pricing, usage, served);
    if told.is_some() || usage.is_nothing() || price.is_some_and(|list| !list.charges_tokens()) {
        return Some(cost);
    }
    // Of pictures and sound nobody here counts the tokens.
    Some(if call.operation.is_of_media() { cost.partial() } else { cost.estimated() })
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// What a call is filed under.
pub(super) fn labels<'a>(ticket: &'a Ticket, trail: &Trail, status: u16) -> Labels<'a> {
    let deployment = trail.deployment.and_then(|index| ticket.plan.deployments.get(index));
    Labels {
        endpoint: ticket.operation.name(),
        model: ticket.model_label(),
        provider: deployment.map_or("", |one| &one.provider),
        deployment: deployment.map_or("", |one| &one.id),
        key: &ticket.key.alias,
        status,
    }
}

impl<S> Session<S> {
    /// Settles the reservation, works out the cost and notes the call in the metrics. The cost is none if
    /// nothing was served that may cost something.
    pub(super) fn finish(
        &self,
        call: &Call,
        trail: &Trail,
        asked: &Asked,
        ending: Ending,
    ) -> Option<Cost> {
        let shop = &self.edge.shop;
        if ending.status == CLIENT_GONE {
            shop.metrics.count(Counter::ClientDisconnect);
        }
        let began = ending.status < 400 || ending.first_byte.is_some();
        let reached = trail.attempts > 0 && (began || ending.status == CLIENT_GONE);
        // Where nothing was said of usage, what was counted stands in for it.
        let counted =
            Usage { input: call.input_tokens, output: ending.output_estimate, ..Usage::default() };
        let usage = ending.usage.or(reached.then_some(counted));
        let told = ending.usage.as_ref();
        let cost =
            usage.and_then(|_| cost_of(call, trail.deployment, told, &counted, &ending.served));
        let cost = cost.map(|cost| if ending.is_cut { cost.estimated() } else { cost });
        let usage = usage.unwrap_or_default();
        let truth = Truth {
            input: usage.input,
            output: usage.output,
            bytes: (call.body.len() as u64).saturating_add(ending.bytes),
            cost: cost.map_or(0, |cost| cost.nano_dollars),
        };
        shop.settle(&call.held, &truth);
        let used = Used { usage, cost };
        self.record(call, trail, asked, ending.status, used, ending.first_byte);
        cost
    }

    pub(super) fn record(
        &self,
        ticket: &Ticket,
        trail: &Trail,
        asked: &Asked,
        status: u16,
        Used { usage, cost }: Used,
        first_byte: Option<Duration>,
    ) {
        let labels = labels(ticket, trail, status);
        let sample = Sample {
            total_ns: nanoseconds(asked.started.elapsed()),
            upstream_ns: nanoseconds(trail.upstream),
            first_byte_ns: first_byte.map(nanoseconds),
            input_tokens: usage.input,
            output_tokens: usage.output,
            cache_read_tokens: usage.cache_read,
            reasoning_tokens: usage.reasoning,
            cost,
        };
        self.edge.shop.metrics.record(&labels, &sample);
    }

    pub(super) fn record_refusal(
        &self,
        operation: Operation,
        key: &str,
        error: &Error,
        asked: &Asked,
    ) {
        let labels = Labels {
            endpoint: operation.name(),
            model: "",
            provider: "",
            deployment: "",
            key,
            status: error.class.row().status,
        };
        let sample = Sample { total_ns: nanoseconds(asked.started.elapsed()), ..Sample::default() };
        self.edge.shop.metrics.record(&labels, &sample);
    }
}
