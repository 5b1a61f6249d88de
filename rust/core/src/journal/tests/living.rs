//! Reading while others write: the living are told from the dead.

use super::*;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

/// Half a frame where a segment's records end, as a writer may be about to finish it.
fn tear(file: &Path, end: u64) {
    let file = OpenOptions::new().write(true).open(file).unwrap();
    file.write_all_at(b"\0half a fra", end).unwrap();
}

#[test]
fn a_living_writers_end_is_not_torn_but_not_written_yet() {
    let temp = TempFolder::make();
    let journal = Journal::open(temp.path(), Options::default()).unwrap();
    journal.wait(journal.append(b"one").unwrap(), LONG).unwrap();
    tear(&segments(temp.path())[0], 75);
    assert_eq!(payloads(temp.path()), [b"one"]);
    assert_eq!(repair(temp.path()).unwrap(), []);
    assert_eq!(remove(temp.path(), journal.writer(), u64::MAX).unwrap(), 0);
    let file = segments(temp.path()).pop().unwrap();
    // As if it had died: what is not finished stays.
    let left = fs::read(&file).unwrap();
    journal.close().unwrap();
    fs::write(&file, left).unwrap();
    assert_eq!(content(temp.path()).1, [Finding::Torn { file, offset: 75 }]);
}

#[test]
fn a_living_writer_keeps_its_lock_over_segments() {
    let temp = TempFolder::make();
    let journal = open_small(temp.path());
    for number in 0..20_u8 {
        journal.wait(put(&journal, &[number; 1000]), LONG).unwrap();
        assert_eq!(repair(temp.path()).unwrap(), []);
        assert_eq!(content(temp.path()).1, []);
        let last = u64::from(number);
        assert!(remove(temp.path(), journal.writer(), last + 1).unwrap() <= 1);
        let from = Positions::from([(journal.writer(), last)]);
        assert_eq!(content_of(read_from(temp.path(), from).unwrap()).0.len(), 1);
    }
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
    let journal = open_small(temp.path());
    let is_done = AtomicBool::new(false);
    let mut next = 0_u64;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..5000_u64 {
                let sequence = put(&journal, &number.to_le_bytes());
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
    assert_eq!(segments(temp.path()), [] as [PathBuf; 0]);
}
