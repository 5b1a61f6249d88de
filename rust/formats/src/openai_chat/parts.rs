//! Parts of a message's content, and what both directions say of them.

use crate::chat::{Block, Cache, Citation, Made, Signature, Source, Text, TextBlock, Thinking};
use crate::format::{Fault, Kind};
use crate::signature;
use crate::value::{Kind as Json, Value};
use crate::writer::Writer;
use std::borrow::Cow;

/// The content of a message: a string, parts, or nothing. `at` is its path, for faults.
pub(super) fn content_in<'a>(
    content: Option<&Value<'a>>,
    at: &str,
    blocks: &mut Vec<Block<'a>>,
) -> Result<(), Fault> {
    let Some(content) = content else { return Ok(()) };
    match content.kind() {
        Json::String(text) => {
            if !text.is_empty() {
                blocks.push(Block::text(text.clone()));
            }
            Ok(())
        }
        Json::Array(parts) => {
            for (index, part) in parts.iter().enumerate() {
                blocks.push(part_in(part, || format!("{at}[{index}]"))?);
            }
            Ok(())
        }
        _ => Err(Fault::of(at, "A message's content must be a string or a list of parts.")),
    }
}

fn part_in<'a>(part: &Value<'a>, at: impl Fn() -> String) -> Result<Block<'a>, Fault> {
    if let Some(text) = part.text() {
        return Ok(Block::text(text));
    }
    let kind = part.get("type").and_then(Value::text);
    let kind = kind.ok_or_else(|| Fault::of(at(), "A part of a message must have a `type`."))?;
    let missing =
        |what: &str| Fault::of(format!("{}.{what}", at()), format!("The part lacks `{what}`."));
    let need = |what: &'static str| part.get(what).ok_or_else(|| missing(what));
    Ok(match &*kind {
        "text" | "input_text" | "output_text" => Block::Text(TextBlock {
            text: need("text")?.text().ok_or_else(|| missing("text"))?,
            cache: cache_in(part),
            ..TextBlock::default()
        }),
        "refusal" => Block::Refusal(need("refusal")?.text().ok_or_else(|| missing("refusal"))?),
        "image_url" => {
            let image = need("image_url")?;
            let url = image.text().or_else(|| image.get("url")?.text());
            Block::Image {
                source: url_in(url.ok_or_else(|| missing("image_url.url"))?),
                detail: image.get("detail").and_then(Value::text),
                cache: cache_in(part),
                made: Made::default(),
            }
        }
        "video_url" => {
            let video = need("video_url")?;
            let url = video.text().or_else(|| video.get("url")?.text());
            Block::Video { source: url_in(url.ok_or_else(|| missing("video_url.url"))?) }
        }
        "input_audio" => {
            audio_in(need("input_audio")?).ok_or_else(|| missing("input_audio.data"))?
        }
        "file" => {
            file_in(need("file")?, cache_in(part)).ok_or_else(|| missing("file.file_data"))?
        }
        "thinking" | "redacted_thinking" => Block::Thinking(thinking_in(part)),
        _ => Block::Opaque { kind, value: Cow::Borrowed(part.raw()) },
    })
}

/// A URL; `data:` ones hold the thing itself.
pub(crate) fn url_in(url: Text<'_>) -> Source<'_> {
    match data_url(&url) {
        None => Source::Url { url, media_type: None },
        Some(split) => match url {
            Cow::Borrowed(text) => {
                let (media_type, data) = split.of(text);
                Source::Base64 { media_type: media_type.into(), data: data.into() }
            }
            Cow::Owned(text) => {
                let (media_type, data) = split.of(&text);
                Source::Base64 {
                    media_type: media_type.to_owned().into(),
                    data: data.to_owned().into(),
                }
            }
        },
    }
}

/// Where in a `data:` URL of base64 its media type ends and its data begins.
struct DataUrl {
    media_type: usize,
    data: usize,
}

impl DataUrl {
    const SCHEME: usize = "data:".len();

    fn of<'t>(&self, url: &'t str) -> (&'t str, &'t str) {
        (&url[Self::SCHEME..self.media_type], &url[self.data..])
    }
}

fn data_url(url: &str) -> Option<DataUrl> {
    let rest = url.strip_prefix("data:")?;
    let comma = rest.find(',')?;
    let head = rest[..comma].strip_suffix(";base64")?;
    let media_type = head.find(';').unwrap_or(head.len());
    Some(DataUrl { media_type: DataUrl::SCHEME + media_type, data: DataUrl::SCHEME + comma + 1 })
}

fn audio_in<'a>(audio: &Value<'a>) -> Option<Block<'a>> {
    let format = audio.get("format").and_then(Value::text).unwrap_or("wav".into());
    let media_type = match &*format {
        "wav" => "audio/wav".into(),
        "mp3" => "audio/mpeg".into(),
        other => format!("audio/{other}").into(),
    };
    Some(Block::audio(Source::Base64 { media_type, data: audio.get("data")?.text()? }))
}

