//! A file of requests, rewritten line by line as it passes: no more than one line of it is ever held.

use super::form::Passage;
use crate::error::{Class, Error, Result};
use bytes::BytesMut;

/// What becomes of a line.
pub(super) trait Rewrite {
    /// What is sent on for a line, without the end of the line.
    ///
    /// # Errors
    /// Why it may not pass.
    fn line(&mut self, line: &[u8]) -> Result<Vec<u8>>;
}

/// A file that passes line by line.
pub(super) struct Lines<R> {
    /// What is done to each.
    pub(super) rewrite: R,
    longest: usize,
    /// A line that is still coming.
    rest: BytesMut,
    /// How much of it is known to hold no end.
    searched: usize,
    /// The line's number, from 1.
    number: u64,
}

impl<R: Rewrite> Lines<R> {
    /// A file of which nothing has come; no line may have more bytes than `longest`.
    pub(super) fn new(rewrite: R, longest: usize) -> Self {
        Lines { rewrite, longest, rest: BytesMut::new(), searched: 0, number: 1 }
    }

    fn line(&mut self, line: &[u8], out: &mut BytesMut) -> Result<()> {
        let number = self.number;
        let told = |error: Error| Error {
            message: format!("Line {number} of the file: {}", error.message),
            ..error.with_param("file")
        };
        let body = line.strip_suffix(b"\r").unwrap_or(line);
        if body.len() > self.longest {
            let message = format!("It is longer than {} bytes.", self.longest);
            return Err(told(Error::new(Class::RequestTooLarge, message)));
        }
        if memchr::memchr(b'\r', body).is_some() {
            // Others may take it for the end of a line, and read another request than we.
            let message = "It holds a carriage return.";
            return Err(told(Error::new(Class::InvalidRequest, message)));
        }
        if body.trim_ascii().is_empty() {
            out.extend_from_slice(line);
        } else {
            out.extend_from_slice(&self.rewrite.line(body).map_err(told)?);
            out.extend_from_slice(&line[body.len()..]);
        }
        self.number += 1;
        Ok(())
    }
}

impl<R: Rewrite> Passage for Lines<R> {
    fn push(&mut self, content: &[u8], out: &mut BytesMut) -> Result<()> {
        self.rest.extend_from_slice(content);
        while let Some(end) = memchr::memchr(b'\n', &self.rest[self.searched..]) {
            let line = self.rest.split_to(self.searched + end + 1);
            self.searched = 0;
            self.line(&line[..line.len() - 1], out)?;
            out.extend_from_slice(b"\n");
        }
        self.searched = self.rest.len();
        // One byte may be a carriage return.
        if self.searched > self.longest + 1 {
            return self.finish(out);
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut BytesMut) -> Result<()> {
        let line = self.rest.split();
        self.searched = 0;
        self.line(&line, out)
    }

    fn length(&self, _: Option<u64>) -> Option<u64> {
        None
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Puts brackets around each line; refuses `bad`.
    struct Brackets;

    impl Rewrite for Brackets {
        fn line(&mut self, line: &[u8]) -> Result<Vec<u8>> {
            if line == b"bad" {
                return Err(Error::new(Class::InvalidRequest, "It is bad."));
            }
            Ok([b"[", line, b"]"].concat())
        }
    }

    fn passed(content: &str, size: usize) -> Result<String> {
        let mut lines = Lines::new(Brackets, 5);
        let mut out = BytesMut::new();
        for piece in content.as_bytes().chunks(size) {
            lines.push(piece, &mut out)?;
        }
        lines.finish(&mut out)?;
        Ok(String::from_utf8(out.to_vec()).unwrap())
    }

    #[test]
    fn every_line_is_rewritten_however_it_comes() {
        for (content, expected) in [
            ("", ""),
            ("a", "[a]"),
            ("a\n", "[a]\n"),
            ("a\r\nbb\n\n \nccccc", "[a]\r\n[bb]\n\n \n[ccccc]"),
        ] {
            for size in [1, 2, 3, 100] {
                assert_eq!(passed(content, size).unwrap(), expected, "{content:?}, {size}");
            }
        }
    }

    #[test]
    fn a_refused_line_is_told_by_its_number() {
        let error = passed("a\n\nbad\nb", 2).unwrap_err();
        assert_eq!(error.message, "Line 3 of the file: It is bad.");
        assert_eq!(error.param.as_deref(), Some("file"));
    }

    #[test]
    fn a_line_that_is_too_long_is_refused_before_all_of_it_has_come() {
        let mut lines = Lines::new(Brackets, 5);
        let error = lines.push(b"a\naaaaaaa", &mut BytesMut::new()).unwrap_err();
        assert_eq!(error.class, Class::RequestTooLarge);
        assert!(error.message.starts_with("Line 2 "), "{}", error.message);
    }

    #[test]
    fn a_carriage_return_within_a_line_is_refused() {
        assert_eq!(passed("a\rb\n", 9).unwrap_err().class, Class::InvalidRequest);
    }
}
