//! What becomes of a call's numbers: the reservation is settled, the metrics are told.

use super::{Asked, Session};
use crate::call::{Call, Ticket};
use crate::dispatch::Trail;
use crate::error::Error;
use crate::metrics::{Counter, Labels, Sample};
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
    /// Settles the reservation and notes the call in the metrics.
    pub(super) fn finish(&self, call: &Call, trail: &Trail, asked: &Asked, ending: Ending) {
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
        shop.settle(call, usage.map(|usage| usage.input + usage.output));
        self.record(
            call,
            trail,
            asked,
            ending.status,
            usage.unwrap_or_default(),
            ending.first_byte,
        );
    }

    pub(super) fn record(
        &self,
        ticket: &Ticket,
        trail: &Trail,
        asked: &Asked,
        status: u16,
        usage: Usage,
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
