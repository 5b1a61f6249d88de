//! How cl100k_base cuts a text: contractions first, then words with the sign before them.
//!
//! ```text
//! '(?i:[sdmt]|ll|ve|re) | [^\r\n\p{L}\p{N}]?+\p{L}++ | \p{N}{1,3}+
//! ?[^\s\p{L}\p{N}]++[\r\n]*+ | \s++$ | \s*[\r\n] | \s+(?!\S) | \s
//! ```

use super::classes::{self, LETTER, LOWER, MARK, NEWLINE, NUMBER, OTHER, SPACE, UNCASED, UPPER};
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
        match class {
            UPPER | LOWER | UNCASED => letters_end(text, start),
            NUMBER => number_end(text, start),
            NEWLINE => blank_end(text, start),
            _ => signed_end(text, start, class, start + width),
        }
    }
}

/// The end of the piece at `start`, where a space, a symbol or a mark of that class is, up to `behind`.
#[inline]
fn signed_end(text: &[u8], start: usize, class: u8, behind: usize) -> usize {
    let (next, _) = classes::at(text, behind);
    if next & LETTER != 0 {
        letters_end(text, behind)
    } else if class != SPACE || (next & (OTHER | MARK) != 0 && text[start] == b' ') {
        newlines_end(text, symbols_end(text, behind))
    } else {
        blank_end(text, start)
    }
}

/// `\s++$|\s*[\r\n]|\s+(?!\S)|\s`: unlike o200k's, white space at the end of the text is one piece.
#[inline]
fn blank_end(text: &[u8], start: usize) -> usize {
    let blank = Blank::at(text, start);
    if blank.end == text.len() { blank.end } else { blank.piece_end(text, start) }
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
