//! A part of a content, as requests and replies have it.

use super::names::{camel, get, get_text};
use super::proof;
use crate::base64;
use crate::chat::{Block, Signature, Source, Text, TextBlock, Thinking, ToolCall};
use crate::value::Value;
use std::borrow::Cow;

/// Parts that only Gemini knows; they pass as they are.
pub(super) const OPAQUE: [&str; 5] =
    ["executableCode", "codeExecutionResult", "toolCall", "toolResponse", "audioTranscription"];

/// A part, taken apart.
pub(super) struct Part<'v, 'a> {
    /// What it holds.
    pub(super) data: Data<'v, 'a>,
    /// It is a thought.
    pub(super) thought: bool,
    /// Proof of the thought behind it.
    pub(super) signature: Option<Signature<'a>>,
    /// The proof is of a thought of which nothing may be shown.
    pub(super) redacted: bool,
    /// Members that have no place, by the client's spelling.
    pub(super) other: Vec<(&'v str, &'v Value<'a>)>,
}

/// What a part holds.
pub(super) enum Data<'v, 'a> {
    /// Nothing that is known.
    None,
    /// Text.
    Text(Text<'a>),
    /// Media, here.
    Inline(&'v Value<'a>),
    /// Media, elsewhere.
    File(&'v Value<'a>),
    /// A call of a function.
    Call(&'v Value<'a>),
    /// Its answer.
    Response(&'v Value<'a>),
    /// One of [`OPAQUE`].
    Opaque(&'static str),
}

impl<'v, 'a> Part<'v, 'a> {
    pub(super) fn read(value: &'v Value<'a>) -> Self {
        let mut part = Part {
            data: Data::None,
            thought: false,
            signature: None,
            redacted: false,
            other: Vec::new(),
        };
        for (key, member) in value.members() {
            if !member.is_null() {
                part.member(key, member);
            }
        }
        part
    }

    fn member(&mut self, key: &'v str, value: &'v Value<'a>) {
        let name = camel(key);
        match (&*name, value.text()) {
            ("text", Some(text)) => self.data = Data::Text(text),
            ("thought", _) => self.thought = value.as_bool().unwrap_or(false),
            ("thoughtSignature", Some(text)) if !text.is_empty() => {
                let (signature, redacted) = proof::read(text);
                self.signature = Some(signature);
                self.redacted = redacted;
            }
            ("thoughtSignature", _) => {}
            ("inlineData", _) => self.data = Data::Inline(value),
            ("fileData", _) => self.data = Data::File(value),
            ("functionCall", _) => self.data = Data::Call(value),
            ("functionResponse", _) => self.data = Data::Response(value),
            _ => match OPAQUE.iter().find(|known| **known == name) {
                Some(known) => self.data = Data::Opaque(known),
                None => self.other.push((key, value)),
            },
        }
    }

    /// The block of a text or a thought.
    pub(super) fn say(self, text: Text<'a>) -> Block<'a> {
        if self.thought {
            let redacted = self.redacted && text.is_empty();
            return Block::Thinking(Thinking { text, signature: self.signature, redacted });
        }
        Block::Text(TextBlock { text, signature: self.signature, ..TextBlock::default() })
    }

    /// The block of media, with its proof if it has a place for that; otherwise the thought that has it comes
    /// before.
    pub(super) fn media(self, mut block: Block<'a>) -> (Option<Block<'a>>, Block<'a>) {
        let mut signature = self.signature;
        if let Block::Image { made, .. } = &mut block {
            made.signature = signature.take();
        }
        let proof = |one| Block::Thinking(Thinking { signature: Some(one), ..Thinking::default() });
        (signature.map(proof), block)
    }

    /// Adds a text or a thought to the last block, if that is of the same kind and has no proof yet, or
    /// begins a block.
    pub(super) fn go_on(self, text: Text<'a>, blocks: &mut Vec<Block<'a>>) {
        if text.is_empty() && self.signature.is_none() {
            return;
        }
        let open = match blocks.last_mut() {
            Some(Block::Text(last)) if !self.thought => Some((&mut last.text, &mut last.signature)),
            Some(Block::Thinking(last)) if self.thought && !self.redacted && !last.redacted => {
                Some((&mut last.text, &mut last.signature))
            }
            _ => None,
        };
        match open {
            Some((before, signature)) if signature.is_none() => {
                before.to_mut().push_str(&text);
                *signature = self.signature;
            }
            _ => blocks.push(self.say(text)),
        }
    }
}

/// `functionCall`, once its id is known.
pub(super) fn call<'a>(
    value: &Value<'a>,
    id: Text<'a>,
    name: Text<'a>,
    signature: Option<Signature<'a>>,
) -> ToolCall<'a> {
    let arguments = get(value, "args").map_or("{}", Value::raw);
    ToolCall { id, name, arguments: Cow::Borrowed(arguments), signature, cache: None }
}

/// `inlineData`: a picture, a sound, a film or a document, by its media type.
pub(super) fn inline<'a>(value: &Value<'a>) -> Option<Block<'a>> {
    let media_type = get_text(value, "mimeType")?;
    let data = base64::standard(get_text(value, "data")?);
    let title = get_text(value, "displayName");
    let family = Family::of(&media_type);
    Some(family.block(Source::Base64 { media_type, data }, title))
}