fn file_in<'a>(file: &Value<'a>, cache: Option<Cache<'a>>) -> Option<Block<'a>> {
    let source = match file.get("file_data").and_then(Value::text) {
        Some(data) => match url_in(data) {
            // Without a scheme it is the base64 itself.
            Source::Url { url, .. } => {
                Source::Base64 { media_type: "application/pdf".into(), data: url }
            }
            source => source,
        },
        None => Source::File { id: file.get("file_id")?.text()? },
    };
    let title = file.get("filename").and_then(Value::text);
    Some(Block::Document { source, title, context: None, citations: false, cache })
}

/// OpenAI's own mark; LiteLLM's and OpenRouter's `cache_control`.
pub(super) fn cache_in<'a>(value: &Value<'a>) -> Option<Cache<'a>> {
    let mark = value.get("prompt_cache_breakpoint").or_else(|| value.get("cache_control"))?;
    Some(Cache { ttl: mark.get("ttl").and_then(Value::text) })
}

/// An entry of `thinking_blocks`.
pub(super) fn thinking_in<'a>(value: &Value<'a>) -> Thinking<'a> {
    let own = |text| signature::read(Kind::OpenaiChat, text);
    if let Some(data) = value.get("data").and_then(Value::text) {
        return Thinking { signature: Some(own(data)), redacted: true, ..Thinking::default() };
    }
    Thinking {
        text: value.get("thinking").and_then(Value::text).unwrap_or_default(),
        signature: value.get("signature").and_then(Value::text).filter(|s| !s.is_empty()).map(own),
        redacted: false,
    }
}

pub(super) fn thinking_out(w: &mut Writer, thinking: &Thinking<'_>) {
    let sealed = thinking.signature.as_ref().map(|one| signature::write(Kind::OpenaiChat, one));
    w.object(|w| {
        if thinking.redacted {
            w.text("type", "redacted_thinking").text_if("data", sealed.as_deref());
        } else {
            w.text("type", "thinking").text("thinking", &thinking.text);
            w.text_if("signature", sealed.as_deref());
        }
    });
}

/// Gemini's proof on a tool call, as Gemini's OpenAI surface has it; on a message it is that of its text, and on
/// an entry of `images` that of the picture.
pub(super) fn signature_in<'a>(call: &Value<'a>) -> Option<Signature<'a>> {
    let value = call.get("extra_content")?.get("google")?.get("thought_signature")?.text()?;
    Some(Signature { origin: Kind::GeminiGenerate, id: None, value })
}

/// Gives the last of a message's texts the proof that stands on the message; texts begin at `first`.
pub(super) fn sign_text<'a>(message: &Value<'a>, first: usize, blocks: &mut Vec<Block<'a>>) {
    let Some(signature) = signature_in(message) else { return };
    let mut texts = blocks.iter_mut().skip(first).rev();
    let last = texts.find_map(|block| match block {
        Block::Text(text) => Some(text),
        _ => None,
    });
    match last {
        Some(text) => text.signature = Some(signature),
        // Of a text without words.
        None => {
            let signature = Some(signature);
            blocks.push(Block::Text(TextBlock { signature, ..TextBlock::default() }));
        }
    }
}

pub(super) fn signature_out(w: &mut Writer, signature: Option<&Signature<'_>>) {
    let Some(signature) = signature.filter(|one| one.origin == Kind::GeminiGenerate) else {
        return;
    };
    w.key("extra_content").object(|w| {
        w.key("google").object(|w| {
            w.text("thought_signature", &signature.value);
        });
    });
}

/// An entry of `annotations`.
pub(super) fn citation_in<'a>(value: &Value<'a>) -> Option<Citation<'a>> {
    let cited = value.get("url_citation")?;
    Some(Citation {
        start: cited.get("start_index").and_then(Value::as_u64),
        end: cited.get("end_index").and_then(Value::as_u64),
        url: cited.get("url").and_then(Value::text),
        title: cited.get("title").and_then(Value::text),
        quoted: cited.get("content").and_then(Value::text),
        ..Citation::default()
    })
}

/// Writes the citation as an annotation; those of documents have no other place than the same one.
pub(super) fn citation_out(w: &mut Writer, citation: &Citation<'_>) {
    w.object(|w| {
        w.text("type", "url_citation").key("url_citation").object(|w| {
            w.count("start_index", citation.start.unwrap_or(0));
            w.count("end_index", citation.end.or(citation.start).unwrap_or(0));
            w.text("url", citation.url.as_deref().unwrap_or_default());
            w.text("title", citation.title.as_deref().unwrap_or_default());
            w.text_if("content", citation.quoted.as_deref());
        });
    });
}
