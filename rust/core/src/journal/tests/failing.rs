//! Where the disk refuses, nothing that was taken is lost, and it is told.

use super::disk::{Script, TestDisk};
use super::killing::child;
use super::*;
use std::fs;
use std::os::unix::fs::FileExt;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;

/// Waits until something holds.
fn until(holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < LONG);
        std::thread::yield_now();
    }
}

/// Appends while the disk has a fault, which then passes: all is there, and health told of it.
fn survives(fault: impl Fn(&Script) -> Vec<&AtomicBool>) {
    let temp = TempFolder::make();
    let disk = TestDisk::default();
    let journal = Journal::open_on(disk.clone(), temp.path(), small_segments()).unwrap();
    journal.wait(journal.append(&[0; 100]).unwrap(), LONG).unwrap();
    fault(&disk.0).iter().for_each(|fault| fault.store(true, SeqCst));
    let sent: Vec<_> = (0..200_u8).map(|number| vec![number; 100]).collect();
    let taken =
        sent.iter().take_while(|payload| journal.append(payload) != Err(Refused::Full)).count();
    until(|| journal.health().trouble.is_some_and(|trouble| trouble.tries >= 3));
    assert_eq!(journal.health().taken, taken as u64 + 1);
    // What was taken is to be read all the time.
    assert_eq!(payloads(temp.path())[1..], sent[..taken]);
    fault(&disk.0).iter().for_each(|fault| fault.store(false, SeqCst));
    for payload in &sent[taken..] {
        put(&journal, payload);
    }
    journal.wait(200, LONG).unwrap();
    assert_eq!(journal.health().waiting, 0);
    until(|| journal.health().trouble.is_none());
    journal.close().unwrap();
    assert_eq!(payloads(temp.path())[1..], sent);
}

#[test]
fn a_full_disk_is_waited_for() {
    survives(|disk| vec![&disk.is_full]);
}

#[test]
fn what_could_not_be_forced_to_the_disk_is_forced_later() {
    survives(|disk| vec![&disk.fails_to_sync]);
}

#[test]
fn a_disk_that_neither_forces_nor_writes_nor_cuts_is_waited_for() {
    survives(|disk| vec![&disk.fails_to_sync, &disk.fails_to_write, &disk.fails_to_cut]);
}

#[test]
fn with_a_full_disk_records_are_taken_and_forced_until_the_segment_is_full() {
    let temp = TempFolder::make();
    let disk = TestDisk::default();
    let journal = Journal::open_on(disk.clone(), temp.path(), small_segments()).unwrap();
    disk.0.is_full.store(true, SeqCst);
    for number in 0..3 {
        journal.wait(journal.append(&[number; 1000]).unwrap(), LONG).unwrap();
    }
    assert_eq!(journal.append(&[3; 1000]), Err(Refused::Full));
    until(|| journal.health().trouble.is_some());
    let trouble = journal.health().trouble.unwrap();
    assert_eq!(trouble.reason, io::Error::from(io::ErrorKind::StorageFull).to_string());
    assert_eq!(journal.durable(), 3);
    // A smaller one still has room.
    journal.wait(journal.append(&[4; 100]).unwrap(), LONG).unwrap();
    assert!(journal.health().trouble.is_some());
    disk.0.is_full.store(false, SeqCst);
    assert_eq!(put(&journal, &[3; 1000]), 4);
    assert_eq!(journal.health().trouble, None);
}

/// Makes the pages of a segment what the system may make of them after it failed to write them.
fn forget(file: &Path, from: u64) {
    let length = file.metadata().unwrap().len();
    let zeros = vec![0; usize::try_from(length - from).unwrap()];
    fs::OpenOptions::new().write(true).open(file).unwrap().write_all_at(&zeros, from).unwrap();
}

