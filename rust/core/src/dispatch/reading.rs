//! The beginning of a good reply: read until it is whole, or large, or a stream.

use super::failure::Bill;
use super::{Failure, Lost, Midway, Outcome, Partial, Whole, refusal};
use crate::error::Class;
use crate::headers::Headers;
use crate::plan::Deployment;
use crate::translate::{Chat, Fit, Lane, Translation};
use crate::upstream::{Body, Response};
use crate::usage::{self, BYTES_PER_TOKEN, Usage};
use bytes::{Bytes, BytesMut};
use tokio::time::{Instant, timeout_at};

/// A reply up to this size is read whole before the client gets its head, so that it can be retried.
const WHOLE_MAX: usize = 256 * 1024;
/// The same for replies that are translated: they are held whole anyway.
const TRANSLATED_MAX: usize = 64 * 1024 * 1024;
/// Media types of streams: server-sent events, and AWS's binary ones.
const STREAMS: [&str; 2] = ["text/event-stream", "application/vnd.amazon.eventstream"];

/// The media type of replies that are translated and no streams.
const JSON: &str = "application/json";

/// How a good reply is read.
pub(super) struct Reading<'a, 'c> {
    /// What was asked.
    pub(super) chat: &'a Chat<'c>,
    /// How it is translated, if it is.
    pub(super) lane: Option<Lane>,
    /// The usage in it was asked for on our own account.
    pub(super) hide_usage: bool,
    /// Who answers.
    pub(super) deployment: &'a Deployment,
    /// When it must have begun.
    pub(super) first_byte: Instant,
    /// When it must be over.
    pub(super) deadline: Instant,
}

impl Reading<'_, '_> {
    /// Reads until the reply is whole, or large, or its first event is here. One to be translated is
    /// read whole, unless it is a stream.
    pub(super) async fn begin(
        self,
        response: Response,
        fail: &impl Fn(Class, &str) -> Failure,
    ) -> Result<Outcome, Failure> {
        let Response { status, headers, body: mut rest } = response;
        if headers.is_of_type("text/html") {
            let failure = fail(Class::UpstreamProtocol, "answered with a web page");
            return Err(failure.billed(Bill::Failed));
        }
        let is_stream = STREAMS.iter().any(|kind| headers.is_of_type(kind));
        if self.lane.is_some() && is_stream != self.chat.call.streams() {
            return Err(fail(Class::UpstreamProtocol, "did not answer in the way it was asked to"));
        }
        if is_stream && let Some(translation) = self.translation()? {
            return self.opening(translation, status, &headers, rest, fail).await;
        }
        let passes_at_once = is_stream || is_media(&headers);
        let most = if self.lane.is_some() { TRANSLATED_MAX } else { WHOLE_MAX };
        let mut body = Buffer::default();
        loop {
            let next = self.next(&mut rest, !body.is_empty(), fail).await;
            let data = match next.map_err(|failure| failure.billed(seen(self.chat, body.len())))? {
                None if is_stream && body.is_empty() => return Err(broke_off(fail)),
                None => return self.whole(status, headers, body.freeze(), fail),
                Some(data) => data,
            };
            body.push(data);
            let large = body.len() > most;
            if large && self.lane.is_some() {
                let what = "sent a reply that is too large to be translated";
                let failure = fail(Class::UpstreamProtocol, what);
                return Err(failure.billed(seen(self.chat, body.len())));
            }
            if (passes_at_once && !body.is_empty()) || large {
                return Ok(self.partial(status, headers, body.freeze(), rest, None));
            }
        }
    }

    /// What comes next of the body; `begun` once something has come.
    async fn next(
        &self,
        rest: &mut Body,
        begun: bool,
        fail: &impl Fn(Class, &str) -> Failure,
    ) -> Result<Option<Bytes>, Failure> {
        let until = if begun {
            self.deadline.min(Instant::now() + self.deployment.idle)
        } else {
            self.first_byte
        };
        match timeout_at(until, rest.chunk()).await {
            Ok(next) => next.transpose().map_err(|()| broke_off(fail)),
            Err(_) => Err(fail(Class::UpstreamTimeout, "did not answer in time")),
        }
    }

    fn translation(&self) -> Result<Option<Translation>, Failure> {
        Ok(self.lane.as_ref().map(|lane| self.chat.stream(lane)).transpose()?)
    }

