//! What is appended is read back, once, in order.

use super::disk::TestDisk;
use super::*;
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::Ordering::SeqCst;

#[test]
fn what_is_appended_is_read_back_in_order() {
    let temp = TempFolder::make();
    let large = vec![7; LARGEST];
    written(temp.path(), &[&[b"one", b"", b"three"], &[&large]]);
    assert_eq!(payloads(temp.path()), [&b"one"[..], b"", b"three", &large]);
}

#[test]
fn a_record_that_is_too_large_is_refused() {
    let temp = TempFolder::make();
    let journal = Journal::open(temp.path(), Options::default()).unwrap();
    assert_eq!(journal.append(&vec![0; LARGEST + 1]), Err(Refused::TooLarge));
    assert_eq!(journal.append(b"next"), Ok(0));
}

#[test]
fn many_threads_get_sequences_without_a_gap_and_each_record_is_there_once() {
    let temp = TempFolder::make();
    let journal = open_small(temp.path());
    let shared = &journal;
    let mut taken: Vec<(u64, Vec<u8>)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|thread| {
                let append = move |number: u64| {
                    let payload = format!("{thread}:{number}").into_bytes();
                    (put(shared, &payload), payload)
                };
                scope.spawn(move || (0..2000).map(append).collect::<Vec<_>>())
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    journal.close().unwrap();
    taken.sort();
    let taken: Vec<_> = taken.into_iter().map(|(_, payload)| payload).collect();
    assert_eq!(payloads(temp.path()), taken);
    assert_eq!(taken.iter().collect::<BTreeSet<_>>().len(), 16_000);
}

#[test]
fn many_records_go_to_the_disk_together() {
    let temp = TempFolder::make();
    let disk = TestDisk::default();
    // The first waits for the others, however slow this machine is.
    let options = Options { gather: LONG, ..Options::default() };
    let journal = Journal::open_on(disk.clone(), temp.path(), options).unwrap();
    for number in 0..1000_u32 {
        journal.append(&number.to_le_bytes()).unwrap();
    }
    journal.close().unwrap();
    // One for the segment's header, one for all of them.
    assert_eq!(disk.0.syncs.load(SeqCst), 2);
    assert_eq!(payloads(temp.path()).len(), 1000);
}

#[test]
fn what_is_appended_reaches_the_disk_unasked() {
    let temp = TempFolder::make();
    let journal = Journal::open(temp.path(), Options::default()).unwrap();
    let sequence = journal.append(b"one").unwrap();
    journal.wait(sequence, LONG).unwrap();
    assert_eq!(journal.durable(), 1);
    assert_eq!(content(temp.path()).0, [(journal.writer(), 0, b"one".to_vec())]);
}

#[test]
fn a_task_can_wait_for_the_disk() {
    let temp = TempFolder::make();
    let journal = Journal::open(temp.path(), Options::default()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let (one, two) = (journal.append(b"one").unwrap(), journal.append(b"two").unwrap());
        assert_eq!(tokio::join!(journal.written(two), journal.written(one)), (Ok(()), Ok(())));
    });
    journal.close().unwrap();
    assert_eq!(runtime.block_on(journal.written(2)), Err(NotDurable::Ended));
}

#[test]
fn a_wait_has_an_end() {
    let temp = TempFolder::make();
    let journal = Journal::open(temp.path(), Options::default()).unwrap();
    assert_eq!(journal.wait(0, Duration::from_millis(1)), Err(NotDurable::Late));
    journal.close().unwrap();
    assert_eq!(journal.wait(0, LONG), Err(NotDurable::Ended));
}

#[test]
fn a_closed_journal_takes_nothing() {
    let temp = TempFolder::make();
    let journal = Journal::open(temp.path(), Options::default()).unwrap();
    journal.append(b"one").unwrap();
    journal.close().unwrap();
    assert_eq!(journal.append(b"two"), Err(Refused::Closed));
    assert!(!journal.health().is_open);
    journal.close().unwrap();
    assert_eq!(payloads(temp.path()), [b"one"]);
}

#[test]
fn a_journal_that_is_dropped_is_on_the_disk() {
    let temp = TempFolder::make();
    Journal::open(temp.path(), Options::default()).unwrap().append(b"one").unwrap();
    assert_eq!(payloads(temp.path()), [b"one"]);
}

#[test]
fn a_full_segment_is_followed_by_the_next() {
    let temp = TempFolder::make();
    let journal = open_small(temp.path());
    let sent: Vec<_> = (0..100_u8).map(|number| vec![number; 1000]).collect();
    for payload in &sent {
        put(&journal, payload);
    }
    journal.close().unwrap();
    assert_eq!(payloads(temp.path()), sent);
    let lengths = segments(temp.path()).into_iter().map(|path| path.metadata().unwrap().len());
    assert!(lengths.clone().all(|length| length <= 4096));
    // Three frames of 1020 bytes have room behind a header.
    assert_eq!(lengths.count(), 34);
}

#[test]
fn a_segment_is_never_too_small_for_a_record() {
    let temp = TempFolder::make();
    let journal = Journal::open(temp.path(), small_segments()).unwrap();
    for _ in 0..3 {
        put(&journal, &[1; LARGEST]);
    }
    journal.close().unwrap();
    assert_eq!(payloads(temp.path()).len(), 3);
    assert_eq!(segments(temp.path()).len(), 3);
}

#[test]
fn a_closed_journal_keeps_no_room_that_it_did_not_use() {
    let temp = TempFolder::make();
    let journal = open_small(temp.path());
    for _ in 0..2 {
        journal.wait(put(&journal, &[1; 1000]), LONG).unwrap();
    }
    let start = Instant::now();
    while segments(temp.path()).len() < 2 {
        assert!(start.elapsed() < LONG);
    }
    journal.close().unwrap();
    let [file] = &segments(temp.path())[..] else { panic!("one has nothing in it") };
    assert_eq!(file.metadata().unwrap().len(), 52 + 2 * 1020);
}

#[test]
fn files_and_folder_are_the_owners_alone() {
    let temp = TempFolder::make();
    let folder = temp.path().join("state/journal");
    let file = written(&folder, &[&[b"one"]]);
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&folder), mode(&file)), (0o700, 0o600));
}

#[test]
fn a_forked_process_is_refused_and_leaves_the_journal_alone() {
    let temp = TempFolder::make();
    let journal = Journal::open(temp.path(), Options::default()).unwrap();
    // SAFETY: the child takes no lock and gives memory back at most, which the system's allocator allows
    // after a fork; it leaves by `_exit`.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let is_refused = journal.append(b"child") == Err(Refused::OtherProcess)
            && journal.wait(0, Duration::ZERO) == Err(NotDurable::Ended);
        drop(journal);
        // SAFETY: it does not return, and runs nothing of ours.
        unsafe { libc::_exit(if is_refused { 0 } else { 1 }) };
    }
    let mut status = -1;
    // SAFETY: `status` outlives the call.
    assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
    assert_eq!(status, 0);
    journal.append(b"parent").unwrap();
    journal.close().unwrap();
    assert_eq!(payloads(temp.path()), [b"parent"]);
}
