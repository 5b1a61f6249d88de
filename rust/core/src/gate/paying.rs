//! What a request takes of the limits and budgets of its key, of what the key belongs to, and of the settings.

use super::Shop;
use crate::call::Ticket;
use crate::caller::Caller;
use crate::error::{Class, Error, Result};
use crate::limits::{Asked, Bill, Demand, Held, Party, Passed, Refused, Truth, Whose, dollars};
use crate::metrics::Counter;
use crate::plan::{Key, NodeKind, Plan};
use crate::snapshot::{LimitBy, LimitOf};
use std::net::IpAddr;

/// How often budgets may send a request on to another group.
const MOST_DOWNGRADES: usize = 4;

/// Who pays for a request, under which configuration.
#[derive(Clone, Copy)]
pub struct Payer<'a> {
    /// The configuration.
    pub plan: &'a Plan,
    /// Whose key it shows.
    pub key: &'a Key,
    /// Who sends it.
    pub caller: &'a Caller,
}

/// Where a request goes, and what it has taken.
struct Placed {
    held: Held,
    /// The group and what its name matched, if a budget sent the request there.
    instead: Option<(usize, String)>,
}

impl Shop {
    /// Takes what one request without a model takes: a request, and nothing that may cost something.
    ///
    /// # Errors
    /// `RateLimited`.
    pub fn take_request(&self, payer: Payer<'_>) -> Result<Held> {
        self.reserve(payer, "", Demand::default())
    }

    /// Takes what a reply from the cache costs: a request, and no tokens and no money.
    pub(super) fn take_hit(&self, payer: Payer<'_>, group: &str, body: &[u8]) -> Result<Held> {
        let bytes = body.len() as u64;
        let held = self.reserve(payer, group, Demand { bytes, ..Demand::default() })?;
        held.note_bytes(bytes);
        Ok(held)
    }

    /// Takes all that a request demands at this group, or nothing.
    pub(super) fn reserve(&self, payer: Payer<'_>, group: &str, demand: Demand) -> Result<Held> {
        let held = self.counters.reserve(bill(payer, group, demand));
        held.map_err(|refused| self.refused(refused))
    }

    /// Takes all that a call demands at its group, or at the one that a budget sends it to instead.
    fn place(
        &self,
        payer: Payer<'_>,
        group: usize,
        bytes: u64,
        asked: &Asked<'_>,
    ) -> Result<Placed> {
        let plan = payer.plan;
        let (mut at, mut instead) = (group, None);
        for step in 0.. {
            let counts = asked.operation.counts();
            let input = if counts { 0 } else { asked.input };
            let output = if counts { 0 } else { asked.allowed.said() };
            let demand = Demand { input, output, bytes, hold: plan.hold(at, asked) };
            let bill = bill(payer, &plan.groups[at].name, demand);
            let wanted = (step < MOST_DOWNGRADES).then(|| self.counters.downgrade(&bill)).flatten();
            let next = wanted.and_then(|name| plan.resolve(name));
            match next.filter(|next| next.group != at) {
                Some(next) => {
                    at = next.group;
                    instead = Some((at, next.matched.to_owned()));
                }
                None => {
                    let held = self.counters.reserve(bill).map_err(|one| self.refused(one))?;
                    if instead.is_some() {
                        self.metrics.count(Counter::BudgetDowngraded);
                    }
                    return Ok(Placed { held, instead });
                }
            }
        }
        Err(Error::new(Class::InternalError, "Budgets lead from group to group without an end."))
    }

    /// The same for a ticket, which then knows where it goes; returns what the name of that group matched.
    pub(super) fn pay(
        &self,
        ticket: &mut Ticket,
        matched: String,
        bytes: u64,
        asked: &Asked<'_>,
    ) -> Result<String> {
        let Placed { held, instead } = self.place(ticket.payer(), ticket.group, bytes, asked)?;
        ticket.held = held;
        let Some((group, other)) = instead else { return Ok(matched) };
        ticket.downgraded = Some(ticket.group);
        ticket.group = group;
        Ok(other)
    }

    /// Whether the key has a request left.
    ///
    /// # Errors
    /// `RateLimited`.
    pub fn check_requests(&self, payer: Payer<'_>) -> Result<()> {
        let bill = bill(payer, "", Demand::default());
        self.counters.foresee(&bill).map_err(|refused| self.refused(refused))
    }

