//! Where the disk refuses, nothing that was taken is lost, and it is told.

use super::disk::{Script, TestDisk};
use super::killing::child;
use super::*;
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
    // More than one segment holds, so that making the next one fails as well.
    let sent: Vec<_> = (0..200_u8).map(|number| vec![number; 100]).collect();
    for payload in &sent {
        journal.append(payload).unwrap();
    }
    until(|| journal.health().trouble.is_some_and(|trouble| trouble.tries >= 3));
    assert_eq!(journal.health().taken, 201);
    assert_eq!(journal.durable(), 1);
    fault(&disk.0).iter().for_each(|fault| fault.store(false, SeqCst));
    journal.wait(200, LONG).unwrap();
    assert_eq!((journal.health().trouble, journal.health().waiting), (None, 0));
    journal.close().unwrap();
    assert_eq!(payloads(temp.path())[1..], sent);
}

#[test]
fn a_full_disk_is_waited_for() {
    survives(|disk| vec![&disk.is_full]);
}

#[test]
fn what_could_not_be_forced_to_the_disk_is_written_again() {
    survives(|disk| vec![&disk.fails_to_sync]);
}

#[test]
fn what_cannot_even_be_cut_off_is_cut_off_later() {
    survives(|disk| vec![&disk.is_full, &disk.fails_to_cut]);
}

#[test]
fn a_failed_write_is_cut_back() {
    let temp = TempFolder::make();
    let disk = TestDisk::default();
    let journal = Journal::open_on(disk.clone(), temp.path(), Options::default()).unwrap();
    journal.wait(journal.append(b"one").unwrap(), LONG).unwrap();
    let whole = std::fs::read(&segments(temp.path())[0]).unwrap();
    disk.0.is_full.store(true, SeqCst);
    journal.append(b"two").unwrap();
    until(|| journal.health().trouble.is_some());
    let trouble = journal.health().trouble.unwrap();
    assert_eq!(trouble.reason, std::io::Error::from(std::io::ErrorKind::StorageFull).to_string());
    // Not between writing and cutting back: that is what the loop waits for.
    until(|| std::fs::read(&segments(temp.path())[0]).unwrap() == whole);
    disk.0.is_full.store(false, SeqCst);
}

#[test]
fn a_full_memory_refuses_until_the_disk_is_back() {
    let temp = TempFolder::make();
    let disk = TestDisk::default();
    let options = Options { most_waiting: 10_000, ..small_segments() };
    let journal = Journal::open_on(disk.clone(), temp.path(), options).unwrap();
    disk.0.is_full.store(true, SeqCst);
    let taken = (0..20).take_while(|_| journal.append(&[1; 1000]).is_ok()).count();
    assert_eq!(taken, 9);
    assert_eq!(journal.append(&[1; 1000]), Err(Refused::Full));
    disk.0.is_full.store(false, SeqCst);
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
    assert_eq!(error, "2 records of the journal were not written: the disk is broken");
    assert_eq!(journal.wait(1, LONG), Err(NotDurable::Ended));
    assert_eq!(payloads(temp.path()), [b"one"]);
}

/// The child's part: a limit on the size of files stands for a full disk.
#[test]
#[ignore = "a child of another test"]
fn child_with_a_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let temp = TempFolder::make();
    let journal = Journal::open(temp.path(), Options::default()).unwrap();
    let before = getrlimit(Resource::Fsize);
    setrlimit(Resource::Fsize, Rlimit { current: Some(5000), ..before }).unwrap();
    let sent: Vec<_> = (0..20_u8).map(|number| vec![number; 1000]).collect();
    for payload in &sent {
        journal.append(payload).unwrap();
    }
    until(|| journal.health().trouble.is_some_and(|trouble| trouble.tries >= 2));
    assert!(journal.health().trouble.unwrap().reason.contains("File too large"));
    assert_eq!(payloads(temp.path())[..], sent[..usize::try_from(journal.durable()).unwrap()]);
    setrlimit(Resource::Fsize, before).unwrap();
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
