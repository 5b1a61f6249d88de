//! A reply that is still coming, passed to the client as it comes.
//!
//! The next read from the upstream waits until the client has taken the last one: a slow reader holds
//! its upstream back instead of filling memory.

mod course;
mod follow;
mod passage;

use crate::call::Call;
use crate::dispatch::{Partial, Trail};
use crate::error::{Class, Error};
use crate::headers::Headers;
use crate::reply::{Body, HeadWriter};
use crate::responses::keeping::Watch;
use crate::session::{After, Asked, Session};
use crate::upstream;
use crate::usage::Usage;
use bytes::Bytes;
pub(crate) use course::Tail;
pub(crate) use course::grammar_of;
use course::{Course, End};
pub use follow::{Followed, follow};
use llmgw_formats::Kind;
use passage::Passage;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout_at;

/// How long the end of a stream may keep its connection from the next request.
const RUN_OUT: Duration = Duration::from_secs(1);

/// How a stream went.
pub struct Passed {
    /// What becomes of the client's connection.
    pub after: After,
    /// It ended the way its grammar says, with an answer that may be given again.
    pub cacheable: bool,
    /// The class of the failure midway, if it did not end well.
    pub broken: Option<Class>,
    /// The answer was refused: the upstream did what it could.
    pub refused: bool,
    /// The client left.
    pub client_gone: bool,
    /// Usage as the provider gave it.
    pub usage: Option<Usage>,
    /// Events passed.
    pub events: u64,
    /// Time spent waiting for the upstream.
    pub waited: Duration,
    /// From the request to the first byte of the reply.
    pub first_byte: Duration,
    /// Bytes of the body that were passed.
    pub bytes: u64,
    /// What was passed, if it is to be cached.
    pub kept: Option<Bytes>,
}

/// Passes `partial` to the client; the head has been begun and is ended here.
pub async fn pass<S: AsyncRead + AsyncWrite + Unpin>(
    session: &mut Session<S>,
    call: &Call,
    mut partial: Partial,
    mut watch: Option<Watch<'_>>,
    trail: &Trail,
    asked: &Asked,
) -> Passed {
    let is_events = partial.headers.is_of_type("text/event-stream");
    let (mut out, keep_alive) = Outgoing::begin(session, known_length(&partial, is_events), asked);
    let translated = partial.translated.take().map(|midway| midway.translation);
    let mut course = Course::new(call, translated, is_events, partial.hide_usage);
    let mut kept = (is_events && call.cache_key.is_some()).then(Keeper::default);
    let most_kept = call.plan.cache.as_ref().map_or(0, |policy| policy.max_entry_bytes);
    let first_byte = asked.started.elapsed();
    if let Some(attempt) = &trail.open {
        attempt.note_first();
    }
    let Partial { first, mut rest, idle, deadline, .. } = partial;
    let mut ready = course.begin(first);
    let end = loop {
        if let Some(keeper) = &mut kept {
            keeper.add(&ready, most_kept);
        }
        if let Some(watch) = &mut watch {
            watch.see(&ready);
        }
        // A reader that is too slow for the deadline is given up: half a frame may have been written.
        if !matches!(timeout_at(deadline, out.send(session, &ready)).await, Ok(Ok(()))) {
            break End::ClientGone;
        }
        course.note(trail);
        if let Some(end) = course.over() {
            break end;
        }
        match course.next(session, &mut rest, idle, deadline).await {
            Ok(next) => ready = course.take(next),
            Err(end) => break end,
        }
    };
    // What was held is said only now: a stream may turn out to be complete, or broken, by it.
    let last = course.last(&end);
    if let Some(watch) = &mut watch {
        watch.see(&last);
    }
    let (broken, client_gone) = (course.broken(&end), matches!(end, End::ClientGone));
    if broken.is_none() && !client_gone && !rest.is_over() {
        tokio::task::spawn_local(run_out(rest));
    } else {
        // Gone before the client's connection is closed: the upstream's slot is free at once.
        drop(rest);
    }
    let (usage, events) = course.cost(call, broken.is_none() && !client_gone);
    let Course { passage, waited, .. } = course;
    let refused = passage.as_ref().is_some_and(Passage::is_refused);
    let failed = passage.as_ref().is_none_or(Passage::has_failed);
    let deployment = trail.deployment.map_or("", |index| &call.plan.deployments[index].id);
    let ending = Ending { end, last, deployment, keep_alive, request_id: &asked.request_id };
    let (after, complete) = finish(session, call, ending, passage, &mut out, &mut kept).await;
    Passed {
        after,
        cacheable: complete && !failed,
        broken,
        refused,
        client_gone,
        usage,
        events,
        waited,
        first_byte,
        bytes: out.sent(),
        kept: kept.and_then(Keeper::into_bytes),
    }
}

