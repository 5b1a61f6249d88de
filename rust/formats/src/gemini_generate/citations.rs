//! Where a reply is taken from: grounding by Google's tools, and recitations.
//!
//! Google counts bytes of a part (grounding) or of the whole text (recitation); the canonical chat counts
//! characters of a block.

use super::names::{get, get_count, get_items, get_text};
use crate::chat::{Citation, Text};
use crate::value::Value;
use crate::writer::Writer;

/// What a candidate says of its sources, before the places are looked up.
pub(super) struct Found<'a> {
    /// Without its offsets.
    pub(super) citation: Citation<'a>,
    /// Bytes; of the whole text if `part` is not known.
    pub(super) place: Option<(usize, usize)>,
    /// The part that is meant.
    pub(super) part: Option<usize>,
}

/// The citations of a candidate.
pub(super) fn read<'a>(candidate: &Value<'a>) -> Vec<Found<'a>> {
    let mut found = Vec::new();
    if let Some(grounding) = get(candidate, "groundingMetadata") {
        grounded(grounding, &mut found);
    }
    if let Some(recited) = get(candidate, "citationMetadata") {
        // Vertex says `citations`, the Gemini API `citationSources`.
        for name in ["citations", "citationSources"] {
            found.extend(get_items(recited, name).iter().map(|one| recitation(one)));
        }
    }
    found
}

fn recitation<'a>(value: &Value<'a>) -> Found<'a> {
    let citation = Citation {
        url: get_text(value, "uri"),
        title: get_text(value, "title"),
        ..Citation::default()
    };
    Found { citation, place: place(value), part: None }
}

/// The bytes that a segment or a recitation covers; protobuf leaves out a start of 0.
fn place(value: &Value<'_>) -> Option<(usize, usize)> {
    let end = usize::try_from(get_count(value, "endIndex")?).ok()?;
    let start = usize::try_from(get_count(value, "startIndex").unwrap_or(0)).ok()?;
    (start <= end).then_some((start, end))
}

fn grounded<'a>(grounding: &Value<'a>, found: &mut Vec<Found<'a>>) {
    let chunks = get_items(grounding, "groundingChunks");
    for support in get_items(grounding, "groundingSupports") {
        let segment = get(support, "segment");
        let part = segment.and_then(|one| get_count(one, "partIndex")).unwrap_or(0);
        for index in get_items(support, "groundingChunkIndices") {
            let chunk = index.as_u64().and_then(|index| chunks.get(usize::try_from(index).ok()?));
            let Some(citation) = chunk.and_then(source) else { continue };
            let place = segment.and_then(place);
            found.push(Found { citation, place, part: usize::try_from(part).ok() });
        }
    }
}

/// What a chunk of grounding is: a page, a place on the map, a document of the client's.
fn source<'a>(chunk: &Value<'a>) -> Option<Citation<'a>> {
    let (kind, value) = ["web", "retrievedContext", "maps", "image"]
        .iter()
        .find_map(|kind| Some((*kind, get(chunk, kind)?)))?;
    let url: Option<Text<'a>> = get_text(value, if kind == "image" { "sourceUri" } else { "uri" });
    let quoted = get_text(value, "text").filter(|_| kind == "retrievedContext");
    Some(Citation { url, title: get_text(value, "title"), quoted, ..Citation::default() })
}

/// The offsets in characters, if the bytes are a piece of the text.
pub(super) fn in_characters(text: &str, place: Option<(usize, usize)>) -> Option<(u64, u64)> {
    let (start, end) = place?;
    let before = text.get(..start)?.chars().count();
    let within = text.get(start..end)?.chars().count();
    Some((before as u64, (before + within) as u64))
}

/// The offsets in bytes, if the characters are a piece of the text.
fn in_bytes(text: &str, start: u64, end: u64) -> Option<(usize, usize)> {
    let (start, end) = (usize::try_from(start).ok()?, usize::try_from(end).ok()?);
    if start > end {
        return None;
    }
    let mut places = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    let first = places.nth(start)?;
    let last = if end == start { first } else { places.nth(end - start - 1)? };
    Some((first, last))
}

/// Citations in the making of `groundingMetadata`: each is a chunk and a support.
#[derive(Default)]
pub(super) struct Grounding {
    chunks: Writer,
    supports: Writer,
    count: u64,
}

/// Where the text of a citation stands in its candidate.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// Index of its part.
    pub(super) part: u64,
    /// Bytes of the part before the text.
    pub(super) before: usize,
}

impl Grounding {
    pub(super) fn add(&mut self, citation: &Citation<'_>, text: &str, at: Place) {
        self.chunks.object(|w| {
            let kind = if citation.url.is_some() { "web" } else { "retrievedContext" };
            w.key(kind).object(|w| {
                w.text_if("uri", citation.url.as_deref());
                w.text_if("title", citation.title.as_deref());
                if citation.url.is_none() {
                    w.text_if("text", citation.quoted.as_deref());
                }
            });
        });
        // Without offsets, all of the block is meant.
        let bytes = match citation.start.zip(citation.end) {
            Some((start, end)) => in_bytes(text, start, end),
            None => Some((0, text.len())),
        };
        let count = self.count;
        self.count += 1;
        if let Some((start, end)) = bytes {
            self.supports.object(|w| {
                w.key("segment").object(|w| {
                    w.count_if("partIndex", (at.part > 0).then_some(at.part));
                    w.count("startIndex", (at.before + start) as u64);
                    w.count("endIndex", (at.before + end) as u64);
                    w.text("text", text.get(start..end).unwrap_or_default());
                });
                w.key("groundingChunkIndices").array(|w| w.number(count));
            });
        }
    }

    /// Writes `groundingMetadata`, if there is any.
    pub(super) fn write(self, w: &mut Writer) {
        if self.count == 0 {
            return;
        }
        let text = |writer: Writer| String::from_utf8(writer.finish()).unwrap_or_default();
        let (chunks, supports) = (text(self.chunks), text(self.supports));
        w.key("groundingMetadata").object(|w| {
            w.member("groundingChunks", &["[", &chunks, "]"].concat());
            w.member("groundingSupports", &["[", &supports, "]"].concat());
        });
    }
}
