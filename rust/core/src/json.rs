//! Reads what routing needs from a JSON body in one strict pass, and changes single fields by splicing.
//!
//! Nothing is decoded into a tree: a body is validated (grammar, UTF-8, depth, size of numbers,
//! duplicate keys, surrogates) and the byte ranges of its top-level fields are noted. The bytes that
//! were checked are the bytes that are sent.

mod loose;
mod strict;
mod strings;

pub use loose::{Token, find_member, walk};
use std::ops::Range;
pub use strict::{MAX_DEPTH, MAX_NODES, MAX_NUMBER, parse_object};
pub use strings::{string_end, unescape};

/// One member of the top-level object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// From the key's quote to the value's end.
    pub member: Range<usize>,
    /// The key between its quotes, as written.
    pub key: Range<usize>,
    /// The value, quotes and brackets included.
    pub value: Range<usize>,
}

/// The top-level object of a validated body.
#[derive(Debug, Default)]
pub struct Object {
    /// Its members, in order.
    pub fields: Vec<Field>,
    /// Offset of the closing brace.
    pub end: usize,
}

impl Object {
    /// The value of `name`, compared with the key as it reads after unescaping.
    #[must_use]
    pub fn get(&self, body: &[u8], name: &str) -> Option<Range<usize>> {
        let found = self.fields.iter().find(|field| key_is(&body[field.key.clone()], name))?;
        Some(found.value.clone())
    }
}

/// Which of `names` a key is, as it reads after unescaping.
#[must_use]
pub fn name_among<'a>(raw: &[u8], names: &[&'a str]) -> Option<&'a str> {
    if raw.contains(&b'\\') {
        return names.iter().copied().find(|name| key_is(raw, name));
    }
    names.iter().copied().find(|name| raw == name.as_bytes())
}

fn key_is(raw: &[u8], name: &str) -> bool {
    if raw.contains(&b'\\') {
        let mut decoded = Vec::with_capacity(raw.len());
        unescape(raw, &mut decoded);
        return decoded == name.as_bytes();
    }
    raw == name.as_bytes()
}

/// A copy of `body` with each range replaced by its text; ranges ascending and disjoint.
#[must_use]
pub fn splice(body: &[u8], edits: &[(Range<usize>, Vec<u8>)]) -> Vec<u8> {
    let added: usize = edits.iter().map(|(_, text)| text.len()).sum();
    let mut out = Vec::with_capacity(body.len() + added);
    let mut from = 0;
    for (range, text) in edits {
        out.extend_from_slice(&body[from..range.start]);
        out.extend_from_slice(text);
        from = range.end;
    }
    out.extend_from_slice(&body[from..]);
    out
}

/// `text` as a JSON string, quotes included.
#[must_use]
pub fn quote(text: &str) -> Vec<u8> {
    serde_json::to_vec(text).unwrap_or_else(|_| b"\"\"".to_vec())
}

#[cfg(test)]
mod tests;
