//! Where texts are taken from.

use crate::chat::{Block, Citation};
use crate::value::Value;
use crate::writer::Writer;
use std::borrow::Cow;

/// A citation of a document or of a tool's result.
pub(super) fn citation_in<'a>(value: &Value<'a>) -> Citation<'a> {
    let source = value.get("sources").and_then(|sources| sources.items().first());
    let document = source.and_then(|source| source.get("document"));
    let told = |name: &str| document.and_then(|one| one.get(name)).and_then(Value::text);
    let number = source
        .and_then(|source| source.get("id"))
        .and_then(Value::as_str)
        .and_then(|id| id.strip_prefix(DOCUMENT)?.parse().ok());
    Citation {
        start: value.get("start").and_then(Value::as_u64),
        end: value.get("end").and_then(Value::as_u64),
        url: told("url"),
        title: told("title"),
        quoted: told("snippet").or_else(|| told("text")),
        document: number,
        raw: Some(Cow::Borrowed(value.raw())),
    }
}

/// How Cohere names documents that have no id of their own.
const DOCUMENT: &str = "doc:";

/// Gives the citations of a message to its texts.
pub(super) fn attach<'a>(blocks: &mut [Block<'a>], first: usize, list: Option<&Value<'a>>) {
    for value in list.map(Value::items).unwrap_or_default() {
        let index = value.get("content_index").and_then(Value::as_u64).unwrap_or(0);
        let of_text = value.get("type").and_then(Value::as_str).is_none_or(|of| of == TEXT);
        let at = usize::try_from(index).unwrap_or(usize::MAX).saturating_add(first);
        if let (true, Some(Block::Text(text))) = (of_text, blocks.get_mut(at)) {
            text.citations.push(citation_in(value));
        }
    }
}

/// The type of those that stand in the answer, and not in a thought or a plan.
pub(super) const TEXT: &str = "TEXT_CONTENT";

/// Writes a citation of the content's part at `index`: as it came if it is Cohere's own.
pub(super) fn citation_out(w: &mut Writer, citation: &Citation<'_>, index: u64) {
    if let Some(own) = own(citation) {
        return w.raw(own);
    }
    let id = format!("{DOCUMENT}{}", citation.document.unwrap_or(0));
    w.object(|w| {
        w.count_if("start", citation.start).count_if("end", citation.end);
        w.text_if("text", citation.quoted.as_deref());
        w.key("sources").array(|w| {
            w.object(|w| {
                w.text("type", "document").text("id", &id).key("document").object(|w| {
                    w.text("id", &id).text_if("title", citation.title.as_deref());
                    w.text_if("url", citation.url.as_deref());
                    w.text_if("snippet", citation.quoted.as_deref());
                });
            });
        });
        w.count("content_index", index).text("type", TEXT);
    });
}

/// The citation as Cohere wrote it, if it did.
pub(super) fn own<'c>(citation: &'c Citation<'_>) -> Option<&'c str> {
    let raw = citation.raw.as_deref()?;
    Value::parse(raw).is_ok_and(|value| value.get("sources").is_some()).then_some(raw)
}
