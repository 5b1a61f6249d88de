//! Parts of events apart from the frame that they came in, for who has to keep them.

use crate::chat::{
    Block, BlockStart, Cache, Citation, Delta, Logprob, Made, Raw, Signature, Source, Spoken, Text,
    TextBlock, Thinking, ToolCall,
};
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

impl Source<'_> {
    /// The same, borrowing nothing.
    #[must_use]
    pub fn into_owned(self) -> Source<'static> {
        match self {
            Source::Url { url, media_type } => {
                Source::Url { url: text(url), media_type: maybe(media_type) }
            }
            Source::Base64 { media_type, data } => {
                Source::Base64 { media_type: text(media_type), data: text(data) }
            }
            Source::File { id } => Source::File { id: text(id) },
            Source::Text(words) => Source::Text(text(words)),
        }
    }
}

fn cache(given: Option<Cache<'_>>) -> Option<Cache<'static>> {
    given.map(|mark| Cache { ttl: maybe(mark.ttl) })
}

impl TextBlock<'_> {
    fn into_owned(self) -> TextBlock<'static> {
        TextBlock {
            text: text(self.text),
            citations: self.citations.into_iter().map(Citation::into_owned).collect(),
            signature: self.signature.map(Signature::into_owned),
            cache: cache(self.cache),
            phase: maybe(self.phase),
        }
    }
}

impl ToolCall<'_> {
    fn into_owned(self) -> ToolCall<'static> {
        ToolCall {
            id: text(self.id),
            name: text(self.name),
            arguments: text(self.arguments),
            signature: self.signature.map(Signature::into_owned),
            cache: cache(self.cache),
        }
    }
}

impl Made<'_> {
    fn into_owned(self) -> Made<'static> {
        Made { signature: self.signature.map(Signature::into_owned), item: maybe(self.item) }
    }
}

impl Spoken<'_> {
    fn into_owned(self) -> Spoken<'static> {
        Spoken {
            id: maybe(self.id),
            expires_at: self.expires_at,
            transcript: maybe(self.transcript),
        }
    }
}

impl Block<'_> {
    /// The same, borrowing nothing.
    #[must_use]
    pub fn into_owned(self) -> Block<'static> {
        match self {
            Block::Text(one) => Block::Text(one.into_owned()),
            Block::Image { source, detail, cache: mark, made } => Block::Image {
                source: source.into_owned(),
                detail: maybe(detail),
                cache: cache(mark),
                made: made.into_owned(),
            },
            Block::Audio { source, spoken } => {
                Block::Audio { source: source.into_owned(), spoken: spoken.into_owned() }
            }
            Block::Video { source } => Block::Video { source: source.into_owned() },
            Block::Document { source, title, context, citations, cache: mark } => Block::Document {
                source: source.into_owned(),
                title: maybe(title),
                context: maybe(context),
                citations,
                cache: cache(mark),
            },
            Block::ToolCall(call) => Block::ToolCall(call.into_owned()),
            Block::ToolResult { call_id, name, blocks, is_error, cache: mark } => {
                Block::ToolResult {
                    call_id: text(call_id),
                    name: maybe(name),
                    blocks: blocks.into_iter().map(Block::into_owned).collect(),
                    is_error,
                    cache: cache(mark),
                }
            }
            Block::Thinking(Thinking { text: words, signature, redacted }) => {
                let signature = signature.map(Signature::into_owned);
                Block::Thinking(Thinking { text: text(words), signature, redacted })
            }
            Block::Refusal(words) => Block::Refusal(text(words)),
            Block::Opaque { kind, value } => Block::Opaque { kind: text(kind), value: text(value) },
        }
    }
}

impl BlockStart<'_> {
    /// The same, borrowing nothing.
    #[must_use]
    pub fn into_owned(self) -> BlockStart<'static> {
        match self {
            BlockStart::Text => BlockStart::Text,
            BlockStart::Answer => BlockStart::Answer,
            BlockStart::Phased(phase) => BlockStart::Phased(text(phase)),
            BlockStart::Whole(block) => BlockStart::Whole(block.into_owned()),
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
