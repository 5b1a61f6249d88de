//! A disk that is really full: a small one that is mounted for the test, where that is allowed.

use super::*;
use std::fs;
use std::process::Command;

/// A file system of 512 KiB in memory; taken away when dropped.
struct Small(PathBuf);

impl Small {
    /// `None` where this process may not mount.
    fn mount(at: &Path) -> Option<Self> {
        fs::create_dir(at).unwrap();
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", "size=512k", "none"]).arg(at);
        let done = command.output().is_ok_and(|done| done.status.success());
        done.then(|| Small(at.to_owned()))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}

#[test]
fn a_disk_without_room_for_a_segment_refuses_records_and_breaks_nothing() {
    let temp = TempFolder::make();
    let Some(small) = Small::mount(&temp.path().join("small")) else { return };
    let folder = small.0.join("journal");
    let options = Options { segment_bytes: 200 << 10, ..Options::default() };
    let journal = Journal::open(&folder, options.clone()).unwrap();
    // Two segments have room, and nothing else has.
    let start = Instant::now();
    while journal.health().trouble.is_none() {
        let _ = journal.append(&[1; 1000]);
        assert!(start.elapsed() < LONG);
        pause(Duration::from_millis(1));
    }
    let reason = journal.health().trouble.unwrap().reason;
    assert!(reason.contains("No space left"), "{reason}");
    while journal.append(&[2; 1000]).is_ok() {}
    assert_eq!(journal.append(&[2; 1000]), Err(Refused::Full));
    let taken = journal.health().taken;
    journal.wait(taken - 1, LONG).unwrap();
    assert_eq!(payloads(&folder).len() as u64, taken);
    // Another writer has no room to begin.
    assert!(Journal::open(&folder, options).is_err());
    // What was read makes room.
    assert_eq!(remove(&folder, journal.writer(), taken).unwrap(), 1);
    assert_eq!(put(&journal, &[3; 1000]), taken);
    journal.close().unwrap();
}
