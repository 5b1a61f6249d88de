//! Taking all that is on a bill, or nothing.
//!
//! It is looked first whether all of it could be taken, so that requests which are refused take nothing, not
//! even for a moment in which they would stand in others' way. What comes between the look and the taking is
//! given back.

use super::bill::{Bill, Rate, Share};
use super::held::{Held, Portion};
use super::{Action, words};
use crate::budget::{Budgets, unix_us};
use crate::error::{Error, Result};
use crate::limiter::{Decision, Limiter, Take, monotonic_ns};
use crate::places::Places;
use crate::shm::Shared;
use crate::snapshot::LimitOf;
use std::sync::Arc;

/// What a machine counts.
#[derive(Clone)]
pub struct Counters {
    /// Rates.
    pub limiter: Limiter,
    /// Requests in hand.
    pub places: Places,
    /// Money.
    pub budgets: Budgets,
}

/// A refusal, and what refused.
#[derive(Debug)]
pub struct Refused {
    /// For the client.
    pub error: Error,
    /// The kind of the limit; none of a budget.
    pub of: Option<LimitOf>,
}

impl Counters {
    /// What is counted in `shared`, as `worker` counts it, the index of this process among its like.
    #[must_use]
    pub fn new(shared: Arc<Shared>, worker: usize) -> Self {
        Counters {
            limiter: Limiter::new(shared.clone()),
            places: Places::new(shared.clone(), worker),
            budgets: Budgets::new(shared),
        }
    }

    /// How the tightest limits on a bill stand: of requests, and of tokens.
    #[must_use]
    pub fn states(&self, bill: &Bill<'_>) -> [Option<Decision>; 2] {
        let now = monotonic_ns();
        let peek = |rate: &Rate| self.limiter.peek(rate.id, &rate.limit, now);
        let all: Vec<Decision> = bill.rates.iter().map(peek).collect();
        shown(&bill.rates, &all)
    }

    /// Takes all that is on the bill.
    ///
    /// # Errors
    /// The first limit or budget that refuses; nothing is taken then.
    pub fn reserve(&self, mut bill: Bill<'_>) -> Result<Held, Refused> {
        if bill.rates.is_empty() && bill.places.is_empty() && bill.shares.is_empty() {
            return Ok(Held::default());
        }
        let (now, now_us) = (monotonic_ns(), unix_us());
        bill.throttle(|share| self.committed(share, now_us));
        // With one counter to ask there is nothing that could have to be given back.
        if bill.rates.len() + bill.places.len() + bill.shares.len() > 1 {
            self.look(&bill, now, now_us)?;
        }
        let places = self.take_places(&bill.places)?;
        let taken = self.take_rates(&bill.rates, now).and_then(|decisions| {
            let shown = shown(&bill.rates, &decisions);
            let portions = self.take_shares(std::mem::take(&mut bill.shares), &bill, now_us);
            portions
                .map(|portions| (portions, shown))
                .inspect_err(|_| self.give_back(&bill.rates, now))
        });
        match taken {
            Ok((portions, shown)) => {
                Ok(Held::new(bill.rates, places, &self.places, portions, shown))
            }
            Err(refused) => {
                places.iter().for_each(|id| self.places.free(*id));
                Err(refused)
            }
        }
    }

    /// Whether all of a bill could be taken at this moment, places apart.
    ///
    /// # Errors
    /// The first limit or budget that would refuse.
    pub fn foresee(&self, bill: &Bill<'_>) -> Result<(), Refused> {
        self.look(bill, monotonic_ns(), unix_us())
    }

    /// Whether what was taken before is still within all of its limits and budgets: for a session that goes
    /// on.
    ///
    /// # Errors
    /// `RateLimited` or `BudgetExceeded`.
    pub fn check(&self, held: &Held) -> Result<(), Refused> {
        let (now, now_us) = (monotonic_ns(), unix_us());
        held.check(
            |rate| {
                // Whether there is a request left is not asked again.
                let asks = rate.of != LimitOf::Requests;
                let state = asks.then(|| self.limiter.peek(rate.id, &rate.limit, now));
                match state.filter(|state| !state.allowed) {
                    Some(state) => Err(of_rate(rate, words::in_debt(rate, &state))),
                    None => Ok(()),
                }
            },
            |share| {
                let most = share.budget.most();
                let is_spent = most.is_some_and(|most| self.committed(share, now_us) >= most);
                if is_spent { Err(of_share(share, now_us)) } else { Ok(()) }
            },
        )
    }