    /// Reads a stream that is translated until it says something to its client. One that begins with a
    /// failure is none: another attempt may do better, and if not, the client gets a status for it.
    async fn opening(
        self,
        mut translation: Translation,
        status: u16,
        headers: &Headers,
        mut rest: Body,
        fail: &impl Fn(Class, &str) -> Failure,
    ) -> Result<Outcome, Failure> {
        let mut first = Buffer::default();
        let mut begun = false;
        loop {
            let next = self.next(&mut rest, begun, fail).await;
            let data = next.map_err(|failure| failure.billed(told(translation.usage())))?;
            begun = true;
            let closed = data.is_none();
            first.push(data.map_or_else(Bytes::new, |data| translation.push(&data)));
            if closed {
                first.push(translation.finish());
            }
            if translation.has_begun() {
                break;
            }
            if let Some(said) = translation.failure() {
                let failure = refusal::in_stream(said, self.chat, headers, fail);
                return Err(match translation.usage() {
                    Some(_) => failure.billed(told(translation.usage())),
                    None => failure,
                });
            }
            if closed || translation.is_broken() {
                return Err(broke_off(fail).billed(told(translation.usage())));
            }
        }
        let kind = if self.chat.call.array { JSON } else { "text/event-stream; charset=utf-8" };
        let headers = headers.translated(kind);
        Ok(self.partial(status, headers, first.freeze(), rest, Some(translation)))
    }

    fn whole(
        self,
        status: u16,
        headers: Headers,
        body: Bytes,
        fail: &impl Fn(Class, &str) -> Failure,
    ) -> Result<Outcome, Failure> {
        let seen = || seen(self.chat, body.len());
        let Some(lane) = self.lane else {
            return Ok(Outcome::Whole(Whole { status, headers, body, translated: None }));
        };
        let unreadable = |_| {
            let failure =
                fail(Class::UpstreamProtocol, "sent a reply that could not be understood");
            let told = usage::of_reply(lane.operation.format(), &body);
            failure.billed(told.map_or_else(seen, whole))
        };
        let reply = self.chat.reply(&lane, &body).map_err(unreadable)?;
        let Lane { mut dropped, kept_upstream, .. } = lane;
        match &reply.fit {
            Fit::Fits => {}
            Fit::Unmet(name) if dropped.is_empty() => dropped.push_str(name),
            Fit::Unmet(name) => dropped.extend([", ", name]),
            Fit::Refused => {
                let what = "answered with something that does not fit the client's schema";
                let bill = reply.usage.map_or_else(seen, whole);
                return Err(fail(Class::UpstreamProtocol, what).billed(bill));
            }
        }
        let translated = Some(Box::new(Lost { dropped, usage: reply.usage, kept_upstream }));
        let headers = headers.translated(JSON);
        Ok(Outcome::Whole(Whole { status, headers, body: reply.body, translated }))
    }

    fn partial(
        self,
        status: u16,
        headers: Headers,
        first: Bytes,
        rest: Body,
        translation: Option<Translation>,
    ) -> Outcome {
        let translated = translation.zip(self.lane).map(|(translation, lane)| Midway {
            translation,
            dropped: lane.dropped,
            kept_upstream: lane.kept_upstream,
        });
        let (hide_usage, idle) = (self.hide_usage, self.deployment.idle);
        let deadline = self.deadline;
        let partial =
            Partial { status, headers, first, rest, hide_usage, translated, idle, deadline };
        Outcome::Partial(Box::new(partial))
    }
}

/// What so many bytes of a reply may be charged.
fn seen(chat: &Chat<'_>, bytes: usize) -> Bill {
    let text = if chat.call.operation.writes_text() { bytes } else { 0 };
    let output = u32::try_from(text as u64 / BYTES_PER_TOKEN).unwrap_or(u32::MAX);
    Bill::Perhaps { told: None, output }
}

/// What the beginning of a stream may be charged.
fn told(told: Option<Usage>) -> Bill {
    Bill::Perhaps { told: told.map(Box::new), output: 0 }
}

/// What a reply that came whole has told that it charges.
fn whole(told: Usage) -> Bill {
    Bill::Told(Box::new(told))
}

fn broke_off(fail: &impl Fn(Class, &str) -> Failure) -> Failure {
    fail(Class::UpstreamProtocol, "broke off its reply")
}

/// Sound and pictures are played as they come.
fn is_media(headers: &Headers) -> bool {
    ["audio/", "image/", "video/", "application/octet-stream"]
        .iter()
        .any(|kind| headers.is_of_type(kind))
}

/// Collects frames; a reply of one frame, the usual case, is not copied.
#[derive(Default)]
pub(super) struct Buffer {
    first: Bytes,
    joined: BytesMut,
}

impl Buffer {
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn len(&self) -> usize {
        self.first.len() + self.joined.len()
    }

    pub(super) fn push(&mut self, data: Bytes) {
        if self.is_empty() {
            self.first = data;
            return;
        }
        if data.is_empty() {
            return;
        }
        if self.joined.is_empty() {
            self.joined.extend_from_slice(&std::mem::take(&mut self.first));
        }
        self.joined.extend_from_slice(&data);
    }

    pub(super) fn freeze(self) -> Bytes {
        if self.joined.is_empty() { self.first } else { self.joined.freeze() }
    }
}
