//! The Unicode class of a character, as the patterns of the vocabularies distinguish them.
//!
//! The table is asked of tiktoken's own regex engine by `scripts/vocab.py`, so both always agree.

/// `\p{Lu}` and `\p{Lt}`.
pub(super) const UPPER: u8 = 1;
/// `\p{Ll}`.
pub(super) const LOWER: u8 = 2;
/// `\p{Lm}` and `\p{Lo}`: letters without case.
pub(super) const UNCASED: u8 = 4;
/// `\p{M}`: marks.
pub(super) const MARK: u8 = 8;
/// `\p{N}`: numbers.
pub(super) const NUMBER: u8 = 16;
/// `\s` without carriage return and line feed.
pub(super) const SPACE: u8 = 32;
/// Carriage return and line feed.
pub(super) const NEWLINE: u8 = 64;
/// Everything else.
pub(super) const OTHER: u8 = 128;

/// `\p{L}`.
pub(super) const LETTER: u8 = UPPER | LOWER | UNCASED;

const BLOCK: usize = 128;
const BLOCKS: usize = 0x11_0000 / BLOCK;

/// One byte a block of code points, naming its row; then the rows.
static TABLE: &[u8] = include_bytes!("../../data/classes.bin");

static ASCII: [u8; BLOCK] = {
    let mut classes = [0; BLOCK];
    let row = BLOCKS + TABLE[0] as usize * BLOCK;
    let mut code = 0;
    while code < BLOCK {
        classes[code] = TABLE[row + code];
        code += 1;
    }
    classes
};

/// The class and the width in bytes of the character at `at`; `(0, 0)` at the end of the text.
///
/// `text` is valid UTF-8 and `at` lies on the border of a character.
#[inline]
pub(super) fn at(text: &[u8], at: usize) -> (u8, usize) {
    match text.get(at) {
        None => (0, 0),
        Some(&byte) if byte < 0x80 => (ASCII[usize::from(byte)], 1),
        Some(&lead) => wide(text, at, lead),
    }
}

#[inline]
fn wide(text: &[u8], at: usize, lead: u8) -> (u8, usize) {
    let width = match lead {
        0..0xe0 => 2,
        0xe0..0xf0 => 3,
        _ => 4,
    };
    let head = usize::from(lead) & (0x7f >> width);
    let tail = text.get(at + 1..at + width).unwrap_or_default();
    let code = tail.iter().fold(head, |code, &byte| code << 6 | usize::from(byte & 0x3f));
    (of(code), width)
}

fn of(code: usize) -> u8 {
    let row = TABLE.get(code / BLOCK).map_or(0, |&row| usize::from(row));
    TABLE.get(BLOCKS + row * BLOCK + code % BLOCK).copied().unwrap_or(OTHER)
}
