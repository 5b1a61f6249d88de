//! Free-text tools as functions: their one argument, in whole and piece by piece.

use crate::chat::Text;
use crate::value::Value;
use crate::writer::{Writer, quote};
use std::borrow::Cow;

/// The name of the one argument.
pub(super) const INPUT: &str = "input";

/// The arguments of a call whose text is `input`.
pub(super) fn wrap(input: &str) -> String {
    let mut w = Writer::new();
    w.object(|w| {
        w.text(INPUT, input);
    });
    String::from_utf8(w.finish()).unwrap_or_default()
}

/// What the arguments begin with, before the pieces of the text.
pub(super) const OPENING: &str = "{\"input\":\"";
/// What they end with.
pub(super) const CLOSING: &str = "\"}";

/// A piece of the text as it stands between [`OPENING`] and [`CLOSING`].
pub(super) fn wrap_piece(piece: &str) -> String {
    let quoted = quote(piece);
    quoted[1..quoted.len() - 1].to_owned()
}

/// The text of a call with these arguments. A model that wrote something else than the one argument has
/// all that it wrote taken for the text.
pub(super) fn unwrap(arguments: &str) -> Text<'_> {
    let input = Value::parse(arguments).ok().and_then(|value| value.get(INPUT)?.text());
    input.unwrap_or(Cow::Borrowed(arguments))
}

/// Takes the text out of arguments that come in pieces.
#[derive(Debug, Default)]
pub(super) struct Unwrapper {
    at: At,
    /// What has come of an opening or an escape that is not complete.
    held: String,
    /// The first half of a pair of `\u` escapes.
    high: Option<u32>,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum At {
    /// Before the text.
    #[default]
    Opening,
    /// In it.
    Text,
    /// After it, or somewhere unknown: the whole is read at the end.
    Rest,
}

impl Unwrapper {
    /// What of the text has come with this piece.
    pub(super) fn push(&mut self, piece: &str) -> String {
        let mut out = String::new();
        for character in piece.chars() {
            match self.at {
                At::Opening => self.opening(character),
                At::Text => self.text(character, &mut out),
                At::Rest => break,
            }
        }
        out
    }

    fn opening(&mut self, character: char) {
        if character.is_ascii_whitespace() {
            return;
        }
        self.held.push(character);
        if self.held == OPENING {
            self.at = At::Text;
            self.held.clear();
        } else if !OPENING.starts_with(&self.held) {
            self.at = At::Rest;
        }
    }

    fn text(&mut self, character: char, out: &mut String) {
        if self.held.is_empty() {
            match character {
                '"' => self.at = At::Rest,
                '\\' => self.held.push('\\'),
                other => {
                    self.half(out);
                    out.push(other);
                }
            }
            return;
        }
        self.held.push(character);
        if self.held.starts_with("\\u") {
            if self.held.len() < 6 {
                return;
            }
            self.unicode(out);
        } else {
            self.half(out);
            out.push(match character {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'b' => '\u{8}',
                'f' => '\u{c}',
                other => other,
            });
        }
        self.held.clear();
    }

    /// A first half without its second.
    fn half(&mut self, out: &mut String) {
        if self.high.take().is_some() {
            out.push(char::REPLACEMENT_CHARACTER);
        }
    }

    fn unicode(&mut self, out: &mut String) {
        let code = self.held.get(2..).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        match (self.high.take(), code) {
            (Some(high), Some(low @ 0xDC00..=0xDFFF)) => {
                let code = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
                out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            (before, Some(high @ 0xD800..=0xDBFF)) => {
                out.extend(before.map(|_| char::REPLACEMENT_CHARACTER));
                self.high = Some(high);
            }
            (before, code) => {
                out.extend(before.map(|_| char::REPLACEMENT_CHARACTER));
                out.push(code.and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
        }
    }
}
