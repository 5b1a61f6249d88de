//! Texts with their sources: `citationsContent`.

use crate::chat::{Citation, Text, TextBlock};
use crate::value::Value;
use crate::writer::Writer;
use std::borrow::Cow;

/// The text of a `citationsContent` with what it cites.
pub(super) fn text_in<'a>(value: &Value<'a>) -> TextBlock<'a> {
    let citations = value.get("citations").map(Value::items).unwrap_or_default();
    TextBlock {
        text: joined(value.get("content")),
        citations: citations.iter().map(citation_in).collect(),
        ..TextBlock::default()
    }
}

/// The texts of a list, one after the other.
fn joined<'a>(list: Option<&Value<'a>>) -> Text<'a> {
    let mut texts = list.map(Value::items).unwrap_or_default().iter();
    let mut next = || texts.find_map(|one| one.get("text").and_then(Value::text));
    let mut all = next().unwrap_or_default();
    while let Some(text) = next() {
        all.to_mut().push_str(&text);
    }
    all
}

/// A citation, whole or as a stream's delta.
pub(super) fn citation_in<'a>(value: &Value<'a>) -> Citation<'a> {
    let location = value.get("location");
    let web = location.and_then(|one| one.get("web")).and_then(|web| web.get("url"));
    let document = location
        .and_then(|one| one.members().first())
        .and_then(|(_, place)| place.get("documentIndex"));
    Citation {
        url: web.or_else(|| value.get("source")).and_then(Value::text),
        title: value.get("title").and_then(Value::text),
        quoted: Some(joined(value.get("sourceContent"))).filter(|text| !text.is_empty()),
        document: document.and_then(Value::as_u64),
        raw: Some(Cow::Borrowed(value.raw())),
        ..Citation::default()
    }
}

/// Writes a citation: as it came if it is Converse's own, otherwise what of it Converse knows.
pub(super) fn citation_out(w: &mut Writer, citation: &Citation<'_>) {
    if let Some(own) = citation.raw.as_deref().filter(|raw| is_own(raw)) {
        return w.raw(own);
    }
    w.object(|w| {
        w.text_if("title", citation.title.as_deref());
        if let Some(quoted) = &citation.quoted {
            w.key("sourceContent").array(|w| {
                w.object(|w| {
                    w.text("text", quoted);
                });
            });
        }
        if let Some(url) = &citation.url {
            w.key("location").object(|w| {
                w.key("web").object(|w| {
                    w.text("url", url);
                });
            });
        }
    });
}

/// Whether there are citations, and all of them came from Converse.
pub(super) fn are_own(citations: &[Citation<'_>]) -> bool {
    !citations.is_empty() && citations.iter().all(|one| one.raw.as_deref().is_some_and(is_own))
}

/// Other formats' citations have a `type`.
fn is_own(raw: &str) -> bool {
    Value::parse(raw).is_ok_and(|value| {
        value.get("type").is_none()
            && ["location", "sourceContent"].iter().any(|name| value.get(name).is_some())
    })
}

/// Writes the text with what it cites.
pub(super) fn text_out(w: &mut Writer, text: &TextBlock<'_>) {
    w.key("citationsContent").object(|w| {
        w.key("content").array(|w| {
            w.object(|w| {
                w.text("text", &text.text);
            });
        });
        w.key("citations").array(|w| text.citations.iter().for_each(|one| citation_out(w, one)));
    });
}