    /// Whether there is something left of all that was taken of, or what is owed was paid back by time.
    ///
    /// # Errors
    /// `RateLimited`, `BudgetExceeded`.
    pub fn check(&self, held: &Held) -> Result<()> {
        self.counters.check(held).map_err(|refused| self.refused(refused))
    }

    /// Corrects what a call has taken to what it used; [`Truth::default`] gives all back but the request.
    pub fn settle(&self, held: &Held, truth: &Truth) {
        self.tell(held.settle(&self.counters, truth));
    }

    /// Takes more of what a session uses that goes on.
    pub fn charge(&self, held: &Held, more: &Truth) {
        self.tell(held.charge(&self.counters, more));
    }

    /// Counts a refusal.
    fn refused(&self, refused: Refused) -> Error {
        self.metrics.count(match refused.of {
            Some(LimitOf::Requests) => Counter::LimitedRequests,
            Some(LimitOf::Tokens | LimitOf::InputTokens | LimitOf::OutputTokens) => {
                Counter::LimitedTokens
            }
            Some(LimitOf::Concurrent) => Counter::LimitedConcurrent,
            Some(LimitOf::Bytes) => Counter::LimitedBytes,
            Some(LimitOf::Cost) => Counter::LimitedCost,
            None => Counter::BudgetBlocked,
        });
        refused.error
    }

    /// Tells operators of thresholds that were passed.
    fn tell(&self, all: Vec<Passed>) {
        for passed in all {
            let counter =
                if passed.is_all() { Counter::BudgetSpent } else { Counter::BudgetThreshold };
            self.metrics.count(counter);
            let Passed { whose, owner, budget, per_mille, committed, amount } = &passed;
            let percent = format!("{}.{}%", per_mille / 10, per_mille % 10);
            let fields = [
                ("of", whose.word()),
                ("id", &**owner),
                ("budget", &**budget),
                ("threshold", &percent),
                ("committed", &dollars(*committed)),
                ("amount", &dollars(*amount)),
            ];
            self.log.warn("a budget passed a threshold", &fields);
        }
    }
}

/// All that a request would take.
pub(super) fn bill<'m>(payer: Payer<'_>, group: &'m str, demand: Demand) -> Bill<'m> {
    let mut bill = Bill::new(group, demand);
    bill.add(&payer.key.charges, Whose::Key, payer.key.id());
    payer.key.nodes.each_named(|id, node| bill.add(&node.charges, whose(node.kind), id));
    if !payer.plan.shared_limits.is_empty() {
        let parties = |by, see: &mut dyn FnMut(Party<'_>)| each_party(payer, group, by, see);
        payer.plan.shared_limits.charge(&mut bill, parties);
    }
    bill
}

fn whose(kind: NodeKind) -> Whose {
    match kind {
        NodeKind::Organisation => Whose::Organisation,
        NodeKind::Team => Whose::Team,
        NodeKind::Project => Whose::Project,
        NodeKind::User => Whose::User,
        NodeKind::ServiceAccount => Whose::ServiceAccount,
    }
}

/// Shows who a request is of, for one kind of shared limit.
fn each_party(payer: Payer<'_>, group: &str, by: LimitBy, see: &mut dyn FnMut(Party<'_>)) {
    let Payer { key, caller, .. } = payer;
    let kind = match by {
        LimitBy::Key => return see(Party { id: key.id(), name: &key.alias }),
        LimitBy::Model if group.is_empty() => return,
        LimitBy::Model => return see(Party { id: group, name: group }),
        LimitBy::Ip => {
            let Some(address) = caller.address else { return };
            let text = network_of(address);
            return see(Party { id: &text, name: &text });
        }
        LimitBy::Tag => {
            return key.tags(&caller.tags).iter().for_each(|tag| see(Party { id: tag, name: tag }));
        }
        LimitBy::User => NodeKind::User,
        LimitBy::Team => NodeKind::Team,
        LimitBy::Project => NodeKind::Project,
        LimitBy::Organisation => NodeKind::Organisation,
    };
    key.nodes.each_named(|id, node| {
        if node.kind == kind {
            see(Party { id, name: &node.name });
        }
    });
}

/// What an address is counted under: of IPv6 the network of one site, of which a client may have every address.
fn network_of(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [one, two, three, four, ..] = address.segments();
            std::net::Ipv6Addr::new(one, two, three, four, 0, 0, 0, 0).to_string()
        }
    }
}

impl Ticket {
    /// Who pays.
    #[must_use]
    pub fn payer(&self) -> Payer<'_> {
        Payer { plan: &self.plan, key: &self.key, caller: &self.caller }
    }
}
