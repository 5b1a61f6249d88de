//! What a worker remembers of replies: by canonical request, and, before anything is parsed, by the
//! very bytes of a request it has seen.

use crate::access::Route;
use crate::cache::{Cache, CacheKey, Entry, Weigh, request_key};
use crate::call::Ticket;
use crate::gate::Arrival;
use crate::limiter::monotonic_ns;
use crate::metrics::Counter;
use crate::plan::{Key, Plan};
use crate::snapshot::Operation;
use bytes::Bytes;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

/// The part of the memory bound that goes to known requests: one in this many.
const KNOWN_SHARE: usize = 4;

/// The replies and requests that one edge thread remembers.
#[derive(Default)]
pub struct Answers {
    stores: Option<Stores>,
}

/// The stores of one plan; another plan's replies are never given.
struct Stores {
    version: String,
    replies: Cache<Entry>,
    known: Cache<Known>,
    hasher: foldhash::quality::RandomState,
}

/// A request seen before, by its bytes.
pub struct Known {
    body: Bytes,
    key: Arc<Key>,
    /// What the key allowed then.
    mark: u64,
    route: Route,
    reply: CacheKey,
    /// The model group it resolved to.
    pub group: usize,
    /// What the guardrail counted for it.
    pub verdict: Option<Counter>,
}

impl Weigh for Known {
    fn weight(&self) -> usize {
        self.body.len() + self.route.model.as_ref().map_or(0, String::len)
    }
}

impl Known {
    /// What admission found out about a request.
    #[must_use]
    pub fn new(
        ticket: &Ticket,
        route: &Route,
        body: &[u8],
        reply: CacheKey,
        verdict: Option<Counter>,
    ) -> Self {
        Known {
            body: Bytes::copy_from_slice(body),
            key: ticket.key.clone(),
            mark: ticket.key.mark(),
            route: route.clone(),
            reply,
            group: ticket.group,
            verdict,
        }
    }

    fn is(&self, key: &Arc<Key>, arrival: &Arrival) -> bool {
        let same = Arc::ptr_eq(&self.key, key) || self.key.id() == key.id();
        same && self.mark == key.mark() && self.route == arrival.route && self.body == arrival.body
    }
}

impl Answers {
    /// Where a reply is kept: by key, model name, endpoint, way of replying and canonical body.
    #[must_use]
    pub fn scope(ticket: &Ticket, model: &str, route: &Route, body: &[u8]) -> Option<CacheKey> {
        let mark = ticket.key.mark().to_le_bytes();
        let parts: [&[u8]; 5] = [
            ticket.plan.version.as_bytes(),
            ticket.key.id().as_bytes(),
            // Of a key whose permissions have changed nothing is given that it got before.
            &mark,
            model.as_bytes(),
            &[ticket.operation as u8, u8::from(route.stream), u8::from(route.array)],
        ];
        request_key(&parts, body)
    }

    /// The reply to a request whose very bytes were seen before.
    pub fn find(
        &mut self,
        plan: &Plan,
        key: &Arc<Key>,
        arrival: &Arrival,
    ) -> Option<(&Known, Entry)> {
        let stores = self.stores.as_mut().filter(|stores| stores.version == plan.version)?;
        let at = stores.place(key, arrival.route.operation, &arrival.body);
        let now = monotonic_ns();
        let known = stores.known.get(&at, now).filter(|known| known.is(key, arrival))?;
        let entry = stores.replies.get(&known.reply, now)?.clone();
        Some((known, entry))
    }

    /// The reply kept at `scope`, if any; the request is remembered by its bytes from now on.
    pub fn get(&mut self, plan: &Plan, scope: CacheKey, known: Known) -> Option<Entry> {
        let stores = self.stores_for(plan)?;
        let entry = stores.replies.get(&scope, monotonic_ns())?.clone();
        let at = stores.place(&known.key, known.route.operation, &known.body);
        stores.known.put(at, known, monotonic_ns());
        Some(entry)
    }

    /// Keeps a complete reply.
    pub fn put(&mut self, plan: &Plan, scope: CacheKey, entry: Entry) {
        let fits =
            plan.cache.as_ref().is_some_and(|p| entry.body.len() as u64 <= p.max_entry_bytes);
        if !fits || self.stores.as_ref().is_some_and(|stores| stores.version != plan.version) {
            // A call of an older plan that ends only now: its reply is not for the new one.
            return;
        }
        if let Some(stores) = self.stores_for(plan) {
            stores.replies.put(scope, entry, monotonic_ns());
        }
    }

    fn stores_for(&mut self, plan: &Plan) -> Option<&mut Stores> {
        let policy = plan.cache.as_ref()?;
        if self.stores.as_ref().is_none_or(|stores| stores.version != plan.version) {
            let bytes = usize::try_from(policy.max_bytes).unwrap_or(usize::MAX);
            let ttl = Duration::try_from_secs_f64(policy.ttl).unwrap_or(Duration::MAX);
            let for_known = bytes / KNOWN_SHARE;
            self.stores = Some(Stores {
                version: plan.version.clone(),
                replies: Cache::new(bytes - for_known, ttl),
                known: Cache::new(for_known, ttl),
                hasher: foldhash::quality::RandomState::default(),
            });
        }
        self.stores.as_mut()
    }
}

impl Stores {
    /// Where a known request lies. Only a place: what is found there is compared byte by byte.
    fn place(&self, key: &Arc<Key>, operation: Operation, body: &[u8]) -> CacheKey {
        let mut hasher = self.hasher.build_hasher();
        key.id().hash(&mut hasher);
        operation.hash(&mut hasher);
        hasher.write(body);
        let mut at = [0; 32];
        at[..8].copy_from_slice(&hasher.finish().to_le_bytes());
        at
    }
}

#[cfg(test)]
mod tests;
