//! One record in a segment: a head of 20 bytes, then the payload. All numbers are little-endian.
//!
//! ```text
//! mark u8 | length u24 | sum u32 | sequence u64 | back u32 | payload
//! ```
//!
//! The mark is stored last, over a zero: before that, nothing is there. `back` counts the records before this
//! one that were not known to be on the disk when it was appended: all before those were. `sum` is the CRC-32
//! of the writer's name, the payload, and the head's other fields, so that a frame of another writer, which a
//! file system may bring back after a power cut, is none.

use super::segment::Writer;
use crc32fast::Hasher;

/// Bytes of the largest payload.
pub const LARGEST: usize = 64 << 10;
/// Bytes before the payload.
pub(super) const HEAD: usize = 20;
/// What a frame begins with; zeros are none.
pub(super) const MARK: u8 = 0xa7;

/// What the sums of a writer's frames begin with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seed(u32);

impl Seed {
    pub(super) fn of(writer: Writer) -> Self {
        Seed(crc32fast::hash(&writer.0.to_le_bytes()))
    }

    /// The sum of a payload, that of the head is still to come.
    pub(super) fn begin(self, payload: &[u8]) -> Hasher {
        let mut sum = Hasher::new_with_initial(self.0);
        sum.update(payload);
        sum
    }
}

/// What stands before a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// Bytes of the payload.
    pub(super) length: u32,
    /// Which record of its writer it is.
    pub(super) sequence: u64,
    /// How many before it were not known to be on the disk.
    pub(super) back: u32,
    sum: u32,
}

impl Head {
    /// The head for a payload whose sum was begun.
    pub(super) fn new(begun: Hasher, length: u32, sequence: u64, back: u32) -> Self {
        let mut head = Head { length, sequence, back, sum: 0 };
        head.sum = head.finish(begun);
        head
    }

    pub(super) fn encode(&self) -> [u8; HEAD] {
        let mut bytes = [0; HEAD];
        bytes[..4].copy_from_slice(&(self.length << 8 | u32::from(MARK)).to_le_bytes());
        bytes[4..8].copy_from_slice(&self.sum.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.sequence.to_le_bytes());
        bytes[16..].copy_from_slice(&self.back.to_le_bytes());
        bytes
    }

    /// Whatever the first bytes say; `None` if they are too few, or do not begin with the mark.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; HEAD] = bytes.first_chunk()?;
        let (length, rest) = bytes.split_first_chunk()?;
        if length[0] != MARK {
            return None;
        }
        let (sum, rest) = rest.split_first_chunk()?;
        let (sequence, rest) = rest.split_first_chunk()?;
        Some(Head {
            length: u32::from_le_bytes(*length) >> 8,
            sum: u32::from_le_bytes(*sum),
            sequence: u64::from_le_bytes(*sequence),
            back: u32::from_le_bytes(*rest.first_chunk()?),
        })
    }

    /// Bytes of the payload; `None` if it is longer than any.
    pub(super) fn payload(&self) -> Option<usize> {
        usize::try_from(self.length).ok().filter(|&length| length <= LARGEST)
    }

    /// Whether this head was written before this payload.
    pub(super) fn fits(&self, seed: Seed, payload: &[u8]) -> bool {
        self.finish(seed.begin(payload)) == self.sum
    }

    /// All records before this one were on the disk when it was appended.
    pub(super) fn forced(&self) -> u64 {
        self.sequence.saturating_sub(u64::from(self.back))
    }

    fn finish(&self, mut begun: Hasher) -> u32 {
        begun.update(&self.length.to_le_bytes());
        begun.update(&self.sequence.to_le_bytes());
        begun.update(&self.back.to_le_bytes());
        begun.finalize()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const SEED: Seed = Seed(7);

    fn frame(payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap();
        [&Head::new(SEED.begin(payload), length, 5, 2).encode()[..], payload].concat()
    }

    #[test]
    fn a_head_reads_as_it_was_written() {
        let bytes = frame(b"payload");
        let head = Head::decode(&bytes).unwrap();
        assert_eq!((head.payload(), head.sequence, head.forced()), (Some(7), 5, 3));
        assert!(head.fits(SEED, b"payload"));
    }

    #[test]
    fn no_flipped_bit_and_no_other_writer_goes_unnoticed() {
        let bytes = frame(b"payload");
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let fits = Head::decode(&damaged).is_some_and(|head| head.fits(SEED, &damaged[HEAD..]));
            assert!(!fits, "bit {bit}");
        }
        assert!(!Head::decode(&bytes).unwrap().fits(Seed(8), b"payload"));
    }

    #[test]
    fn zeros_are_no_frame() {
        assert_eq!(Head::decode(&[0; HEAD]), None);
    }
}
