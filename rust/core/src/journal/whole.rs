//! How far one segment is whole, by its bytes alone.

use super::scan::{Beginning, Frames, Step};
use super::segment::Writer;
use std::io::{self, Read};

/// How far a segment is whole, if its writer is dead and it is that writer's last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whole {
    /// All of it, until zeros or the file's end.
    Until {
        /// Where its records end.
        offset: u64,
        /// The sequence after the last of them.
        following: u64,
    },
    /// It was prepared, and never used.
    Unused,
    /// What is behind this offset never reached the disk.
    Torn(u64),
    /// What was on the disk once is broken.
    Damaged,
}

/// Examines the bytes of a segment, whatever they are. Each record that is told to `each`, with its sequence,
/// was appended by this writer, in this order.
///
/// # Errors
/// Those of reading.
pub fn examine(
    segment: impl Read,
    writer: Writer,
    number: u64,
    each: impl FnMut(u64, &[u8]),
) -> io::Result<Whole> {
    examine_until(segment, (writer, number), None, each)
}

/// The same where it is known with which sequence the next segment begins.
pub(super) fn examine_until(
    segment: impl Read,
    name: (Writer, u64),
    bound: Option<u64>,
    mut each: impl FnMut(u64, &[u8]),
) -> io::Result<Whole> {
    let (mut frames, beginning) = Frames::open(segment, name)?;
    match beginning {
        Beginning::Short => return Ok(Whole::Torn(0)),
        Beginning::Broken(_) => return Ok(Whole::Damaged),
        Beginning::Header(header) if header.opening.is_none() => {
            return Ok(if frames.is_blank()? { Whole::Unused } else { Whole::Torn(0) });
        }
        Beginning::Header(_) => {}
    }
    let offset = loop {
        match frames.step()? {
            Step::Record { sequence, payload } => each(sequence, payload),
            Step::Misplaced { .. } => return Ok(Whole::Damaged),
            Step::End => break frames.offset(),
            Step::Unwritten { offset } => {
                if frames.is_blank()? {
                    break offset;
                }
                return torn_unless_damaged(&mut frames, offset);
            }
            Step::Broken { offset, .. } => return torn_unless_damaged(&mut frames, offset),
        }
    };
    let following = frames.next_sequence();
    if bound.is_some_and(|bound| following < bound) {
        return torn_unless_damaged(&mut frames, offset);
    }
    Ok(Whole::Until { offset, following })
}

fn torn_unless_damaged(frames: &mut Frames<impl Read>, offset: u64) -> io::Result<Whole> {
    Ok(if frames.damage()?.is_none() { Whole::Torn(offset) } else { Whole::Damaged })
}
