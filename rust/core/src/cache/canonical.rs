//! The cache key of a request: a hash over its scope and the canonical form of its JSON body.
//!
//! Canonical means: no insignificant whitespace, top-level members sorted by name. One pass over
//! the bytes finds the members; no tree is built, and a body that is compact already is hashed
//! where it lies.

use super::CacheKey;

/// Deepest nesting that is followed.
const DEPTH: u8 = 128;
/// Changed whenever the key of the same request changes.
const FORM: &[u8] = b"llmgw exact cache 1";

/// The key of the request `body` within `scope` (tenant, operation, routed model, version of the
/// configuration, …: all that must never share an answer).
///
/// Bodies that differ only in insignificant whitespace or in the order of their top-level members
/// have one key; anything else, also another spelling of the same string or number, is another
/// key. `None` when the body is not a JSON object, is nested deeper than 128, or when its top level
/// names a member twice or with an escape: readers disagree on what those mean.
#[must_use]
pub fn request_key(scope: &[&[u8]], body: &[u8]) -> Option<CacheKey> {
    simdutf8::basic::from_utf8(body).ok()?;
    let mut scan = Scan { text: body, at: 0, compact: Vec::new(), kept: 0 };
    let mut members = scan.members()?;
    let text = scan.compacted();
    members.sort_unstable_by_key(|member| member.name(text));
    if members.windows(2).any(|pair| pair[0].name(text) == pair[1].name(text)) {
        return None;
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update(FORM);
    hasher.update(&(scope.len() as u64).to_le_bytes());
    for part in scope {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    for member in &members {
        hasher.update(&text[member.start..member.end]);
        hasher.update(b",");
    }
    Some(*hasher.finalize().as_bytes())
}

/// Where a top-level member (`"name":value`) lies in the compacted text.
struct Member {
    start: usize,
    name_end: usize,
    end: usize,
}

impl Member {
    fn name<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        &text[self.start..self.name_end]
    }
}

/// A strict walk over JSON text that leaves the insignificant whitespace behind. `None` means that
/// the text is not JSON.
struct Scan<'a> {
    text: &'a [u8],
    at: usize,
    /// What was kept so far, whitespace left out, except for the run that begins at `kept`.
    compact: Vec<u8>,
    kept: usize,
}

impl<'a> Scan<'a> {
    fn members(&mut self) -> Option<Vec<Member>> {
        let mut members = Vec::with_capacity(16);
        self.skip_space();
        self.eat(b'{')?;
        self.skip_space();
        if self.peek()? == b'}' {
            self.at += 1;
        } else {
            loop {
                members.push(self.member()?);
                self.skip_space();
                if !self.goes_on(b'}')? {
                    break;
                }
                self.skip_space();
            }
        }
        let rest = &self.text[self.at..];
        rest.iter().all(|byte| is_space(*byte)).then_some(members)
    }

    fn member(&mut self) -> Option<Member> {
        let start = self.place();
        let name = self.at;
        self.string()?;
        if memchr::memchr(b'\\', &self.text[name..self.at]).is_some() {
            return None;
        }
        let name_end = self.place();
        self.skip_space();
        self.eat(b':')?;
        self.skip_space();
        self.value(0)?;
        Some(Member { start, name_end, end: self.place() })
    }

    /// Where the next byte will stand in the compacted text.
    fn place(&self) -> usize {
        self.compact.len() + self.at - self.kept
    }

    /// The text without whitespace. While the only whitespace was in front of it, nothing has been
    /// copied.
    fn compacted(&mut self) -> &[u8] {
        if self.compact.is_empty() {
            return &self.text[self.kept..];
        }
        self.compact.extend_from_slice(&self.text[self.kept..self.at]);
        self.kept = self.at;
        &self.compact
    }

    fn skip_space(&mut self) {
        if !self.peek().is_some_and(is_space) {
            return;
        }
        if self.compact.capacity() == 0 && self.at > self.kept {
            self.compact.reserve_exact(self.text.len());
        }
        self.compact.extend_from_slice(&self.text[self.kept..self.at]);
        while self.peek().is_some_and(is_space) {
            self.at += 1;
        }
        self.kept = self.at;
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    /// After an element: true past a comma, false past the closing bracket.
    fn goes_on(&mut self, close: u8) -> Option<bool> {
        let byte = self.peek()?;
        self.at += 1;
        match byte {
            b',' => Some(true),
            _ if byte == close => Some(false),
            _ => None,
        }
    }

    fn value(&mut self, depth: u8) -> Option<()> {
        match self.peek()? {
            b'"' => self.string(),
            b'{' => self.elements(b'}', depth, |scan, depth| {
                scan.string()?;
                scan.skip_space();
                scan.eat(b':')?;
                scan.skip_space();
                scan.value(depth)
            }),
            b'[' => self.elements(b']', depth, Self::value),
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'n' => self.word(b"null"),
            _ => self.number(),
        }
    }

    fn elements(
        &mut self,
        close: u8,
        depth: u8,
        element: fn(&mut Self, u8) -> Option<()>,
    ) -> Option<()> {
        let depth = (depth < DEPTH).then_some(depth + 1)?;
        self.at += 1;
        self.skip_space();
        if self.peek()? == close {
            self.at += 1;
            return Some(());
        }
        loop {
            element(self, depth)?;
            self.skip_space();
            if !self.goes_on(close)? {
                return Some(());
            }
            self.skip_space();
        }
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        self.text[self.at..].starts_with(word).then(|| self.at += word.len())
    }

    fn number(&mut self) -> Option<()> {
        let _ = self.eat(b'-');
        if self.eat(b'0').is_none() {
            self.digits()?;
        }
        if self.eat(b'.').is_some() {
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    fn string(&mut self) -> Option<()> {
        self.eat(b'"')?;
        loop {
            self.at += plain_length(&self.text[self.at..]);
            match self.peek()? {
                b'"' => {
                    self.at += 1;
                    return Some(());
                }
                b'\\' => self.escape()?,
                _ => return None,
            }
        }
    }

    fn escape(&mut self) -> Option<()> {
        let rest = &self.text[self.at + 1..];
        let length = match rest.first()? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => 2,
            b'u' if rest.get(1..5)?.iter().all(u8::is_ascii_hexdigit) => 6,
            _ => return None,
        };
        self.at += length;
        Some(())
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

/// Bytes before the first quote, backslash or control character, eight at a time.
fn plain_length(text: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const HIGHS: u64 = ONES << 7;
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word & HIGHS;
    let (words, rest) = text.as_chunks::<8>();
    for (at, bytes) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*bytes);
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGHS;
        let found = zeros(word ^ (ONES * 0x22)) | zeros(word ^ (ONES * 0x5c)) | control;
        if found != 0 {
            return at * 8 + found.trailing_zeros() as usize / 8;
        }
    }
    let plain = |byte: &u8| *byte >= 0x20 && *byte != b'"' && *byte != b'\\';
    words.len() * 8 + rest.iter().take_while(|byte| plain(byte)).count()
}

#[cfg(test)]
mod tests;
