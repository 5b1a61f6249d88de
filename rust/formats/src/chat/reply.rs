//! A whole reply.

use super::{Block, Text, Usage};

/// A whole reply.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reply<'a> {
    /// The provider's id of it.
    pub id: Text<'a>,
    /// The model that answered, as the provider calls it.
    pub model: Text<'a>,
    /// Unix seconds, if the provider tells.
    pub created: Option<u64>,
    /// The answers: one, unless more were asked for.
    pub choices: Vec<Choice<'a>>,
    /// Tokens charged.
    pub usage: Option<Usage>,
    /// The tier that served it.
    pub service_tier: Option<Text<'a>>,
}

/// One of the answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice<'a> {
    /// What is said, in order.
    pub blocks: Vec<Block<'a>>,
    /// Why it ended.
    pub finish: Finish,
    /// The text that ended it.
    pub stop_sequence: Option<Text<'a>>,
    /// Log probabilities of the tokens.
    pub logprobs: Vec<Logprob<'a>>,
}

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Finish {
    /// It was complete.
    #[default]
    Stop,
    /// One of the stop texts came.
    StopSequence,
    /// `max_output_tokens`, or the context was full.
    Length,
    /// Tools are called.
    ToolCalls,
    /// The provider's filter stepped in.
    ContentFilter,
    /// The model declined.
    Refusal,
    /// The provider paused a long turn; send it back to go on.
    Pause,
    /// Something went wrong (a malformed call, an internal failure).
    Error,
}

/// A token and how likely it was.
#[derive(Debug, Clone, PartialEq)]
pub struct Logprob<'a> {
    /// The token's text.
    pub token: Text<'a>,
    /// Natural logarithm of its probability.
    pub logprob: f64,
    /// Its bytes, where the format tells them.
    pub bytes: Option<Vec<u8>>,
    /// The alternatives at its place.
    pub top: Vec<Logprob<'a>>,
}
