//! A JSON text as a tree that borrows from it: every value still knows the bytes it was read from.
//!
//! Numbers are kept as written and whole branches can be passed on verbatim, so that what is not
//! translated is not changed either.

use std::borrow::Cow;
use std::fmt;

/// How deep arrays and objects may nest.
pub const MAX_DEPTH: usize = 64;
/// How many values a text may hold.
pub const MAX_NODES: usize = 1_000_000;

/// A value and the text it was read from.
#[derive(Debug, Clone, PartialEq)]
pub struct Value<'a> {
    raw: &'a str,
    kind: Kind<'a>,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as written in the value's text.
    Number,
    /// A string, its escapes undone; half a surrogate pair reads as U+FFFD.
    String(Cow<'a, str>),
    /// An array.
    Array(Vec<Value<'a>>),
    /// An object, in the order of its text.
    Object(Vec<Member<'a>>),
}

/// A member of an object.
pub type Member<'a> = (Cow<'a, str>, Value<'a>);

/// Why a text is not JSON, and at which byte. Never holds any of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed {
    /// What is wrong.
    pub what: &'static str,
    /// Where.
    pub at: usize,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (byte {})", self.what, self.at)
    }
}

impl<'a> Value<'a> {
    /// Reads a text that holds one value.
    ///
    /// # Errors
    /// [`Malformed`] if it is not JSON, nests too deeply or holds too many values.
    pub fn parse(text: &'a str) -> Result<Self, Malformed> {
        let mut parser = Parser { text, bytes: text.as_bytes(), at: 0, nodes: 0 };
        parser.skip_space();
        let value = parser.value(0)?;
        parser.skip_space();
        if parser.at != text.len() {
            return Err(parser.fail("something follows the value"));
        }
        Ok(value)
    }

    /// The text it was read from, to be passed on verbatim.
    #[must_use]
    pub fn raw(&self) -> &'a str {
        self.raw
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> &Kind<'a> {
        &self.kind
    }

    /// The member of that name, unless it is `null`. `None` too if this is not an object.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value<'a>> {
        let found = self.members().iter().find(|(key, _)| key == name)?;
        (!found.1.is_null()).then_some(&found.1)
    }

    /// The members in order; none if this is not an object.
    #[must_use]
    pub fn members(&self) -> &[Member<'a>] {
        if let Kind::Object(members) = &self.kind { members } else { &[] }
    }

    /// The items in order; none if this is not an array.
    #[must_use]
    pub fn items(&self) -> &[Value<'a>] {
        if let Kind::Array(items) = &self.kind { items } else { &[] }
    }

    /// Whether it is `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.kind == Kind::Null
    }

    /// Whether it is an object.
    #[must_use]
    pub fn is_object(&self) -> bool {
        matches!(self.kind, Kind::Object(_))
    }

    /// Whether it is an array.
    #[must_use]
    pub fn is_array(&self) -> bool {
        matches!(self.kind, Kind::Array(_))
    }

    /// The string, without a copy where it has no escapes.
    #[must_use]
    pub fn text(&self) -> Option<Cow<'a, str>> {
        if let Kind::String(text) = &self.kind { Some(text.clone()) } else { None }
    }

    /// The string, to look at.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Kind::String(text) = &self.kind { Some(text) } else { None }
    }

    /// The truth value.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        if let Kind::Bool(value) = self.kind { Some(value) } else { None }
    }

    /// The number, if it is a whole one from 0 to 2^64 - 1 (`5.0` is).
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        let number = self.number()?;
        number.parse().ok().or_else(|| {
            let float: f64 = number.parse().ok()?;
            (float.fract() == 0.0 && (0.0..1e15).contains(&float)).then_some(float as u64)
        })
    }

    /// The number, if it is a whole one that fits.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        let number = self.number()?;
        number.parse().ok().or_else(|| {
            let float: f64 = number.parse().ok()?;
            (float.fract() == 0.0 && float.abs() < 1e15).then_some(float as i64)
        })
    }

    /// The number, if it is finite.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        self.number()?.parse().ok().filter(|number: &f64| number.is_finite())
    }

    fn number(&self) -> Option<&'a str> {
        (self.kind == Kind::Number).then_some(self.raw)
    }
}

struct Parser<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    nodes: usize,
}

