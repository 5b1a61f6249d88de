//! Reading while others write: the living are told from the dead.

use super::*;
use std::fs::OpenOptions;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

/// Half a frame at a segment's end, as a writer may be about to finish it.
fn tear(file: &Path) {
    OpenOptions::new().append(true).open(file).unwrap().write_all(b"half a fra").unwrap();
}

/// Takes it away again.
fn mend(file: &Path) {
    let file = OpenOptions::new().write(true).open(file).unwrap();
    file.set_len(file.metadata().unwrap().len() - 10).unwrap();
}

#[test]
fn a_living_writers_end_is_not_torn_but_not_written_yet() {
    let temp = TempFolder::make();
    let journal = Journal::open(temp.path(), Options::default()).unwrap();
    journal.wait(journal.append(b"one").unwrap(), LONG).unwrap();
    tear(&segments(temp.path())[0]);
    assert_eq!(payloads(temp.path()), [b"one"]);
    assert_eq!(repair(temp.path()).unwrap(), []);
    assert_eq!(remove(temp.path(), journal.writer(), u64::MAX).unwrap(), 0);
    let file = segments(temp.path()).pop().unwrap();
    journal.close().unwrap();
    drop(journal);
    assert_eq!(content(temp.path()).1, [Finding::Torn { file, offset: 67 }]);
}

#[test]
fn a_living_writer_keeps_its_lock_over_segments() {
    let temp = TempFolder::make();
    let journal = Journal::open(temp.path(), small_segments()).unwrap();
    for number in 0..20_u8 {
        journal.wait(journal.append(&[number; 1000]).unwrap(), LONG).unwrap();
        let file = segments(temp.path()).pop().unwrap();
        tear(&file);
        assert_eq!(repair(temp.path()).unwrap(), []);
        assert_eq!(content(temp.path()).1, []);
        mend(&file);
    }
    assert!(segments(temp.path()).len() > 5);
}

#[test]
fn several_writers_share_a_folder() {
    let temp = TempFolder::make();
    let journals: Vec<_> =
        (0..3).map(|_| Journal::open(temp.path(), Options::default()).unwrap()).collect();
    for (number, journal) in (0..).zip(&journals) {
        for sequence in 0..5 {
            journal.append(&[number, sequence]).unwrap();
        }
        journal.wait(4, LONG).unwrap();
    }
    let (records, findings) = content(temp.path());
    assert_eq!(findings, []);
    let mut expected: Vec<_> = (0..)
        .zip(&journals)
        .flat_map(|(number, journal)| {
            (0..5_u8).map(move |sequence| {
                (journal.writer(), u64::from(sequence), vec![number, sequence])
            })
        })
        .collect();
    expected.sort();
    assert_eq!(records, expected);
}

#[test]
fn reading_goes_on_where_it_stopped_while_others_write() {
    let temp = TempFolder::make();
    let journal = Journal::open(temp.path(), small_segments()).unwrap();
    let is_done = AtomicBool::new(false);
    let mut next = 0_u64;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..5000_u64 {
                let sequence = journal.append(&number.to_le_bytes()).unwrap();
                if number % 50 == 0 {
                    journal.wait(sequence, LONG).unwrap();
                }
            }
            journal.close().unwrap();
            is_done.store(true, SeqCst);
        });
        loop {
            let was_done = is_done.load(SeqCst);
            let from = Positions::from([(journal.writer(), next)]);
            let (records, findings) = content_of(read_from(temp.path(), from).unwrap());
            assert_eq!(findings, []);
            for (_, sequence, payload) in records {
                assert_eq!((sequence, &payload[..]), (next, &next.to_le_bytes()[..]));
                next += 1;
            }
            // What is read need not be kept.
            remove(temp.path(), journal.writer(), next).unwrap();
            if was_done {
                break;
            }
        }
    });
    assert_eq!(next, 5000);
    assert!(segments(temp.path()).len() <= 1);
}
