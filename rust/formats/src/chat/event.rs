//! What happens in a stream.

use super::{Block, Citation, Failure, Finish, Logprob, Raw, Signature, Text, Usage};

/// What happens in a stream. Decoders keep to this order:
///
/// `Start` once and first; then for each choice its blocks, numbered from 0 in the order in which they
/// begin: `BlockStart`, `Delta`s, `BlockStop`; a block is stopped before the next one of its choice
/// begins; `Finish` once for each choice, after its blocks; `Usage` at any time after `Start`, the last one counts; `End` once and last, only if the
/// stream ended the way its format says. `Error` ends a stream instead. `Ping` may come anywhere.
#[derive(Debug, Clone, PartialEq)]
pub enum Event<'a> {
    /// The reply begins.
    Start {
        /// The provider's id of the reply.
        id: Text<'a>,
        /// The model that answers.
        model: Text<'a>,
        /// Unix seconds, if the provider tells.
        created: Option<u64>,
    },
    /// A block begins.
    BlockStart {
        /// Of which choice.
        choice: u64,
        /// Its number.
        block: u64,
        /// What it is.
        start: BlockStart<'a>,
    },
    /// A block goes on.
    Delta {
        /// Of which choice.
        choice: u64,
        /// Its number.
        block: u64,
        /// What is added.
        delta: Delta<'a>,
    },
    /// A block is complete.
    BlockStop {
        /// Of which choice.
        choice: u64,
        /// Its number.
        block: u64,
    },
    /// A choice is complete.
    Finish {
        /// Which.
        choice: u64,
        /// Why.
        finish: Finish,
        /// The text that ended it.
        stop_sequence: Option<Text<'a>>,
    },
    /// What the answer falls short of, by the client's name for it: before the `Finish` of its choice.
    Lost(Text<'a>),
    /// Tokens charged so far.
    Usage(Usage),
    /// A sign of life.
    Ping,
    /// The stream failed, in the provider's words.
    Error(Failure<'a>),
    /// The stream is complete.
    End,
}

/// What a block of a stream is.
#[derive(Debug, Clone, PartialEq)]
pub enum BlockStart<'a> {
    /// Text.
    Text,
    /// Text: the answer that was asked for as the arguments of a tool.
    Answer,
    /// Text of a phase (see [`TextBlock::phase`](super::TextBlock::phase)).
    Phased(Text<'a>),
    /// Thought.
    Thinking,
    /// Thought that is not shown: complete as it begins.
    Redacted(Signature<'a>),
    /// The model declines.
    Refusal,
    /// A call of a tool, whose arguments follow.
    ToolCall {
        /// The call's id.
        id: Text<'a>,
        /// The tool.
        name: Text<'a>,
        /// Proof of the thought behind it.
        signature: Option<Signature<'a>>,
    },
    /// A picture, a sound, a part that only its own format knows: complete as it begins.
    Whole(Block<'a>),
}

/// What is added to a block.
#[derive(Debug, Clone, PartialEq)]
pub enum Delta<'a> {
    /// Text, of a thought too.
    Text(Text<'a>),
    /// A piece of the arguments' JSON text.
    Arguments(Raw<'a>),
    /// Proof of the thought, or of the one behind a text. Pieces of one are joined.
    Signature(Signature<'a>),
    /// Where the text is taken from.
    Citation(Citation<'a>),
    /// Log probabilities of the tokens that just came.
    Logprobs(Vec<Logprob<'a>>),
}
