//! A vocabulary: which byte strings are tokens, and the rank of each.

use std::sync::OnceLock;

use super::long_tokens::LongTokens;
use super::short_tokens::ShortTokens;
use super::words::{Key, long_hash};

/// A token's rank: the lower, the earlier its pair is merged. One more than in tiktoken's files, so
/// that 0 is free to mean no token.
pub(super) type Rank = u32;

/// The bits of a rank.
pub(super) const RANK_BITS: u32 = 18;

/// The tokens of one vocabulary, about 5 MB.
pub(super) struct Vocabulary {
    short: ShortTokens,
    long: LongTokens,
    /// A bit for every token's hash, 256 KB: most pairs a merge asks for are no token, and this says so
    /// from close to the processor.
    filter: Box<[u64]>,
    one_byte: [Rank; 256],
    two_bytes: Box<[Rank]>,
}

/// OpenAI's o200k_base.
pub(super) fn o200k() -> &'static Vocabulary {
    static O200K: OnceLock<Vocabulary> = OnceLock::new();
    O200K.get_or_init(|| Vocabulary::unpack(include_bytes!("../../data/o200k.bin")))
}

/// OpenAI's cl100k_base.
pub(super) fn cl100k() -> &'static Vocabulary {
    static CL100K: OnceLock<Vocabulary> = OnceLock::new();
    CL100K.get_or_init(|| Vocabulary::unpack(include_bytes!("../../data/cl100k.bin")))
}

const FILTER_BITS: usize = 1 << 21;

impl Vocabulary {
    /// Reads the packed form `scripts/vocab.py` writes: a count, a length byte a token, all bytes.
    fn unpack(packed: &'static [u8]) -> Self {
        let (head, rest) = packed.split_first_chunk().unwrap_or((&[0; 4], &[]));
        let (lengths, bytes) = rest.split_at(u32::from_le_bytes(*head) as usize);
        let short = lengths.iter().filter(|&&len| usize::from(len) <= ShortTokens::LONGEST).count();
        let mut vocabulary = Vocabulary {
            short: ShortTokens::with_room(short),
            long: LongTokens::with_room(lengths.len() - short, bytes),
            filter: vec![0; FILTER_BITS / 64].into(),
            one_byte: [0; 256],
            two_bytes: vec![0; 1 << 16].into(),
        };
        let mut start = 0;
        for (rank, &len) in (1..).zip(lengths) {
            let end = start + usize::from(len);
            vocabulary.insert(bytes, start, end, rank);
            start = end;
        }
        vocabulary
    }

    fn insert(&mut self, bytes: &[u8], start: usize, end: usize, rank: Rank) {
        let len = end - start;
        let hash = hash(bytes, start, end);
        self.filter[filter_word(hash)] |= filter_bit(hash);
        match bytes[start..end] {
            [] => {} // a rank that stands for no token
            [byte] => self.one_byte[usize::from(byte)] = rank,
            [left, right] => self.two_bytes[two(left, right)] = rank,
            _ => {}
        }
        if len > ShortTokens::LONGEST {
            self.long.insert(hash, start, len, rank);
        } else if len > 0 {
            self.short.insert(hash, Key::of(bytes, start, len), len, rank);
        }
    }

    /// The rank of `text[start..end]`, or 0 if it is no token.
    #[inline]
    pub(super) fn rank(&self, text: &[u8], start: usize, end: usize) -> Rank {
        self.hashed_rank(hash(text, start, end), text, start, end)
    }

    /// The same as [`Vocabulary::rank`], for bytes that are probably no token.
    #[inline]
    pub(super) fn unlikely_rank(&self, text: &[u8], start: usize, end: usize) -> Rank {
        let hash = hash(text, start, end);
        if self.filter[filter_word(hash)] & filter_bit(hash) == 0 {
            return 0;
        }
        self.hashed_rank(hash, text, start, end)
    }

    #[inline]
    fn hashed_rank(&self, hash: u64, text: &[u8], start: usize, end: usize) -> Rank {
        let len = end - start;
        if len <= ShortTokens::LONGEST {
            self.short.rank(hash, Key::of(text, start, len), len)
        } else {
            self.long.rank(hash, &text[start..end])
        }
    }

    /// The rank of the token of this one byte: every byte is a token.
    #[inline]
    pub(super) fn byte_rank(&self, byte: u8) -> Rank {
        self.one_byte[usize::from(byte)]
    }

    /// The rank of two bytes, or 0 if they are no token: much the most frequent question of a merge.
    #[inline]
    pub(super) fn two_bytes_rank(&self, left: u8, right: u8) -> Rank {
        self.two_bytes[two(left, right)]
    }
}

#[inline]
fn two(left: u8, right: u8) -> usize {
    usize::from(u16::from_be_bytes([left, right]))
}

/// The tables look at the upper bits of a hash, the filter at the lower.
#[inline]
fn filter_word(hash: u64) -> usize {
    hash as usize % FILTER_BITS / 64
}

#[inline]
fn filter_bit(hash: u64) -> u64 {
    1 << (hash % 64)
}

#[inline]
fn hash(text: &[u8], start: usize, end: usize) -> u64 {
    match end - start {
        len if len <= 16 => Key::<2>::of(text, start, len).hash(),
        len if len <= 32 => Key::<4>::of(text, start, len).hash(),
        _ => long_hash(&text[start..end]),
    }
}
