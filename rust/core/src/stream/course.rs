//! A reply on its course: what of it is ready for the client, when it is over, and what it cost.

use super::passage::Passage;
use crate::call::Call;
use crate::dispatch::Trail;
use crate::error::Class;
use crate::session::Session;
use crate::snapshot::Operation;
use crate::sse::{Grammar, Relay};
use crate::translate::Translation;
use crate::upstream;
use crate::usage::{self, Usage};
use bytes::Bytes;
use llmgw_formats::Kind;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout_at;

/// Why the upstream's part ended.
pub(super) enum End {
    Complete,
    Broken { timed_out: bool },
    ClientGone,
}

/// A reply under way.
pub(super) struct Course {
    /// How its bytes become those that the client gets; `None` if they are no events.
    pub(super) passage: Option<Passage>,
    tail: Tail,
    /// Time spent waiting for the upstream.
    pub(super) waited: Duration,
}

impl Course {
    /// Of a stream that is translated, or of events, or of anything else.
    pub(super) fn new(
        call: &Call,
        translated: Option<Translation>,
        is_events: bool,
        hide_usage: bool,
    ) -> Self {
        let passage = match translated {
            Some(translation) => Some(Passage::Translation(Box::new(translation))),
            None => {
                is_events.then(|| Passage::Relay(Relay::new(grammar(call.operation), hide_usage)))
            }
        };
        Course { passage, tail: Tail::default(), waited: Duration::ZERO }
    }

    /// What the client gets first: the beginning of a translation has been translated.
    pub(super) fn begin(&mut self, first: Bytes) -> Bytes {
        match &self.passage {
            Some(Passage::Translation(_)) => first,
            _ => self.take(first),
        }
    }

    /// What the client gets for what has come.
    pub(super) fn take(&mut self, data: Bytes) -> Bytes {
        match &mut self.passage {
            Some(passage) => passage.push(data),
            None => {
                self.tail.add(&data);
                data
            }
        }
    }

    /// Whether it is over by what it said itself.
    pub(super) fn over(&self) -> Option<End> {
        let passage = self.passage.as_ref()?;
        if passage.is_broken() {
            return Some(End::Broken { timed_out: false });
        }
        passage.is_done().then_some(End::Complete)
    }

    /// Notes what has been told and what has come, should the rest never be waited for.
    pub(super) fn note(&self, trail: &Trail) {
        if let (Some(attempt), Some(passage)) = (&trail.open, &self.passage) {
            attempt.note(passage.usage(), passage.events());
        }
    }

    /// Waits for what comes next, or for the client to leave.
    pub(super) async fn next<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        session: &mut Session<S>,
        rest: &mut upstream::Body,
        idle: Duration,
        deadline: tokio::time::Instant,
    ) -> Result<Bytes, End> {
        let until = deadline.min(tokio::time::Instant::now() + idle);
        let started = Instant::now();
        let read = tokio::select! {
            biased;
            read = timeout_at(until, rest.chunk()) => read,
            () = session.connection.gone() => return Err(End::ClientGone),
        };
        self.waited += started.elapsed();
        match read {
            Ok(Some(Ok(bytes))) => Ok(bytes),
            Ok(None) => Err(End::Complete),
            Ok(Some(Err(()))) => Err(End::Broken { timed_out: false }),
            Err(_) => Err(End::Broken { timed_out: true }),
        }
    }

    /// What was held back until the upstream closed.
    pub(super) fn last(&mut self, end: &End) -> Bytes {
        match (&mut self.passage, end) {
            (Some(passage), End::Complete) => passage.finish(),
            _ => Bytes::new(),
        }
    }

    /// What went wrong midway, if anything did.
    pub(super) fn broken(&self, end: &End) -> Option<Class> {
        match end {
            End::Broken { timed_out: true } => Some(Class::UpstreamTimeout),
            End::Broken { timed_out: false } => Some(Class::UpstreamProtocol),
            End::ClientGone => None,
            End::Complete => {
                let passage = self.passage.as_ref()?;
                let incomplete = (!passage.is_finished()).then_some(Class::UpstreamProtocol);
                incomplete.or_else(|| passage.failure())
            }
        }
    }

    /// Usage as the provider gave it, and events passed. What it told of a stream that then broke off, or
    /// that nobody waited for, may be from before the answer: what has passed is the least that it cost.
    pub(super) fn cost(&self, call: &Call, whole: bool) -> (Option<Usage>, u64) {
        let Some(passage) = &self.passage else {
            return (usage::at_end(call.operation.format(), &self.tail.bytes), 0);
        };
        let (mut usage, events) = (passage.usage(), passage.events());
        if let (false, Some(usage)) = (whole, &mut usage) {
            usage.output = usage.output.max(events);
        }
        (usage, events)
    }
}

/// The end of a plain body, where the usage stands in large replies.
#[derive(Default)]
pub(crate) struct Tail {
    pub(super) bytes: Vec<u8>,
}

impl Tail {
    pub(super) const KEPT: usize = 4096;

    /// What there is of it.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn add(&mut self, data: &[u8]) {
        self.bytes.extend_from_slice(&data[data.len().saturating_sub(Self::KEPT)..]);
        let surplus = self.bytes.len().saturating_sub(Self::KEPT);
        self.bytes.drain(..surplus);
    }
}

fn grammar(operation: Operation) -> Grammar {
    match operation {
        Operation::ImagesGenerations
        | Operation::ImagesEdits
        | Operation::AudioSpeech
        | Operation::AudioTranscriptions
        | Operation::AudioTranslations => return Grammar::Media,
        _ => {}
    }
    grammar_of(operation.format().unwrap_or(Kind::OpenaiChat))
}

/// How a stream of that format says that it is complete.
pub(crate) fn grammar_of(kind: Kind) -> Grammar {
    match kind {
        Kind::OpenaiResponses => Grammar::Responses,
        Kind::AnthropicMessages => Grammar::Messages,
        Kind::GeminiGenerate => Grammar::Content,
        _ => Grammar::Chat,
    }
}
