//! What several gateways share: one Redis (or Valkey) that counts for all of them, asked once per request.
//!
//! A machine's own counters are asked first, in shared memory. They hold a part of what the cluster holds, so
//! whoever they refuse is over the limit anyway. Who passes asks Redis for all of its claims at once: one
//! script takes all of them, or none. Corrections follow without anybody waiting for them (`outbox`).
//!
//! Where Redis is slow, hung or gone, the machine's own counters decide alone: nobody waits longer than
//! [`Settings::timeout`], and after one failure nobody waits at all until a task of its own has connected again
//! (`keeper`). Until then N gateways let through at most N times what one may; [`Cluster::health`] says so.

mod keeper;
mod outbox;
mod wire;

use crate::limiter::Limit;
use arc_swap::ArcSwapOption;
use outbox::Outbox;
use redis::aio::MultiplexedConnection;
use redis::{RedisResult, Script};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::timeout;

/// How the cluster's counters are reached.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `redis://[user:password@]host:port/db`, or `redis+unix:///path`.
    pub url: String,
    /// The longest that a request waits for an answer.
    pub timeout: Duration,
    /// What every key begins with, so that several clusters may share one Redis.
    pub namespace: String,
}

/// A name that is the same on every gateway: of a rate-limit bucket, a budget, a group of places.
pub type Name = u128;

/// Something that a request wants to take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// Units of a rate limit.
    Rate {
        /// Its bucket.
        name: Name,
        /// How many.
        cost: u64,
        /// The limit.
        limit: Limit,
    },
    /// Money of a budget.
    Budget {
        /// Whose, and which.
        name: Name,
        /// The number of its window.
        window: u64,
        /// Unix seconds at which the window ends; what is counted in it is forgotten a day later.
        ends_at: u64,
        /// Nano-dollars to hold.
        hold: u64,
        /// Nano-dollars in all; `None`: it only counts.
        amount: Option<u64>,
        /// Nano-dollars that this machine knows to be committed: counts where Redis knows nothing.
        known: u64,
    },
    /// One of so many places.
    Place {
        /// Whose.
        name: Name,
        /// Places in all.
        amount: u64,
        /// Who takes it; until it is given back, its lease is renewed.
        who: u128,
    },
}

/// A correction of what was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Correction {
    /// Units of a rate limit to charge, or, below zero, to give back.
    Rate {
        /// Its bucket.
        name: Name,
        /// How many.
        delta: i64,
        /// The limit.
        limit: Limit,
    },
    /// Nano-dollars of a budget to charge, or, below zero, to give back.
    Budget {
        /// Whose, and which.
        name: Name,
        /// The number of the window in which they were held.
        window: u64,
        /// How many.
        delta: i64,
    },
    /// A place that is free again.
    Place {
        /// Whose.
        name: Name,
        /// Who had it.
        who: u128,
    },
    /// All that a call took, of which nobody heard whether it did.
    Undo {
        /// The call's own number.
        call: u128,
        /// What gives it back.
        corrections: Vec<Correction>,
    },
}

/// What the cluster answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// All claims were taken. What is left of each: units of a rate limit; of a budget, the nano-dollars that
    /// were committed before; of places, those that were taken before.
    Taken(Vec<u64>),
    /// None was.
    Refused {
        /// The claim that was one too many.
        index: usize,
        /// When to ask again, where that can be told.
        retry_after: Duration,
    },
    /// Nobody answered: the machine decides alone. Whatever is used is to be charged later, as a correction.
    Unreachable,
}

/// How the cluster is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Health {
    /// Redis answers.
    pub is_connected: bool,
    /// Requests that were decided by the machine alone.
    pub alone: u64,
    /// Corrections that wait.
    pub waiting: usize,
    /// Corrections that were dropped, because too many waited.
    pub dropped: u64,
}

/// One worker's door to the cluster's counters.
pub struct Cluster {
    settings: Settings,
    connection: ArcSwapOption<MultiplexedConnection>,
    lost: Notify,
    outbox: Outbox,
    reserve: Script,
    settle: Script,
    alone: AtomicU64,
}

impl Cluster {
    /// Begins to connect, on the runtime that this is called on; returns at once.
    ///
    /// # Errors
    /// When the address is none.
    pub fn start(settings: Settings) -> RedisResult<Arc<Self>> {
        let client = redis::Client::open(&settings.url[..])?;
        let cluster = Arc::new(Cluster {
            settings,
            connection: ArcSwapOption::empty(),
            lost: Notify::new(),
            outbox: Outbox::default(),
            reserve: Script::new(include_str!("cluster/reserve.lua")),
            settle: Script::new(include_str!("cluster/settle.lua")),
            alone: AtomicU64::new(0),
        });
        tokio::spawn(keeper::connect(Arc::downgrade(&cluster), client));
        tokio::spawn(keeper::send(Arc::downgrade(&cluster)));
        Ok(cluster)
    }

    /// Takes all claims or none, in one round trip.
    pub async fn reserve(&self, claims: &[Claim]) -> Verdict {
        let verdict = match &*self.connection.load() {
            Some(connection) => self.ask(connection, claims).await,
            None => Verdict::Unreachable,
        };
        match &verdict {
            Verdict::Taken(_) => self.outbox.hold_places(claims),
            Verdict::Refused { .. } => {}
            Verdict::Unreachable => {
                self.alone.fetch_add(1, Relaxed);
            }
        }
        verdict
    }

    async fn ask(&self, connection: &Arc<MultiplexedConnection>, claims: &[Claim]) -> Verdict {
        let number = fastrand::u128(..);
        let mut call = self.reserve.prepare_invoke();
        wire::claims(&mut call, &self.settings.namespace, number, claims);
        let mut to = MultiplexedConnection::clone(connection);
        let reply = timeout(self.settings.timeout, call.invoke_async::<Vec<String>>(&mut to)).await;
        match reply {
            Ok(Ok(reply)) => wire::verdict(claims, &reply),
            Ok(Err(_)) | Err(_) => {
                self.outbox.give_back(number, claims);
                self.give_up(connection);
                Verdict::Unreachable
            }
        }
    }

    /// Corrects what was taken, or charges what was used while nobody answered. Does not wait.
    pub fn settle(&self, corrections: impl IntoIterator<Item = Correction>) {
        self.outbox.put(corrections);
    }

    /// How it is.
    #[must_use]
    pub fn health(&self) -> Health {
        Health {
            is_connected: self.connection.load().is_some(),
            alone: self.alone.load(Relaxed),
            waiting: self.outbox.waiting(),
            dropped: self.outbox.dropped(),
        }
    }

    /// Drops a connection that failed, unless another has taken its place.
    fn give_up(&self, failed: &Arc<MultiplexedConnection>) {
        let current = self.connection.load();
        if current.as_ref().is_some_and(|one| Arc::ptr_eq(one, failed)) {
            self.connection.store(None);
            self.lost.notify_one();
        }
    }
}
