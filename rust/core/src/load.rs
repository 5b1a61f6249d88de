//! A load generator: one thread that keeps many HTTP/1.1 connections busy and notes what comes back.
//!
//! Closed loop: every connection sends its next request when the last is answered. Open loop: requests
//! arrive at a fixed rate whatever the server does, and latency counts from the time a request was
//! due, so a stalled server cannot hide the requests it kept from being sent.

mod arrivals;
mod histogram;
mod report;
mod response;
mod worker;

#[cfg_attr(not(target_os = "linux"), path = "load/clock_portable.rs")]
mod clock;

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::task::{JoinSet, LocalSet};

pub use histogram::Histogram;
pub use report::Report;

use arrivals::Arrivals;
use worker::{Line, Shared};

/// What to send, where, and for how long.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The server.
    pub address: SocketAddr,
    /// A whole HTTP/1.1 request, head and body.
    pub request: Vec<u8>,
    /// Where in `request` a running number of [`STAMP_DIGITS`] digits is written, to make each request unlike all before.
    pub stamp: Option<usize>,
    /// Connections to open and keep.
    pub connections: usize,
    /// When to stop.
    pub until: Until,
    /// Time under load before anything is noted; only for [`Until::Elapsed`].
    pub warm_up: Duration,
    /// Arrivals per second; without it the loop is closed.
    pub rate: Option<f64>,
    /// The longest a request may take.
    pub timeout: Duration,
}

/// When a run ends; requests on their way are finished, but count only in the second kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Until {
    /// After this long.
    Elapsed(Duration),
    /// After this many requests.
    Requests(u64),
}

/// The width of the number written at [`Plan::stamp`].
pub const STAMP_DIGITS: usize = 12;

impl Plan {
    /// Says what makes the plan impossible, if anything does.
    pub fn check(&self) -> Result<(), &'static str> {
        if self.connections == 0 {
            return Err("a load needs at least one connection");
        }
        if matches!(self.until, Until::Requests(_)) && !self.warm_up.is_zero() {
            return Err("a load of so many requests has no warm-up, since that would use them up");
        }
        if self.rate.is_some_and(|rate| !rate.is_finite() || rate <= 0.0) {
            return Err("the rate must be a positive number of requests per second");
        }
        if self.stamp.is_some_and(|at| at.saturating_add(STAMP_DIGITS) > self.request.len()) {
            return Err("the stamp must lie within the request");
        }
        Ok(())
    }
}

/// Runs the plan on this thread.
///
/// `meter` is read as the measured time begins and as it ends; its growth is [`Report::metered`].
/// Fails when the connections cannot be opened, the plan is impossible or the meter fails.
pub fn run<E: From<io::Error>>(
    plan: Plan,
    mut meter: impl FnMut() -> Result<f64, E>,
) -> Result<Report, E> {
    plan.check().map_err(|reason| io::Error::new(io::ErrorKind::InvalidInput, reason))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async {
        let lines = connect(&plan).await?;
        let shared = Rc::new(Shared::new(plan.clone(), Arrivals::new(&plan)));
        let mut workers = JoinSet::new();
        for line in lines {
            workers.spawn_local(worker::work(line, Rc::clone(&shared)));
        }
        let pacing =
            plan.rate.map(|_| tokio::task::spawn_local(arrivals::pace(Rc::clone(&shared))));
        // Without a warm-up the workers must not run before the noting begins, so there is no await.
        if !plan.warm_up.is_zero() {
            tokio::time::sleep(plan.warm_up).await;
        }
        let before = meter()?;
        let started = Instant::now();
        shared.begin();
        match plan.until {
            Until::Elapsed(time) => tokio::time::sleep(time).await,
            Until::Requests(_) => while workers.join_next().await.is_some() {},
        }
        let seconds = started.elapsed().as_secs_f64();
        let mut report = shared.finish();
        report.seconds = seconds;
        report.metered = meter()? - before;
        if let Some(pacing) = pacing {
            pacing.abort();
        }
        while workers.join_next().await.is_some() {}
        Ok(report)
    })
}

async fn connect(plan: &Plan) -> io::Result<Vec<Line>> {
    let mut lines = Vec::with_capacity(plan.connections);
    for _ in 0..plan.connections {
        lines.push(Line::open(plan.address, plan.timeout).await?);
    }
    Ok(lines)
}

#[cfg(test)]
mod tests;