impl<'a> Parser<'a> {
    fn fail(&self, what: &'static str) -> Malformed {
        Malformed { what, at: self.at }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value<'a>, Malformed> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(self.fail("it holds too many values"));
        }
        let start = self.at;
        let kind = match self.peek() {
            Some(b'"') => Kind::String(self.string()?),
            Some(b'{') => self.object(depth + 1)?,
            Some(b'[') => self.array(depth + 1)?,
            Some(b't') => self.word("true", Kind::Bool(true))?,
            Some(b'f') => self.word("false", Kind::Bool(false))?,
            Some(b'n') => self.word("null", Kind::Null)?,
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(_) => return Err(self.fail("a value was expected")),
            None => return Err(self.fail("it ends too early")),
        };
        Ok(Value { raw: &self.text[start..self.at], kind })
    }

    fn word(&mut self, word: &str, kind: Kind<'a>) -> Result<Kind<'a>, Malformed> {
        if !self.bytes[self.at..].starts_with(word.as_bytes()) {
            return Err(self.fail("a value was expected"));
        }
        self.at += word.len();
        Ok(kind)
    }

    fn digits(&mut self) -> Result<(), Malformed> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(self.fail("a digit was expected")) } else { Ok(()) }
    }

    fn number(&mut self) -> Result<Kind<'a>, Malformed> {
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
        Ok(Kind::Number)
    }

    /// Passes a string; what it reads as.
    fn string(&mut self) -> Result<Cow<'a, str>, Malformed> {
        self.at += 1;
        let start = self.at;
        let mut decoded: Option<String> = None;
        let mut copied = start;
        loop {
            let rest = &self.bytes[self.at..];
            let Some(stop) = memchr::memchr2(b'"', b'\\', rest) else {
                return Err(self.fail("a string does not end"));
            };
            if rest[..stop].iter().any(|&byte| byte < 0x20) {
                return Err(self.fail("a control character stands in a string unescaped"));
            }
            self.at += stop;
            if rest[stop] == b'"' {
                let last = &self.text[copied..self.at];
                self.at += 1;
                return Ok(match decoded {
                    Some(text) => Cow::Owned(text + last),
                    None => Cow::Borrowed(last),
                });
            }
            let text = decoded.get_or_insert_with(String::new);
            text.push_str(&self.text[copied..self.at]);
            text.push(self.escape()?);
            copied = self.at;
        }
    }

    /// Passes an escape; the character it stands for.
    fn escape(&mut self) -> Result<char, Malformed> {
        let letter = self.bytes.get(self.at + 1).copied();
        let character = match letter {
            Some(b'"' | b'\\' | b'/') => char::from(letter.unwrap_or_default()),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(),
            _ => return Err(self.fail("a bad escape")),
        };
        self.at += 2;
        Ok(character)
    }

    fn unicode_escape(&mut self) -> Result<char, Malformed> {
        let first = self.hex4(self.at + 2).ok_or_else(|| self.fail("a bad escape"))?;
        self.at += 6;
        if (0xD800..0xDC00).contains(&first)
            && self.bytes[self.at..].starts_with(b"\\u")
            && let Some(low @ 0xDC00..=0xDFFF) = self.hex4(self.at + 2)
        {
            self.at += 6;
            let code = 0x10000 + ((first - 0xD800) << 10) + (low - 0xDC00);
            return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex4(&self, at: usize) -> Option<u32> {
        let digits = self.bytes.get(at..at + 4)?;
        digits.iter().try_fold(0, |sum, &digit| Some(sum * 16 + char::from(digit).to_digit(16)?))
    }

    fn deeper(&self, depth: usize) -> Result<(), Malformed> {
        if depth >= MAX_DEPTH { Err(self.fail("it nests too deeply")) } else { Ok(()) }
    }

    fn array(&mut self, depth: usize) -> Result<Kind<'a>, Malformed> {
        self.deeper(depth)?;
        self.at += 1;
        let mut items = Vec::new();
        self.skip_space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Kind::Array(items));
        }
        loop {
            self.skip_space();
            items.push(self.value(depth)?);
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                _ => return Err(self.fail("a comma or ] was expected")),
            }
        }
        self.at += 1;
        Ok(Kind::Array(items))
    }

    fn object(&mut self, depth: usize) -> Result<Kind<'a>, Malformed> {
        self.deeper(depth)?;
        self.at += 1;
        let mut members = Vec::new();
        self.skip_space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Kind::Object(members));
        }
        loop {
            self.skip_space();
            if self.peek() != Some(b'"') {
                return Err(self.fail("a key was expected"));
            }
            let key = self.string()?;
            self.skip_space();
            if self.peek() != Some(b':') {
                return Err(self.fail("a colon was expected"));
            }
            self.at += 1;
            self.skip_space();
            members.push((key, self.value(depth)?));
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return Err(self.fail("a comma or } was expected")),
            }
        }
        self.at += 1;
        Ok(Kind::Object(members))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn values_know_their_text_and_their_meaning() {
        let value =
            Value::parse(r#" {"a": [1, 2.50, -3], "b":"x\n\u00e9\ud83d\ude00", "c":null} "#)
                .unwrap();
        let numbers = value.get("a").unwrap();
        assert_eq!(numbers.raw(), "[1, 2.50, -3]");
        assert_eq!(numbers.items()[1].raw(), "2.50");
        assert_eq!(numbers.items()[0].as_u64(), Some(1));
        assert_eq!(numbers.items()[2].as_i64(), Some(-3));
        assert_eq!(value.get("b").unwrap().as_str(), Some("x\né😀"));
        assert_eq!(value.get("c"), None);
        assert_eq!(value.members().len(), 3);
    }

    #[test]
    fn a_string_without_escapes_is_not_copied() {
        let value = Value::parse(r#""plain""#).unwrap();
        assert!(matches!(value.text(), Some(Cow::Borrowed("plain"))));
    }

    #[test]
    fn half_a_surrogate_pair_does_not_spoil_the_rest() {
        assert_eq!(Value::parse(r#""a\ud83db""#).unwrap().as_str(), Some("a\u{fffd}b"));
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for text in [
            "",
            "{",
            "[1,]",
            "{\"a\" 1}",
            "{a:1}",
            "01",
            "1.",
            "-",
            "\"\\x\"",
            "\"a\nb\"",
            "tru",
            "1 2",
            "nul",
        ] {
            assert!(Value::parse(text).is_err(), "{text}");
        }
        assert!(Value::parse(&"[".repeat(200)).is_err());
    }

    #[test]
    fn whole_numbers_may_be_written_as_fractions() {
        assert_eq!(Value::parse("5.0").unwrap().as_u64(), Some(5));
        assert_eq!(Value::parse("5.5").unwrap().as_u64(), None);
        assert_eq!(Value::parse("-1").unwrap().as_u64(), None);
        assert_eq!(Value::parse("1e999").unwrap().as_f64(), None);
    }
}
