//! Parts of a message's content, and of a tool's result.

use crate::chat::{Block, Cache, Citation, Extra, Made, Source, Text, TextBlock};
use crate::format::Fault;
use crate::openai_chat::parts::url_in;
use crate::value::{Kind as Json, Value};
use std::borrow::Cow;

/// The content of a message or a result: a string or parts. `at` is its path, for faults.
pub(super) fn content<'a>(
    value: Option<&Value<'a>>,
    at: &dyn Fn() -> String,
    extra: &mut Vec<Extra<'a>>,
) -> Result<Vec<Block<'a>>, Fault> {
    match value.map(Value::kind) {
        Some(Json::String(text)) => Ok(vec![Block::text(text.clone())]),
        Some(Json::Array(parts)) => parts
            .iter()
            .enumerate()
            .map(|(index, one)| part(one, &|| format!("{}[{index}]", at()), extra))
            .collect(),
        Some(_) => Err(Fault::of(at(), "It must be a string or a list of parts.")),
        None => Err(Fault::of(at(), "It is missing.")),
    }
}

fn part<'a>(
    part: &Value<'a>,
    at: &dyn Fn() -> String,
    extra: &mut Vec<Extra<'a>>,
) -> Result<Block<'a>, Fault> {
    let kind = part.get("type").and_then(Value::text);
    let kind = kind.ok_or_else(|| Fault::of(at(), "A part must be an object with a `type`."))?;
    let need = |name: &str| {
        let found = part.get(name).and_then(Value::text);
        found.ok_or_else(|| Fault::of(format!("{}.{name}", at()), "It must be a string."))
    };
    Ok(match &*kind {
        "input_text" | "output_text" | "text" => Block::Text(TextBlock {
            text: need("text")?,
            citations: citations(part),
            cache: cache(part),
            ..TextBlock::default()
        }),
        "refusal" => Block::Refusal(need("refusal")?),
        "input_image" => image(part).ok_or_else(|| {
            Fault::of(at(), "An `input_image` must have an `image_url` or a `file_id`.")
        })?,
        "input_file" => {
            if let Some(detail) = part.get("detail") {
                let name = format!("{}.detail", at()).into();
                extra.push(Extra { name, value: Cow::Borrowed(detail.raw()) });
            }
            file(part).ok_or_else(|| {
                Fault::of(
                    at(),
                    "An `input_file` must have `file_data`, a `file_url` or a `file_id`.",
                )
            })?
        }
        "input_audio" => audio(part).ok_or_else(|| {
            Fault::of(at(), "An `input_audio` must have `input_audio.data` and `.format`.")
        })?,
        _ => Block::Opaque { kind, value: Cow::Borrowed(part.raw()) },
    })
}

fn image<'a>(part: &Value<'a>) -> Option<Block<'a>> {
    let url = part.get("image_url").and_then(Value::text);
    let source = match url {
        Some(url) => url_in(url),
        None => Source::File { id: part.get("file_id")?.text()? },
    };
    let detail = part.get("detail").and_then(Value::text);
    Some(Block::Image { source, detail, cache: cache(part), made: Made::default() })
}

fn file<'a>(part: &Value<'a>) -> Option<Block<'a>> {
    let text = |name: &str| part.get(name).and_then(Value::text);
    let title = text("filename");
    let source = if let Some(data) = text("file_data") {
        match url_in(data) {
            // Without a scheme it is the base64 itself.
            Source::Url { url, .. } => {
                Source::Base64 { media_type: media_type_of(title.as_deref()).into(), data: url }
            }
            source => source,
        }
    } else if let Some(url) = text("file_url") {
        Source::Url { url, media_type: None }
    } else {
        Source::File { id: text("file_id")? }
    };
    Some(Block::Document { source, title, context: None, citations: false, cache: cache(part) })
}

/// Endings of file names, and their media types; what has none is a PDF.
const ENDINGS: [(&str, &str); 6] = [
    (".csv", "text/csv"),
    (".docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    (".html", "text/html"),
    (".json", "application/json"),
    (".md", "text/markdown"),
    (".txt", "text/plain"),
];

fn media_type_of(name: Option<&str>) -> &'static str {
    let name = name.unwrap_or_default();
    let found = ENDINGS.iter().find(|(ending, _)| name.ends_with(ending));
    found.map_or("application/pdf", |(_, media_type)| media_type)
}

/// The ending of a file's name, for a media type.
pub(super) fn ending_of(media_type: &str) -> &'static str {
    ENDINGS.iter().find(|(_, known)| *known == media_type).map_or(".pdf", |(ending, _)| ending)
}

fn audio<'a>(part: &Value<'a>) -> Option<Block<'a>> {
    let audio = part.get("input_audio")?;
    let media_type: Text<'a> = match audio.get("format")?.as_str()? {
        "mp3" => "audio/mpeg".into(),
        format => format!("audio/{format}").into(),
    };
    Some(Block::audio(Source::Base64 { media_type, data: audio.get("data")?.text()? }))
}

fn cache<'a>(part: &Value<'a>) -> Option<Cache<'a>> {
    let mark = part.get("prompt_cache_breakpoint")?;
    Some(Cache { ttl: mark.get("ttl").and_then(Value::text) })
}

/// The `annotations` of an output text.
pub(super) fn citations<'a>(part: &Value<'a>) -> Vec<Citation<'a>> {
    let list = part.get("annotations").map(Value::items).unwrap_or_default();
    list.iter().map(citation).collect()
}

/// An annotation.
pub(super) fn citation<'a>(value: &Value<'a>) -> Citation<'a> {
    let text = |name: &str| value.get(name).and_then(Value::text);
    let count = |name: &str| value.get(name).and_then(Value::as_u64);
    Citation {
        start: count("start_index"),
        end: count("end_index"),
        url: text("url"),
        title: text("title").or_else(|| text("filename")),
        quoted: None,
        document: None,
        raw: Some(Cow::Borrowed(value.raw())),
    }
}
