//! What becomes of a call's numbers: the reservation is settled, the metrics are told.

use super::{Asked, Session};
use crate::call::{Call, Ticket};
use crate::dispatch::Trail;
use crate::error::Error;
use crate::gate::Refusal;
use crate::headers::Headers;
use crate::ledger::{Attempt, How, Settlement, Why, counted};
use crate::limits::Truth;
use crate::metrics::{Counter, Labels, Sample};
use crate::plan::Key;
use crate::price::{Cost, Served};
use crate::snapshot::Operation;
use crate::sse;
use crate::usage::Usage;
use std::time::Duration;

/// The status that metrics show for a client that left: nginx's.
pub const CLIENT_GONE: u16 = 499;

/// How a call ended, for settlement and metrics.
#[derive(Default)]
pub(super) struct Ending<'a> {
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
    /// The upstream's own id of it.
    pub(super) upstream_id: Option<&'a str>,
    /// The model that the reply names.
    pub(super) reported: Option<&'a str>,
}

/// What a call used, and what that cost.
#[derive(Default)]
pub(super) struct Used {
    pub(super) usage: Usage,
    pub(super) cost: Option<Cost>,
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

impl Ending<'_> {
    fn how(&self) -> How {
        match self {
            Ending { status: CLIENT_GONE, .. } => How::ClientGone,
            Ending { is_cut: true, .. } => How::Cut,
            Ending { first_byte: Some(_), .. } => How::Stream,
            _ => How::Whole,
        }
    }
}

impl<S> Session<S> {
    /// Settles the reservation and the attempt, works out the cost and notes the call in the metrics. The
    /// cost is none if nothing was served that may cost something.
    pub(super) fn finish(
        &self,
        call: &Call,
        trail: &mut Trail,
        asked: &Asked,
        ending: Ending<'_>,
    ) -> Option<Cost> {
        let shop = &self.edge.shop;
        if ending.status == CLIENT_GONE {
            shop.metrics.count(Counter::ClientDisconnect);
        }
        let attempt = trail.open.take();
        // One that failed has been ended: this one has brought a reply, or its client did not wait for it.
        let reached = attempt.as_ref().is_some_and(Attempt::is_sent);
        // Where nothing was said of usage, what was counted stands in for it.
        let counted = counted(call.input_tokens, ending.output_estimate);
        let told = ending.usage.as_ref();
        let usage = ending.usage.or(reached.then_some(counted));
        let cost = usage.and(attempt.as_ref()).filter(|_| !call.operation.counts());
        let cost = cost.map(|attempt| attempt.tariff().cost(told, &counted, &ending.served));
        let cost = cost.map(|cost| if ending.is_cut { cost.estimated() } else { cost });
        if let Some(attempt) = attempt {
            end(attempt, &ending, usage, cost);
        }
        let usage = usage.unwrap_or_default();
        // Attempts before this one may have been charged too.
        let charged = cost.map_or(0, |cost| cost.nano_dollars).saturating_add(trail.lost);
        let truth = Truth {
            input: usage.input,
            output: usage.output,
            bytes: (call.body.len() as u64).saturating_add(ending.bytes),
            cost: charged,
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
        let labels = ticket.labels(trail.deployment, status);
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

    /// Notes a request that was refused before there was anything to settle. `model` is the client's word.
    pub(super) fn record_refusal(
        &self,
        operation: Operation,
        key: Option<&Key>,
        model: Option<&str>,
        error: &Error,
        asked: &Asked,
    ) {
        let (shop, endpoint) = (&self.edge.shop, operation.name());
        if let Some(key) = key {
            let (request, tags) = (&*asked.request_id, &asked.tags);
            shop.note_refusal(&Refusal { key, tags, request, endpoint, model }, error);
        }
        let labels = Labels {
            endpoint,
            model: "",
            provider: "",
            deployment: "",
            key: key.map_or("", |key| &key.alias),
            status: error.class.row().status,
        };
        let sample = Sample { total_ns: nanoseconds(asked.started.elapsed()), ..Sample::default() };
        shop.metrics.record(&labels, &sample);
    }
}

/// Ends the attempt that answered its call, or that its client did not wait for.
fn end(attempt: Attempt, ending: &Ending<'_>, usage: Option<Usage>, cost: Option<Cost>) {
    let &Ending { status, served, upstream_id, reported, .. } = ending;
    let how = ending.how();
    match usage {
        Some(usage) => {
            let cost = cost.unwrap_or(Cost::UNPRICED);
            let end = Settlement { status, how, usage, cost, served, upstream_id, reported };
            attempt.settle(&end);
        }
        None if how == How::ClientGone => attempt.void(Why::ClientGone, None),
        None => attempt.void(Why::NotSent, None),
    }
}

/// What was served beside tokens, as far as its deployment has a price for that.
pub(super) fn measure(call: &Call, trail: &Trail, reply: Option<&[u8]>) -> Served {
    let deployment = trail.deployment.and_then(|index| call.plan.deployments.get(index));
    let list = deployment.and_then(|deployment| deployment.price.as_ref());
    let wanted = list.filter(|list| list.has_units());
    wanted.map_or_else(Served::default, |_| Served::of(call.operation, &call.body, reply))
}

/// What an upstream calls a reply: AWS, Azure, Anthropic and OpenAI have a header each.
pub(super) fn upstream_id(headers: &Headers) -> Option<&str> {
    let names = ["x-amzn-requestid", "apim-request-id", "request-id", "x-request-id"];
    names.iter().find_map(|name| headers.text(name))
}

/// The model that a reply names.
pub(super) fn reported(reply: &[u8]) -> Option<&str> {
    let mut named = [&b"\"model\""[..], b"\"modelVersion\""].into_iter();
    let word = named.find_map(|key| sse::words_of(reply, key).next())?;
    std::str::from_utf8(word).ok().filter(|word| !word.is_empty())
}
