//! Admission: who calls, which model, how large, whether the limits allow it, whether the answer is known.
//!
//! One function call per request and no I/O: everything it asks lies in this process's memory or in
//! the memory that all workers share.

mod booking;
mod certified;
mod entry;
mod form;
mod line;
mod paying;
mod realtime;
mod through;
mod token;

use crate::access::Route;
use crate::answers::{Answers, Known};
use crate::balancer::Balancer;
use crate::cache::Entry;
use crate::call::{Allowed, Call, Keep, Ticket, read_fields};
use crate::caller::Caller;
use crate::directory::Directory;
use crate::error::{Class, Error, Result};
use crate::json;
use crate::ledger::Ledger;
use crate::limits::{Asked, Counters, Held};
use crate::log::Log;
use crate::metrics::{Counter, Metrics};
use crate::pii::{Finding, Scanner};
use crate::plan::{Key, Plan, Resolved};
use crate::prompt::Prompt;
use crate::responses::previous::Past;
use crate::snapshot::PiiMode;
use crate::tokens::Memo;
use bytes::Bytes;
use std::sync::Arc;

pub use booking::Refusal;
pub use entry::{check_endpoint, check_region};
pub use form::FormArrival;
pub use paying::Payer;
pub use through::{Admitted, Bid, Body};
pub use token::Tokens;

/// Texts whose token counts are remembered per worker.
const MEMO_ENTRIES: usize = 16_384;

/// Where the configuration in force is kept: swapped whole, read without a lock.
pub type PlanSlot = arc_swap::ArcSwapOption<Plan>;

/// What all threads of a worker share.
pub struct Shop {
    /// The configuration in force.
    pub plan: PlanSlot,
    /// Keys that the store tells of, beside those of the configuration.
    pub directory: Directory,
    /// Tokens of issuers that were found genuine.
    pub tokens: Tokens,
    /// Limits and budgets of the machine.
    pub counters: Counters,
    /// Health of the deployments.
    pub balancer: Balancer,
    /// Counters and histograms of the machine.
    pub metrics: Metrics,
    /// What operators should hear of.
    pub log: Log,
    /// Where it is written down what everything costs.
    pub ledger: Ledger,
}

/// What one edge thread has to itself: scratch space and the cache.
pub struct Desk {
    prompt: Prompt,
    memo: Memo,
    scanner: Option<Scanner>,
    findings: Vec<Finding>,
    /// Replies that may be given again.
    pub answers: Answers,
    /// Chance for weights and backoff.
    pub rng: fastrand::Rng,
}

impl Desk {
    /// An empty desk.
    #[must_use]
    pub fn new() -> Self {
        Desk {
            prompt: Prompt::default(),
            memo: Memo::new(MEMO_ENTRIES),
            scanner: None,
            findings: Vec::new(),
            answers: Answers::default(),
            rng: fastrand::Rng::new(),
        }
    }
}

impl Default for Desk {
    fn default() -> Self {
        Self::new()
    }
}

/// What admission decided.
#[expect(
    clippy::large_enum_variant,
    reason = "a hit is the quickest case; a box would cost it an allocation"
)]
pub enum Admission {
    /// Go on to dispatch.
    Call(Box<Call>),
    /// The answer is known.
    Hit(Ticket, Entry),
}

/// A request on its way in.
pub struct Arrival {
    /// Who sends it.
    pub caller: Caller,
    /// What its path asks for.
    pub route: Route,
    /// The body.
    pub body: Bytes,
    /// The client asked not to be answered from the cache, or not to be stored in it.
    pub no_cache: bool,
    /// The client wants nothing left out when its request is translated.
    pub strict: bool,
    /// What the request goes on from.
    pub past: Past,
    /// A deployment that sees the files which the request names, if it names some.
    pub files_at: Option<usize>,
}

impl Shop {
    /// The configuration in force.
    ///
    /// # Errors
    /// `NoDeployment` before the first configuration is loaded.
    pub fn plan(&self) -> Result<Arc<Plan>> {
        let missing = || Error::new(Class::NoDeployment, "The gateway is starting.");
        self.plan.load_full().ok_or_else(missing)
    }

