//! A reply on its way back: its bytes as they come, its headers by a list.

use super::door::Door;
use super::headers;
use super::watch::Watch;
use crate::dialect;
use crate::error::{Class, Error};
use crate::headers::Headers;
use crate::plan::Deployment;
use crate::reply::Body;
use crate::session::{After, Asked, Session};
use crate::stream::{self, Outgoing};
use crate::upstream::{self, Response};
use llmgw_formats::Kind;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout_at;

/// Media types of streams: server-sent events, and AWS's binary ones.
const STREAMS: [&str; 2] = ["text/event-stream", "application/vnd.amazon.eventstream"];

/// How a reply went.
pub(super) struct Passed {
    /// What becomes of the client's connection.
    pub(super) after: After,
    /// What broke it off, if anything did.
    pub(super) broken: Option<Class>,
    /// It was a stream.
    pub(super) is_stream: bool,
    /// The client left.
    pub(super) client_gone: bool,
    /// Bytes of its body.
    pub(super) bytes: u64,
    /// Time spent waiting for the upstream.
    pub(super) waited: Duration,
    /// From the request to the first byte of the reply.
    pub(super) first_byte: Duration,
}

impl Passed {
    fn whole(after: After, asked: &Asked) -> Self {
        let first_byte = asked.started.elapsed();
        Passed {
            after,
            broken: None,
            is_stream: false,
            client_gone: false,
            bytes: 0,
            waited: Duration::ZERO,
            first_byte,
        }
    }
}

/// What a reply is that a client must not get as it is.
#[must_use]
pub(super) fn refused(response: &Response, door: &Door, deployment: &Deployment) -> Option<Class> {
    match response.status {
        // It may quote the credential, or what was signed with it.
        401 => Some(Class::UpstreamAuth),
        403 if deployment.signer.is_some() => Some(Class::UpstreamAuth),
        0..=199 | 407 => Some(Class::UpstreamProtocol),
        300..=399 if response.status != 304 => {
            // Nobody is sent elsewhere: an address that is not below ours leads past every rule here.
            let leads = place(&response.headers, door, deployment).is_some();
            (!leads).then_some(Class::UpstreamProtocol)
        }
        _ => None,
    }
}

/// Where `location` points, as a path of ours.
fn place(headers: &Headers, door: &Door, deployment: &Deployment) -> Option<String> {
    let location = headers.text("location")?;
    if location.bytes().any(|byte| !(0x21..0x7f).contains(&byte) || byte == b'\\') {
        return None;
    }
    if location.starts_with('/') {
        return door.path_here(location);
    }
    let (_, rest) = location.split_once("://")?;
    door.path_here(rest.strip_prefix(deployment.origin.authority())?)
}

/// Adds the host's headers that a client may see.
pub(super) fn add_headers<S>(
    session: &mut Session<S>,
    headers: &Headers,
    own_limits: bool,
    door: &Door,
    deployment: &Deployment,
) {
    stream::upstream_headers(&mut session.head, headers, own_limits);
    // Of what is set below for streams, one word is enough.
    let is_stream = headers.is_of_type("text/event-stream");
    for (name, value) in headers.iter() {
        let lower = name.to_ascii_lowercase();
        let Ok(name) = std::str::from_utf8(&lower) else { continue };
        if headers::is_shown(name) && !(is_stream && name == "cache-control") {
            session.head.header(name, value);
        }
    }
    if let Some(place) = place(headers, door, deployment) {
        session.head.header("location", place.as_bytes());
    }
}

