//! Who may send to a deployment that takes only so many requests at a time, and who waits.
//!
//! A request that finds no place says so in shared memory and looks again a few milliseconds later, for as
//! long as the policy waits between attempts. A place that becomes free goes to the request of the highest
//! priority; among equals, to whoever's organisation (or key, if it belongs to none) has the fewest places
//! there: while somebody with fewer waits, nobody with more takes one. So tenants come to equal shares, and
//! one that is alone may have all. Requests of low priority do not wait.

use super::{Failure, Way};
use crate::call::Call;
use crate::error::Class;
use crate::gate::Shop;
use crate::limiter::bucket_id;
use crate::places::Places;
use crate::plan::{Deployment, NodeKind, Priority};
use std::time::Duration;
use tokio::time::Instant;

/// Steps in which the share of a tenant is told.
const STEPS: u64 = 16;
/// Shortest time between two looks.
const LOOK: Duration = Duration::from_millis(4);
/// When a client that found no place should come back.
const COME_BACK: Duration = Duration::from_secs(1);
/// Without a limit.
const ANY: u64 = u64::MAX;

/// One request on its way into deployments that may be full.
pub(super) struct Queue<'a> {
    shop: &'a Shop,
    call: &'a Call,
    priority: Priority,
    /// Deployments that had no place for it.
    crowded: Vec<usize>,
    waiting: Vec<Waiting>,
    until: Option<Instant>,
}

/// The names of a deployment's places.
struct Door {
    id: u128,
    tenant: u128,
    waiting: u128,
    most: u64,
}

impl Door {
    fn of(deployment: &Deployment, call: &Call) -> Option<Self> {
        let most = deployment.max_concurrent?;
        let id = bucket_id("deployment places", &deployment.id);
        let tenant = call.key.nodes.id(NodeKind::Organisation).unwrap_or_else(|| call.key.id());
        let tenant = id ^ bucket_id("tenant", tenant);
        Some(Door { id, tenant, waiting: id ^ bucket_id("deployment places", "waiting"), most })
    }

    /// Where those wait of a rank.
    fn at(&self, rank: u64) -> u128 {
        self.waiting.wrapping_add(u128::from(rank) + 1)
    }
}

/// Says that a request waits, until it is dropped.
struct Waiting {
    places: Places,
    names: [u128; 2],
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.names.iter().for_each(|name| self.places.free(*name));
    }
}

impl<'a> Queue<'a> {
    pub(super) fn new(shop: &'a Shop, call: &'a Call) -> Self {
        let priority = call.key.priority();
        Queue { shop, call, priority, crowded: Vec::new(), waiting: Vec::new(), until: None }
    }

    /// The deployments that are out of the question for now: those that were tried, and those that are full.
    pub(super) fn without(&self, tried: &[usize]) -> Vec<usize> {
        [tried, &self.crowded].concat()
    }

    /// Whether there are deployments that had no place.
    pub(super) fn is_crowded(&self) -> bool {
        !self.crowded.is_empty()
    }

    /// Takes a place at a deployment. False if there is none: then another one has to be found.
    pub(super) fn enter(&mut self, index: usize) -> bool {
        let Some(door) = self.door(index) else { return true };
        let places = &self.shop.counters.places;
        if !self.is_next(&door) || places.take(door.id, door.most).is_err() {
            self.crowded.push(index);
            return false;
        }
        let held = &self.call.held;
        held.keep_place(places, door.id);
        if places.take(door.tenant, ANY).is_ok() {
            held.keep_place(places, door.tenant);
        }
        self.waiting.clear();
        true
    }

    /// Gives the place at a deployment back that has failed.
    pub(super) fn leave(&mut self, index: usize) {
        if let Some(door) = self.door(index) {
            [door.id, door.tenant].iter().for_each(|name| self.call.held.free_place(*name));
        }
    }

    /// Waits a moment for a place at one of the deployments that had none.
    pub(super) async fn wait(&mut self, way: &mut Way<'_>, group: &str) -> Result<(), Failure> {
        let now = Instant::now();
        let until = *self.until.get_or_insert(now + self.call.plan.retry.longest);
        if self.priority == Priority::Low || now >= until || !way.may_repeat() {
            return Err(full(group));
        }
        let doors = self.crowded.drain(..).collect::<Vec<_>>();
        let doors = doors.into_iter().filter_map(|index| self.door(index));
        let places = &self.shop.counters.places;
        self.waiting = doors.filter_map(|door| self.register(places, &door)).collect();
        way.pause(LOOK.mul_f64(1.0 + fastrand::f64()).min(until - now)).await;
        Ok(())
    }

    fn door(&self, index: usize) -> Option<Door> {
        Door::of(&self.call.plan.deployments[index], self.call)
    }

    fn register(&self, places: &Places, door: &Door) -> Option<Waiting> {
        let names = [door.waiting, door.at(self.rank(door))];
        places.take(names[0], ANY).ok()?;
        if places.take(names[1], ANY).is_err() {
            places.free(names[0]);
            return None;
        }
        Some(Waiting { places: places.clone(), names })
    }

    /// Whether nobody waits who comes before this request.
    fn is_next(&self, door: &Door) -> bool {
        let places = &self.shop.counters.places;
        if places.taken(door.waiting) == 0 {
            return true;
        }
        let rank = self.rank(door);
        (0..rank).all(|before| places.taken(door.at(before)) == 0)
    }

    /// Its place in the order: by priority, then by how large a part of the places its tenant has.
    fn rank(&self, door: &Door) -> u64 {
        let class = match self.priority {
            Priority::High => 0,
            Priority::Normal => 1,
            Priority::Low => 2,
        };
        let taken = self.shop.counters.places.taken(door.tenant);
        // Few places are told exactly, of many the part.
        let step = if door.most <= STEPS { taken } else { taken.saturating_mul(STEPS) / door.most };
        class * (STEPS + 1) + step.min(STEPS)
    }
}

fn full(group: &str) -> Failure {
    let message = format!("Every deployment of `{group}` has as many requests in hand as it may.");
    Failure {
        retry_after: Some(COME_BACK),
        is_shed: true,
        ..Failure::new(Class::RateLimited, message)
    }
}
