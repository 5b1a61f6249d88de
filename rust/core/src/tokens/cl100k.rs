//! How cl100k_base cuts a text: contractions first, then words with the sign before them.
//!
//! ```text
//! '(?i:[sdmt]|ll|ve|re) | [^\r\n\p{L}\p{N}]?+\p{L}++ | \p{N}{1,3}+
//! ?[^\s\p{L}\p{N}]++[\r\n]*+ | \s++$ | \s*[\r\n] | \s+(?!\S) | \s
//! ```

use super::classes::{self, LETTER, NEWLINE, NUMBER};
use super::pieces::{Blank, Pattern, contraction_end, number_end, symbols_end};
use super::words::ascii_letters_end;

/// The pattern of cl100k_base.
pub(super) struct Cl100k;

impl Pattern for Cl100k {
    #[inline]
    fn piece_end(text: &[u8], start: usize) -> usize {
        let end = contraction_end(text, start);
        if end > start {
            return end;
        }
        let (class, width) = classes::at(text, start);
        if class == NUMBER {
            return number_end(text, start);
        }
        let from = if class & (LETTER | NEWLINE) != 0 { start } else { start + width };
        let end = letters_end(text, from);
        if end > from {
            return end;
        }
        let from = if text.get(start) == Some(&b' ') { start + 1 } else { start };
        let end = symbols_end(text, from);
        if end > from {
            return newlines_end(text, end);
        }
        let blank = Blank::at(text, start);
        if blank.end == text.len() { blank.end } else { blank.piece_end(text, start) }
    }
}

/// `\p{L}*`
#[inline]
fn letters_end(text: &[u8], start: usize) -> usize {
    let mut end = start;
    loop {
        end = ascii_letters_end(text, end);
        let (class, width) = classes::at(text, end);
        if class & LETTER == 0 {
            return end;
        }
        end += width;
    }
}

/// `[\r\n]*`
#[inline]
fn newlines_end(text: &[u8], mut end: usize) -> usize {
    while let Some(b'\r' | b'\n') = text.get(end) {
        end += 1;
    }
    end
}
