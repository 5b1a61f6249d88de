//! Whatever happens to the bytes of a journal is noticed, and told as what it is.

use super::*;
use crate::journal::header::HEADER;
use std::fs;

/// Three groups of records.
const GROUPS: &[&[&[u8]]] = &[&[b"one", b"two"], &[b""], &[b"four", b"five"]];
/// Where each of their frames ends.
const ENDS: [usize; 5] = [75, 98, 118, 142, 166];

fn sent() -> Vec<Vec<u8>> {
    GROUPS.concat().iter().map(|payload| payload.to_vec()).collect()
}

fn found(folder: &Path) -> (Vec<Vec<u8>>, Vec<Finding>) {
    let (records, findings) = content(folder);
    (records.into_iter().map(|(_, _, payload)| payload).collect(), findings)
}

/// What was not there is found by nobody, in the places where it was.
fn is_a_prefix(found: &[Vec<u8>]) -> bool {
    sent().starts_with(found)
}

#[test]
fn every_cut_leaves_the_whole_records_and_is_torn() {
    let temp = TempFolder::make();
    let file = written(temp.path(), GROUPS);
    let whole = fs::read(&file).unwrap();
    assert_eq!(whole.len(), ENDS[4]);
    for length in 0..whole.len() {
        fs::write(&file, &whole[..length]).unwrap();
        let (records, findings) = found(temp.path());
        let ends: Vec<_> = ENDS.into_iter().filter(|&end| end <= length).collect();
        assert_eq!(records, sent()[..ends.len()], "{length} bytes");
        let offset = match ends.last() {
            Some(&end) => end,
            None if length < HEADER => 0,
            None => HEADER,
        };
        let torn = Finding::Torn { file: file.clone(), offset: offset as u64 };
        let is_clean = offset == length && length > 0;
        assert_eq!(findings, if is_clean { vec![] } else { vec![torn] }, "{length} bytes");
    }
}

#[test]
fn a_cut_segment_without_a_header_is_set_aside() {
    let temp = TempFolder::make();
    let file = written(temp.path(), GROUPS);
    fs::write(&file, b"llm").unwrap();
    assert_eq!(repair(temp.path()).unwrap()[0].bytes, 3);
    assert_eq!(content(temp.path()), Content::default());
    assert!(!file.exists());
}

#[test]
fn no_flipped_bit_goes_unnoticed() {
    let temp = TempFolder::make();
    let file = written(temp.path(), GROUPS);
    let whole = fs::read(&file).unwrap();
    for bit in 0..whole.len() * 8 {
        let mut damaged = whole.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        fs::write(&file, damaged).unwrap();
        let (records, findings) = found(temp.path());
        assert!(is_a_prefix(&records), "bit {bit}");
        let [finding] = &findings[..] else { panic!("bit {bit}: {findings:?}") };
        // Only in the last group it may be what a crash left.
        let is_torn = matches!(finding, Finding::Torn { .. });
        assert_eq!(is_torn, bit / 8 >= ENDS[2], "bit {bit}: {finding:?}");
    }
}

#[test]
fn a_group_whose_pages_came_to_the_disk_in_another_order_is_torn() {
    let temp = TempFolder::make();
    let file = written(temp.path(), GROUPS);
    let mut bytes = fs::read(&file).unwrap();
    bytes[ENDS[2]..ENDS[3]].fill(0);
    fs::write(&file, bytes).unwrap();
    let torn = Finding::Torn { file, offset: ENDS[2] as u64 };
    assert_eq!(found(temp.path()), (sent()[..3].to_vec(), vec![torn]));
}

#[test]
fn a_segment_that_has_a_successor_is_never_torn() {
    let temp = TempFolder::make();
    let journal = open_small(temp.path());
    for number in 0..9_u8 {
        put(&journal, &[number; 1000]);
    }
    journal.close().unwrap();
    let files = segments(temp.path());
    let whole = fs::read(&files[1]).unwrap();
    fs::write(&files[1], &whole[..whole.len() - 1]).unwrap();
    let (records, findings) = content(temp.path());
    let sequences: Vec<_> = records.iter().map(|(_, sequence, _)| *sequence).collect();
    assert_eq!(sequences, [0, 1, 2, 3, 4, 6, 7, 8]);
    let why = |why: &str, number: usize, offset| Finding::Corrupt {
        file: files[number].clone(),
        offset,
        why: why.into(),
    };
    let expected =
        [why("record 5: it is cut off", 1, 52 + 2 * 1020), why("records 5 to 5 are missing", 2, 0)];
    assert_eq!(findings, expected);
    assert_eq!(repair(temp.path()).unwrap(), []);
}

