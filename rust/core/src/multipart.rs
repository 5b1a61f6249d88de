//! Forms with files (`multipart/form-data`, RFC 7578), read as they pass: where the fields lie that
//! routing needs, and that nobody could read another form in the same bytes.
//!
//! Files are neither kept nor looked at. What is doubtful is refused: text before the first part, two
//! fields of a name that counts, names with escapes, transfer encodings. However the bytes are cut,
//! the result is the same.

mod header;
mod media_type;

use crate::error::{Class, Error, Result};
use header::Disposition;
use memchr::memmem;
use std::ops::Range;

pub use media_type::{boundary, content_type};

/// Parts that a form may have.
pub const MOST_PARTS: usize = 128;
/// Bytes of a part's headers.
pub const LONGEST_HEADERS: usize = 8 * 1024;
/// Bytes of a field that is kept.
pub const LONGEST_FIELD: usize = 64 * 1024;

/// One part of a form, as far as it was read. Offsets count from the body's first byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The field's name.
    pub name: String,
    /// Whether it is a file, not a plain field.
    pub is_file: bool,
    /// Where its file name lies, between the quotes, if it is written in the plain way.
    pub filename: Option<Range<u64>>,
    /// Where its content begins.
    pub start: u64,
    /// Where its content ends; `None` while it is still coming.
    pub end: Option<u64>,
    /// The content of a field that is to be kept.
    pub text: Option<Vec<u8>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first boundary.
    Start,
    /// Right behind a boundary.
    Boundary,
    /// In the headers of a part.
    Headers,
    /// In its content.
    Content,
    /// Behind the last boundary.
    End,
}

/// Reads a form as it comes.
#[derive(Debug)]
pub struct Form {
    /// What stands between a part's content and the next part: a line end, two dashes, the boundary.
    border: Vec<u8>,
    kept: &'static [&'static str],
    state: State,
    parts: Vec<Part>,
    /// What has come and is not yet understood.
    rest: Vec<u8>,
    /// The offset of `rest` in the body.
    at: u64,
}

