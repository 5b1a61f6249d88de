//! The canonical chat: what every format can be read into and written from.
//!
//! It is the hub of the translation: M formats in and N formats out cost M + N files. It borrows
//! from the text it was read from. What has no place here rides in `extra`, under the name that the
//! client gave it, so that an encoder can carry it or say that it was dropped.

use std::borrow::Cow;

/// A text, borrowed where it could be.
pub type Text<'a> = Cow<'a, str>;
/// JSON text, passed on verbatim.
pub type Raw<'a> = Cow<'a, str>;

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

/// Who says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The system prompt.
    System,
    /// OpenAI's newer word for it; other formats read and write it as `System`.
    Developer,
    /// The user; tool results are the user's, too.
    User,
    /// The model.
    Assistant,
}

impl Role {
    /// Whether it instructs rather than converses.
    #[must_use]
    pub fn is_system(self) -> bool {
        matches!(self, Role::System | Role::Developer)
    }
}

/// One turn. Neighbours may have the same role; who needs them merged merges them.
#[derive(Debug, Clone, PartialEq)]
pub struct Message<'a> {
    /// Who speaks.
    pub role: Role,
    /// The speaker's name, where the format has one.
    pub name: Option<Text<'a>>,
    /// What is said, in order.
    pub blocks: Vec<Block<'a>>,
}

/// A mark up to which the provider should cache the prompt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cache<'a> {
    /// How long, as `5m` or `1h`; the provider's default if not given.
    pub ttl: Option<Text<'a>>,
}

/// A part of a message.
#[derive(Debug, Clone, PartialEq)]
pub enum Block<'a> {
    /// Text.
    Text(TextBlock<'a>),
    /// A picture.
    Image {
        /// Where it is.
        source: Source<'a>,
        /// OpenAI's resolution hint.
        detail: Option<Text<'a>>,
        /// Cache up to here.
        cache: Option<Cache<'a>>,
    },
    /// Sound.
    Audio {
        /// Where it is.
        source: Source<'a>,
    },
    /// Moving pictures.
    Video {
        /// Where it is.
        source: Source<'a>,
    },
    /// A document: a PDF, mostly.
    Document {
        /// Where it is.
        source: Source<'a>,
        /// Title or file name.
        title: Option<Text<'a>>,
        /// What the model should know of it.
        context: Option<Text<'a>>,
        /// The reply may cite it.
        citations: bool,
        /// Cache up to here.
        cache: Option<Cache<'a>>,
    },
    /// The model calls a tool.
    ToolCall(ToolCall<'a>),
    /// What a tool said.
    ToolResult {
        /// The call it answers.
        call_id: Text<'a>,
        /// The tool's name, where the format tells it.
        name: Option<Text<'a>>,
        /// The answer: texts, images, documents.
        blocks: Vec<Block<'a>>,
        /// It is an error.
        is_error: bool,
        /// Cache up to here.
        cache: Option<Cache<'a>>,
    },
    /// What the model thought.
    Thinking(Thinking<'a>),
    /// The model declined, in words.
    Refusal(Text<'a>),
    /// A part that only its own format knows.
    Opaque {
        /// Its type, for the list of what was dropped.
        kind: Text<'a>,
        /// The part as it stands.
        value: Raw<'a>,
    },
}

/// Text with what hangs on it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TextBlock<'a> {
    /// The text.
    pub text: Text<'a>,
    /// Where it is taken from.
    pub citations: Vec<Citation<'a>>,
    /// Proof of the thought before it (Gemini signs texts).
    pub signature: Option<Signature<'a>>,
    /// Cache up to here.
    pub cache: Option<Cache<'a>>,
    /// Whether the model says it on the way or in the end (OpenAI: `commentary`, `final_answer`).
    pub phase: Option<Text<'a>>,
}

impl<'a> Block<'a> {
    /// Plain text.
    pub fn text(text: impl Into<Text<'a>>) -> Self {
        Block::Text(TextBlock { text: text.into(), ..TextBlock::default() })
    }
}

/// Where a picture, a sound or a document is.
#[derive(Debug, Clone, PartialEq)]
pub enum Source<'a> {
    /// At a URL that the provider fetches.
    Url {
        /// The URL; not a `data:` one.
        url: Text<'a>,
        /// Its media type, if the client told.
        media_type: Option<Text<'a>>,
    },
    /// Here.
    Base64 {
        /// Media type, as `image/png`.
        media_type: Text<'a>,
        /// The data.
        data: Text<'a>,
    },
    /// Uploaded to the provider before.
    File {
        /// The provider's id of it.
        id: Text<'a>,
    },
    /// Here, as plain text (documents only).
    Text(Text<'a>),
}

/// A call of a tool.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolCall<'a> {
    /// The call's id; unique in the conversation.
    pub id: Text<'a>,
    /// The tool.
    pub name: Text<'a>,
    /// Its arguments: JSON text, an object (`{}` if there are none), as the model wrote it.
    pub arguments: Raw<'a>,
    /// Proof of the thought behind it (Gemini signs calls).
    pub signature: Option<Signature<'a>>,
    /// Cache up to here.
    pub cache: Option<Cache<'a>>,
}

/// A thought of the model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Thinking<'a> {
    /// The thought, or its summary; empty if it is hidden.
    pub text: Text<'a>,
    /// What the provider wants to see again with it.
    pub signature: Option<Signature<'a>>,
    /// All of it is in the signature: nothing of the thought is to be shown.
    pub redacted: bool,
}