    /// Lets a request in, or says why not.
    ///
    /// # Errors
    /// Any class up to `RateLimited`; nothing is reserved then.
    pub fn admit(
        &self,
        plan: Arc<Plan>,
        key: Arc<Key>,
        desk: &mut Desk,
        arrival: Arrival,
    ) -> Result<Admission> {
        // What a strict client may get depends on the deployment; counting is cheap.
        let operation = arrival.route.operation;
        let uncached = arrival.no_cache || arrival.strict || operation.counts();
        let caches = plan.cache.is_some() && operation.may_be_cached() && !uncached;
        if caches && let Some((known, entry)) = desk.answers.find(&plan, &key, &arrival) {
            // The same bytes under the same rules: whatever was found in them then stands in them now.
            let (group, caller) = (known.group, arrival.caller);
            let payer = Payer { plan: &plan, key: &key, caller: &caller };
            let held = self.take_hit(payer, &plan.groups[group].name, &arrival.body)?;
            if let Some(verdict) = known.verdict {
                self.metrics.count(verdict);
            }
            let ticket = Ticket { plan, key, caller, operation, group, downgraded: None, held };
            return Ok(Admission::Hit(ticket, entry));
        }
        let Arrival { caller, route, body, strict, past, files_at, .. } = arrival;
        let operation = route.operation;
        let object = json::parse_object(&body)?;
        let (asked, fields) = read_fields(&body, &object, &route)?;
        let (name, group, matched) = lead(&plan, &key, &asked)?;
        desk.prompt.read(operation, &body, &object);
        let tokenizer = plan.groups[group].tokenizer;
        let Desk { prompt, memo, .. } = desk;
        let input_tokens = prompt.tokens(operation, |text| memo.count(tokenizer, text));
        let verdict = plan.pii.map(|mode| self.guard(desk, mode)).transpose()?;
        let (downgraded, held) = (None, Held::default());
        let mut ticket = Ticket { plan, key, caller, operation, group, downgraded, held };
        let keep = Keep::of(&ticket.plan, operation, &body, &object);
        let mut cache_key = None;
        // One that is kept has an id of its own, under which its client finds it: it is not given twice.
        if caches
            && !keep.is_wanted()
            && let Some(scope) = Answers::scope(&ticket, &name, &route, &body)
        {
            cache_key = Some(scope);
            let known = Known::new(&ticket, &route, &body, scope, verdict);
            if let Some(entry) = desk.answers.get(&ticket.plan, scope, known) {
                ticket.held = self.take_hit(ticket.payer(), ticket.model_label(), &body)?;
                return Ok(Admission::Hit(ticket, entry));
            }
        }
        let allowed = Allowed::of(&body, &object);
        let asking = Asked { operation, body: &body, input: input_tokens, allowed };
        let matched = self.pay(&mut ticket, matched, body.len() as u64, &asking)?;
        // What another group says is not the answer of this one.
        let cache_key = cache_key.filter(|_| ticket.downgraded.is_none());
        let (path_model, array) = (route.model, route.array);
        let call = Call {
            ticket,
            asked,
            matched,
            body,
            fields,
            input_tokens,
            allowed,
            cache_key,
            path_model,
            array,
            strict,
            past,
            files_at,
            keep,
        };
        Ok(Admission::Call(Box::new(call)))
    }

    /// Scans the input for personal data and secrets; returns what was counted.
    fn guard(&self, desk: &mut Desk, mode: PiiMode) -> Result<Counter> {
        if desk.scanner.is_none() {
            let failed = |_| Error::new(Class::InternalError, "The PII scanner could not start.");
            desk.scanner = Some(Scanner::new(crate::scan::Choice::Auto).map_err(failed)?);
        }
        let Desk { prompt, scanner, findings, .. } = desk;
        findings.clear();
        if let Some(scanner) = scanner {
            let failed = |_| Error::new(Class::GuardrailBlocked, "The input could not be scanned.");
            scanner.scan(prompt.text(), findings).map_err(failed)?;
        }
        if findings.is_empty() {
            self.metrics.count(Counter::PiiPassed);
            return Ok(Counter::PiiPassed);
        }
        if mode == PiiMode::Monitor {
            self.metrics.count(Counter::PiiFound);
            return Ok(Counter::PiiFound);
        }
        self.metrics.count(Counter::PiiBlocked);
        let mut kinds: Vec<&str> = findings.iter().map(|finding| finding.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let message = format!("The request holds data that may not leave: {}.", kinds.join(", "));
        Err(Error::new(Class::GuardrailBlocked, message))
    }
}

/// Where a client's word for a model leads its key: what it means, the group, and what a wildcard matched.
fn lead(plan: &Plan, key: &Key, asked: &str) -> Result<(String, usize, String)> {
    // The permission is asked for what the name means, so that a map widens nothing.
    let name = key.map().meaning(asked).into_owned();
    let Some(Resolved { group, matched }) = plan.resolve(&name) else {
        let message = format!("The model {} does not exist here.", shown(asked));
        return Err(Error::new(Class::ModelNotFound, message).with_param("model"));
    };
    if !key.may_use(&name) {
        let message = format!("The key may not use the model {}.", shown(asked));
        return Err(Error::new(Class::PermissionDenied, message).with_param("model"));
    }
    let matched = matched.to_owned();
    Ok((name, group, matched))
}

/// A client's word, safe and short enough to be put into a message.
#[must_use]
pub fn shown(name: &str) -> String {
    let clean: String = name.chars().filter(|c| !c.is_control()).take(100).collect();
    format!("`{clean}`")
}

#[cfg(test)]
mod tests;
