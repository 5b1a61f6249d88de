//! The tolerant readers: for what was checked before, and for what upstreams write, which need not be
//! valid everywhere.

use super::strings::string_end;
use super::{Field, key_is};
use std::ops::Range;

/// What [`walk`] meets, in document order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token<'a> {
    /// A key of an object, between its quotes, as written.
    Key(&'a [u8]),
    /// A string value, between its quotes, as written.
    Text(&'a [u8]),
    /// A number, `true`, `false` or `null`.
    Plain(&'a [u8]),
    /// `{` or `[`.
    Open(u8),
    /// `}` or `]`.
    Close,
}

/// Walks a validated JSON value and hands every token to `visit`.
pub fn walk<'a>(value: &'a [u8], mut visit: impl FnMut(Token<'a>)) {
    let mut at = 0;
    while let Some(&byte) = value.get(at) {
        match byte {
            b'"' => {
                let end = string_end(value, at);
                let inside = &value[at + 1..end - 1];
                at = end;
                while matches!(value.get(at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
                    at += 1;
                }
                if value.get(at) == Some(&b':') {
                    at += 1;
                    visit(Token::Key(inside));
                } else {
                    visit(Token::Text(inside));
                }
            }
            b'{' | b'[' => {
                visit(Token::Open(byte));
                at += 1;
            }
            b'}' | b']' => {
                visit(Token::Close);
                at += 1;
            }
            b' ' | b'\n' | b'\r' | b'\t' | b',' | b':' => at += 1,
            _ => {
                let start = at;
                while value.get(at).is_some_and(|b| !b" \n\r\t,:]}\"".contains(b)) {
                    at += 1;
                }
                visit(Token::Plain(&value[start..at]));
            }
        }
    }
}

/// Finds a top-level member of an object that need not be valid elsewhere: for upstream replies.
#[must_use]
pub fn find_member(text: &[u8], name: &str) -> Option<Field> {
    let mut at = memchr::memchr(b'{', text)? + 1;
    let mut depth = 1_usize;
    let mut key: Option<Range<usize>> = None;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'"' => {
                let end = string_end(text, at);
                if depth == 1 && key.is_none() {
                    key = Some(at..end);
                }
                at = end;
                continue;
            }
            b':' if depth == 1 => {
                if let Some(range) = key.clone()
                    && text.get(range.start + 1..range.end - 1).is_some_and(|raw| key_is(raw, name))
                {
                    let value = value_range(text, at + 1)?;
                    return Some(Field {
                        member: range.start..value.end,
                        key: range.start + 1..range.end - 1,
                        value,
                    });
                }
            }
            b',' if depth == 1 => key = None,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return None;
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// The range of the value that begins at or after `from`.
fn value_range(text: &[u8], from: usize) -> Option<Range<usize>> {
    let skipped = text.get(from..)?.iter().position(|b| !b" \n\r\t".contains(b))?;
    let start = from + skipped;
    let mut at = start;
    let mut depth = 0_usize;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'"' => {
                at = string_end(text, at);
                if depth == 0 {
                    return Some(start..at);
                }
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth <= 1 => {
                return Some(start..if depth == 1 { at + 1 } else { trim_end(text, start, at) });
            }
            b'}' | b']' => depth -= 1,
            b',' if depth == 0 => return Some(start..trim_end(text, start, at)),
            _ => {}
        }
        at += 1;
    }
    None
}

fn trim_end(text: &[u8], start: usize, end: usize) -> usize {
    start + text[start..end].trim_ascii_end().len()
}
