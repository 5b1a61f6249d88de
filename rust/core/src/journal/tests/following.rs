//! A follower reads everything once, however the folder grows meanwhile.

use super::*;
use std::fs::{self, OpenOptions};
use std::io::Write;

fn read_on(follower: &mut Follower, most: usize) -> Vec<Vec<u8>> {
    let batch = follower.read(most).unwrap();
    assert!(batch.failure.is_none());
    batch.records.into_iter().map(|(_, _, payload)| payload).collect()
}

fn follow(folder: &Path) -> Follower {
    Follower::new(folder, Positions::new())
}

#[test]
fn what_comes_later_is_read_by_the_next_look_and_nothing_twice() {
    let temp = TempFolder::make();
    let mut follower = follow(temp.path());
    assert_eq!(read_on(&mut follower, 10), Vec::<Vec<u8>>::new());
    let journal = Journal::open(temp.path(), small_segments()).unwrap();
    for number in 0..500_u32 {
        let payload = [number.to_le_bytes().as_slice(), &[7; 3000]].concat();
        let sequence = journal.append(&payload).unwrap();
        journal.wait(sequence, LONG).unwrap();
        if number % 7 == 0 {
            let read = read_on(&mut follower, 1000);
            assert_eq!(read.last(), Some(&payload));
            assert_eq!(read.len(), if number == 0 { 1 } else { 7 });
        }
    }
    assert!(segments(temp.path()).len() > 5);
}

#[test]
fn a_full_batch_goes_on_where_it_stopped() {
    let temp = TempFolder::make();
    written(temp.path(), &[&[b"one", b"two"], &[b"three"]]);
    let mut follower = follow(temp.path());
    assert!(follower.read(2).unwrap().is_full);
    assert_eq!(read_on(&mut follower, 2), [b"three".to_vec()]);
}

#[test]
fn reading_begins_at_the_positions() {
    let temp = TempFolder::make();
    let journal = Journal::open(temp.path(), Options::default()).unwrap();
    let last = [b"one", b"two", b"six"].map(|payload| journal.append(payload).unwrap())[2];
    journal.wait(last, LONG).unwrap();
    let mut follower = Follower::new(temp.path(), Positions::from([(journal.writer(), 2)]));
    assert_eq!(read_on(&mut follower, 10), [b"six".to_vec()]);
}

#[test]
fn a_busy_writer_does_not_keep_the_others_waiting() {
    let temp = TempFolder::make();
    let journals = [(); 2].map(|()| Journal::open(temp.path(), Options::default()).unwrap());
    for journal in &journals {
        for _ in 0..100 {
            journal.append(&journal.writer().0.to_le_bytes()).unwrap();
        }
        journal.wait(99, LONG).unwrap();
    }
    let mut follower = follow(temp.path());
    let mut first = read_on(&mut follower, 10);
    first.extend(read_on(&mut follower, 10));
    assert_ne!(first[0], first[10]);
}

#[test]
fn a_writer_has_ended_when_it_is_dead_and_all_of_it_was_read() {
    let temp = TempFolder::make();
    let journal = Journal::open(temp.path(), Options::default()).unwrap();
    journal.append(b"one").unwrap();
    journal.wait(journal.append(b"two").unwrap(), LONG).unwrap();
    let mut follower = follow(temp.path());
    read_on(&mut follower, 10);
    assert!(follower.ended().is_empty(), "it lives");
    let mut late = follow(temp.path());
    journal.close().unwrap();
    drop(journal);
    read_on(&mut late, 2);
    assert!(late.ended().is_empty(), "there might be more");
    for follower in [&mut follower, &mut late] {
        read_on(follower, 10);
        assert_eq!(follower.ended().len(), 1);
    }
}

#[test]
fn a_torn_end_is_told_once() {
    let temp = TempFolder::make();
    let file = written(temp.path(), &[&[b"one"]]);
    OpenOptions::new().append(true).open(&file).unwrap().write_all(b"half").unwrap();
    let offset = fs::metadata(&file).unwrap().len() - 4;
    let mut follower = follow(temp.path());
    let batch = follower.read(10).unwrap();
    assert_eq!(batch.findings, [Finding::Torn { file, offset }]);
    assert_eq!(follower.ended().len(), 1);
    assert_eq!(follower.read(10).unwrap().findings, []);
}

#[test]
fn segments_that_were_removed_are_not_missed() {
    let temp = TempFolder::make();
    let journal = Journal::open(temp.path(), small_segments()).unwrap();
    let mut follower = follow(temp.path());
    for round in 0..3 {
        let mut last = 0;
        for _ in 0..200 {
            last = put(&journal, &[round; 3000]);
        }
        journal.wait(last, LONG).unwrap();
        assert_eq!(read_on(&mut follower, 1000).len(), 200);
        assert!(remove(temp.path(), journal.writer(), last + 1).unwrap() > 0);
    }
    assert_eq!(follower.read(10).unwrap().findings, []);
}

#[test]
fn what_was_written_lately_is_not_removed() {
    let temp = TempFolder::make();
    written(temp.path(), &[&[b"one"]]);
    let writer = read_on_writer(temp.path());
    let day = Duration::from_secs(24 * 3600);
    assert_eq!(remove_older(temp.path(), writer, 1, day).unwrap(), 0);
    for segment in segments(temp.path()) {
        let file = OpenOptions::new().append(true).open(segment).unwrap();
        file.set_modified(std::time::SystemTime::now() - 2 * day).unwrap();
    }
    assert!(remove_older(temp.path(), writer, 1, day).unwrap() > 0);
}

fn read_on_writer(folder: &Path) -> Writer {
    follow(folder).read(1).unwrap().records[0].0
}
