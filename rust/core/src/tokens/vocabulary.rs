//! A vocabulary: which byte strings are tokens, and the rank of each.
//!
//! One open-addressed table of 64-bit slots over the packed token bytes. A slot holds a token's place
//! in those bytes, its rank, its length and a tag from its hash, so that a look-up touches one line of
//! the table and, to be certain, one line of the bytes.

use std::sync::OnceLock;

use super::words::{Key, long_hash};

const LEN_BITS: u32 = 8;
const TAG_BITS: u32 = 17;
const RANK_SHIFT: u32 = LEN_BITS + TAG_BITS;
const OFFSET_SHIFT: u32 = RANK_SHIFT + RANK_BITS;
const LABEL: u64 = (1 << RANK_SHIFT) - 1;

/// A token's rank: the lower, the earlier its pair is merged. One more than in tiktoken's files, so
/// that 0 is free to mean no token.
pub(super) type Rank = u32;

/// The bits of a rank.
pub(super) const RANK_BITS: u32 = 18;

/// The tokens of one vocabulary.
pub(super) struct Vocabulary {
    bytes: &'static [u8],
    slots: Box<[u64]>,
    shift: u32,
    longest: usize,
    single: [Rank; 256],
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

impl Vocabulary {
    /// Reads the packed form `scripts/vocab.py` writes: a count, a length byte a token, all bytes.
    fn unpack(packed: &'static [u8]) -> Self {
        let (head, rest) = packed.split_first_chunk().unwrap_or((&[0; 4], &[]));
        let (lengths, bytes) = rest.split_at(u32::from_le_bytes(*head) as usize);
        let bits = (2 * lengths.len()).next_power_of_two().trailing_zeros();
        let longest = lengths.iter().copied().max().map_or(0, usize::from);
        let slots = vec![0; 1 << bits].into_boxed_slice();
        let mut vocabulary = Vocabulary { bytes, slots, shift: 64 - bits, longest, single: [0; 256] };
        let mut offset = 0;
        for (rank, &len) in lengths.iter().enumerate() {
            vocabulary.insert(rank as u64 + 1, offset, usize::from(len));
            offset += usize::from(len);
        }
        vocabulary.single = std::array::from_fn(|byte| vocabulary.rank(&[byte as u8], 0, 1));
        vocabulary
    }

    /// The rank of the token of this one byte: every byte is a token.
    #[inline]
    pub(super) fn byte_rank(&self, byte: u8) -> Rank {
        self.single[usize::from(byte)]
    }

    fn insert(&mut self, rank: u64, offset: usize, len: usize) {
        if len == 0 {
            return; // a rank that stands for no token
        }
        let hash = hash(self.bytes, offset, len);
        let mut at = self.home(hash);
        while self.slots[at] != 0 {
            at = (at + 1) & (self.slots.len() - 1);
        }
        self.slots[at] = (offset as u64) << OFFSET_SHIFT | rank << RANK_SHIFT | label(hash, len);
    }

    #[inline]
    fn home(&self, hash: u64) -> usize {
        (hash >> self.shift) as usize
    }

    /// The rank of `text[start..end]`, or 0 if it is no token.
    #[inline]
    pub(super) fn rank(&self, text: &[u8], start: usize, end: usize) -> Rank {
        match end - start {
            len if len <= 16 => self.rank_of(Key::<2>::of(text, start, len), len),
            len if len <= 32 => self.rank_of(Key::<4>::of(text, start, len), len),
            _ => self.long_rank(text, start, end),
        }
    }

    #[inline]
    fn rank_of<const W: usize>(&self, key: Key<W>, len: usize) -> Rank {
        self.probe(key.hash(), len, |offset| Key::of(self.bytes, offset, len) == key)
    }

    fn long_rank(&self, text: &[u8], start: usize, end: usize) -> Rank {
        if end - start > self.longest {
            return 0;
        }
        let piece = &text[start..end];
        self.probe(long_hash(piece), piece.len(), |offset| {
            self.bytes.get(offset..offset + piece.len()) == Some(piece)
        })
    }

    #[inline]
    fn probe(&self, hash: u64, len: usize, same: impl Fn(usize) -> bool) -> Rank {
        let label = label(hash, len);
        let mut at = self.home(hash);
        loop {
            let slot = self.slots[at];
            if slot & LABEL == label && same((slot >> OFFSET_SHIFT) as usize) {
                return (slot >> RANK_SHIFT) as Rank & ((1 << RANK_BITS) - 1);
            }
            if slot == 0 {
                return 0;
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }
}

#[inline]
fn label(hash: u64, len: usize) -> u64 {
    (hash << LEN_BITS | len as u64) & LABEL
}

fn hash(bytes: &[u8], offset: usize, len: usize) -> u64 {
    match len {
        0..=16 => Key::<2>::of(bytes, offset, len).hash(),
        17..=32 => Key::<4>::of(bytes, offset, len).hash(),
        _ => long_hash(&bytes[offset..offset + len]),
    }
}
