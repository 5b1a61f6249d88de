//! A writer that dies while it goes from one segment to the next.

use super::*;
use crate::journal::header::{FIRST_AT, HEADER, SETTLED_AT};
use std::fs;

/// Bytes of a frame here, and of a segment that is full.
const FRAME: usize = 1020;
const FULL: usize = HEADER + 3 * FRAME;

/// Two segments of three records each, as they are when the second is in use and the first is not known to be
/// on the disk as a whole; and what a writer has prepared after them.
fn left(folder: &Path) -> [PathBuf; 2] {
    let journal = open_small(folder);
    for number in 0..6_u8 {
        put(&journal, &[number; 1000]);
    }
    journal.close().unwrap();
    let [first, second] = segments(folder).try_into().unwrap();
    let mut bytes = fs::read(&second).unwrap();
    bytes[SETTLED_AT..HEADER].fill(0);
    bytes.resize(4096, 0);
    fs::write(&second, bytes).unwrap();
    [first, second]
}

fn change(file: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(file).unwrap();
    change(&mut bytes);
    fs::write(file, bytes).unwrap();
}

fn sequences(folder: &Path) -> (Vec<u64>, Vec<Finding>) {
    let (records, findings) = content(folder);
    (records.into_iter().map(|(_, sequence, _)| sequence).collect(), findings)
}

/// Repair takes these segments' ends off, and nothing is found any more.
fn is_repaired(folder: &Path, cuts: &[(&Path, usize)], records: u64) {
    let done = repair(folder).unwrap();
    let done: Vec<_> = done.iter().map(|cut| (&*cut.file, cut.offset as usize)).collect();
    assert_eq!(done, cuts);
    assert_eq!(sequences(folder), ((0..records).collect(), vec![]));
    assert_eq!(repair(folder).unwrap(), []);
}

#[test]
fn all_is_read_where_only_the_process_was_killed() {
    let temp = TempFolder::make();
    let [first, _] = left(temp.path());
    // What was not used is zeros until it is cut off.
    change(&first, |bytes| bytes.resize(4096, 0));
    assert_eq!(sequences(temp.path()), ((0..6).collect(), vec![]));
    is_repaired(temp.path(), &[], 6);
    assert_eq!(first.metadata().unwrap().len(), FULL as u64);
}

#[test]
fn the_end_of_the_first_may_be_torn_and_then_the_second_is_not_read() {
    let temp = TempFolder::make();
    let [first, second] = left(temp.path());
    // Appended at a time when none of them was known to be on the disk.
    for (file, from) in [(&first, 0), (&second, 3)] {
        change(file, |bytes| rewrite_as_unforced(bytes, file, from));
    }
    change(&first, |bytes| bytes[HEADER + FRAME + 500] ^= 1);
    let torn = Finding::Torn { file: first.clone(), offset: (HEADER + FRAME) as u64 };
    assert_eq!(sequences(temp.path()), (vec![0], vec![torn]));
    is_repaired(temp.path(), &[(&first, HEADER + FRAME), (&second, 0)], 1);
}

#[test]
fn the_end_of_the_first_may_have_stayed_zeros() {
    let temp = TempFolder::make();
    let [first, second] = left(temp.path());
    change(&first, |bytes| bytes[HEADER + 2 * FRAME..].fill(0));
    let torn = Finding::Torn { file: first.clone(), offset: (HEADER + 2 * FRAME) as u64 };
    assert_eq!(sequences(temp.path()), (vec![0, 1], vec![torn]));
    is_repaired(temp.path(), &[(&first, HEADER + 2 * FRAME), (&second, 0)], 2);
}

