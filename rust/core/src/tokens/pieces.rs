//! What the patterns of both vocabularies have in common: numbers, white space, symbols, contractions.

use super::classes::{self, MARK, NEWLINE, NUMBER, OTHER, SPACE};
use super::words::spaces_end;

/// A vocabulary's way of cutting a text into pieces, no token of which spans two.
pub(super) trait Pattern {
    /// The end of the piece that begins at `start`, which lies before the end of the text.
    fn piece_end(text: &[u8], start: usize) -> usize;
}

/// `\p{N}{1,3}`, where the first number is known to be there.
pub(super) fn number_end(text: &[u8], start: usize) -> usize {
    let mut end = start;
    for _ in 0..3 {
        let (class, width) = classes::at(text, end);
        if class != NUMBER {
            break;
        }
        end += width;
    }
    end
}

/// `[^\s\p{L}\p{N}]+`, without the line breaks that may follow; `start` if there is none.
#[inline]
pub(super) fn symbols_end(text: &[u8], start: usize) -> usize {
    let mut end = start;
    loop {
        let (class, width) = classes::at(text, end);
        if class & (OTHER | MARK) == 0 {
            return end;
        }
        end += width;
    }
}

/// The run of white space from some place on.
pub(super) struct Blank {
    /// Behind its last character.
    pub(super) end: usize,
    /// Where that last character begins.
    pub(super) last: usize,
    /// Behind its last line break, if it has one.
    pub(super) after_newline: Option<usize>,
}

impl Blank {
    /// The run that begins at `start`, where white space is known to be.
    #[inline]
    pub(super) fn at(text: &[u8], start: usize) -> Self {
        let mut blank = Blank { end: start, last: start, after_newline: None };
        loop {
            let end = spaces_end(text, blank.end);
            if end > blank.end {
                (blank.last, blank.end) = (end - 1, end);
            }
            let (class, width) = classes::at(text, blank.end);
            if class & (SPACE | NEWLINE) == 0 {
                return blank;
            }
            blank.last = blank.end;
            blank.end += width;
            if class == NEWLINE {
                blank.after_newline = Some(blank.end);
            }
        }
    }

    /// `\s*[\r\n]+|\s+(?!\S)|\s+`: up to the last line break; else all but the last character, which
    /// belongs to the word that follows; else, alone or at the end of the text, all of it.
    #[inline]
    pub(super) fn piece_end(&self, text: &[u8], start: usize) -> usize {
        if let Some(end) = self.after_newline {
            return end;
        }
        if self.end == text.len() || self.last == start { self.end } else { self.last }
    }
}

/// `(?i:'s|'t|'re|'ve|'m|'ll|'d)?`: behind the contraction at `start`, or `start`.
#[inline]
pub(super) fn contraction_end(text: &[u8], start: usize) -> usize {
    if text.get(start) != Some(&b'\'') { start } else { start + contraction_width(text, start) }
}

fn contraction_width(text: &[u8], start: usize) -> usize {
    let letter = |at: usize| text.get(start + at).map_or(0, u8::to_ascii_lowercase);
    match (letter(1), letter(2)) {
        (b's' | b't' | b'm' | b'd', _) => 2,
        (b'r' | b'v', b'e') | (b'l', b'l') => 3,
        (0xc5, 0xbf) => 3, // ſ, the long s: its upper case is S
        _ => 0,
    }
}
