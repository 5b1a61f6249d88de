//! Segments of the journal: any bytes are read to their end, only what was appended is found, and what happened
//! to it is told as what it is.
//!
//! An input is read twice: as what stands behind a segment's header, and as records and what happens to them.

use llmgw_core::journal::{Whole, Writer, examine};

const WRITER: Writer = Writer(7);
const HEADER: usize = 52;
const HEAD: usize = 20;
const MARK: u8 = 0xa7;
/// Bytes at the end of an input that say what happens to the file.
const FAULT: usize = 5;

pub fn check(data: &[u8]) {
    check_any(data);
    check_records(data);
}

fn check_any(data: &[u8]) {
    let file = [&header()[..], data].concat();
    let (whole, found) = read(&file);
    let bytes: usize = found.iter().map(|payload| HEAD + payload.len()).sum();
    let end = HEADER + bytes;
    match whole {
        Whole::Until { offset, following } => {
            assert_eq!((offset, following), (end as u64, found.len() as u64));
            assert!(file[end..].iter().all(|&byte| byte == 0));
        }
        Whole::Torn(offset) => {
            assert!(offset == end as u64 && file[end..].iter().any(|&byte| byte != 0))
        }
        Whole::Damaged => assert!(end < file.len()),
        Whole::Unused => panic!("it was used"),
    }
    assert_eq!(read(data).1.len(), 0, "nobody can guess a header's sum");
}

fn check_records(data: &[u8]) {
    let Some((records, &[kind, high, low, length, value])) = data.split_last_chunk::<FAULT>()
    else {
        return;
    };
    let sent = Sent::of(records);
    let whole = (
        Whole::Until { offset: sent.file.len() as u64, following: sent.payloads.len() as u64 },
        sent.payloads.clone(),
    );
    assert_eq!(read(&sent.file), whole);
    let mut file = sent.file.clone();
    let from = (usize::from(high) << 8 | usize::from(low)) % (file.len() + 1);
    let to = (from + usize::from(length)).min(file.len());
    match kind % 5 {
        0 => file.extend(vec![0; usize::from(length)]),
        1 => file.iter_mut().skip(from).take(1).for_each(|byte| *byte ^= value),
        2 => file.truncate(from),
        3 => file[from..to].fill(0),
        _ => file.extend_from_within(from..to),
    }
    let (whole, found) = read(&file);
    assert!(sent.payloads.starts_with(&found));
    // The first record that is not what it was.
    let first = (0..sent.payloads.len()).find(|&index| {
        let frame = sent.starts[index]..sent.starts[index + 1];
        file.get(frame.clone()) != Some(&sent.file[frame])
    });
    let is_intact = file.starts_with(&sent.file[..HEADER]);
    match first {
        Some(first) if is_intact => {
            assert_eq!(found.len(), first);
            let was_forced = sent.is_followed(first, &file);
            let is_damaged = whole == Whole::Damaged;
            // A payload that holds a frame is taken for one: who knows a writer's name could make one.
            let is_crafted = sent.payloads.iter().any(|payload| payload.contains(&MARK));
            assert!(is_damaged == was_forced || is_damaged && is_crafted, "{whole:?}");
        }
        None if is_intact => assert_eq!(found, sent.payloads),
        _ => assert_eq!(found.len(), 0),
    }
}

/// What a segment says, and the records that are found in it.
fn read(file: &[u8]) -> (Whole, Vec<Vec<u8>>) {
    let mut found = Vec::new();
    let whole = examine(file, WRITER, 0, |sequence, payload| {
        assert_eq!(sequence, found.len() as u64);
        found.push(payload.to_vec());
    });
    (whole.unwrap_or_else(|error| panic!("{error}")), found)
}

/// Records as an input tells them, and the segment that they are in.
struct Sent {
    payloads: Vec<Vec<u8>>,
    /// How many were on the disk when each was appended.
    forced: Vec<u64>,
    file: Vec<u8>,
    /// Where each frame begins, and where the last one ends.
    starts: Vec<usize>,
}

impl Sent {
    /// Of each record: how many more were forced, its length, its bytes.
    fn of(mut input: &[u8]) -> Self {
        let mut sent = Sent {
            payloads: vec![],
            forced: vec![],
            file: header().to_vec(),
            starts: vec![HEADER],
        };
        let mut forced = 0;
        while let [more, length, rest @ ..] = input {
            let (payload, rest) = rest.split_at(rest.len().min(usize::from(*length)));
            input = rest;
            let sequence = sent.payloads.len() as u64;
            forced = sequence.min(forced + u64::from(more % 4));
            sent.file.extend(frame(sequence, sequence - forced, payload));
            sent.starts.push(sent.file.len());
            sent.payloads.push(payload.to_vec());
            sent.forced.push(forced);
        }
        sent
    }

    /// Whether a record that is still there was appended when the one at `index` was on the disk.
    fn is_followed(&self, index: usize, file: &[u8]) -> bool {
        (index + 1..self.payloads.len()).any(|later| {
            let frame = self.starts[later]..self.starts[later + 1];
            // It may have been copied to the end as well.
            let frame = &self.file[frame];
            self.forced[later] > index as u64
                && file.windows(frame.len()).skip(self.starts[index] + 1).any(|part| part == frame)
        })
    }
}

/// The layout as the core documents it, written down once more.
fn header() -> [u8; HEADER] {
    let mut bytes = [0; HEADER];
    bytes[..8].copy_from_slice(b"llmgwjl\x02");
    bytes[8..16].copy_from_slice(&WRITER.0.to_le_bytes());
    let sum = crc32fast::hash(&bytes[..32]);
    bytes[32..36].copy_from_slice(&sum.to_le_bytes());
    let first = [&WRITER.0.to_le_bytes()[..], &[0; 16]].concat();
    bytes[44..48].copy_from_slice(&crc32fast::hash(&first).to_le_bytes());
    bytes[48..].copy_from_slice(&0x5e77_1ed1_u32.to_le_bytes());
    bytes
}

fn frame(sequence: u64, back: u64, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_le_bytes();
    let (sequence, back) = (sequence.to_le_bytes(), (back as u32).to_le_bytes());
    let mut sum = crc32fast::Hasher::new_with_initial(crc32fast::hash(&WRITER.0.to_le_bytes()));
    [payload, &length, &sequence, &back].iter().for_each(|part| sum.update(part));
    let mark = [MARK, length[0], length[1], length[2]];
    [&mark[..], &sum.finalize().to_le_bytes(), &sequence, &back, payload].concat()
}
