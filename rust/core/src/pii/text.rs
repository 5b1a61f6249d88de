//! The text under the scanner, with forgiving access: beyond its ends are NUL bytes.

use std::ops::Range;

/// The text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text<'a>(pub(super) &'a [u8]);

impl<'a> Text<'a> {
    pub(super) fn len(self) -> usize {
        self.0.len()
    }

    /// The byte at `index`.
    pub(super) fn at(self, index: usize) -> u8 {
        self.0.get(index).copied().unwrap_or(0)
    }

    /// The byte before `index`.
    pub(super) fn before(self, index: usize) -> u8 {
        index.checked_sub(1).map_or(0, |index| self.at(index))
    }

    pub(super) fn slice(self, range: Range<usize>) -> &'a [u8] {
        self.0.get(range).unwrap_or(&[])
    }

    /// Where the run of bytes that `is` accepts, ending at `end`, begins; looks back `most` bytes.
    pub(super) fn run_before(self, end: usize, most: usize, is: impl Fn(u8) -> bool) -> usize {
        let floor = end.saturating_sub(most);
        (floor..end).rev().take_while(|&at| is(self.at(at))).last().unwrap_or(end)
    }

    /// Where the run of bytes that `is` accepts, starting at `start`, stops; looks on `most` bytes.
    pub(super) fn run_after(self, start: usize, most: usize, is: impl Fn(u8) -> bool) -> usize {
        let ceiling = start.saturating_add(most).min(self.len());
        (start..ceiling).find(|&at| !is(self.at(at))).unwrap_or(ceiling.max(start))
    }

    /// Whether `start` comes right after a JSON escape such as `\n`: its letter is not part of a word.
    /// Two backslashes do not undo it: that is JSON within JSON, as in a tool call's arguments.
    pub(super) fn follows_escape(self, start: usize) -> bool {
        start > 1
            && matches!(self.at(start - 1), b'n' | b'r' | b't' | b'b' | b'f')
            && self.at(start - 2) == b'\\'
    }

    /// The start of a run, moved past the letter of a JSON escape that the run began with.
    pub(super) fn past_escape(self, start: usize) -> usize {
        if self.follows_escape(start + 1) { start + 1 } else { start }
    }

    /// Nothing word-like touches `start` from the left.
    pub(super) fn begins_at(self, start: usize) -> bool {
        !is_word(self.before(start)) || self.follows_escape(start)
    }

    /// Nothing word-like touches `end` from the right.
    pub(super) fn ends_at(self, end: usize) -> bool {
        !is_word(self.at(end))
    }

    pub(super) fn is_bounded(self, start: usize, end: usize) -> bool {
        self.begins_at(start) && self.ends_at(end)
    }
}

/// A byte of `\w`.
pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}
