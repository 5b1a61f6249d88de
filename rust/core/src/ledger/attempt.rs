//! One attempt between its reserve and its end.

use super::book::{Book, now, shortened};
use super::id::Id;
use super::record::{How, Record, Settle, Void, Why, tier};
use super::{Tariff, counted};
use crate::error::Class;
use crate::price::{Cost, Served};
use crate::usage::Usage;
use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A send that is written down. It ends by [`Attempt::settle`] or [`Attempt::void`], or, if it is dropped,
/// by what has been noted of it.
pub struct Attempt {
    /// Where its end is written, and under which id; none if its reserve was not, or once it has ended.
    open: Option<(Arc<Book>, Id)>,
    tariff: Tariff,
    /// Input tokens, counted.
    input: u64,
    began: Instant,
    sent: Cell<bool>,
    seen: Cell<Seen>,
}

/// What has been noted of an attempt under way.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    /// What its upstream has told last.
    told: Option<Usage>,
    /// Output tokens or events that have come.
    output: u64,
    /// What has been charged for it, where that is told piece by piece.
    charged: Option<Cost>,
    first: Option<Duration>,
}

/// How an attempt ended.
pub struct Settlement<'a> {
    /// The status that the client got.
    pub status: u16,
    /// How its reply ended.
    pub how: How,
    /// What was used.
    pub usage: Usage,
    /// What it cost.
    pub cost: Cost,
    /// What was served beside tokens.
    pub served: Served,
    /// The upstream's own id of it.
    pub upstream_id: Option<&'a str>,
    /// The model that the reply names.
    pub reported: Option<&'a str>,
}

impl Attempt {
    /// One whose reserve is in the journal, or one of which nothing is written.
    pub(super) fn new(open: Option<(Arc<Book>, Id)>, tariff: Tariff, input: u64) -> Self {
        let (began, sent, seen) = (Instant::now(), Cell::default(), Cell::default());
        Attempt { open, tariff, input, began, sent, seen }
    }

    /// Its prices.
    #[must_use]
    pub fn tariff(&self) -> &Tariff {
        &self.tariff
    }

    /// To be set when all of the request has been handed over: from then on it may cost something.
    #[must_use]
    pub fn sent(&self) -> &Cell<bool> {
        &self.sent
    }

    /// Whether it may have cost something.
    #[must_use]
    pub fn is_sent(&self) -> bool {
        self.sent.get()
    }

    /// Notes that its reply has begun.
    pub fn note_first(&self) {
        let first = Some(self.began.elapsed());
        self.seen.set(Seen { first, ..self.seen.get() });
    }

    /// Notes what a reply under way has told, and the output that has come.
    pub fn note(&self, told: Option<Usage>, output: u64) {
        self.seen.set(Seen { told, output, ..self.seen.get() });
    }

    /// Notes what one of several replies was charged.
    pub fn charge(&self, usage: &Usage, cost: Cost) {
        let seen = self.seen.get();
        let told = seen.told.map_or(*usage, |told| told.plus(*usage));
        let charged = seen.charged.map_or(cost, |charged| charged.plus(cost));
        self.seen.set(Seen { told: Some(told), charged: Some(charged), ..seen });
    }

    /// What has been used and charged, as far as it was noted.
    #[must_use]
    pub fn so_far(&self) -> (Usage, Cost) {
        let Seen { mut told, output, charged, .. } = self.seen.get();
        if let (None, Some(told)) = (charged, &mut told) {
            // It may be from before the output that has come since.
            told.output = told.output.max(output);
        }
        let counted = counted(self.input, output);
        let cost = || self.tariff.cost(told.as_ref(), &counted, &Served::default());
        (told.unwrap_or(counted), charged.unwrap_or_else(cost))
    }

    /// Ends it by what it cost.
    pub fn settle(mut self, end: &Settlement<'_>) {
        self.close_by(end);
    }

    /// Ends it as one for which nothing was charged.
    pub fn void(mut self, why: Why, status: Option<u16>) {
        if let Some((book, id)) = self.open.take() {
            book.end(&Record::Void(&Void { id, at: now(), status, why }));
        }
    }

    fn close_by(&mut self, end: &Settlement<'_>) {
        let Some((book, id)) = self.open.take() else { return };
        let Settlement { status, how, usage, cost, served, upstream_id, reported } = *end;
        book.end(&Record::Settle(&Settle {
            id,
            at: now(),
            status,
            how,
            cost: cost.nano_dollars,
            price: cost.status.name(),
            source: self.tariff.source(cost.status),
            usage,
            served,
            tier: tier(usage.service),
            upstream_id: upstream_id.map(shortened),
            reported: reported.map(shortened),
            ms: milliseconds(self.began.elapsed()),
            first_ms: self.seen.get().first.map(milliseconds),
        }));
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if self.open.is_none() {
            return;
        }
        if !self.is_sent() {
            if let Some((book, id)) = self.open.take() {
                let why = Why::NotSent;
                book.end(&Record::Void(&Void { id, at: now(), status: None, why }));
            }
            return;
        }
        let (usage, cost) = self.so_far();
        self.close_by(&Settlement {
            status: Class::Draining.row().status,
            how: How::Cut,
            usage,
            cost: cost.estimated(),
            served: Served::default(),
            upstream_id: None,
            reported: None,
        });
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