#[test]
fn a_missing_segment_is_noticed() {
    let temp = TempFolder::make();
    let journal = open_small(temp.path());
    for number in 0..12_u8 {
        put(&journal, &[number; 1000]);
    }
    journal.close().unwrap();
    let files = segments(temp.path());
    fs::remove_file(&files[1]).unwrap();
    let (records, findings) = content(temp.path());
    assert_eq!(records.len(), 9);
    let told: Vec<_> = findings
        .iter()
        .map(|finding| match finding {
            Finding::Corrupt { why, .. } => why.as_str(),
            Finding::Torn { .. } => panic!("{findings:?}"),
        })
        .collect();
    assert_eq!(told, ["segments 1 to 1 are missing", "records 3 to 5 are missing"]);
}

#[test]
fn a_record_that_is_there_twice_is_noticed() {
    let temp = TempFolder::make();
    let file = written(temp.path(), GROUPS);
    let mut bytes = fs::read(&file).unwrap();
    bytes.extend_from_within(ENDS[3]..);
    fs::write(&file, bytes).unwrap();
    let why = "record 4 stands where 5 should".into();
    let corrupt = Finding::Corrupt { file, offset: ENDS[4] as u64, why };
    assert_eq!(found(temp.path()), (sent(), vec![corrupt]));
}

#[test]
fn a_segment_under_anothers_name_is_noticed() {
    let temp = TempFolder::make();
    let file = written(temp.path(), GROUPS);
    let copy = temp.path().join(segment::name(Writer(7), 0));
    fs::copy(&file, &copy).unwrap();
    let (records, findings) = found(temp.path());
    assert_eq!(records, sent());
    let why = "it is another segment under this one's name".into();
    assert_eq!(findings, [Finding::Corrupt { file: copy, offset: 0, why }]);
}

#[test]
fn any_bytes_are_read_to_their_end() {
    let temp = TempFolder::make();
    let file = written(temp.path(), GROUPS);
    let whole = fs::read(&file).unwrap();
    let mut rng = fastrand::Rng::with_seed(14);
    for round in 0..3000 {
        let bytes = mutated(&whole, &mut rng);
        fs::write(&file, &bytes).unwrap();
        let (records, findings) = found(temp.path());
        assert!(is_a_prefix(&records), "{bytes:?}");
        // Zeros behind whole records are room that was not used.
        let is_end =
            |&end: &usize| bytes.get(end..).is_some_and(|tail| tail.iter().all(|&byte| byte == 0));
        let ends = [HEADER].into_iter().chain(ENDS).filter(is_end);
        assert!(bytes == whole || !findings.is_empty() || ends.count() > 0, "{bytes:?}");
        // It forces things to the disk, which takes its time.
        if round % 50 == 0 {
            repair(temp.path()).unwrap();
        }
    }
}

/// The bytes after some of what may happen to them.
fn mutated(whole: &[u8], rng: &mut fastrand::Rng) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    for _ in 0..rng.usize(1..4) {
        let (from, to) = (rng.usize(..=bytes.len()), rng.usize(..=bytes.len()));
        let (from, to) = (from.min(to), from.max(to));
        match rng.u8(..5) {
            0 => bytes.truncate(to),
            1 => drop(bytes.drain(from..to)),
            2 => bytes.extend_from_within(from..to),
            3 => bytes[from..to].fill_with(|| rng.u8(..)),
            _ => bytes[from..to].fill(rng.choice([0, 255]).unwrap()),
        }
    }
    bytes
}

#[test]
fn a_tail_full_of_would_be_frames_takes_bounded_time_and_is_not_cut() {
    let temp = TempFolder::make();
    let file = written(temp.path(), GROUPS);
    // Each of these heads is that of a later group with 64 KiB of payload, and a wrong sum.
    let length = (u32::try_from(LARGEST).unwrap() << 8 | u32::from(frame::MARK)).to_le_bytes();
    let head = [&length[..], &[0; 4], &9_u64.to_le_bytes(), &[0; 4]].concat();
    let mut bytes = fs::read(&file).unwrap();
    bytes.extend(head.repeat((8 << 20) / head.len()));
    fs::write(&file, bytes).unwrap();
    let (records, findings) = found(temp.path());
    assert_eq!(records, sent());
    assert!(matches!(&findings[..], [Finding::Corrupt { .. }]), "{findings:?}");
    assert_eq!(repair(temp.path()).unwrap(), []);
}
