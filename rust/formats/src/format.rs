//! What a format has to be able to do, and the list of the formats.

use crate::chat::{Block, Event, Failure, Reply, Request};
use std::borrow::Cow;

/// A wire format of chats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// OpenAI's chat completions.
    OpenaiChat,
    /// OpenAI's Responses.
    OpenaiResponses,
    /// Anthropic's Messages.
    AnthropicMessages,
    /// Gemini's generateContent.
    GeminiGenerate,
    /// Bedrock's Converse.
    BedrockConverse,
    /// Cohere's chat, version 2.
    CohereChat,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 6] = [
        Kind::OpenaiChat,
        Kind::OpenaiResponses,
        Kind::AnthropicMessages,
        Kind::GeminiGenerate,
        Kind::BedrockConverse,
        Kind::CohereChat,
    ];

    /// The name in logs, tests and signatures.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Kind::OpenaiChat => "openai_chat",
            Kind::OpenaiResponses => "openai_responses",
            Kind::AnthropicMessages => "anthropic_messages",
            Kind::GeminiGenerate => "gemini_generate",
            Kind::BedrockConverse => "bedrock_converse",
            Kind::CohereChat => "cohere_chat",
        }
    }
}

/// A format in both directions: the same file serves clients and upstreams.
pub trait Format: Sync {
    /// Which one it is.
    fn kind(&self) -> Kind;

    /// Reads a client's request.
    ///
    /// # Errors
    /// [`Fault`], naming the field that is missing or of the wrong type.
    fn decode_request<'a>(&self, body: &'a str, path: PathFacts<'a>) -> Result<Request<'a>, Fault>;

    /// Writes the request for an upstream; what the format cannot carry goes into `dropped`.
    ///
    /// # Errors
    /// [`Fault`] where leaving something out would change what is asked beyond recognition.
    fn encode_request(
        &self,
        request: &Request<'_>,
        target: &Target<'_>,
        dropped: &mut Dropped,
    ) -> Result<Sent, Fault>;

    /// Reads an upstream's whole reply to what was sent.
    ///
    /// # Errors
    /// [`Fault`] if it is not a reply of this format.
    fn decode_reply<'a>(&self, body: &'a str, sent: &Sent) -> Result<Reply<'a>, Fault>;

    /// Writes a whole reply to a client, who asked with `request`.
    fn encode_reply(
        &self,
        reply: &Reply<'_>,
        request: &Request<'_>,
        context: &Context<'_>,
    ) -> Vec<u8>;

    /// Reads an upstream's stream.
    fn stream_decoder(&self, sent: &Sent) -> Box<dyn StreamDecoder>;

    /// Writes a stream to a client, who asked with `request`.
    fn stream_encoder(
        &self,
        request: &Request<'_>,
        context: &Context<'_>,
    ) -> Box<dyn StreamEncoder>;

    /// Reads an upstream's error body. Never fails: what cannot be read is told by its status.
    fn decode_error<'a>(&self, status: u16, body: &'a str) -> Failure<'a>;

    /// Writes an error body for a client.
    fn encode_error(&self, failure: &Failure<'_>, context: &Context<'_>) -> Vec<u8>;

    /// Whether that upstream fetches what a request gives by URL.
    fn fetches(&self, target: &Target<'_>) -> bool {
        target.takes_urls
    }

    /// Whether a block of the user's that lies at a URL cannot be given to that upstream as it is, but
    /// could be as bytes.
    fn needs_bytes(&self, block: &Block<'_>, target: &Target<'_>) -> bool {
        let is_seen = matches!(block, Block::Image { .. } | Block::Document { .. });
        is_seen && !self.fetches(target)
    }

    /// How clients of this format spell a canonical field (`max_output_tokens`, `n`, `seed`, …), for the
    /// list of what was dropped.
    fn spelling(&self, field: &'static str) -> &'static str {
        field
    }

    /// How clients of this format spell what was dropped.
    fn spelling_of(&self, name: Cow<'static, str>) -> Cow<'static, str> {
        match name {
            Cow::Borrowed(field) => Cow::Borrowed(self.spelling(field)),
            Cow::Owned(place) => Cow::Owned(place),
        }
    }
}

/// What a request's path says that its body does not (Gemini, Bedrock).
#[derive(Debug, Clone, Copy, Default)]
pub struct PathFacts<'a> {
    /// The model.
    pub model: Option<&'a str>,
    /// The path asks for a stream.
    pub stream: bool,
}

