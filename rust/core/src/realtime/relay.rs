//! A session under way: what one side says the other hears, until one of them ends it or its time is up.

mod out;

use super::events::charged;
use super::frame::{Control, Data, Fault, Frame, OpCode, Reader, Side, closing, written};
use super::policy::{Policy, Verdict};
use crate::upstream::Socket;
use crate::usage::Usage;
use bytes::BytesMut;
use out::Out;
use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadHalf, WriteHalf, split};
use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, sleep_until, timeout};

/// How long a side may take to answer a goodbye.
const FAREWELL: Duration = Duration::from_secs(3);
const TEXT: OpCode = OpCode::Data(Data::Text);

/// What a session may take.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// Bytes of a message.
    pub most: usize,
    /// Without a message from either side.
    pub idle: Duration,
    /// When it must be over.
    pub deadline: Instant,
    /// For a side to take what is written to it.
    pub patience: Duration,
}

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// That side said goodbye.
    Closed(Side, Option<u16>),
    /// That side was gone without a word.
    Gone(Side),
    /// That side broke the rules of WebSockets.
    Faulty(Side, Fault),
    /// The client sent bytes where events are texts.
    Binary,
    /// Nobody said anything for long.
    Idle,
    /// It lasted as long as it may.
    Expired,
    /// The gateway is shutting down.
    Draining,
}

impl Ended {
    /// What a side is told, if it was not the one that said goodbye.
    fn farewell(self, to: Side) -> (u16, &'static str) {
        match self {
            Ended::Closed(_, code) => (code.filter(may_be_sent).unwrap_or(1000), ""),
            Ended::Gone(side) if side == to => (1001, ""),
            Ended::Gone(Side::Client) => (1001, "The client has left."),
            Ended::Gone(Side::Upstream) => (1011, "The upstream broke off."),
            Ended::Faulty(_, Fault::TooLarge) => (1009, "A message is larger than allowed."),
            Ended::Faulty(side, _) if side == to => (1002, "A frame breaks the protocol."),
            Ended::Faulty(Side::Client, _) => (1001, "The client broke the protocol."),
            Ended::Faulty(Side::Upstream, _) => (1011, "The upstream broke the protocol."),
            Ended::Binary if to == Side::Client => (1003, "Events are texts."),
            Ended::Binary => (1001, "The client broke the protocol."),
            Ended::Idle => (1001, "Nothing was said for too long."),
            Ended::Expired => (1001, "The session has lasted as long as it may."),
            Ended::Draining => (1001, "The gateway is shutting down."),
        }
    }
}

/// Whether a code may stand in a close frame: some only name what was not said.
fn may_be_sent(code: &u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

/// Lets a session run to its end; both sides have been told of it when this returns, and the upstream's
/// connection is closed.
pub async fn relay<C: AsyncRead + AsyncWrite + Unpin>(
    client: (&mut C, BytesMut),
    upstream: Socket,
    policy: &Policy<'_>,
    charge: impl Fn(Usage),
    terms: Terms,
    stop: impl Future<Output = ()>,
) -> Ended {
    let (client_in, client_out) = split(client.0);
    let (upstream_in, upstream_out) = split(upstream.stream);
    let mut from_client = Reader::new(client_in, client.1, Side::Client, terms.most);
    let mut from_upstream = Reader::new(upstream_in, upstream.ahead, Side::Upstream, terms.most);
    let talk = Talk {
        client: Mutex::new(Out::new(client_out, terms.patience)),
        upstream: Mutex::new(Out::new(upstream_out, terms.patience)),
        policy,
        charge,
        last: Cell::new(Instant::now()),
    };
    let (ended, heard) = talk.run(&mut from_client, &mut from_upstream, terms, stop).await;
    let client_end = goodbye(&talk.client, &mut from_client, Side::Client, ended, heard);
    let upstream_end = goodbye(&talk.upstream, &mut from_upstream, Side::Upstream, ended, heard);
    tokio::join!(client_end, upstream_end);
    talk.upstream.into_inner().shut(FAREWELL).await;
    ended
}

/// Which sides have said goodbye.
#[derive(Debug, Clone, Copy, Default)]
struct Heard {
    client: bool,
    upstream: bool,
}

/// Tells a side that it is over, unless it has been told, and waits for its answer, unless it was that side's
/// word.
async fn goodbye<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
    out: &Mutex<Out<W>>,
    from: &mut Reader<R>,
    side: Side,
    ended: Ended,
    heard: Heard,
) {
    let (code, reason) = ended.farewell(side);
    let told =
        timeout(FAREWELL, async { out.lock().await.close(&closing(code, reason, side)).await });
    let is_told = matches!(told.await, Ok(Ok(())));
    let has_spoken = if side == Side::Client { heard.client } else { heard.upstream };
    if !is_told || has_spoken {
        return;
    }
    let answer = async {
        if matches!(ended, Ended::Faulty(faulty, _) if faulty == side) {
            return from.discard().await;
        }
        let close = OpCode::Control(Control::Close);
        while from.next().await.is_ok_and(|frame| frame.opcode != close) {}
    };
    // However it ends, the connection is over.
    let _ = timeout(FAREWELL, answer).await;
}

