//! One connection of the load: take a request, send it, read the reply, note the times.

use std::cell::{Cell, RefCell};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::arrivals::Arrivals;
use super::report::Report;
use super::response::{Malformed, Response};
use super::{Plan, STAMP_DIGITS};

const READ_SIZE: usize = 64 * 1024;

/// What the connections of a run have in common.
#[derive(Debug)]
pub(super) struct Shared {
    pub plan: Plan,
    pub arrivals: Arrivals,
    noting: Cell<bool>,
    report: RefCell<Report>,
    /// Requests sent so far; also the next stamp.
    sent: Cell<u64>,
}

impl Shared {
    pub fn new(plan: Plan, arrivals: Arrivals) -> Self {
        let (noting, report) = (Cell::new(false), RefCell::default());
        Shared { plan, arrivals, noting, report, sent: Cell::new(0) }
    }

    /// From here on, what happens is noted.
    pub fn begin(&self) {
        self.noting.set(true);
    }

    /// Ends the noting and the handing out of requests.
    pub fn finish(&self) -> Report {
        self.noting.set(false);
        self.arrivals.stop();
        self.report.take()
    }

    fn note(&self, change: impl FnOnce(&mut Report)) {
        if self.noting.get() {
            change(&mut self.report.borrow_mut());
        }
    }

    fn number(&self) -> u64 {
        self.sent.replace(self.sent.get() + 1)
    }
}

/// Why a request got no whole reply.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Connect,
    Closed,
    Malformed,
    Timeout,
    Broken,
}

impl Fault {
    fn name(self) -> &'static str {
        match self {
            Fault::Connect => "connect",
            Fault::Closed => "closed",
            Fault::Malformed => "malformed",
            Fault::Timeout => "timeout",
            Fault::Broken => "broken",
        }
    }
}

impl From<io::Error> for Fault {
    fn from(_: io::Error) -> Self {
        Fault::Broken
    }
}

impl From<Malformed> for Fault {
    fn from(_: Malformed) -> Self {
        Fault::Malformed
    }
}

/// An open connection and its read buffer.
#[derive(Debug)]
pub(super) struct Line {
    socket: TcpStream,
    inbox: Vec<u8>,
}

impl Line {
    pub async fn open(address: SocketAddr, limit: Duration) -> io::Result<Self> {
        let socket = timeout(limit, TcpStream::connect(address)).await??;
        socket.set_nodelay(true)?;
        Ok(Line { socket, inbox: Vec::new() })
    }

    /// Sends a request and reads its reply; true when the connection may be used again.
    async fn exchange(
        &mut self,
        request: &[u8],
        due: Instant,
        shared: &Shared,
    ) -> Result<bool, Fault> {
        self.socket.write_all(request).await?;
        let mut response = Response::default();
        let mut last_data: Option<Instant> = None;
        while !response.is_done() {
            self.inbox.clear();
            self.inbox.reserve(READ_SIZE);
            if self.socket.read_buf(&mut self.inbox).await? == 0 {
                return Err(Fault::Closed);
            }
            let events = response.events;
            let data = response.feed(&self.inbox)?;
            let now = Instant::now();
            shared.note(|report| {
                report.bytes += self.inbox.len() as u64;
                report.events += response.events - events;
                match last_data {
                    _ if data == 0 => {}
                    None => report.first_byte.record(now - due),
                    Some(last) if response.is_streamed() => report.gap.record(now - last),
                    Some(_) => {}
                }
            });
            last_data = if data > 0 { Some(now) } else { last_data };
        }
        shared.note(|report| {
            report.requests += 1;
            *report.statuses.entry(response.status).or_default() += 1;
            report.latency.record(due.elapsed());
        });
        Ok(response.keep_alive)
    }
}

/// Keeps one connection busy until there are no more requests, reopening it when it breaks.
pub(super) async fn work(line: Line, shared: Rc<Shared>) {
    let mut request = shared.plan.request.clone();
    let mut open = Some(line);
    while let Some(due) = shared.arrivals.next().await {
        stamp(&mut request, shared.plan.stamp, shared.number());
        let sending = send(open.take(), &request, due, &shared);
        match timeout(shared.plan.timeout, sending).await.unwrap_or(Err(Fault::Timeout)) {
            Ok(line) => open = line,
            Err(fault) => {
                shared.note(|report| *report.errors.entry(fault.name()).or_default() += 1)
            }
        }
    }
}

async fn send(
    line: Option<Line>,
    request: &[u8],
    due: Instant,
    shared: &Shared,
) -> Result<Option<Line>, Fault> {
    let mut line = match line {
        Some(line) => line,
        None => Line::open(shared.plan.address, shared.plan.timeout)
            .await
            .map_err(|_| Fault::Connect)?,
    };
    let reusable = line.exchange(request, due, shared).await?;
    Ok(reusable.then_some(line))
}

/// Writes a number into the request, so that no cache or memo has seen it before.
fn stamp(request: &mut [u8], at: Option<usize>, mut number: u64) {
    let Some(at) = at else { return };
    for digit in request[at..at + STAMP_DIGITS].iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::stamp;

    #[test]
    fn a_stamp_is_written_in_place_and_only_where_asked() {
        let mut request = *b"<000000000000>";
        stamp(&mut request, None, 7);
        assert_eq!(&request, b"<000000000000>");
        stamp(&mut request, Some(1), 1203);
        assert_eq!(&request, b"<000000001203>");
    }
}
