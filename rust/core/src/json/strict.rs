//! The strict reader: a body is checked from its first byte to its last, and nothing is built of it.

use super::strings::{hex4, unescape};
use super::{Field, Object};
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
