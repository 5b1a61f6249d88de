//! Eight bytes at a time: masked views of short pieces, and runs of ASCII letters.

const LANES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x80 * LANES;
/// What makes a capital small.
const CASE: u64 = 0x20 * LANES;
const FIRST_LANE: u64 = 0x80;
const SECOND_LANE: u64 = 0x8000;

/// The longest key, in bytes.
const KEY: usize = 32;

/// From `KEY - n` on, a mask that keeps `n` bytes.
static KEEP: [u8; 2 * KEY] = {
    let mut bytes = [0; 2 * KEY];
    let mut at = 0;
    while at < KEY {
        bytes[at] = 0xff;
        at += 1;
    }
    bytes
};

/// The bytes of a piece of at most `8 * W`, padded with zeros. Together with the length it *is* the
/// piece: equal keys of equal length mean equal bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Key<const W: usize>(pub(super) [u64; W]);

impl<const W: usize> Key<W> {
    /// The key of the `len` bytes at `start`.
    #[inline]
    pub(super) fn of(text: &[u8], start: usize, len: usize) -> Self {
        let Some(bytes) = text.get(start..start + 8 * W) else {
            return Self::of_tail(text, start, len);
        };
        let kept = &KEEP[KEY - len..][..8 * W];
        Key(std::array::from_fn(|word| load(bytes, 8 * word) & load(kept, 8 * word)))
    }

    /// The same, close to the end of the text.
    #[cold]
    fn of_tail(text: &[u8], start: usize, len: usize) -> Self {
        let piece = &text[start..start + len];
        Key(std::array::from_fn(|word| load_tail(piece, 8 * word)))
    }

    #[inline]
    pub(super) fn hash(self) -> u64 {
        self.0.chunks_exact(2).fold(0x9e37_79b9_7f4a_7c15, |hash, pair| {
            fold(pair[0] ^ hash, pair[1] ^ 0xd6e8_feb8_6659_fd93)
        })
    }
}

/// The hash of a piece too long for a [`Key`].
pub(super) fn long_hash(piece: &[u8]) -> u64 {
    (0..piece.len()).step_by(16).fold(piece.len() as u64, |hash, start| {
        let len = (piece.len() - start).min(16);
        fold(hash ^ Key::<2>::of(piece, start, len).hash(), 0xa076_1d64_78bd_642f)
    })
}

#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product >> 64) as u64 ^ product as u64
}

/// Eight bytes from `at`, the first in the lowest lane; zeros stand in for what lies past the end.
#[inline]
fn load(text: &[u8], at: usize) -> u64 {
    match text.get(at..).and_then(<[u8]>::first_chunk) {
        Some(chunk) => u64::from_le_bytes(*chunk),
        None => load_tail(text, at),
    }
}

#[cold]
fn load_tail(text: &[u8], at: usize) -> u64 {
    let tail = text.get(at..).unwrap_or_default();
    tail.iter().take(8).rev().fold(0, |word, &byte| word << 8 | u64::from(byte))
}

/// The key and the width of a plain word at `start`, if there is one: at most one ASCII character that
/// may precede a word, at most one capital, small letters, all within seven bytes, and something
/// behind that ends a word. Both vocabularies cut there.
///
/// This is most words of most texts, found without a branch on their length.
#[inline]
pub(super) fn plain_word(text: &[u8], start: usize) -> Option<(Key<2>, usize)> {
    let word = load(text, start);
    let small = lowercase_lanes(word);
    let capital = lowercase_lanes(word | CASE) & !small;
    let letters = small | capital & SECOND_LANE & !(small << 8);
    let others = !letters & HIGH & !FIRST_LANE;
    let width = others.trailing_zeros() & 0x38; // in bits; none at all, 64, becomes 0
    let (first, behind) = (word as u8, (word >> width) as u8);
    let plain = width > 8 && BEGINS[usize::from(first)] && ENDS[usize::from(behind)];
    plain.then(|| (Key([word & ((1 << width) - 1), 0]), width as usize / 8))
}

/// Whether a byte may stand first in a plain word: ASCII but line breaks and digits, which stand apart,
/// and the apostrophe, which may begin a contraction.
static BEGINS: [bool; 256] = {
    let mut begins = [false; 256];
    let mut byte = 0;
    while byte < 0x80 {
        begins[byte as usize] = !matches!(byte, b'\r' | b'\n' | b'\'' | b'0'..=b'9');
        byte += 1u8;
    }
    begins
};

/// Whether a byte ends a plain word: ASCII but letters and the apostrophe.
static ENDS: [bool; 256] = {
    let mut ends = [false; 256];
    let mut byte = 0;
    while byte < 0x80 {
        ends[byte as usize] = !(byte == b'\'' || byte.is_ascii_alphabetic());
        byte += 1u8;
    }
    ends
};

/// The end of the run of `a-z` that begins at `at`.
#[inline]
pub(super) fn ascii_lower_end(text: &[u8], at: usize) -> usize {
    run_end(text, at, |word| word)
}

/// The end of the run of `a-zA-Z` that begins at `at`.
#[inline]
pub(super) fn ascii_letters_end(text: &[u8], at: usize) -> usize {
    run_end(text, at, |word| word | CASE)
}

#[inline]
fn run_end(text: &[u8], mut at: usize, fold_case: impl Fn(u64) -> u64) -> usize {
    loop {
        let outside = !lowercase_lanes(fold_case(load(text, at))) & HIGH;
        if outside != 0 {
            return at + (outside.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
}

/// The end of the run of spaces that begins at `at`.
#[inline]
pub(super) fn spaces_end(text: &[u8], mut at: usize) -> usize {
    loop {
        let others = load(text, at) ^ (LANES * b' ' as u64);
        if others != 0 {
            return at + (others.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
}

/// The high bit of every lane that holds `a-z`.
#[inline]
fn lowercase_lanes(word: u64) -> u64 {
    let low = word & !HIGH;
    let from_a = low + LANES * (0x80 - b'a' as u64);
    let past_z = low + LANES * (0x7f - b'z' as u64);
    from_a & !past_z & !word & HIGH
}