/// Passes a reply on; its head has been begun and is ended here.
pub(super) async fn pass<S: AsyncRead + AsyncWrite + Unpin>(
    session: &mut Session<S>,
    response: Response,
    watch: &mut Watch,
    deployment: &Deployment,
    deadline: tokio::time::Instant,
    asked: &Asked,
) -> Passed {
    let Response { status, headers, body: mut rest } = response;
    if asked.head_only || matches!(status, 204 | 304) {
        // A HEAD's length is that of the body which a GET would bring.
        let length = headers.text("content-length").and_then(|text| text.parse().ok());
        let framing = match length.filter(|_| asked.head_only) {
            Some(length) => Body::Length(length),
            None => Body::None,
        };
        drop(rest);
        let head = session.head.end(framing, asked.keep_alive);
        let sent = session.connection.write(head, &[]).await.is_ok()
            && session.connection.flush().await.is_ok();
        return Passed::whole(
            if sent && asked.keep_alive { After::Keep } else { After::Close },
            asked,
        );
    }
    let length = rest.remaining().and_then(|length| usize::try_from(length).ok());
    let (mut out, keep_alive) = Outgoing::begin(session, length, asked);
    let mut passed = Passed::whole(After::Cut, asked);
    let is_stream = STREAMS.iter().any(|kind| headers.is_of_type(kind));
    passed.is_stream = is_stream;
    // The head of a stream goes out at once: an upstream may think for long before its first event.
    if is_stream && !matches!(timeout_at(deadline, out.send(session, &[])).await, Ok(Ok(()))) {
        passed.client_gone = true;
        return passed;
    }
    let end = run(session, &mut out, &mut rest, watch, deployment, deadline, &mut passed).await;
    drop(rest);
    match end {
        End::Gone => passed.client_gone = true,
        End::Complete => {
            let sent = out.finish(session).await.is_ok();
            passed.after = match (sent, keep_alive) {
                (true, true) => After::Keep,
                (true, false) => After::Close,
                (false, _) => After::Cut,
            };
        }
        End::Broken(class) => {
            passed.broken = Some(class);
            if passed.bytes == 0 && !is_stream {
                // Nothing has been sent, not even the head.
                let error = midway(class, deployment);
                passed.after = session.refuse(asked, &error).await;
            } else if headers.is_of_type("text/event-stream") {
                passed.after = say_so(session, &mut out, class, watch, deployment, asked).await;
            }
        }
    }
    passed
}

enum End {
    Complete,
    Broken(Class),
    Gone,
}

async fn run<S: AsyncRead + AsyncWrite + Unpin>(
    session: &mut Session<S>,
    out: &mut Outgoing,
    rest: &mut upstream::Body,
    watch: &mut Watch,
    deployment: &Deployment,
    deadline: tokio::time::Instant,
    passed: &mut Passed,
) -> End {
    loop {
        let until = deadline.min(tokio::time::Instant::now() + deployment.idle);
        let started = Instant::now();
        let read = tokio::select! {
            biased;
            read = timeout_at(until, rest.chunk()) => read,
            () = session.connection.gone() => return End::Gone,
        };
        passed.waited += started.elapsed();
        let data = match read {
            Ok(Some(Ok(data))) => data,
            Ok(None) => return End::Complete,
            Ok(Some(Err(()))) => return End::Broken(Class::UpstreamProtocol),
            Err(_) => return End::Broken(Class::UpstreamTimeout),
        };
        watch.see(&data);
        passed.bytes += data.len() as u64;
        // A reader that is too slow for the deadline is given up: half a frame may have been written.
        if !matches!(timeout_at(deadline, out.send(session, &data)).await, Ok(Ok(()))) {
            return End::Gone;
        }
    }
}

/// What became of a reply that was not whole.
pub(super) fn midway(class: Class, deployment: &Deployment) -> Error {
    let what = if class == Class::UpstreamTimeout { "fell silent" } else { "broke off its reply" };
    Error::new(class, format!("Deployment `{}` {what} midway.", deployment.id))
}

/// Ends a stream that broke off with an event that tells so.
async fn say_so<S: AsyncRead + AsyncWrite + Unpin>(
    session: &mut Session<S>,
    out: &mut Outgoing,
    class: Class,
    watch: &Watch,
    deployment: &Deployment,
    asked: &Asked,
) -> After {
    let error = midway(class, deployment);
    // OpenAI's two APIs have errors in common, and events of their own.
    let kind = if asked.dialect == Kind::OpenaiChat { watch.kind() } else { asked.dialect };
    // An event may be unfinished: half of one would spoil the one that says why.
    let event = dialect::error_event(kind, &error, &asked.request_id, watch.events());
    let text = [b"\n\n", &event[..]].concat();
    let sent = out.send(session, &text).await.is_ok() && out.finish(session).await.is_ok();
    if sent { After::Close } else { After::Cut }
}
