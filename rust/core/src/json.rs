//! Reads what routing needs from a JSON body in one strict pass, and changes single fields by splicing.
//!
//! Nothing is decoded into a tree: a body is validated (grammar, UTF-8, depth, size of numbers,
//! duplicate keys, surrogates) and the byte ranges of its top-level fields are noted. The bytes that
//! were checked are the bytes that are sent.

use crate::error::{Class, Error, Result};
use std::hash::BuildHasher;
use std::ops::Range;

/// How deep arrays and objects may nest.
pub const MAX_DEPTH: usize = 64;
/// How many values a body may hold.
pub const MAX_NODES: usize = 1_000_000;
/// How many characters a number may have.
pub const MAX_NUMBER: usize = 64;
/// Objects with more keys than this are checked for duplicates by sorting hashes.
const FEW_KEYS: usize = 16;

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

/// Validates `body` and returns its top-level object.
///
/// # Errors
/// `InvalidRequest`, naming the byte offset and never the content.
pub fn parse_object(body: &[u8]) -> Result<Object> {
    if simdutf8::basic::from_utf8(body).is_err() {
        return Err(invalid("The request body is not valid UTF-8."));
    }
    let mut parser = Parser {
        body,
        at: 0,
        nodes: 0,
        hashes: Vec::new(),
        hasher: foldhash::fast::RandomState::default(),
    };
    parser.skip_space();
    if parser.peek() != Some(b'{') {
        return Err(invalid("The request body must be a JSON object."));
    }
    let mut object = Object::default();
    parser.object(0, Some(&mut object))?;
    parser.skip_space();
    if parser.at != body.len() {
        return Err(parser.fail("something follows the JSON object"));
    }
    Ok(object)
}

fn invalid(message: &str) -> Error {
    Error::new(Class::InvalidRequest, message)
}