    /// The model group that a budget wants to be asked instead, if one does.
    #[must_use]
    pub fn downgrade<'b>(&self, bill: &'b Bill<'_>) -> Option<&'b str> {
        let now_us = unix_us();
        let hold = bill.demand.hold.unwrap_or(0);
        bill.shares.iter().find_map(|share| {
            let Action::Downgrade(group) = &share.budget.action else { return None };
            let committed = self.committed(share, now_us);
            let is_time = committed >= share.budget.acts_from()
                || committed.saturating_add(hold) > share.budget.amount;
            is_time.then_some(&**group)
        })
    }

    fn committed(&self, share: &Share, now_us: u64) -> u64 {
        self.budgets.committed(share.slot, share.budget.window, now_us)
    }

    /// Whether all of it could be taken at this moment, places apart.
    fn look(&self, bill: &Bill<'_>, now: u64, now_us: u64) -> Result<(), Refused> {
        for rate in &bill.rates {
            let decision = self.limiter.foresee(rate.take(), now);
            if !decision.allowed {
                return Err(of_rate(rate, words::limited(rate, &decision)));
            }
        }
        let hold = bill.demand.hold.unwrap_or(0);
        for share in &bill.shares {
            let covers = |most| self.committed(share, now_us).saturating_add(hold) <= most;
            if !share.budget.most().is_none_or(covers) {
                return Err(of_share(share, now_us));
            }
        }
        Ok(())
    }

    fn take_places(&self, wanted: &[Rate]) -> Result<Vec<u128>, Refused> {
        let mut taken = Vec::with_capacity(wanted.len());
        for place in wanted {
            if self.places.take(place.id, place.limit.amount).is_err() {
                taken.iter().for_each(|id| self.places.free(*id));
                return Err(of_rate(place, words::crowded(place)));
            }
            taken.push(place.id);
        }
        Ok(taken)
    }

    fn take_rates(&self, rates: &[Rate], now: u64) -> Result<Vec<Decision>, Refused> {
        let takes: Vec<Take> = rates.iter().map(Rate::take).collect();
        self.limiter.acquire_all(&takes, now).map_err(|denied| {
            let rate = &rates[denied.index];
            of_rate(rate, words::limited(rate, &denied.decision))
        })
    }

    fn take_shares(
        &self,
        shares: Vec<Share>,
        bill: &Bill<'_>,
        now_us: u64,
    ) -> Result<Vec<Portion>, Refused> {
        let nano = bill.demand.hold.unwrap_or(0);
        let mut portions: Vec<Portion> = Vec::with_capacity(shares.len());
        for share in shares {
            let (window, most) = (share.budget.window, share.budget.most());
            match self.budgets.take(share.slot, window, nano, most, now_us) {
                Ok(window) => portions.push(Portion { share, window, nano }),
                // What refuses nothing does not refuse for want of room either.
                Err(_) if most.is_none() => {}
                Err(_) => {
                    for Portion { share, window, nano } in &portions {
                        let back = i64::try_from(*nano).unwrap_or(i64::MAX);
                        self.budgets.shift(share.slot, *window, -back);
                    }
                    return Err(of_share(&share, now_us));
                }
            }
        }
        Ok(portions)
    }

    fn give_back(&self, rates: &[Rate], now: u64) {
        for rate in rates {
            let back = i64::try_from(rate.cost).unwrap_or(i64::MAX);
            self.limiter.settle(rate.id, -back, &rate.limit, now);
        }
    }
}

/// The state of the tightest limits of requests and of tokens, for the client to see.
fn shown(rates: &[Rate], decisions: &[Decision]) -> [Option<Decision>; 2] {
    [LimitOf::Requests, LimitOf::Tokens].map(|of| {
        let all = rates.iter().zip(decisions).filter(|(rate, _)| rate.of == of);
        all.map(|(_, decision)| *decision).min_by_key(|one| (one.remaining, one.limit))
    })
}

fn of_rate(rate: &Rate, error: Error) -> Refused {
    Refused { error, of: Some(rate.of) }
}

fn of_share(share: &Share, now_us: u64) -> Refused {
    Refused { error: words::exceeded(share, now_us), of: None }
}
