//! What the ledger gets to know of a request: each of its attempts before it is sent, and what became of it
//! where there was none.

use super::Shop;
use crate::call::{Call, Ticket};
use crate::caller::Tags;
use crate::error::{Class, Error, Result};
use crate::journal::Refused;
use crate::ledger::{self, Asked, Attempt, News, Tariff, What, shortened, unwritten};
use crate::limits::Held;
use crate::metrics::Counter;
use crate::plan::Key;
use crate::price::Served;
use std::borrow::Cow;

/// A request that was refused, as far as it is known what it was.
#[derive(Clone, Copy)]
pub struct Refusal<'a> {
    /// Whose it is.
    pub key: &'a Key,
    /// What it is to be filed under.
    pub tags: &'a Tags,
    /// Its id.
    pub request: &'a str,
    /// The endpoint's name.
    pub endpoint: &'a str,
    /// The client's word for the model.
    pub model: Option<&'a str>,
}

impl Shop {
    /// Writes down an attempt of a call at a deployment that is about to be sent.
    ///
    /// # Errors
    /// `LedgerFull`: it must not be sent.
    pub fn book(&self, call: &Call, to: usize, attempt: u32, request: &str) -> Result<Attempt> {
        let tariff = Tariff::of(call.plan.clone(), to, call.operation);
        if call.operation.counts() || !self.ledger.is_open() {
            return Ok(unwritten(tariff, call.input_tokens));
        }
        let deployment = &call.plan.deployments[to];
        let (input, output) = (call.input_tokens, tariff.most_output(call.allowed.said()));
        let routed = deployment.routed_model(&call.matched);
        let asked = Asked {
            request,
            attempt,
            who: call.key.identity(&call.caller.tags),
            end_user: call.end_user().map(Cow::Owned),
            endpoint: call.operation.name(),
            group: call.model_label(),
            model: shortened(&call.asked),
            deployment: &deployment.id,
            provider: &deployment.provider,
            routed: shortened(&routed),
            input,
            output,
            stream: call.streams(),
        };
        let most = Served::of(call.operation, &call.body, None);
        let held = tariff.ceiling(input, output, &most);
        self.reserve_money(&asked, tariff, held, &call.held)
    }

    /// Writes down what is about to be sent and may cost that much.
    ///
    /// # Errors
    /// `LedgerFull`: it must not be sent.
    pub fn reserve_money(
        &self,
        asked: &Asked<'_>,
        tariff: Tariff,
        held: u64,
        holds: &Held,
    ) -> Result<Attempt> {
        self.ledger.reserve(asked, tariff, held, &holds.holds()).map_err(|refused| {
            self.metrics.count(Counter::LedgerRefused);
            let message = format!(
                "The gateway cannot write down what the request costs, so it was not sent: {refused}."
            );
            Error::new(Class::LedgerFull, message)
        })
    }

    /// Writes down a request that was answered from the cache.
    pub fn note_hit(&self, ticket: &Ticket, request: &str, status: u16, saved: u64) {
        self.note_call(&ledger::Call {
            request,
            who: ticket.key.identity(&ticket.caller.tags),
            endpoint: ticket.operation.name(),
            group: Some(ticket.model_label()),
            model: None,
            what: What::Hit,
            status,
            class: None,
            saved: Some(saved),
        });
    }

    /// Writes down a request that its key, a limit or a guardrail stopped; of other mistakes nothing is kept.
    pub fn note_refusal(&self, refusal: &Refusal<'_>, error: &Error) {
        let Some(what) = what(error.class) else { return };
        let (row, Refusal { key, tags, request, endpoint, model }) = (error.class.row(), *refusal);
        self.note_call(&ledger::Call {
            request,
            who: key.identity(tags),
            endpoint,
            group: None,
            model: model.map(shortened),
            what,
            status: row.status,
            class: Some(row.name),
            saved: None,
        });
    }

    /// Sees to what the ledger had no room for, and tells operators how it is: to be called now and then.
    pub fn look_at_ledger(&self) {
        let Some(News { health, records, turned }) = self.ledger.look() else { return };
        self.metrics.count_n(Counter::LedgerRecords, records);
        self.metrics.set_ledger(health.waiting, health.trouble.is_some());
        match health.trouble {
            Some(trouble) if turned => {
                let fields = [("reason", &*trouble.reason)];
                self.log.warn("the disk does not take the ledger", &fields);
            }
            None if turned => self.log.warn("the disk takes the ledger again", &[]),
            _ => {}
        }
    }

    fn note_call(&self, call: &ledger::Call<'_>) {
        match self.ledger.call(call) {
            Ok(()) | Err(Refused::Closed) => {}
            // It cost nothing: where there is no room, what did goes first.
            Err(_) => self.metrics.count(Counter::LedgerRefused),
        }
    }
}

/// What became of a request that was refused for that, if the ledger is to know.
fn what(class: Class) -> Option<What> {
    match class {
        Class::GuardrailBlocked => Some(What::Blocked),
        Class::RateLimited => Some(What::Limited),
        Class::BudgetExceeded => Some(What::OverBudget),
        Class::PermissionDenied | Class::NotPriced => Some(What::Denied),
        _ => None,
    }
}
