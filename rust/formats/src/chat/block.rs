//! The parts of a message.

use super::{Citation, Raw, Signature, Text, Thinking};

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
        /// What is known of it if a model made it.
        made: Made<'a>,
    },
    /// Sound.
    Audio {
        /// Where it is.
        source: Source<'a>,
        /// What is known of it if a model made it.
        spoken: Spoken<'a>,
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

/// What is known of a picture that a model made.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Made<'a> {
    /// Proof of the thought behind it (Gemini signs pictures).
    pub signature: Option<Signature<'a>>,
    /// The item that it came in, as its format wrote it (Responses: an `image_generation_call`).
    pub item: Option<Raw<'a>>,
}

/// What is known of a sound that a model made.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Spoken<'a> {
    /// The provider's id of it, where it has one (OpenAI).
    pub id: Option<Text<'a>>,
    /// Until when the id is good, in Unix seconds.
    pub expires_at: Option<u64>,
    /// The words.
    pub transcript: Option<Text<'a>>,
}

impl<'a> Block<'a> {
    /// Plain text.
    pub fn text(text: impl Into<Text<'a>>) -> Self {
        Block::Text(TextBlock { text: text.into(), ..TextBlock::default() })
    }

    /// A picture of which nothing more is known.
    #[must_use]
    pub fn image(source: Source<'a>) -> Self {
        Block::Image { source, detail: None, cache: None, made: Made::default() }
    }

    /// A sound of which nothing more is known.
    #[must_use]
    pub fn audio(source: Source<'a>) -> Self {
        Block::Audio { source, spoken: Spoken::default() }
    }

    /// What it is, for the list of what was dropped.
    #[must_use]
    pub fn kind(&self) -> &str {
        match self {
            Block::Text(_) => "text",
            Block::Image { .. } => "image",
            Block::Audio { .. } => "audio",
            Block::Video { .. } => "video",
            Block::Document { .. } => "document",
            Block::ToolCall(_) => "tool_call",
            Block::ToolResult { .. } => "tool_result",
            Block::Thinking(_) => "thinking",
            Block::Refusal(_) => "refusal",
            Block::Opaque { kind, .. } => kind,
        }
    }

    /// Where a picture, a sound, a film or a document is.
    #[must_use]
    pub fn source(&self) -> Option<&Source<'a>> {
        match self {
            Block::Image { source, .. }
            | Block::Audio { source, .. }
            | Block::Video { source }
            | Block::Document { source, .. } => Some(source),
            _ => None,
        }
    }

    /// The same, to be changed.
    pub fn source_mut(&mut self) -> Option<&mut Source<'a>> {
        match self {
            Block::Image { source, .. }
            | Block::Audio { source, .. }
            | Block::Video { source }
            | Block::Document { source, .. } => Some(source),
            _ => None,
        }
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
