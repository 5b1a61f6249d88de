//! One record on the disk: a head of 20 bytes, then the payload. All numbers are little-endian.
//!
//! ```text
//! length u32 | sum u32 | sequence u64 | back u32 | payload
//! ```
//!
//! `back` counts the records of the same group before this one: everything before that group was on the disk
//! when this one was written. `sum` is the CRC-32 of the writer's name, the payload, and the head's other
//! fields, so that a frame of another writer, which a file system may bring back after a power cut, is none.

use super::segment::Writer;
use crc32fast::Hasher;

/// Bytes of the largest payload.
pub const LARGEST: usize = 64 << 10;
/// Bytes before the payload.
pub(super) const HEAD: usize = 20;

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
    /// How many of its group are before it.
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
        bytes[..4].copy_from_slice(&self.length.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.sum.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.sequence.to_le_bytes());
        bytes[16..].copy_from_slice(&self.back.to_le_bytes());
        bytes
    }

    /// Whatever the first bytes say; `None` if they are too few.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; HEAD] = bytes.first_chunk()?;
        let (length, rest) = bytes.split_first_chunk()?;
        let (sum, rest) = rest.split_first_chunk()?;
        let (sequence, rest) = rest.split_first_chunk()?;
        Some(Head {
            length: u32::from_le_bytes(*length),
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

    /// The first record of its group.
    pub(super) fn group(&self) -> u64 {
        self.sequence.saturating_sub(u64::from(self.back))
    }

    fn finish(&self, mut begun: Hasher) -> u32 {
        begun.update(&self.length.to_le_bytes());
        begun.update(&self.sequence.to_le_bytes());
        begun.update(&self.back.to_le_bytes());
        begun.finalize()
    }
}

/// The part of a group that goes into one segment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) bytes: usize,
    pub(super) records: u64,
}

/// As many of these whole frames as take up to `room` bytes.
pub(super) fn piece(frames: &[u8], room: u64) -> Piece {
    let room = usize::try_from(room).unwrap_or(usize::MAX);
    let mut piece = Piece::default();
    while let Some(length) = first(&frames[piece.bytes..]) {
        if piece.bytes + length > room {
            break;
        }
        piece.bytes += length;
        piece.records += 1;
    }
    piece
}

/// Bytes of the first frame.
pub(super) fn first(frames: &[u8]) -> Option<usize> {
    let length = HEAD + usize::try_from(Head::decode(frames)?.length).ok()?;
    (length <= frames.len()).then_some(length)
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
        assert_eq!((head.payload(), head.sequence, head.group()), (Some(7), 5, 3));
        assert!(head.fits(SEED, b"payload"));
    }

    #[test]
    fn no_flipped_bit_and_no_other_writer_goes_unnoticed() {
        let bytes = frame(b"payload");
        for bit in 32..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let head = Head::decode(&damaged).unwrap();
            assert!(!head.fits(SEED, &damaged[HEAD..]), "bit {bit}");
        }
        assert!(!Head::decode(&bytes).unwrap().fits(Seed(8), b"payload"));
    }

    #[test]
    fn zeros_are_no_frame() {
        assert!(!Head::decode(&[0; HEAD]).unwrap().fits(Seed::of(Writer(0)), b""));
    }

    #[test]
    fn a_piece_is_made_of_whole_frames() {
        let frames = [frame(b"one"), frame(b""), frame(b"three")].concat();
        let told = |room| {
            let piece = piece(&frames, room);
            (piece.records, piece.bytes)
        };
        assert_eq!(told(22), (0, 0));
        assert_eq!(told(23), (1, 23));
        assert_eq!(told(67), (2, 43));
        assert_eq!(told(u64::MAX), (3, 68));
    }
}
