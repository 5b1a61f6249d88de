//! Attempts in the ledger: begun before each send, and ended here if they failed.

use super::Trail;
use super::failure::{Bill, Failure};
use crate::error::Class;
use crate::gate::Shop;
use crate::ledger::{Attempt, How, Settlement, Why, counted};
use crate::price::Served;
use crate::translate::Chat;

impl Trail {
    /// Writes down that the call is about to be sent to a deployment.
    pub(super) fn begin(
        &mut self,
        shop: &Shop,
        chat: &Chat<'_>,
        to: usize,
    ) -> Result<&Attempt, Failure> {
        let attempt = shop.book(chat.call, to, self.attempts + 1, chat.request_id)?;
        self.attempts += 1;
        Ok(self.open.insert(attempt))
    }

    /// Ends an attempt that failed. What the client did is not told here: its call goes no further, and the
    /// end of the call is the attempt's.
    pub(super) fn end_failed(&mut self, shop: &Shop, chat: &Chat<'_>, failure: &Failure) {
        if failure.is_clients {
            return;
        }
        let Some(attempt) = self.open.take() else { return };
        let call = chat.call;
        let (how, told, output) = match &failure.bill {
            Bill::Refused => return attempt.void(Why::Refused, failure.status),
            _ if !attempt.is_sent() => return attempt.void(unsent(failure.class), None),
            Bill::Failed => return attempt.void(Why::Failed, failure.status),
            Bill::Told(usage) => (How::Whole, Some(**usage), 0),
            Bill::Perhaps { told, output } => {
                (How::Cut, told.as_deref().copied(), u64::from(*output))
            }
        };
        let counted = counted(call.input_tokens, output);
        let cost = attempt.tariff().cost(told.as_ref(), &counted, &Served::default());
        let cost = if how == How::Cut { cost.estimated() } else { cost };
        let usage = told.unwrap_or(counted);
        let status = failure.status.unwrap_or(failure.class.row().status);
        if !call.operation.counts() {
            shop.metrics.charge(&call.labels(self.deployment, status), &usage, cost);
            self.lost = self.lost.saturating_add(cost.nano_dollars);
        }
        let served = Served::default();
        let (upstream_id, reported) = (None, None);
        attempt.settle(&Settlement { status, how, usage, cost, served, upstream_id, reported });
    }
}

/// Why an attempt stayed here.
fn unsent(class: Class) -> Why {
    match class {
        Class::UpstreamUnreachable => Why::Unreachable,
        _ => Why::NotSent,
    }
}
