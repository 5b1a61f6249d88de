//! What one request would take, of all that its limits and budgets count.

use super::charges::{Budget, Charges, Limited, owner_hash};
use super::{Action, Whose};
use crate::limiter::{Limit, Take};
use crate::plan::Pattern;
use crate::snapshot::{LimitOf, Period};
use std::sync::Arc;

/// What a request asks for, as far as it can be told beforehand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Demand {
    /// Tokens of input, counted.
    pub input: u64,
    /// Tokens of output that the client allows; 0 if it does not say.
    pub output: u64,
    /// Bytes of the request's body.
    pub bytes: u64,
    /// The most that it can cost, in nano-dollars; none if it costs nothing, whatever comes of it.
    pub hold: Option<u64>,
}

/// What a request turned out to have used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Truth {
    /// Tokens of input.
    pub input: u64,
    /// Tokens of output.
    pub output: u64,
    /// Bytes of both bodies.
    pub bytes: u64,
    /// Nano-dollars.
    pub cost: u64,
}

impl Truth {
    /// How much of it a limit counts; none of what is known before and stays as it is.
    pub(super) fn of(&self, what: LimitOf) -> Option<u64> {
        match what {
            LimitOf::Requests | LimitOf::Concurrent => None,
            LimitOf::Tokens => Some(self.input.saturating_add(self.output)),
            LimitOf::InputTokens => Some(self.input),
            LimitOf::OutputTokens => Some(self.output),
            LimitOf::Bytes => Some(self.bytes),
            LimitOf::Cost => Some(self.cost),
        }
    }
}

impl Demand {
    fn of(&self, what: LimitOf, limit: &Limit) -> u64 {
        match what {
            LimitOf::Requests | LimitOf::Concurrent => 1,
            LimitOf::Tokens => self.input.saturating_add(self.output),
            LimitOf::InputTokens => self.input,
            LimitOf::OutputTokens => self.output,
            LimitOf::Bytes => self.bytes,
            // The most that it can cost is far above what it will: it has to wait for a full bucket then, but
            // not for ever.
            LimitOf::Cost => self.hold.unwrap_or(0).min(limit.burst),
        }
    }
}

/// Units of a limit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rate {
    pub(super) id: u128,
    pub(super) of: LimitOf,
    pub(super) per: Option<Period>,
    pub(super) limit: Limit,
    pub(super) cost: u64,
    pub(super) whose: Whose,
}

impl Rate {
    pub(super) fn take(&self) -> Take {
        Take { id: self.id, cost: self.cost, limit: self.limit }
    }
}

/// Money of a budget.
#[derive(Debug)]
pub(super) struct Share {
    pub(super) slot: u64,
    pub(super) budget: Arc<Budget>,
    pub(super) whose: Whose,
    pub(super) owner: Box<str>,
    pub(super) owner_hash: u128,
}

/// All that one request would take.
#[derive(Debug)]
pub struct Bill<'m> {
    /// The model group asked for; empty if none is.
    group: &'m str,
    pub(super) demand: Demand,
    pub(super) rates: Vec<Rate>,
    /// Limits of what is in hand at once, one place each.
    pub(super) places: Vec<Rate>,
    pub(super) shares: Vec<Share>,
}

impl<'m> Bill<'m> {
    /// A bill for a request at this group, with nothing on it yet.
    #[must_use]
    pub fn new(group: &'m str, demand: Demand) -> Self {
        Bill { group, demand, rates: Vec::new(), places: Vec::new(), shares: Vec::new() }
    }

    /// Puts on it what the rules of an owner charge.
    pub fn add(&mut self, charges: &Charges, whose: Whose, owner: &str) {
        if charges.is_empty() {
            return;
        }
        let hash = owner_hash(owner);
        charges.limits.iter().for_each(|one| self.add_limit(one, whose, hash));
        if self.demand.hold.is_none() {
            return;
        }
        for budget in &charges.budgets {
            if counts(&budget.models, self.group) {
                self.shares.push(Share {
                    slot: budget.slot(hash),
                    budget: budget.clone(),
                    whose,
                    owner: owner.into(),
                    owner_hash: hash,
                });
            }
        }
    }

    /// Puts a limit on it, if it is one for requests like this.
    pub(super) fn add_limit(&mut self, one: &Limited, whose: Whose, owner: u128) {
        if !counts(&one.models, self.group) {
            return;
        }
        let Limited { of, limit, per, .. } = *one;
        let cost = self.demand.of(of, &limit);
        let rate = Rate { id: one.id(owner), of, per, limit, cost, whose };
        if of == LimitOf::Concurrent { self.places.push(rate) } else { self.rates.push(rate) }
    }

    /// Adds the limits of budgets that throttle, where `committed` says that it is time.
    pub(super) fn throttle(&mut self, committed: impl Fn(&Share) -> u64) {
        let throttles = |share: &&Share| matches!(share.budget.action, Action::Throttle(_));
        let acts = |share: &&Share| committed(share) >= share.budget.acts_from();
        let due = |share: &Share| (share.budget.clone(), share.whose, share.owner_hash);
        let all = self.shares.iter().filter(throttles).filter(acts).map(due).collect::<Vec<_>>();
        for (budget, whose, owner) in all {
            if let Action::Throttle(limit) = &budget.action {
                self.add_limit(limit, whose, owner);
            }
        }
    }
}

/// Whether a rule for these models is one for this group.
fn counts(models: &Option<Pattern>, group: &str) -> bool {
    models.as_ref().is_none_or(|models| models.matches(group))
}