impl Form {
    /// A form of that boundary. Fields of the names in `kept` are kept, and may stand in it once.
    #[must_use]
    pub fn new(boundary: &str, kept: &'static [&'static str]) -> Self {
        let border = [b"\r\n--", boundary.as_bytes()].concat();
        Form { border, kept, state: State::Start, parts: Vec::new(), rest: Vec::new(), at: 0 }
    }

    /// The parts so far; of the last one perhaps not all.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The content of a kept field that has come whole.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&[u8]> {
        let part = self.parts.iter().find(|part| part.name == name && part.end.is_some())?;
        part.text.as_deref()
    }

    /// Whether the last boundary has come.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.state == State::End
    }

    /// Up to which offset it is known what the bytes belong to.
    #[must_use]
    pub fn known_to(&self) -> u64 {
        match self.state {
            State::Content => self.at,
            State::End => self.at + self.rest.len() as u64,
            // The border may still turn out to be that of any part.
            State::Start | State::Boundary | State::Headers => {
                self.parts.last().and_then(|part| part.end).map_or(0, |end| end + 2)
            }
        }
    }

    /// Takes the next bytes of the body.
    ///
    /// # Errors
    /// `InvalidRequest`, saying what is wrong with the form.
    pub fn push(&mut self, bytes: &[u8]) -> Result<()> {
        if self.rest.is_empty() {
            let used = self.read(bytes)?;
            self.rest.extend_from_slice(&bytes[used..]);
            return Ok(());
        }
        let mut joined = std::mem::take(&mut self.rest);
        joined.extend_from_slice(bytes);
        let used = self.read(&joined)?;
        joined.drain(..used);
        self.rest = joined;
        Ok(())
    }

    /// The body has ended.
    ///
    /// # Errors
    /// `InvalidRequest` if the form has not.
    pub fn finish(&self) -> Result<()> {
        if self.is_complete() && matches!(&self.rest[..], b"" | b"\r\n") {
            return Ok(());
        }
        Err(bad("The form ends before its last boundary."))
    }

    /// Reads what can be understood of `bytes`; how much that is.
    fn read(&mut self, bytes: &[u8]) -> Result<usize> {
        let mut used = 0;
        loop {
            let rest = &bytes[used..];
            let step = match self.state {
                State::Start => self.start(rest)?,
                State::Boundary => self.boundary(rest)?,
                State::Headers => self.headers(rest)?,
                State::Content => self.content(rest),
                State::End if rest.len() > 2 || !b"\r\n".starts_with(rest) => {
                    return Err(bad("Something follows the form."));
                }
                State::End => None,
            };
            let Some(Step { length, done }) = step else { return Ok(used) };
            used += length;
            self.at += length as u64;
            if !done {
                return Ok(used);
            }
        }
    }

    fn start(&mut self, rest: &[u8]) -> Result<Option<Step>> {
        let opening = &self.border[2..];
        let seen = rest.len().min(opening.len());
        if rest[..seen] != opening[..seen] {
            return Err(bad("The form does not begin with its boundary."));
        }
        if seen < opening.len() {
            return Ok(None);
        }
        self.state = State::Boundary;
        Ok(Some(Step::done(seen)))
    }

    fn boundary(&mut self, rest: &[u8]) -> Result<Option<Step>> {
        self.state = match rest.get(..2) {
            None => return Ok(None),
            Some(b"\r\n") => State::Headers,
            Some(b"--") => State::End,
            Some(_) => return Err(bad("A boundary of the form is followed by something else.")),
        };
        if self.state == State::Headers && self.parts.len() >= MOST_PARTS {
            return Err(bad("The form has too many parts."));
        }
        Ok(Some(Step::done(2)))
    }

    fn headers(&mut self, rest: &[u8]) -> Result<Option<Step>> {
        let window = &rest[..rest.len().min(LONGEST_HEADERS)];
        let Some(end) = memmem::find(window, b"\r\n\r\n") else {
            if window.len() == LONGEST_HEADERS {
                return Err(bad("The headers of a part are too long."));
            }
            return Ok(None);
        };
        let Disposition { name, is_file, filename } = header::read(&rest[..end + 2])?;
        let keeps = self.kept.contains(&&name[..]);
        if keeps {
            if is_file {
                return Err(bad(&format!("The field `{name}` of the form must not be a file.")));
            }
            if self.parts.iter().any(|part| part.name == name) {
                return Err(bad(&format!("The field `{name}` stands twice in the form.")));
            }
        }
        let shift = |range: Range<usize>| self.at + range.start as u64..self.at + range.end as u64;
        self.parts.push(Part {
            name,
            is_file,
            filename: filename.map(shift),
            start: self.at + end as u64 + 4,
            end: None,
            text: keeps.then(Vec::new),
        });
        self.state = State::Content;
        // The content's end may share its line end with the headers: an empty part.
        Ok(Some(Step::done(end + 4)))
    }

    fn content(&mut self, rest: &[u8]) -> Option<Step> {
        let found = memmem::find(rest, &self.border);
        // A border may have begun in the last bytes.
        let length = found.unwrap_or_else(|| rest.len().saturating_sub(self.border.len() - 1));
        if length == 0 && found.is_none() {
            return None;
        }
        let (at, border) = (self.at, self.border.len());
        if let Some(part) = self.parts.last_mut() {
            let fits = |text: &Vec<u8>| text.len() + length <= LONGEST_FIELD;
            part.text = part.text.take().filter(fits);
            if let Some(text) = &mut part.text {
                text.extend_from_slice(&rest[..length]);
            }
            part.end = found.map(|_| at + length as u64);
        }
        if found.is_none() {
            return Some(Step { length, done: false });
        }
        self.state = State::Boundary;
        Some(Step::done(length + border))
    }
}

/// How far one step went, and whether another may follow.
struct Step {
    length: usize,
    done: bool,
}

impl Step {
    fn done(length: usize) -> Self {
        Step { length, done: true }
    }
}

fn bad(message: &str) -> Error {
    Error::new(Class::InvalidRequest, message)
}

#[cfg(test)]
mod tests;