struct Parser<'a> {
    body: &'a [u8],
    at: usize,
    nodes: usize,
    hashes: Vec<u64>,
    hasher: foldhash::fast::RandomState,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.body.get(self.at).copied()
    }

    fn fail(&self, what: &str) -> Error {
        invalid(&format!("The request body is not valid JSON: {what} (byte {}).", self.at))
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Result<()> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(self.fail("it holds too many values"));
        }
        match self.peek() {
            Some(b'"') => self.string().map(drop),
            Some(b'{') => self.object(depth + 1, None),
            Some(b'[') => self.array(depth + 1),
            Some(b't') => self.literal(b"true"),
            Some(b'f') => self.literal(b"false"),
            Some(b'n') => self.literal(b"null"),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(_) => Err(self.fail("a value was expected")),
            None => Err(self.fail("it ends too early")),
        }
    }

    fn literal(&mut self, word: &[u8]) -> Result<()> {
        if !self.body[self.at..].starts_with(word) {
            return Err(self.fail("a value was expected"));
        }
        self.at += word.len();
        Ok(())
    }

    fn digits(&mut self) -> Result<()> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(self.fail("a digit was expected")) } else { Ok(()) }
    }

    fn number(&mut self) -> Result<()> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        if self.at - start > MAX_NUMBER {
            return Err(self.fail("a number is too long"));
        }
        Ok(())
    }

    /// Passes a string; returns the range between its quotes.
    fn string(&mut self) -> Result<Range<usize>> {
        let start = self.at + 1;
        self.at = start;
        loop {
            let rest = &self.body[self.at..];
            let Some(stop) = memchr::memchr2(b'"', b'\\', rest) else {
                return Err(self.fail("a string does not end"));
            };
            if rest[..stop].iter().any(|&byte| byte < 0x20) {
                return Err(self.fail("a control character stands in a string unescaped"));
            }
            self.at += stop;
            if rest[stop] == b'"' {
                self.at += 1;
                return Ok(start..self.at - 1);
            }
            self.escape()?;
        }
    }

    fn escape(&mut self) -> Result<()> {
        match self.body.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') => {
                let first =
                    hex4(self.body, self.at + 2).ok_or_else(|| self.fail("a bad escape"))?;
                self.at += 6;
                if (0xD800..0xDC00).contains(&first) {
                    let low = (self.body[self.at..].starts_with(b"\\u"))
                        .then(|| hex4(self.body, self.at + 2))
                        .flatten();
                    if !matches!(low, Some(0xDC00..=0xDFFF)) {
                        return Err(self.fail("half of a surrogate pair"));
                    }
                    self.at += 6;
                } else if (0xDC00..0xE000).contains(&first) {
                    return Err(self.fail("half of a surrogate pair"));
                }
            }
            _ => return Err(self.fail("a bad escape")),
        }
        Ok(())
    }

    fn deeper(&self, depth: usize) -> Result<()> {
        if depth >= MAX_DEPTH { Err(self.fail("it nests too deeply")) } else { Ok(()) }
    }

    fn array(&mut self, depth: usize) -> Result<()> {
        self.deeper(depth)?;
        self.at += 1;
        self.skip_space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.skip_space();
            self.value(depth)?;
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(self.fail("a comma or ] was expected")),
            }
        }
    }

    fn object(&mut self, depth: usize, mut notes: Option<&mut Object>) -> Result<()> {
        self.deeper(depth)?;
        let frame = self.hashes.len();
        self.at += 1;
        self.skip_space();
        if self.peek() == Some(b'}') {
            if let Some(object) = notes {
                object.end = self.at;
            }
            self.at += 1;
            return Ok(());
        }
        loop {
            self.skip_space();
            if self.peek() != Some(b'"') {
                return Err(self.fail("a key was expected"));
            }
            let start = self.at;
            let key = self.string()?;
            self.note_key(key.clone(), frame)?;
            self.skip_space();
            if self.peek() != Some(b':') {
                return Err(self.fail("a colon was expected"));
            }
            self.at += 1;
            self.skip_space();
            let value = self.at;
            self.value(depth)?;
            if let Some(object) = notes.as_deref_mut() {
                object.fields.push(Field { member: start..self.at, key, value: value..self.at });
            }
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return Err(self.fail("a comma or } was expected")),
            }
        }
        if let Some(object) = notes {
            object.end = self.at;
        }
        self.at += 1;
        self.close_keys(frame)
    }

    /// Remembers a key of the object whose keys begin at `frame`; few keys are compared at once.
    fn note_key(&mut self, key: Range<usize>, frame: usize) -> Result<()> {
        let raw = &self.body[key];
        let hash = if raw.contains(&b'\\') {
            let mut decoded = Vec::with_capacity(raw.len());
            unescape(raw, &mut decoded);
            self.hasher.hash_one(decoded.as_slice())
        } else {
            self.hasher.hash_one(raw)
        };
        let seen = &self.hashes[frame..];
        if seen.len() <= FEW_KEYS && seen.contains(&hash) {
            return Err(self.fail("a key stands twice in one object"));
        }
        self.hashes.push(hash);
        Ok(())
    }

    fn close_keys(&mut self, frame: usize) -> Result<()> {
        let keys = &mut self.hashes[frame..];
        if keys.len() > FEW_KEYS {
            keys.sort_unstable();
            if keys.windows(2).any(|pair| pair[0] == pair[1]) {
                return Err(self.fail("a key stands twice in one object"));
            }
        }
        self.hashes.truncate(frame);
        Ok(())
    }
}

fn hex4(body: &[u8], at: usize) -> Option<u32> {
    let digits = body.get(at..at + 4)?;
    digits.iter().try_fold(0, |sum, &digit| Some(sum * 16 + (digit as char).to_digit(16)?))
}

/// Appends the decoded form of a valid JSON string's inside.
pub fn unescape(raw: &[u8], out: &mut Vec<u8>) {
    let mut rest = raw;
    while let Some(stop) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..stop]);
        let Some(&letter) = rest.get(stop + 1) else { return };
        let mut used = 2;
        match letter {
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'u' => {
                let (character, length) = unicode_escape(rest, stop);
                used = length;
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            other => out.push(other),
        }
        rest = &rest[(stop + used).min(rest.len())..];
    }
    out.extend_from_slice(rest);
}

/// The character of `\uXXXX` (or of a pair) at `at`, and how many bytes it took.
fn unicode_escape(text: &[u8], at: usize) -> (char, usize) {
    let first = hex4(text, at + 2).unwrap_or(0xFFFD);
    if (0xD800..0xDC00).contains(&first)
        && let Some(low @ 0xDC00..=0xDFFF) = hex4(text, at + 8)
    {
        let code = 0x10000 + ((first - 0xD800) << 10) + (low - 0xDC00);
        return (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 12);
    }
    (char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), 6)
}

/// What `strings` meets, in document order.
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

/// The offset after the string that begins with the quote at `start` (the input's end if it is cut).
#[must_use]
pub fn string_end(text: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(stop) = memchr::memchr2(b'"', b'\\', text.get(at..).unwrap_or_default()) {
        if text[at + stop] == b'"' {
            return at + stop + 1;
        }
        at += stop + 2;
    }
    text.len()
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
