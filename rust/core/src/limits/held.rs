//! What a request has taken, until the truth is known.

use super::Counters;
use super::bill::{Rate, Share, Truth};
use super::telling::{self, Passed};
use crate::budget::unix_us;
use crate::ledger::Hold;
use crate::limiter::{Decision, monotonic_ns};
use crate::places::Places;
use std::cell::{Cell, RefCell};

/// What a request has taken of its limits and budgets.
///
/// Its places are given back when it is settled, or dropped. Whatever else was taken stays taken if nobody
/// says what became of the request: then all that it may have used counts as used.
#[derive(Default)]
pub struct Held {
    inner: RefCell<Inner>,
    /// Bytes that passed and that its truth does not tell of.
    passed: Cell<u64>,
    shown: [Option<Decision>; 2],
}

#[derive(Default)]
struct Inner {
    rates: Vec<(Rate, u64)>,
    places: Vec<u128>,
    keeper: Option<Places>,
    shares: Vec<Portion>,
}

/// Money of a budget that is held.
pub(super) struct Portion {
    pub(super) share: Share,
    pub(super) window: u64,
    pub(super) nano: u64,
}

impl Held {
    pub(super) fn new(
        rates: Vec<Rate>,
        places: Vec<u128>,
        keeper: &Places,
        shares: Vec<Portion>,
        shown: [Option<Decision>; 2],
    ) -> Self {
        let keeper = (!places.is_empty()).then(|| keeper.clone());
        let rates = rates.into_iter().map(|rate| (rate, rate.cost)).collect();
        let inner = RefCell::new(Inner { rates, places, keeper, shares });
        Held { inner, passed: Cell::new(0), shown }
    }

    /// How the tightest limits stood when it was taken: of requests, and of tokens.
    #[must_use]
    pub fn shown(&self) -> [Option<Decision>; 2] {
        self.shown
    }

    /// Whether there are limits to tell the client of.
    #[must_use]
    pub fn is_limited(&self) -> bool {
        self.shown.iter().any(Option::is_some)
    }

    /// What is held of budgets.
    #[must_use]
    pub fn holds(&self) -> Vec<Hold> {
        let inner = self.inner.borrow();
        let hold =
            |one: &Portion| Hold { slot: one.share.slot, window: one.window, nano: one.nano };
        inner.shares.iter().map(hold).collect()
    }

    /// Notes bytes that passed, to be counted with those of the truth.
    pub fn note_bytes(&self, bytes: u64) {
        self.passed.set(self.passed.get().saturating_add(bytes));
    }

    /// Keeps a place with the others, until they are given back.
    pub fn keep_place(&self, keeper: &Places, id: u128) {
        let mut inner = self.inner.borrow_mut();
        inner.keeper.get_or_insert_with(|| keeper.clone());
        inner.places.push(id);
    }

    /// Gives one place back before the others.
    pub fn free_place(&self, id: u128) {
        let mut inner = self.inner.borrow_mut();
        let found = inner.places.iter().position(|one| *one == id);
        if let (Some(at), Some(keeper)) = (found, &inner.keeper) {
            keeper.free(id);
            inner.places.swap_remove(at);
        }
    }

    /// Corrects what was taken to what was used, and gives the places back. May be done again when more is
    /// known. Returns the thresholds that this caller is to tell of.
    #[must_use]
    pub fn settle(&self, counters: &Counters, truth: &Truth) -> Vec<Passed> {
        let (mut inner, now) = (self.inner.borrow_mut(), monotonic_ns());
        let truth = Truth { bytes: truth.bytes.saturating_add(self.passed.get()), ..*truth };
        inner.free();
        for (rate, taken) in &mut inner.rates {
            if let Some(used) = truth.of(rate.of) {
                counters.limiter.settle(rate.id, difference(used, *taken), &rate.limit, now);
                *taken = used;
            }
        }
        let mut passed = Vec::new();
        for Portion { share, window, nano } in &mut inner.shares {
            let delta = difference(truth.cost, *nano);
            *nano = truth.cost;
            if let Some(committed) = counters.budgets.shift(share.slot, *window, delta) {
                telling::passed(&counters.budgets, share, committed, &mut passed);
            }
        }
        passed
    }

    /// Takes more, whatever is left: what a session uses that goes on. Returns as [`Held::settle`].
    #[must_use]
    pub fn charge(&self, counters: &Counters, more: &Truth) -> Vec<Passed> {
        let (inner, now, now_us) = (self.inner.borrow(), monotonic_ns(), unix_us());
        for (rate, _) in &inner.rates {
            if let Some(used) = more.of(rate.of) {
                counters.limiter.settle(rate.id, difference(used, 0), &rate.limit, now);
            }
        }
        let mut passed = Vec::new();
        for Portion { share, .. } in &inner.shares {
            let (slot, window) = (share.slot, share.budget.window);
            counters.budgets.charge(slot, window, more.cost, now_us);
            let committed = counters.budgets.committed(slot, window, now_us);
            telling::passed(&counters.budgets, share, committed, &mut passed);
        }
        passed
    }

    /// Asks something of each of the limits and budgets that it was taken of.
    pub(super) fn check<E>(
        &self,
        mut rate: impl FnMut(&Rate) -> Result<(), E>,
        mut share: impl FnMut(&Share) -> Result<(), E>,
    ) -> Result<(), E> {
        let inner = self.inner.borrow();
        inner.rates.iter().try_for_each(|(one, _)| rate(one))?;
        inner.shares.iter().try_for_each(|one| share(&one.share))
    }
}

fn difference(used: u64, taken: u64) -> i64 {
    let signed = |units: u64| i64::try_from(units).unwrap_or(i64::MAX);
    signed(used) - signed(taken)
}

impl Inner {
    fn free(&mut self) {
        if let Some(keeper) = &self.keeper {
            self.places.drain(..).for_each(|id| keeper.free(id));
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.free();
    }
}