/// Opaque bytes that prove a thought to the provider who thought it. Only that provider can use them;
/// everybody else has to hand them back unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature<'a> {
    /// The format that it came in.
    pub origin: crate::Kind,
    /// The provider's id of the thought, where it has one (Responses: `rs_…`).
    pub id: Option<Text<'a>>,
    /// The bytes, as the provider wrote them.
    pub value: Text<'a>,
}

/// Where a text is taken from. Offsets are in characters of the text block.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Citation<'a> {
    /// First character of the citing text.
    pub start: Option<u64>,
    /// The character after its last.
    pub end: Option<u64>,
    /// A page of the web.
    pub url: Option<Text<'a>>,
    /// Its title, or the document's.
    pub title: Option<Text<'a>>,
    /// The words cited.
    pub quoted: Option<Text<'a>>,
    /// Index of the cited document among those of the request.
    pub document: Option<u64>,
    /// The citation as its format wrote it.
    pub raw: Option<Raw<'a>>,
}

/// A tool.
#[derive(Debug, Clone, PartialEq)]
pub enum Tool<'a> {
    /// A function that the client runs.
    Function(Function<'a>),
    /// A tool that its provider runs (web search, code execution, …): only its own format knows it.
    Hosted {
        /// Its type, for the list of what was dropped.
        kind: Text<'a>,
        /// The definition as it stands.
        value: Raw<'a>,
    },
}

/// A function that the model may call.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Function<'a> {
    /// Its name.
    pub name: Text<'a>,
    /// What it is for.
    pub description: Option<Text<'a>>,
    /// JSON Schema of its arguments.
    pub parameters: Option<Raw<'a>>,
    /// The arguments must fit the schema.
    pub strict: Option<bool>,
    /// Cache up to here.
    pub cache: Option<Cache<'a>>,
    /// What its calls look like to a client or provider who knows the form; to all others it is a
    /// function with `parameters`.
    pub form: FunctionForm,
    /// The group that the client has it in, if `name` is made of that and of its name there.
    pub group: Option<Group<'a>>,
}

/// A function's place in a group of tools (a `namespace` of OpenAI's Responses).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group<'a> {
    /// The group.
    pub namespace: Text<'a>,
    /// The function's name there.
    pub name: Text<'a>,
}

/// What the calls of a function look like in OpenAI's formats.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FunctionForm {
    /// Arguments as a JSON object.
    #[default]
    Arguments,
    /// One free text (a `custom` tool). Canonically an object whose `input` is that text.
    FreeText,
    /// A command for the client's shell (the `local_shell` tool). Canonically the call's `action`.
    LocalShell,
    /// A search for tools by the client (the `tool_search` tool).
    ToolSearch,
}

/// Whether tools are to be called.
#[derive(Debug, Clone, PartialEq)]
pub enum ToolChoice<'a> {
    /// If the model wants.
    Auto,
    /// No.
    None,
    /// At least one.
    Required,
    /// This one.
    Function(Text<'a>),
    /// Some of these; at least one if required.
    Allowed {
        /// Their names.
        names: Vec<Text<'a>>,
        /// One has to be called.
        required: bool,
    },
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

/// Tokens charged. All sums are OpenAI's: parts are contained in their whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Input tokens, cached ones included.
    pub input: u64,
    /// Output tokens, reasoning included.
    pub output: u64,
    /// Input tokens read from the provider's prompt cache.
    pub cache_read: u64,
    /// Input tokens written to it.
    pub cache_write: u64,
    /// Output tokens of thought.
    pub reasoning: u64,
    /// Input tokens of sound.
    pub audio_input: u64,
    /// Output tokens of sound.
    pub audio_output: u64,
}

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
}

/// What is added to a block.
#[derive(Debug, Clone, PartialEq)]
pub enum Delta<'a> {
    /// Text, of a thought too.
    Text(Text<'a>),
    /// A piece of the arguments' JSON text.
    Arguments(Raw<'a>),
    /// Proof of the thought.
    Signature(Signature<'a>),
    /// Where the text is taken from.
    Citation(Citation<'a>),
    /// Log probabilities of the tokens that just came.
    Logprobs(Vec<Logprob<'a>>),
}

/// A failure in a provider's words.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure<'a> {
    /// HTTP status (of an error in a stream: the one it would have had).
    pub status: u16,
    /// What kind.
    pub kind: FailureKind,
    /// What went wrong, in words.
    pub message: Text<'a>,
    /// The provider's code.
    pub code: Option<Text<'a>>,
    /// The field at fault.
    pub param: Option<Text<'a>>,
}

impl Failure<'_> {
    /// The failure apart from the text that it was read from.
    #[must_use]
    pub fn detached(&self) -> Failure<'static> {
        let own = |text: &Text<'_>| Cow::Owned(text.clone().into_owned());
        Failure {
            status: self.status,
            kind: self.kind,
            message: own(&self.message),
            code: self.code.as_ref().map(own),
            param: self.param.as_ref().map(own),
        }
    }
}

/// The kinds of failure that all formats tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// The request is wrong.
    InvalidRequest,
    /// The prompt does not fit the model's context.
    ContextLength,
    /// The provider's policy refuses it.
    ContentFilter,
    /// No credential, or a wrong one.
    Authentication,
    /// The credential may not do this.
    Permission,
    /// No such model or object.
    NotFound,
    /// Too large to be read.
    TooLarge,
    /// Too many requests or tokens.
    RateLimit,
    /// The account has no money left.
    Quota,
    /// Too much load at the provider.
    Overloaded,
    /// It took too long.
    Timeout,
    /// Anything else that is the provider's fault.
    Server,
}