#[test]
fn a_first_that_the_second_calls_whole_is_never_torn() {
    let temp = TempFolder::make();
    let [first, second] = left(temp.path());
    change(&second, |bytes| {
        bytes[SETTLED_AT..HEADER].copy_from_slice(&header::SETTLED.to_le_bytes())
    });
    change(&first, |bytes| bytes[HEADER + 2 * FRAME..].fill(0));
    let why = "records 2 to 2 are missing".into();
    let corrupt = Finding::Corrupt { file: second, offset: 0, why };
    assert_eq!(sequences(temp.path()), (vec![0, 1, 3, 4, 5], vec![corrupt]));
}

#[test]
fn a_second_that_was_not_used_yet_is_nothing_and_goes_away() {
    let temp = TempFolder::make();
    let [_, second] = left(temp.path());
    change(&second, |bytes| bytes[FIRST_AT..].fill(0));
    assert_eq!(sequences(temp.path()), ((0..3).collect(), vec![]));
    is_repaired(temp.path(), &[], 3);
    assert!(!second.exists());
}

#[test]
fn a_second_that_was_used_without_the_word_of_it_on_the_disk_is_torn() {
    let temp = TempFolder::make();
    let [_, second] = left(temp.path());
    change(&second, |bytes| bytes[FIRST_AT..HEADER].fill(0));
    let torn = Finding::Torn { file: second.clone(), offset: 0 };
    assert_eq!(sequences(temp.path()), ((0..3).collect(), vec![torn]));
    is_repaired(temp.path(), &[(&second, 0)], 3);
}

#[test]
fn an_append_that_was_not_finished_is_torn() {
    let temp = TempFolder::make();
    let [_, second] = left(temp.path());
    change(&second, |bytes| bytes[HEADER + 2 * FRAME] = 0);
    let offset = HEADER + 2 * FRAME;
    let torn = Finding::Torn { file: second.clone(), offset: offset as u64 };
    assert_eq!(sequences(temp.path()), ((0..5).collect(), vec![torn]));
    is_repaired(temp.path(), &[(&second, offset)], 5);
}

#[test]
fn what_a_dead_writer_prepared_is_removed_with_its_last_records() {
    let temp = TempFolder::make();
    let [first, second] = left(temp.path());
    change(&second, |bytes| bytes[FIRST_AT..].fill(0));
    let writer = content(temp.path()).0[0].0;
    assert_eq!(remove(temp.path(), writer, 2).unwrap(), 0);
    assert!(first.exists());
    assert_eq!(remove(temp.path(), writer, 3).unwrap(), 2);
    assert_eq!(segments(temp.path()), [] as [PathBuf; 0]);
}

#[test]
fn a_segment_that_may_be_torn_is_removed_only_if_it_is_whole() {
    let temp = TempFolder::make();
    let [first, _] = left(temp.path());
    let writer = content(temp.path()).0[0].0;
    change(&first, |bytes| bytes[HEADER + 2 * FRAME..].fill(0));
    assert_eq!(remove(temp.path(), writer, 6).unwrap(), 0);
}

#[test]
fn a_segment_of_another_version_is_told_and_left() {
    let temp = TempFolder::make();
    let file = written(temp.path(), &[&[b"one"]]);
    change(&file, |bytes| bytes[7] = 1);
    let why = "it is no segment of this version".into();
    let corrupt = Finding::Corrupt { file, offset: 0, why };
    assert_eq!(sequences(temp.path()), (vec![], vec![corrupt]));
    assert_eq!(repair(temp.path()).unwrap(), []);
}

/// Makes the frames of a segment those of a writer that knew nothing to be on the disk.
fn rewrite_as_unforced(bytes: &mut [u8], file: &Path, first: u64) {
    let (writer, _) = segment::parse(file.file_name().unwrap().to_str().unwrap()).unwrap();
    for (sequence, frame) in (first..).zip(bytes[HEADER..FULL].chunks_exact_mut(FRAME)) {
        let (head, payload) = frame.split_at_mut(frame::HEAD);
        let sum = frame::Seed::of(writer).begin(payload);
        let back = u32::try_from(sequence).unwrap();
        head.copy_from_slice(&frame::Head::new(sum, 1000, sequence, back).encode());
    }
}