/// Why a direction has come to its end.
enum Stop {
    /// Whom it listens to said goodbye, and the other side was told.
    Closed(Option<u16>),
    /// It was asked to.
    Halted,
    /// The session cannot go on.
    Broken(Ended),
}

/// What came first.
enum First {
    /// The end of what the client says.
    Up(Stop),
    /// The end of what the upstream says.
    Down(Stop),
    /// A word of ours.
    Ours(Ended),
}

/// Both directions, and what they share.
struct Talk<'a, C, U, F> {
    client: Mutex<Out<WriteHalf<C>>>,
    upstream: Mutex<Out<WriteHalf<U>>>,
    policy: &'a Policy<'a>,
    charge: F,
    /// When a message was last heard.
    last: Cell<Instant>,
}

impl<C, U, F> Talk<'_, C, U, F>
where
    C: AsyncRead + AsyncWrite + Unpin,
    U: AsyncRead + AsyncWrite + Unpin,
    F: Fn(Usage),
{
    /// Lets frames pass until somebody ends it.
    async fn run(
        &self,
        from_client: &mut Reader<ReadHalf<C>>,
        from_upstream: &mut Reader<ReadHalf<U>>,
        terms: Terms,
        stop: impl Future<Output = ()>,
    ) -> (Ended, Heard) {
        let (halt, halted) = watch::channel(false);
        let mut up = pin!(self.up(from_client, halted.clone()));
        let mut down = pin!(self.down(from_upstream, halted));
        let first = tokio::select! {
            stop = &mut up => First::Up(stop),
            stop = &mut down => First::Down(stop),
            () = self.idle(terms.idle) => First::Ours(Ended::Idle),
            () = sleep_until(terms.deadline) => First::Ours(Ended::Expired),
            () = stop => First::Ours(Ended::Draining),
        };
        let mut heard = Heard::default();
        let ended = match first {
            First::Up(Stop::Closed(code)) => {
                heard.client = true;
                let answer = timeout(FAREWELL, down).await;
                heard.upstream = matches!(answer, Ok(Stop::Closed(_)));
                Ended::Closed(Side::Client, code)
            }
            First::Down(Stop::Closed(code)) => {
                heard.upstream = true;
                let answer = timeout(FAREWELL, up).await;
                heard.client = matches!(answer, Ok(Stop::Closed(_)));
                Ended::Closed(Side::Upstream, code)
            }
            // It takes nothing any more, but its last words may be on their way.
            First::Up(Stop::Broken(Ended::Gone(Side::Upstream))) => {
                match timeout(FAREWELL, down).await {
                    Ok(Stop::Closed(code)) => {
                        heard.upstream = true;
                        Ended::Closed(Side::Upstream, code)
                    }
                    _ => Ended::Gone(Side::Upstream),
                }
            }
            // Otherwise what is being written is finished, so that no goodbye lands within a frame.
            First::Up(stop) => {
                halt.send_replace(true);
                let _ = timeout(FAREWELL, down).await;
                stop.ended()
            }
            First::Down(stop) => {
                halt.send_replace(true);
                let _ = timeout(FAREWELL, up).await;
                stop.ended()
            }
            First::Ours(ended) => {
                halt.send_replace(true);
                let _ = timeout(FAREWELL, async { tokio::join!(up, down) }).await;
                ended
            }
        };
        (ended, heard)
    }

    /// Resolves when neither side has said anything for that long. What only keeps a connection alive does
    /// not count.
    async fn idle(&self, most: Duration) {
        loop {
            let until = self.last.get() + most;
            if until <= Instant::now() {
                return;
            }
            sleep_until(until).await;
        }
    }

    /// Passes on what the client says.
    async fn up(&self, from: &mut Reader<ReadHalf<C>>, mut halted: watch::Receiver<bool>) -> Stop {
        let mut parts = Vec::new();
        loop {
            let passed = match next(from, &mut halted, Side::Client).await {
                Ok(frame) => self.hear_client(&frame, &mut parts).await,
                Err(stop) => return stop,
            };
            if let Err(stop) = passed {
                return stop;
            }
        }
    }

    /// Passes on what the upstream says.
    async fn down(
        &self,
        from: &mut Reader<ReadHalf<U>>,
        mut halted: watch::Receiver<bool>,
    ) -> Stop {
        let mut parts = None;
        loop {
            let passed = match next(from, &mut halted, Side::Upstream).await {
                Ok(frame) => self.hear_upstream(&frame, &mut parts).await,
                Err(stop) => return stop,
            };
            if let Err(stop) = passed {
                return stop;
            }
        }
    }

    /// A message is held until all of it has been heard, and goes on only if it may. `parts` is what has
    /// been heard of it.
    async fn hear_client(&self, frame: &Frame, parts: &mut Vec<u8>) -> Result<(), Stop> {
        let gone = |_| Stop::Broken(Ended::Gone(Side::Upstream));
        match frame.opcode {
            OpCode::Control(Control::Close) => {
                // It was said, whether or not anybody is there to hear it.
                let _ = self.upstream.lock().await.close(&frame.bytes).await;
                return Err(Stop::Closed(frame.close_code()));
            }
            OpCode::Control(_) => {
                return self.upstream.lock().await.control(&frame.bytes).await.map_err(gone);
            }
            OpCode::Data(Data::Binary) => return Err(Stop::Broken(Ended::Binary)),
            OpCode::Data(_) => frame.read_into(parts),
        }
        if !frame.is_final {
            return Ok(());
        }
        self.last.set(Instant::now());
        let text = std::mem::take(parts);
        let sent = match self.policy.judge(&text) {
            Verdict::Pass if frame.opcode == TEXT => frame.bytes.clone(),
            Verdict::Pass => written(TEXT, &text, Side::Upstream).into(),
            Verdict::Instead(text) => written(TEXT, &text, Side::Upstream).into(),
            Verdict::Refused(event) => {
                let event = written(TEXT, &event, Side::Client);
                let gone = |_| Stop::Broken(Ended::Gone(Side::Client));
                return self.client.lock().await.add(&event).await.map_err(gone);
            }
        };
        self.upstream.lock().await.pass(&sent, true).await.map_err(gone)
    }

    /// A frame goes on as soon as it is whole. `parts` is what has been heard of a text in parts.
    async fn hear_upstream(&self, frame: &Frame, parts: &mut Option<Vec<u8>>) -> Result<(), Stop> {
        let gone = |_| Stop::Broken(Ended::Gone(Side::Client));
        let mut client = self.client.lock().await;
        match frame.opcode {
            OpCode::Control(Control::Close) => {
                let _ = client.close(&frame.bytes).await;
                return Err(Stop::Closed(frame.close_code()));
            }
            OpCode::Control(_) => return client.control(&frame.bytes).await.map_err(gone),
            OpCode::Data(_) => {}
        }
        let passed = client.pass(&frame.bytes, frame.is_final).await;
        drop(client);
        // It has been charged for, whether or not the client is there to hear it.
        match (frame.opcode, frame.is_final) {
            (TEXT, true) => self.note(frame.carried()),
            (TEXT, false) => *parts = Some(frame.carried().to_vec()),
            (_, is_final) => {
                if let Some(text) = parts {
                    text.extend_from_slice(frame.carried());
                }
                if let Some(text) = parts.take_if(|_| is_final) {
                    self.note(&text);
                }
            }
        }
        if frame.is_final {
            self.last.set(Instant::now());
        }
        passed.map_err(gone)
    }

    fn note(&self, text: &[u8]) {
        if let Some(usage) = charged(text) {
            (self.charge)(usage);
        }
    }
}

impl Stop {
    /// How the session ends for it.
    fn ended(self) -> Ended {
        match self {
            Stop::Broken(ended) => ended,
            Stop::Closed(_) | Stop::Halted => Ended::Draining,
        }
    }
}

/// The next frame of a side, unless it is to stop.
async fn next<R: AsyncRead + Unpin>(
    from: &mut Reader<R>,
    halted: &mut watch::Receiver<bool>,
    side: Side,
) -> Result<Frame, Stop> {
    tokio::select! {
        biased;
        _ = halted.wait_for(|&halted| halted) => Err(Stop::Halted),
        frame = from.next() => frame.map_err(|fault| Stop::Broken(match fault {
            Fault::Gone => Ended::Gone(side),
            fault => Ended::Faulty(side, fault),
        })),
    }
}

#[cfg(test)]
mod tests;