/// What an encoder has to know of the deployment.
#[derive(Debug, Clone, Copy, Default)]
pub struct Target<'a> {
    /// The model, as the provider calls it.
    pub model: &'a str,
    /// The model that it is, if its name does not tell.
    pub base_model: Option<&'a str>,
    /// Most tokens that the model can write, if known.
    pub max_output_tokens: Option<u64>,
    /// The host is the format's own inventor, not one that is compatible with it: newer fields work.
    pub original: bool,
    /// The host tells usage in streams if asked (`stream_options`); some refuse the field.
    pub stream_usage: bool,
    /// The model takes a JSON Schema for its reply; otherwise a tool is forced that has it as arguments.
    pub native_schema: bool,
    /// The model thinks, and its host lets clients say how much.
    pub reasoning: bool,
    /// The host fetches pictures and documents that a request gives by URL.
    pub takes_urls: bool,
}

impl<'a> Target<'a> {
    /// The name that tells what the model takes.
    #[must_use]
    pub fn known_as(&self) -> &'a str {
        self.base_model.unwrap_or(self.model)
    }
}

/// What is known when replies are written.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The request's id in this gateway: `req_` and hex digits, mostly.
    pub request_id: &'a str,
    /// Unix seconds now.
    pub now: u64,
}

/// A request as it is sent, and what reading its reply depends on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sent {
    /// The body.
    pub body: Vec<u8>,
    /// Headers that the body needs (`anthropic-beta`).
    pub headers: Vec<(&'static str, String)>,
    /// The reply's text was asked for as the arguments of a forced tool of this name.
    pub output_tool: Option<&'static str>,
}

/// The name of the tool that stands in for a JSON Schema of the reply.
pub const OUTPUT_TOOL: &str = "json_output";

/// Reads one stream. Frames are server-sent events, or messages of an AWS event stream.
pub trait StreamDecoder {
    /// Takes a frame and hands on what happens in it.
    ///
    /// # Errors
    /// [`Fault`] if the frame is none of this format: the stream is broken then.
    fn frame(&mut self, frame: Frame<'_>, emit: &mut dyn FnMut(Event<'_>)) -> Result<(), Fault>;

    /// The upstream has closed. Whether the stream had ended the way its format says; where the close
    /// itself is the end (Gemini), what is still owed is handed on now.
    fn close(&mut self, emit: &mut dyn FnMut(Event<'_>)) -> bool;
}

/// One frame of a stream.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// Its event name, if it has one.
    pub event: Option<&'a str>,
    /// Its data.
    pub data: &'a str,
}

/// Writes one stream of server-sent events.
pub trait StreamEncoder {
    /// Appends what the client gets for this. An `Event::Error` becomes the format's terminal error.
    fn event(&mut self, event: &Event<'_>, out: &mut Vec<u8>);
}

/// What a format cannot make sense of, or cannot carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong and what to do, fit for the client's eyes; never holds a prompt.
    pub message: String,
    /// The field at fault, as the client spells it.
    pub param: Option<String>,
    /// The request is right, but this format has no way to say it.
    pub unsupported: bool,
}

impl Fault {
    /// Something is wrong.
    pub fn new(message: impl Into<String>) -> Self {
        Fault { message: message.into(), param: None, unsupported: false }
    }

    /// A field is wrong.
    pub fn of(param: impl Into<String>, message: impl Into<String>) -> Self {
        Fault { message: message.into(), param: Some(param.into()), unsupported: false }
    }

    /// A field cannot be carried, and leaving it out would be worse than refusing.
    pub fn unsupported(param: impl Into<String>, message: impl Into<String>) -> Self {
        Fault { message: message.into(), param: Some(param.into()), unsupported: true }
    }
}

impl From<crate::value::Malformed> for Fault {
    fn from(malformed: crate::value::Malformed) -> Self {
        Fault::new(format!("The body is not valid JSON: {malformed}."))
    }
}

/// The names of what was left out, each once, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dropped {
    names: Vec<Cow<'static, str>>,
    /// There are more than are kept.
    more: bool,
}

impl Dropped {
    /// How many names are kept; the header that shows them has to stay small.
    const MOST: usize = 64;

    /// Notes a canonical field (`seed`) or a place in the client's body (`messages[2].content[0]`).
    pub fn add(&mut self, name: impl Into<Cow<'static, str>>) {
        let name = name.into();
        if self.names.contains(&name) {
            return;
        }
        if self.names.len() < Self::MOST {
            self.names.push(name);
        } else {
            self.more = true;
        }
    }

    /// Notes a field if the client gave it.
    pub fn add_if(&mut self, given: bool, name: &'static str) {
        if given {
            self.add(name);
        }
    }

    /// Takes names back: they could be carried after all.
    pub fn forget_all(&mut self, is_carried: impl Fn(&str) -> bool) {
        self.names.retain(|name| !is_carried(name));
    }

    /// The names.
    #[must_use]
    pub fn names(&self) -> &[Cow<'static, str>] {
        &self.names
    }

    /// Whether the names are all there are.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        !self.more
    }
}
