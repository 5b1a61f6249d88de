//! A stream on its way through: relayed as it is, or translated.

use crate::dialect;
use crate::dispatch::class_of;
use crate::error::{Class, Error};
use crate::sse::Relay;
use crate::translate::Translation;
use crate::usage::Usage;
use bytes::Bytes;
use llmgw_formats::Kind;

/// How a stream's bytes become those that the client gets.
pub(super) enum Passage {
    /// As they are, watched.
    Relay(Relay),
    /// In another dialect.
    Translation(Box<Translation>),
}

impl Passage {
    /// What may go to the client now.
    pub(super) fn push(&mut self, chunk: Bytes) -> Bytes {
        match self {
            Passage::Relay(relay) => relay.push(chunk),
            Passage::Translation(translation) => translation.push(&chunk),
        }
    }

    /// What is left when the upstream has nothing more to say.
    pub(super) fn finish(&mut self) -> Bytes {
        match self {
            Passage::Relay(relay) => relay.finish(),
            Passage::Translation(translation) => translation.finish(),
        }
    }

    /// The event that tells the client of a failure of ours.
    pub(super) fn fail(&mut self, dialect: Kind, error: &Error, request_id: &str) -> Bytes {
        match self {
            Passage::Relay(relay) => {
                dialect::error_event(dialect, error, request_id, relay.events()).into()
            }
            Passage::Translation(translation) => translation.fail(error),
        }
    }

    /// Whether something came that cannot be understood.
    pub(super) fn is_broken(&self) -> bool {
        matches!(self, Passage::Translation(translation) if translation.is_broken())
    }

    /// Whether nothing more is to be waited for.
    pub(super) fn is_done(&self) -> bool {
        match self {
            Passage::Relay(relay) => relay.is_done(),
            Passage::Translation(translation) => translation.is_finished(),
        }
    }

    /// Whether the stream said that it is complete.
    pub(super) fn is_finished(&self) -> bool {
        match self {
            Passage::Relay(relay) => relay.is_finished(),
            Passage::Translation(translation) => translation.is_finished(),
        }
    }

    /// Whether it told of a failure, or of an answer that was filtered or cut.
    pub(super) fn has_failed(&self) -> bool {
        match self {
            Passage::Relay(relay) => relay.has_failed(),
            Passage::Translation(translation) => translation.has_failed(),
        }
    }

    /// What the failure amounts to that a translated stream told of.
    pub(super) fn failure(&self) -> Option<Class> {
        match self {
            Passage::Relay(_) => None,
            Passage::Translation(_) if self.is_refused() => Some(Class::UpstreamProtocol),
            Passage::Translation(translation) => translation.failure().map(class_of),
        }
    }

    /// Whether the answer is refused, though the upstream did what it could.
    pub(super) fn is_refused(&self) -> bool {
        matches!(self, Passage::Translation(translation) if translation.is_refused())
    }

    /// Whether bytes of an unfinished event have reached the client already.
    pub(super) fn is_spilling(&self) -> bool {
        matches!(self, Passage::Relay(relay) if relay.is_spilling())
    }

    /// The usage seen last.
    pub(super) fn usage(&self) -> Option<Usage> {
        match self {
            Passage::Relay(relay) => relay.usage(),
            Passage::Translation(translation) => translation.usage(),
        }
    }

    /// How many events have passed: of an answer, its pieces.
    pub(super) fn events(&self) -> u64 {
        match self {
            Passage::Relay(relay) => relay.events(),
            Passage::Translation(translation) => translation.events(),
        }
    }
}
