//! A stream on its way from one dialect to another.

use crate::dialect;
use crate::error::{Class, Error};
use crate::usage::{self, Usage};
use bytes::Bytes;
use llmgw_formats::Kind;
use llmgw_formats::answer::{Apart, Judge};
use llmgw_formats::chat::{Delta, Event, Failure, Finish};
use llmgw_formats::eventstream::Messages;
use llmgw_formats::format::{Fault, Frame, StreamDecoder, StreamEncoder};
use llmgw_formats::frames::Frames;

/// Bytes of a stream that is translated: more than any model writes. What is held of it is bounded thereby.
const MOST: usize = 256 * 1024 * 1024;
/// What a client is told of an answer that does not fit its schema, and has to.
const UNFIT: &str = "The model's answer does not fit the schema.";

/// A stream on its way from one dialect to another.
pub struct Translation {
    /// Bytes that have come.
    size: usize,
    cut: Cut,
    decoder: Box<dyn StreamDecoder>,
    voice: Voice,
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

/// What goes to the client, and what is known of it.
struct Voice {
    encoder: Box<dyn StreamEncoder>,
    apart: Option<Apart>,
    judging: Option<Judging>,
    said: Said,
    out: Vec<u8>,
}

/// How an answer is judged that has to fit a schema.
pub(super) struct Judging {
    /// Judges it.
    pub(super) judge: Judge,
    /// One that does not fit is a failure; else the client is told of it by `name`.
    pub(super) refuses: bool,
    /// What such an answer falls short of.
    pub(super) name: String,
    /// It did not fit, and is refused when all has been said.
    pub(super) refused: bool,
}

impl Voice {
    fn say(&mut self, event: &Event<'_>) {
        let Some(mut apart) = self.apart.take() else { return self.judge(event) };
        apart.take(event, &mut |event| self.judge(event));
        self.apart = Some(apart);
    }

    fn judge(&mut self, event: &Event<'_>) {
        let Some(judging) = &mut self.judging else { return self.tell(event) };
        if judging.refused {
            return self.refuse(event);
        }
        if judging.judge.finds_unfit(event) {
            if judging.refuses {
                judging.refused = true;
                return;
            }
            let name = judging.name.clone();
            self.tell(&Event::Lost(name.into()));
        }
        self.tell(event);
    }

    /// What follows an answer that is refused: what it cost, and the refusal instead of its end.
    fn refuse(&mut self, event: &Event<'_>) {
        match event {
            Event::Usage(_) => self.said.note(event),
            Event::End => {
                let error = Error::new(Class::UpstreamProtocol, UNFIT);
                self.tell(&Event::Error(dialect::failure(&error)));
            }
            Event::Error(_) => self.tell(event),
            _ => {}
        }
    }

    fn tell(&mut self, event: &Event<'_>) {
        self.said.note(event);
        self.encoder.event(event, &mut self.out);
    }
}

impl Translation {
    /// Of a stream in the dialect `upstream`, read by `decoder`, for a client written to by `encoder`.
    pub(super) fn new(
        upstream: Kind,
        decoder: Box<dyn StreamDecoder>,
        encoder: Box<dyn StreamEncoder>,
        apart: Option<Apart>,
        judging: Option<Judging>,
    ) -> Self {
        let voice = Voice { encoder, apart, judging, said: Said::default(), out: Vec::new() };
        Translation { size: 0, cut: Cut::of(upstream), decoder, voice }
    }

    /// Takes a chunk from the upstream and returns what the client gets for it.
    pub fn push(&mut self, chunk: &[u8]) -> Bytes {
        let Translation { size, cut, decoder, voice } = self;
        *size = size.saturating_add(chunk.len());
        let signs = cut.signs_of_life();
        let result = cut.push(chunk, &mut |frame| hand_on(decoder, voice, frame));
        let said = &mut voice.said;
        said.broken |= result.is_err() || *size > MOST;
        if cut.signs_of_life() > signs && !said.ended && !said.broken {
            // Whoever stands between us and the client must not take the silence for the end either.
            voice.tell(&Event::Ping);
        }
        std::mem::take(&mut voice.out).into()
    }

    /// What is left when the upstream has closed.
    pub fn finish(&mut self) -> Bytes {
        let Translation { cut, decoder, voice, .. } = self;
        let result = cut.close(&mut |frame| hand_on(decoder, voice, frame));
        let complete = decoder.close(&mut |event| voice.say(&event));
        let said = &mut voice.said;
        said.broken |= result.is_err();
        said.ended |= complete && !said.broken;
        std::mem::take(&mut voice.out).into()
    }

    /// The event that tells the client of a failure of ours.
    pub fn fail(&mut self, error: &Error) -> Bytes {
        let mut out = Vec::new();
        self.voice.encoder.event(&Event::Error(dialect::failure(error)), &mut out);
        out.into()
    }

    /// Whether anything but a failure has been said.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.voice.said.begun
    }

    /// The failure that the upstream told of.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure<'static>> {
        self.voice.said.failure.as_ref()
    }

    /// Whether the upstream did all that it could, and its answer is refused.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.voice.judging.as_ref().is_some_and(|judging| judging.refused)
    }

    /// Whether something came that is no stream of the upstream's dialect.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.voice.said.broken
    }

    /// Whether the stream said that it is complete, or that it failed.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.voice.said.ended && !self.voice.said.broken
    }

    /// Whether it told of a failure, or of an answer that was filtered or cut.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.voice.said.spoilt || self.voice.said.failure.is_some()
    }

    /// The usage seen last.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        self.voice.said.usage
    }

    /// Pieces of the answer that have passed.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.voice.said.deltas
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
    voice: &mut Voice,
    frame: Frame<'_>,
) -> Result<(), Fault> {
    if voice.said.ended {
        return Ok(());
    }
    decoder.frame(frame, &mut |event| voice.say(&event))
}