/// Reads the few bytes behind the last event, so that the connection can serve again.
async fn run_out(mut rest: upstream::Body) {
    let deadline = tokio::time::Instant::now() + RUN_OUT;
    while let Ok(Some(Ok(_))) = timeout_at(deadline, rest.chunk()).await {}
}

/// What is known when nothing more comes.
struct Ending<'a> {
    end: End,
    /// What was held until the upstream closed.
    last: Bytes,
    deployment: &'a str,
    keep_alive: bool,
    request_id: &'a str,
}

/// Sends what ends the reply: what was held, or an error event, and the last chunk.
async fn finish<S: AsyncRead + AsyncWrite + Unpin>(
    session: &mut Session<S>,
    call: &Call,
    ending: Ending<'_>,
    passage: Option<Passage>,
    out: &mut Outgoing,
    kept: &mut Option<Keeper>,
) -> (After, bool) {
    let Ending { end, last, deployment, keep_alive, request_id } = ending;
    let timed_out = match end {
        End::ClientGone => return (After::Cut, false),
        End::Complete => false,
        End::Broken { timed_out } => timed_out,
    };
    let ended = matches!(end, End::Complete);
    let Some(mut passage) = passage else {
        // Of a plain body nothing can be said midway but that it is not whole.
        let whole = ended && out.finish(session).await.is_ok();
        return (after(whole, keep_alive), whole);
    };
    let complete = ended && passage.is_finished();
    let mut text = Vec::new();
    if complete {
        text.extend_from_slice(&last);
    } else {
        // Half an event is worth nothing to a client, and would spoil the one that says why.
        if passage.is_spilling() {
            text.extend_from_slice(b"\n\n");
        }
        let error = midway(timed_out, deployment);
        let dialect = call.operation.format().unwrap_or(Kind::OpenaiChat);
        text.extend_from_slice(&passage.fail(dialect, &error, request_id));
    }
    if let Some(keeper) = kept {
        keeper.add(&last, u64::MAX);
    }
    let sent = out.send(session, &text).await.is_ok() && out.finish(session).await.is_ok();
    (after(sent, complete && keep_alive), complete)
}

fn after(sent_whole: bool, keep_alive: bool) -> After {
    match (sent_whole, keep_alive) {
        (true, true) => After::Keep,
        (true, false) => After::Close,
        (false, _) => After::Cut,
    }
}

/// The class a reply that broke off midway is reported with.
fn midway(timed_out: bool, deployment: &str) -> Error {
    if timed_out {
        return Error::new(
            Class::UpstreamTimeout,
            format!("Deployment `{deployment}` fell silent midway."),
        );
    }
    Error::new(
        Class::UpstreamProtocol,
        format!("Deployment `{deployment}` broke off its reply midway."),
    )
}

/// Bytes of the body as the client gets it, if that is known.
fn known_length(partial: &Partial, is_events: bool) -> Option<usize> {
    let left = partial.rest.remaining().and_then(|left| usize::try_from(left).ok());
    // What is translated changes its length.
    let is_known = !is_events && partial.translated.is_none();
    left.map(|left| partial.first.len() + left).filter(|_| is_known)
}

/// Frames what is sent.
pub struct Outgoing {
    framing: Body,
    frame: Vec<u8>,
    sent: usize,
}

