//! What is asked: the conversation, the tools, and how to answer.

use super::{Message, Raw, Text, Tool, ToolChoice};

/// A request for a chat.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Request<'a> {
    /// The client's word for the model.
    pub model: Text<'a>,
    /// System prompts first, where the format keeps them apart; otherwise in their order.
    pub messages: Vec<Message<'a>>,
    /// Tools that the model may call.
    pub tools: Vec<Tool<'a>>,
    /// Whether it has to.
    pub tool_choice: Option<ToolChoice<'a>>,
    /// The client knows calls by OpenAI's first words alone, `functions`: one at a time, without an id.
    pub legacy_functions: bool,
    /// Whether several calls may come in one turn.
    pub parallel_tool_calls: Option<bool>,
    /// Most tokens of the reply.
    pub max_output_tokens: Option<u64>,
    /// Sampling temperature as OpenAI scales it: 0 to 2.
    pub temperature: Option<f64>,
    /// Nucleus sampling.
    pub top_p: Option<f64>,
    /// Sampling from the k likeliest.
    pub top_k: Option<u64>,
    /// OpenAI's penalty, -2 to 2.
    pub frequency_penalty: Option<f64>,
    /// OpenAI's penalty, -2 to 2.
    pub presence_penalty: Option<f64>,
    /// Texts that end the reply.
    pub stop: Vec<Text<'a>>,
    /// Seed of the sampling.
    pub seed: Option<i64>,
    /// How many replies; 1 if not given.
    pub n: Option<u64>,
    /// Log probabilities of the reply's tokens, with those of that many alternatives.
    pub logprobs: Option<u64>,
    /// What the reply's text has to be.
    pub output: Output<'a>,
    /// How much to think, and whether to show it.
    pub reasoning: Option<Reasoning<'a>>,
    /// The reply is to come as a stream.
    pub stream: bool,
    /// The client wants the usage in the stream (formats that always tell it set this).
    pub stream_usage: bool,
    /// The end user, for the provider's abuse detection.
    pub end_user: Option<Text<'a>>,
    /// Processing tier, by OpenAI's names (`auto`, `default`, `flex`, `priority`).
    pub service_tier: Option<Text<'a>>,
    /// The client's own labels: a JSON object.
    pub metadata: Option<Raw<'a>>,
    /// Members of the client's body that have no place above.
    pub extra: Vec<Extra<'a>>,
    /// Members of the client's body that replies of its own format repeat, verbatim (Responses). For
    /// nobody else: what they mean is told above.
    pub echo: Vec<Extra<'a>>,
}

/// A member that the canonical chat has no place for.
#[derive(Debug, Clone, PartialEq)]
pub struct Extra<'a> {
    /// Its path in the client's body, as `logit_bias` or `generationConfig.mediaResolution`.
    pub name: Text<'a>,
    /// Its value.
    pub value: Raw<'a>,
}

/// What the reply's text has to be.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Output<'a> {
    /// Anything.
    #[default]
    Text,
    /// A JSON object.
    Json,
    /// JSON that fits a schema.
    Schema(OutputSchema<'a>),
}

/// A schema for the reply.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OutputSchema<'a> {
    /// Its name; formats without names write `output`.
    pub name: Text<'a>,
    /// What it is for.
    pub description: Option<Text<'a>>,
    /// The JSON Schema.
    pub schema: Raw<'a>,
    /// The reply must fit it to the letter.
    pub strict: Option<bool>,
}

/// How much to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)] // OpenAI's names
pub enum Effort {
    None,
    Minimal,
    Low,
    Medium,
    High,
    XHigh,
}

/// How to think.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reasoning<'a> {
    /// How much; `Effort::None` switches thinking off.
    pub effort: Option<Effort>,
    /// Most tokens of thought.
    pub budget: Option<u64>,
    /// Thoughts, or a summary of them, are to be shown; the format's own default if not given.
    pub visible: Option<bool>,
    /// How detailed a summary (`auto`, `concise`, `detailed`).
    pub summary: Option<Text<'a>>,
    /// Thoughts are to come back sealed, for the client to keep (Responses: `reasoning.encrypted_content`).
    pub sealed: bool,
}
