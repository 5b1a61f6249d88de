//! What a segment begins with, 52 bytes; all numbers are little-endian.
//!
//! ```text
//! magic 8 bytes | writer u64 | number u64 | created u64 (Unix ns) | CRC-32 u32
//! first sequence u64 | CRC-32 u32 | settled u32
//! ```
//!
//! The first line is on the disk before the segment has a name. The second is zeros until the segment is
//! used: whoever appends the first record stores its sequence, and the sum last. `settled` is stored when
//! the segment before is on the disk as a whole.

use super::segment::Writer;

/// What every segment begins with; the last byte is the version of all that stands behind it.
const MAGIC: &[u8; 8] = b"llmgwjl\x02";
/// Bytes of a header.
pub(super) const HEADER: usize = 52;
/// Where the sequence of the first record stands.
pub(super) const FIRST_AT: usize = 36;
/// Where the sum of that stands.
pub(super) const SUM_AT: usize = 44;
/// Where it stands whether the segment before is whole.
pub(super) const SETTLED_AT: usize = 48;
/// What stands there then.
pub(super) const SETTLED: u32 = 0x5e77_1ed1;

/// What a segment says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) writer: Writer,
    pub(super) number: u64,
    /// When it was made, in nanoseconds of Unix time.
    pub(super) created: u64,
    /// How it began to be used; `None` while it is only prepared.
    pub(super) opening: Option<Opening>,
}

/// How a segment began to be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Opening {
    /// The sequence of its first record.
    pub(super) first: u64,
    /// Whether the segment before is on the disk as a whole.
    pub(super) is_settled: bool,
}

impl Header {
    pub(super) fn encode(&self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..8].copy_from_slice(MAGIC);
        let fields = [self.writer.0, self.number, self.created];
        for (place, field) in bytes[8..].chunks_exact_mut(8).zip(fields) {
            place.copy_from_slice(&field.to_le_bytes());
        }
        let sum = crc32fast::hash(&bytes[..FIRST_AT - 4]);
        bytes[FIRST_AT - 4..FIRST_AT].copy_from_slice(&sum.to_le_bytes());
        if let Some(opening) = self.opening {
            bytes[FIRST_AT..SUM_AT].copy_from_slice(&opening.first.to_le_bytes());
            bytes[SUM_AT..SETTLED_AT]
                .copy_from_slice(&self.opening_sum(opening.first).to_le_bytes());
            let settled = if opening.is_settled { SETTLED } else { 0 };
            bytes[SETTLED_AT..].copy_from_slice(&settled.to_le_bytes());
        }
        bytes
    }

    /// The sum that goes with a first sequence; never 0, which says that there is none.
    pub(super) fn opening_sum(&self, first: u64) -> u32 {
        let mut sum = crc32fast::Hasher::new();
        for field in [self.writer.0, self.number, first] {
            sum.update(&field.to_le_bytes());
        }
        sum.finalize().max(1)
    }

    /// The header of the segment that has this name; what is wrong with it otherwise.
    pub(super) fn decode(bytes: &[u8; HEADER], name: (Writer, u64)) -> Result<Self, &'static str> {
        let (head, sum) = bytes[..FIRST_AT].split_at(FIRST_AT - 4);
        if !head.starts_with(MAGIC) {
            return Err("it is no segment of this version");
        }
        if sum != crc32fast::hash(head).to_le_bytes() {
            return Err("its header is damaged");
        }
        let field = |index: usize| number(&head[8 * index..8 * index + 8]);
        let mut header =
            Header { writer: Writer(field(1)), number: field(2), created: field(3), opening: None };
        if (header.writer, header.number) != name {
            return Err("it is another segment under this one's name");
        }
        header.opening = header.decode_opening(bytes)?;
        Ok(header)
    }

    fn decode_opening(&self, bytes: &[u8; HEADER]) -> Result<Option<Opening>, &'static str> {
        let first = number(&bytes[FIRST_AT..SUM_AT]);
        let sum = number(&bytes[SUM_AT..SETTLED_AT]);
        let settled = number(&bytes[SETTLED_AT..]);
        if sum == 0 && settled == 0 && self.number > 0 {
            return Ok(None);
        }
        let is_settled = settled == u64::from(SETTLED);
        if sum != u64::from(self.opening_sum(first)) || !(is_settled || settled == 0) {
            return Err("its header is damaged");
        }
        if self.number == 0 && !(first == 0 && is_settled) {
            return Err("it is the first segment, and does not begin at 0");
        }
        Ok(Some(Opening { first, is_settled }))
    }
}

/// The number of up to eight bytes.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const NAME: (Writer, u64) = (Writer(0xabc), 7);

    fn header() -> Header {
        let opening = Some(Opening { first: 100, is_settled: true });
        Header { writer: NAME.0, number: NAME.1, created: 1_764_000_000_000_000_000, opening }
    }

    #[test]
    fn a_header_reads_as_it_was_written() {
        let begun = Some(Opening { first: 100, is_settled: false });
        for opening in [None, begun, header().opening] {
            let header = Header { opening, ..header() };
            assert_eq!(Header::decode(&header.encode(), NAME), Ok(header));
        }
    }

    #[test]
    fn no_flipped_bit_of_a_header_goes_unnoticed() {
        for bit in 0..HEADER * 8 {
            let mut damaged = header().encode();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(Header::decode(&damaged, NAME).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn an_opening_that_was_not_finished_is_none() {
        let prepared = Header { opening: None, ..header() };
        let mut bytes = prepared.encode();
        bytes[FIRST_AT..FIRST_AT + 3].fill(9);
        assert_eq!(Header::decode(&bytes, NAME), Ok(prepared));
    }

    #[test]
    fn a_segment_in_anothers_place_is_noticed() {
        for place in [(Writer(0xabd), 7), (Writer(0xabc), 8)] {
            assert!(Header::decode(&header().encode(), place).is_err());
        }
    }
}