impl Outgoing {
    /// Ends the reply's head, by how the body is framed and not as a header says: what is promised is what
    /// comes. The second value says whether the connection may live on.
    pub fn begin<S: AsyncRead + AsyncWrite + Unpin>(
        session: &mut Session<S>,
        length: Option<usize>,
        asked: &Asked,
    ) -> (Self, bool) {
        let framing = match (length, asked.chunked) {
            (Some(length), _) => Body::Length(length),
            (None, true) => Body::Chunked,
            (None, false) => Body::UntilClose,
        };
        let keep_alive = asked.keep_alive && framing != Body::UntilClose;
        let mut frame = Vec::with_capacity(1024);
        frame.extend_from_slice(session.head.end(framing, keep_alive));
        (Outgoing { framing, frame, sent: 0 }, keep_alive)
    }

    /// Sends `data` (and the head before it, the first time).
    ///
    /// # Errors
    /// The client's connection's.
    pub async fn send<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        session: &mut Session<S>,
        data: &[u8],
    ) -> io::Result<()> {
        if data.is_empty() && self.frame.is_empty() {
            return Ok(());
        }
        self.sent += data.len();
        if data.is_empty() || self.framing != Body::Chunked {
            session.connection.write(&self.frame, data).await?;
        } else {
            // A small chunk is copied between its framing: one write instead of three parts.
            use std::io::Write;
            let _ = write!(self.frame, "{:x}\r\n", data.len());
            self.frame.extend_from_slice(data);
            self.frame.extend_from_slice(b"\r\n");
            session.connection.write(&self.frame, &[]).await?;
        }
        self.frame.clear();
        session.connection.flush().await
    }

    /// Bytes of the body that were sent.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent as u64
    }

    /// Sends what ends the body.
    ///
    /// # Errors
    /// The client's connection's, or `UnexpectedEof` if less was sent than was promised.
    pub async fn finish<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        session: &mut Session<S>,
    ) -> io::Result<()> {
        if matches!(self.framing, Body::Length(promised) if promised != self.sent) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if self.framing == Body::Chunked {
            self.frame.extend_from_slice(b"0\r\n\r\n");
        }
        session.connection.write(&self.frame, &[]).await?;
        session.connection.flush().await
    }
}

/// Collects what was passed, until it is too large to be cached.
#[derive(Default)]
struct Keeper {
    bytes: Vec<u8>,
    overflown: bool,
}

impl Keeper {
    fn add(&mut self, data: &[u8], most: u64) {
        if self.overflown || (self.bytes.len() + data.len()) as u64 > most {
            self.overflown = true;
            self.bytes = Vec::new();
            return;
        }
        self.bytes.extend_from_slice(data);
    }

    fn into_bytes(self) -> Option<Bytes> {
        (!self.overflown).then(|| self.bytes.into())
    }
}

/// Adds the upstream's headers that a client may see; its rate limits only if the key has none.
pub fn upstream_headers(head: &mut HeadWriter, headers: &Headers, own_limits: bool) {
    for (name, value) in headers.iter() {
        // Names come in any case over HTTP/1.1; the client gets them in lower case.
        let lower = name.to_ascii_lowercase();
        let Ok(name) = std::str::from_utf8(&lower) else { continue };
        let shown = match name {
            "content-type" | "content-encoding" | "content-language" => name,
            "x-request-id" => "llm_provider-x-request-id",
            // Not openai-organization nor -project: those are the operator's own.
            "openai-processing-ms" | "openai-version" | "openai-model" => name,
            "request-id" => "llm_provider-request-id",
            _ if name.starts_with("x-ratelimit-") && !own_limits => name,
            _ if name.starts_with("anthropic-ratelimit-") && !own_limits => name,
            _ => continue,
        };
        head.header(shown, value);
    }
    if headers.is_of_type("text/event-stream") {
        head.header("cache-control", b"no-cache").header("x-accel-buffering", b"no");
    }
}

#[cfg(test)]
mod tests;