#[test]
fn what_the_system_forgot_after_it_failed_to_force_it_is_written_again() {
    let temp = TempFolder::make();
    let disk = TestDisk::default();
    let options = Options { segment_bytes: 1 << 20, gather: Duration::ZERO, ..Options::default() };
    let journal = Journal::open_on(disk.clone(), temp.path(), options).unwrap();
    journal.wait(journal.append(b"zero").unwrap(), LONG).unwrap();
    disk.0.fails_to_sync.store(true, SeqCst);
    journal.append(b"one").unwrap();
    until(|| journal.health().trouble.is_some());
    // Not in the group that is tried again, and forced by the same call that failed.
    journal.append(b"two").unwrap();
    let tries = journal.health().trouble.unwrap().tries;
    until(|| journal.health().trouble.is_some_and(|trouble| trouble.tries >= tries + 2));
    forget(&segments(temp.path())[0], 52 + 24);
    assert_eq!(payloads(temp.path()), [b"zero"]);
    disk.0.fails_to_sync.store(false, SeqCst);
    journal.wait(2, LONG).unwrap();
    assert_eq!(payloads(temp.path()), [&b"zero"[..], b"one", b"two"]);
}

#[test]
fn a_memory_that_is_full_refuses_until_the_disk_is_back() {
    let temp = TempFolder::make();
    let disk = TestDisk::default();
    let options = Options { most_waiting: 10_000, gather: Duration::ZERO, ..Options::default() };
    let journal = Journal::open_on(disk.clone(), temp.path(), options).unwrap();
    disk.0.fails_to_sync.store(true, SeqCst);
    let taken = (0..20).take_while(|_| journal.append(&[1; 1000]).is_ok()).count();
    assert_eq!(taken, 9);
    assert_eq!(journal.append(&[1; 1000]), Err(Refused::Full));
    disk.0.fails_to_sync.store(false, SeqCst);
    journal.wait(8, LONG).unwrap();
    assert_eq!(journal.append(&[1; 1000]), Ok(9));
    journal.close().unwrap();
    assert_eq!(payloads(temp.path()).len(), 10);
}

#[test]
fn closing_gives_up_after_a_while_and_tells_what_is_lost() {
    let temp = TempFolder::make();
    let disk = TestDisk::default();
    let options = Options { patience: Duration::from_millis(50), ..small_segments() };
    let journal = Journal::open_on(disk.clone(), temp.path(), options).unwrap();
    journal.wait(journal.append(b"one").unwrap(), LONG).unwrap();
    disk.0.fails_to_sync.store(true, SeqCst);
    journal.append(b"two").unwrap();
    journal.append(b"three").unwrap();
    let error = journal.close().unwrap_err().to_string();
    assert_eq!(error, "2 records of the journal may not be on the disk: the disk is broken");
    assert_eq!(journal.wait(1, LONG), Err(NotDurable::Ended));
    assert_eq!(payloads(temp.path()), [&b"one"[..], b"two", b"three"]);
}

/// The child's part: a limit on the size of files stands for a full disk.
#[test]
#[ignore = "a child of another test"]
fn child_with_a_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let temp = TempFolder::make();
    let journal = open_small(temp.path());
    let before = getrlimit(Resource::Fsize);
    setrlimit(Resource::Fsize, Rlimit { current: Some(4000), ..before }).unwrap();
    let sent: Vec<_> = (0..20_u8).map(|number| vec![number; 1000]).collect();
    let taken =
        sent.iter().take_while(|payload| journal.append(payload) != Err(Refused::Full)).count();
    assert_eq!(taken, 3);
    until(|| journal.health().trouble.is_some_and(|trouble| trouble.tries >= 2));
    assert!(journal.health().trouble.unwrap().reason.contains("File too large"));
    setrlimit(Resource::Fsize, before).unwrap();
    for payload in &sent[taken..] {
        put(&journal, payload);
    }
    journal.wait(19, LONG).unwrap();
    journal.close().unwrap();
    assert_eq!(payloads(temp.path()), sent);
}

#[test]
fn a_limit_of_the_system_is_survived() {
    // The shell has the signal ignored that comes with it; that is inherited.
    let name = "journal::tests::failing::child_with_a_limit";
    let mut child = child(name, &["/bin/sh", "-c", "trap '' XFSZ; exec \"$0\" \"$@\""]);
    assert!(child.status().unwrap().success());
}