/// `fileData`. What has no scheme is the name of a file at Google.
pub(super) fn file<'a>(value: &Value<'a>) -> Option<Block<'a>> {
    let uri = get_text(value, "fileUri")?;
    let told = get_text(value, "mimeType").filter(|told| !told.is_empty());
    let family = match &told {
        Some(told) => Family::of(told),
        None if is_youtube(&uri) => Family::Video,
        None => Family::of(media_type_of(&uri).unwrap_or_default()),
    };
    let title = get_text(value, "displayName");
    let source = if uri.contains("://") {
        Source::Url { url: uri, media_type: told }
    } else {
        Source::File { id: uri }
    };
    Some(family.block(source, title))
}

/// Films there need no media type.
pub(super) fn is_youtube(url: &str) -> bool {
    let host = host_of(url);
    host == "youtu.be" || host == "youtube.com" || host.ends_with(".youtube.com")
}

/// Whether the models find it without fetching it from anywhere: files that were uploaded, and films.
pub(super) fn is_googles(url: &str) -> bool {
    is_youtube(url) || host_of(url) == "generativelanguage.googleapis.com"
}

fn host_of(url: &str) -> &str {
    url.split("://").nth(1).unwrap_or_default().split('/').next().unwrap_or_default()
}

/// What media types have in common.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Image,
    Audio,
    Video,
    Document,
}

impl Family {
    pub(super) fn of(media_type: &str) -> Self {
        match media_type.split('/').next() {
            Some("image") => Family::Image,
            Some("audio") => Family::Audio,
            Some("video") => Family::Video,
            _ => Family::Document,
        }
    }

    fn block<'a>(self, source: Source<'a>, title: Option<Text<'a>>) -> Block<'a> {
        match self {
            Family::Image => Block::image(source),
            Family::Audio => Block::audio(source),
            Family::Video => Block::Video { source },
            Family::Document => {
                Block::Document { source, title, context: None, citations: false, cache: None }
            }
        }
    }

    /// The media type of something at a URL that does not tell its own. Vertex wants one.
    pub(super) fn likeliest(self) -> &'static str {
        match self {
            Family::Image => "image/jpeg",
            Family::Audio => "audio/mpeg",
            Family::Video => "video/mp4",
            Family::Document => "application/pdf",
        }
    }
}

/// Endings of file names that Gemini can read, and their media types.
const ENDINGS: [(&str, &str); 22] = [
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("webp", "image/webp"),
    ("gif", "image/gif"),
    ("heic", "image/heic"),
    ("heif", "image/heif"),
    ("pdf", "application/pdf"),
    ("txt", "text/plain"),
    ("md", "text/markdown"),
    ("html", "text/html"),
    ("csv", "text/csv"),
    ("json", "application/json"),
    ("mp3", "audio/mpeg"),
    ("wav", "audio/wav"),
    ("flac", "audio/flac"),
    ("ogg", "audio/ogg"),
    ("aac", "audio/aac"),
    ("mp4", "video/mp4"),
    ("mov", "video/quicktime"),
    ("webm", "video/webm"),
    ("mpeg", "video/mpeg"),
];

/// The media type that a URL's ending stands for.
pub(super) fn media_type_of(url: &str) -> Option<&'static str> {
    let path = url.split(['?', '#']).next()?;
    let (_, ending) = path.rsplit_once('.')?;
    ENDINGS.iter().find(|(known, _)| ending.eq_ignore_ascii_case(known)).map(|(_, found)| *found)
}
