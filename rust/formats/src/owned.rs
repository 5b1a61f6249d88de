//! Parts of events apart from the frame that they came in, for who has to keep them.

use crate::chat::{BlockStart, Citation, Delta, Logprob, Raw, Signature, Text};
use std::borrow::Cow;

fn text(text: Text<'_>) -> Text<'static> {
    Cow::Owned(text.into_owned())
}

fn maybe(given: Option<Raw<'_>>) -> Option<Raw<'static>> {
    given.map(text)
}

impl Signature<'_> {
    /// The same, borrowing nothing.
    #[must_use]
    pub fn into_owned(self) -> Signature<'static> {
        Signature { origin: self.origin, id: maybe(self.id), value: text(self.value) }
    }
}

impl Citation<'_> {
    /// The same, borrowing nothing.
    #[must_use]
    pub fn into_owned(self) -> Citation<'static> {
        Citation {
            start: self.start,
            end: self.end,
            url: maybe(self.url),
            title: maybe(self.title),
            quoted: maybe(self.quoted),
            document: self.document,
            raw: maybe(self.raw),
        }
    }
}

impl Logprob<'_> {
    /// The same, borrowing nothing.
    #[must_use]
    pub fn into_owned(self) -> Logprob<'static> {
        Logprob {
            token: text(self.token),
            logprob: self.logprob,
            bytes: self.bytes,
            top: self.top.into_iter().map(Logprob::into_owned).collect(),
        }
    }
}

impl BlockStart<'_> {
    /// The same, borrowing nothing.
    #[must_use]
    pub fn into_owned(self) -> BlockStart<'static> {
        match self {
            BlockStart::Text => BlockStart::Text,
            BlockStart::Thinking => BlockStart::Thinking,
            BlockStart::Refusal => BlockStart::Refusal,
            BlockStart::Redacted(signature) => BlockStart::Redacted(signature.into_owned()),
            BlockStart::ToolCall { id, name, signature } => BlockStart::ToolCall {
                id: text(id),
                name: text(name),
                signature: signature.map(Signature::into_owned),
            },
        }
    }
}

impl Delta<'_> {
    /// The same, borrowing nothing.
    #[must_use]
    pub fn into_owned(self) -> Delta<'static> {
        match self {
            Delta::Text(piece) => Delta::Text(text(piece)),
            Delta::Arguments(piece) => Delta::Arguments(text(piece)),
            Delta::Signature(piece) => Delta::Signature(piece.into_owned()),
            Delta::Citation(citation) => Delta::Citation(citation.into_owned()),
            Delta::Logprobs(all) => {
                Delta::Logprobs(all.into_iter().map(Logprob::into_owned).collect())
            }
        }
    }
}
