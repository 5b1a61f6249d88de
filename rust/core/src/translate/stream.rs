//! A stream on its way from one dialect to another.

use crate::dialect;
use crate::error::Error;
use crate::usage::{self, Usage};
use bytes::Bytes;
use llmgw_formats::Kind;
use llmgw_formats::chat::{Delta, Event, Failure, Finish};
use llmgw_formats::eventstream::Messages;
use llmgw_formats::format::{Fault, Frame, StreamDecoder, StreamEncoder};
use llmgw_formats::frames::Frames;

/// Bytes of a stream that is translated: more than any model writes. What is held of it is bounded thereby.
const MOST: usize = 256 * 1024 * 1024;

/// A stream on its way from one dialect to another.
pub struct Translation {
    /// Bytes that have come.
    size: usize,
    cut: Cut,
    decoder: Box<dyn StreamDecoder>,
    encoder: Box<dyn StreamEncoder>,
    said: Said,
    out: Vec<u8>,
}

/// How a stream is cut into frames.
enum Cut {
    /// Server-sent events.
    Events(Frames),
    /// AWS's binary messages.
    Messages(Messages),
}

impl Cut {
    fn of(upstream: Kind) -> Self {
        match upstream {
            Kind::BedrockConverse => Cut::Messages(Messages::default()),
            _ => Cut::Events(Frames::default()),
        }
    }

    fn push(
        &mut self,
        chunk: &[u8],
        take: &mut impl FnMut(Frame<'_>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        match self {
            Cut::Events(frames) => frames.push(chunk, take),
            Cut::Messages(messages) => messages.push(chunk, take),
        }
    }

    fn close(
        &mut self,
        take: &mut impl FnMut(Frame<'_>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        match self {
            Cut::Events(frames) => frames.close(take),
            Cut::Messages(_) => Ok(()),
        }
    }

    fn signs_of_life(&self) -> u64 {
        match self {
            Cut::Events(frames) => frames.signs_of_life(),
            Cut::Messages(_) => 0,
        }
    }
}

/// What has been said in a stream.
#[derive(Default)]
struct Said {
    /// Something other than a failure.
    begun: bool,
    usage: Option<Usage>,
    deltas: u64,
    ended: bool,
    failure: Option<Failure<'static>>,
    /// The answer is none that may be given again.
    spoilt: bool,
    broken: bool,
}

impl Said {
    fn note(&mut self, event: &Event<'_>) {
        match event {
            Event::Usage(usage) => self.usage = usage::believable(*usage).or(self.usage),
            Event::Delta { delta: Delta::Text(_) | Delta::Arguments(_), .. } => self.deltas += 1,
            Event::End => self.ended = true,
            Event::Error(failure) => {
                self.failure = Some(failure.detached());
                self.ended = true;
                return;
            }
            Event::Finish { finish, .. } => self.spoilt |= !is_final(*finish),
            _ => {}
        }
        self.begun = true;
    }
}

/// Whether an answer that ended so may be given again.
fn is_final(finish: Finish) -> bool {
    match finish {
        Finish::Stop | Finish::StopSequence | Finish::Length | Finish::ToolCalls => true,
        Finish::ContentFilter | Finish::Refusal | Finish::Pause | Finish::Error => false,
    }
}

impl Translation {
    /// Of a stream in the dialect `upstream`, read by `decoder`, for a client written to by `encoder`.
    pub(super) fn new(
        upstream: Kind,
        decoder: Box<dyn StreamDecoder>,
        encoder: Box<dyn StreamEncoder>,
    ) -> Self {
        let (said, out) = (Said::default(), Vec::new());
        Translation { size: 0, cut: Cut::of(upstream), decoder, encoder, said, out }
    }

    /// Takes a chunk from the upstream and returns what the client gets for it.
    pub fn push(&mut self, chunk: &[u8]) -> Bytes {
        let Translation { size, cut, decoder, encoder, said, out } = self;
        *size = size.saturating_add(chunk.len());
        let signs = cut.signs_of_life();
        let mut take = |frame: Frame<'_>| hand_on(decoder, encoder, said, out, frame);
        let result = cut.push(chunk, &mut take);
        said.broken |= result.is_err() || *size > MOST;
        if cut.signs_of_life() > signs && !said.ended && !said.broken {
            // Whoever stands between us and the client must not take the silence for the end either.
            said.note(&Event::Ping);
            encoder.event(&Event::Ping, out);
        }
        std::mem::take(out).into()
    }

    /// What is left when the upstream has closed.
    pub fn finish(&mut self) -> Bytes {
        let Translation { cut, decoder, encoder, said, out, .. } = self;
        let mut take = |frame: Frame<'_>| hand_on(decoder, encoder, said, out, frame);
        let result = cut.close(&mut take);
        let complete = decoder.close(&mut |event| {
            said.note(&event);
            encoder.event(&event, out);
        });
        said.broken |= result.is_err();
        said.ended |= complete && !said.broken;
        std::mem::take(out).into()
    }

    /// The event that tells the client of a failure of ours.
    pub fn fail(&mut self, error: &Error) -> Bytes {
        let mut out = Vec::new();
        self.encoder.event(&Event::Error(dialect::failure(error)), &mut out);
        out.into()
    }

    /// Whether anything but a failure has been said.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.said.begun
    }

    /// The failure that the upstream told of.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure<'static>> {
        self.said.failure.as_ref()
    }

    /// Whether something came that is no stream of the upstream's dialect.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.said.broken
    }

    /// Whether the stream said that it is complete, or that it failed.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.said.ended && !self.said.broken
    }

    /// Whether it told of a failure, or of an answer that was filtered or cut.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.said.spoilt || self.said.failure.is_some()
    }

    /// The usage seen last.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        self.said.usage
    }

    /// Pieces of the answer that have passed.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.said.deltas
    }
}

/// Does not tell the upstream's own id.
pub(super) struct Nameless(pub(super) Box<dyn StreamEncoder>);

impl StreamEncoder for Nameless {
    fn event(&mut self, event: &Event<'_>, out: &mut Vec<u8>) {
        match event {
            Event::Start { model, created, .. } => {
                let start = Event::Start { id: "".into(), model: model.clone(), created: *created };
                self.0.event(&start, out);
            }
            other => self.0.event(other, out),
        }
    }
}

fn hand_on(
    decoder: &mut Box<dyn StreamDecoder>,
    encoder: &mut Box<dyn StreamEncoder>,
    said: &mut Said,
    out: &mut Vec<u8>,
    frame: Frame<'_>,
) -> Result<(), Fault> {
    if said.ended {
        return Ok(());
    }
    decoder.frame(frame, &mut |event| {
        said.note(&event);
        encoder.event(&event, out);
    })
}
