//! Parts of a message's content, and of a tool's result, for an upstream.

use super::parts_in::ending_of;
use crate::chat::{Block, Cache, Source, Text};
use crate::format::Dropped;
use crate::writer::Writer;
use std::borrow::Cow;

/// Where a block stands: its path in the canonical messages, for the list of what was dropped.
pub(super) type Place<'p> = &'p dyn Fn() -> String;

/// What parts depend on, beside themselves.
#[derive(Clone, Copy)]
pub(super) struct Manner {
    /// The client's cache marks are OpenAI's own.
    pub(super) marks: bool,
    /// The model says them: texts are `output_text`.
    pub(super) of_model: bool,
}

/// Whether a block is a part of a message at all. The format has none for recordings.
pub(super) fn fits(block: &Block<'_>, manner: Manner) -> bool {
    let of_model = manner.of_model;
    match block {
        Block::Text(_) => true,
        Block::Refusal(_) => of_model,
        Block::Image { .. } | Block::Document { .. } => !of_model,
        Block::Opaque { kind, .. } => !of_model && is_part(kind),
        _ => false,
    }
}

/// Whether an opaque block is a part that this format may know.
fn is_part(kind: &str) -> bool {
    kind.starts_with("input_")
}

/// Writes a block that [`fits`].
pub(super) fn write(
    w: &mut Writer,
    block: &Block<'_>,
    manner: Manner,
    place: Place<'_>,
    dropped: &mut Dropped,
) {
    let mut mark = |w: &mut Writer, mark: &Option<Cache<'_>>| {
        if let Some(mark) = mark {
            cache(w, mark, manner, place, dropped);
        }
    };
    match block {
        Block::Text(text) => w.object(|w| {
            w.text("type", if manner.of_model { "output_text" } else { "input_text" });
            w.text("text", &text.text);
            mark(w, &text.cache);
        }),
        Block::Refusal(text) => w.object(|w| {
            w.text("type", "refusal").text("refusal", text);
        }),
        Block::Image { source, detail, cache, .. } => w.object(|w| {
            image(w, source);
            w.text_if("detail", detail.as_deref());
            mark(w, cache);
        }),
        Block::Document { source, title, context, citations, cache } => {
            w.object(|w| {
                document(w, source, title.as_deref());
                mark(w, cache);
            });
            if context.is_some() {
                dropped.add(format!("{}.context", place()));
            }
            if *citations {
                dropped.add(format!("{}.citations", place()));
            }
        }
        Block::Opaque { value, .. } => w.raw(value),
        _ => {}
    }
}

/// OpenAI caches what is repeated by itself; its own marks are for its newest models.
fn cache(
    w: &mut Writer,
    mark: &Cache<'_>,
    manner: Manner,
    place: Place<'_>,
    dropped: &mut Dropped,
) {
    let is_own = matches!(mark.ttl.as_deref(), Some("30m" | "12h"));
    if manner.of_model || !(manner.marks || is_own) {
        dropped.add(format!("{}.cache_control", place()));
        return;
    }
    w.key("prompt_cache_breakpoint").object(|w| {
        w.text("mode", "explicit").text_if("ttl", mark.ttl.as_deref().filter(|_| is_own));
    });
}

fn data_url(media_type: &str, data: &str) -> String {
    ["data:", media_type, ";base64,", data].concat()
}

fn image(w: &mut Writer, source: &Source<'_>) {
    w.text("type", "input_image");
    match source {
        Source::Url { url, .. } => w.text("image_url", url),
        Source::Base64 { media_type, data } => w.text("image_url", &data_url(media_type, data)),
        Source::File { id } => w.text("file_id", id),
        // A text is no picture; it can only have come from a slip.
        Source::Text(text) => w.text("image_url", text),
    };
}

fn document(w: &mut Writer, source: &Source<'_>, title: Option<&str>) {
    match source {
        // A text is worth the same as a text.
        Source::Text(text) => {
            let titled: Text<'_> = match title {
                Some(title) => [title, "\n\n", text].concat().into(),
                None => Cow::Borrowed(text),
            };
            w.text("type", "input_text").text("text", &titled);
        }
        Source::Url { url, .. } => {
            w.text("type", "input_file").text("file_url", url).text_if("filename", title);
        }
        Source::Base64 { media_type, data } => {
            w.text("type", "input_file");
            // OpenAI wants a name, and tells the type of the file by it.
            let name: Text<'_> = match title {
                Some(title) if title.contains('.') => title.into(),
                title => [title.unwrap_or("document"), ending_of(media_type)].concat().into(),
            };
            w.text("filename", &name).text("file_data", &data_url(media_type, data));
        }
        Source::File { id } => {
            w.text("type", "input_file").text("file_id", id).text_if("filename", title);
        }
    }
}
