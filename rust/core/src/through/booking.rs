//! Raw requests in the ledger: what makes something anew may cost something, whether or not it is known
//! what that is.

use super::naming;
use super::target::Target;
use super::visit::Visit;
use crate::error::Result;
use crate::gate::Shop;
use crate::json;
use crate::ledger::{Asked, Attempt, How, Settlement, Tariff, Why, shortened, unwritten};
use crate::plan::Key;
use crate::plan::endpoints::PASS_THROUGH;
use crate::price::{Cost, Served};
use crate::session::CLIENT_GONE;
use crate::usage::Usage;

impl Visit {
    /// Writes down that the request is about to be sent, if it may cost something. `body` is JSON that is at
    /// hand, if some is.
    ///
    /// # Errors
    /// `LedgerFull`: it must not be sent.
    pub(super) fn book(
        &mut self,
        shop: &Shop,
        key: &Key,
        target: &Target,
        body: Option<&[u8]>,
        request: &str,
    ) -> Result<()> {
        let model = the_model(target, body);
        let priced = model.as_ref().and_then(|model| self.plan.priced_at(self.deployment(), model));
        let tariff = Tariff::raw(self.plan.clone(), priced, self.operation);
        let costs = self.makes && !self.operation.is_some_and(|operation| operation.counts());
        if !costs || !shop.ledger.is_open() {
            self.attempt = Some(unwritten(tariff, self.input_tokens));
            return Ok(());
        }
        let (deployment, input) = (self.deployment(), self.input_tokens);
        let output = tariff.most_output(self.allowed.said());
        let model = model.unwrap_or_default();
        let streams = body.and_then(|body| Some(&body[json::find_member(body, "stream")?.value]));
        let asked = Asked {
            request,
            attempt: 1,
            who: key.identity(&self.caller.tags),
            end_user: None,
            endpoint: PASS_THROUGH,
            group: &self.door().name,
            model: shortened(&model),
            deployment: &deployment.id,
            provider: &deployment.provider,
            routed: shortened(&model),
            input,
            output,
            stream: streams == Some(b"true"),
        };
        let held = tariff.ceiling(input, output, &Served::default());
        self.attempt = Some(shop.reserve_money(&asked, tariff, held, &self.held)?);
        Ok(())
    }

    /// Ends the attempt, by what was used if anything was.
    pub(super) fn end(&self, attempt: Attempt, status: u16, usage: Option<Usage>, cost: Cost) {
        let how = match (status, self.is_broken, self.first_byte) {
            (CLIENT_GONE, ..) => How::ClientGone,
            (_, true, _) | (.., None) => How::Cut,
            _ if self.is_stream => How::Stream,
            _ => How::Whole,
        };
        match usage {
            Some(usage) => {
                let cost =
                    if matches!(how, How::Whole | How::Stream) { cost } else { cost.estimated() };
                let (served, upstream_id, reported) = (Served::default(), None, None);
                let end = Settlement { status, how, usage, cost, served, upstream_id, reported };
                attempt.settle(&end);
            }
            None if self.replied.is_some() => attempt.void(Why::Refused, self.replied),
            None if how == How::ClientGone => attempt.void(Why::ClientGone, None),
            None if self.is_unreachable => attempt.void(Why::Unreachable, None),
            None => attempt.void(Why::NotSent, None),
        }
    }
}

/// The one model that a request names.
fn the_model(target: &Target, body: Option<&[u8]>) -> Option<String> {
    let mut named = target.models.clone();
    named.extend(body.map(naming::models_in).unwrap_or_default());
    named.dedup();
    named.pop().filter(|_| named.is_empty())
}
