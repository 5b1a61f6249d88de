//! Lets go of what is too old or too much. One process of the machine does it at a time.
//!
//! Of what is too much, the oldest of those who have more than their share go first: nobody can push out
//! what others have stored, as long as these have no more than would be left to each if all had as much.

use super::folder::{self, Folder};
use rustix::fs::{FlockOperation, flock};
use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// The file whose lock the sweeping process holds; its age is that of the last sweep.
const LOCK: &str = "sweep.lock";
/// How old a file may be that is still being written.
const UNFINISHED: Duration = Duration::from_secs(3600);
/// Of the allowed size, what is left when entries had to go for their size: not one a write.
const LEFT: (u64, u64) = (9, 10);

/// What may stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// For how long.
    pub keep: Duration,
    /// How many bytes in all, as the disk counts.
    pub max_bytes: u64,
}

/// What a sweep found and did.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Bytes that are left.
    pub bytes: u64,
    /// Entries that were too old.
    pub expired: u64,
    /// Entries that had to go for their size before their time.
    pub crowded: u64,
}

/// The right to sweep, until it is dropped.
pub struct Turn {
    file: File,
}

impl Turn {
    /// Takes the right to sweep; `None` if another process has it, or swept less than `pause` ago.
    ///
    /// # Errors
    /// The system's. A folder that does not exist is `NotFound`: there is nothing to sweep.
    pub fn take(folder: &Folder, pause: Duration) -> io::Result<Option<Self>> {
        let path = folder.root().join(LOCK);
        let fresh = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let (file, is_new) = match fresh {
            Ok(file) => (file, true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                (OpenOptions::new().write(true).open(&path)?, false)
            }
            Err(error) => return Err(error),
        };
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            return Ok(None);
        }
        let age = file.metadata()?.modified()?.elapsed().unwrap_or(Duration::MAX);
        Ok((is_new || age >= pause).then_some(Turn { file }))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // If the time cannot be set, the next sweep comes a little early.
        let _ = self.file.set_modified(SystemTime::now());
    }
}

/// An entry's file.
struct Found {
    modified: SystemTime,
    bytes: u64,
    name: String,
    /// The mark of whose it is.
    owner: u64,
}

/// Removes what is not to stay.
///
/// # Errors
/// The system's, if the folder cannot be listed. A single file that cannot be removed stays.
pub fn sweep(folder: &Folder, bounds: Bounds, now: SystemTime) -> io::Result<Swept> {
    let mut swept = Swept::default();
    let mut left = Vec::new();
    for shard in names(folder.root())?.iter().filter(|name| folder::is_shard(name)) {
        look(&folder.root().join(shard), bounds.keep, now, &mut left, &mut swept);
    }
    swept.bytes = left.iter().map(|found| found.bytes).sum();
    if swept.bytes > bounds.max_bytes {
        thin_out(folder, left, bounds.max_bytes / LEFT.1 * LEFT.0, &mut swept);
    }
    Ok(swept)
}

/// Removes the oldest of those who have more than their share, until no more than `aim` bytes are left.
fn thin_out(folder: &Folder, mut left: Vec<Found>, aim: u64, swept: &mut Swept) {
    let mut totals = HashMap::new();
    for found in &left {
        *totals.entry(found.owner).or_insert(0) += found.bytes;
    }
    let share = fair_share(totals.values().copied().collect(), aim);
    left.sort_unstable_by_key(|found| found.modified);
    for found in left {
        if swept.bytes <= aim {
            break;
        }
        let total = totals.entry(found.owner).or_default();
        if *total > share && folder.remove(&found.name).is_ok() {
            *total -= found.bytes;
            swept.bytes -= found.bytes;
            swept.crowded += 1;
        }
    }
}

/// The most bytes that each may have of `aim`, so that all of it is given out: what one does not need goes
/// to the others.
fn fair_share(mut totals: Vec<u64>, aim: u64) -> u64 {
    totals.sort_unstable();
    let (mut rest, mut waiting) = (aim, totals.len() as u64);
    for total in totals {
        let share = rest / waiting;
        if total > share {
            return share;
        }
        rest -= total;
        waiting -= 1;
    }
    u64::MAX
}

/// Goes through one folder of files: removes the old ones, notes the others.
fn look(shard: &Path, keep: Duration, now: SystemTime, left: &mut Vec<Found>, swept: &mut Swept) {
    for name in names(shard).unwrap_or_default() {
        let path = shard.join(&name);
        // One that is gone by now was removed by its owner.
        let Ok(facts) = fs::symlink_metadata(&path) else { continue };
        let Ok(modified) = facts.modified() else { continue };
        let age = now.duration_since(modified).unwrap_or_default();
        if folder::is_unfinished(&name) {
            if age > UNFINISHED {
                // It is tried again at the next sweep.
                let _ = fs::remove_file(&path);
            }
        } else if folder::is_entry(&name) {
            if age >= keep && fs::remove_file(&path).is_ok() {
                swept.expired += 1;
            } else {
                let owner = folder::mark(&name).unwrap_or_default();
                left.push(Found { modified, bytes: folder::on_disk(facts.len()), name, owner });
            }
        }
    }
}

/// The names in a folder, as far as they are text: others are not ours.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = fs::read_dir(folder)?;
    Ok(entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::testing::TempFolder;
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);
    const ROOMY: Bounds = Bounds { keep: DAY, max_bytes: 1 << 30 };

    fn name(number: u32) -> String {
        name_of(number, 7)
    }

    fn name_of(number: u32, owner: u64) -> String {
        format!("{number:048x}{owner:016x}")
    }

    /// A folder with files of one block each, the first one written longest ago.
    fn folder(count: u32) -> (TempFolder, Folder) {
        let temp = TempFolder::make();
        let folder = Folder::new(temp.path().to_owned());
        for number in 0..count {
            folder.write(&name(number), b"x").unwrap();
            let path = temp.path().join("00").join(name(number));
            let age = Duration::from_secs(u64::from(count - number));
            File::open(path).unwrap().set_modified(SystemTime::now() - age).unwrap();
        }
        (temp, folder)
    }

    fn there(folder: &Folder, count: u32) -> Vec<u32> {
        (0..count).filter(|&number| folder.read(&name(number)).unwrap().is_some()).collect()
    }

    #[test]
    fn what_is_neither_old_nor_too_much_stays() {
        let (_temp, folder) = folder(3);
        let swept = sweep(&folder, ROOMY, SystemTime::now()).unwrap();
        assert_eq!(swept, Swept { bytes: 3 * 4096, expired: 0, crowded: 0 });
        assert_eq!(there(&folder, 3), [0, 1, 2]);
    }

    #[test]
    fn what_is_too_old_goes() {
        let (_temp, folder) = folder(2);
        let swept = sweep(&folder, ROOMY, SystemTime::now() + DAY).unwrap();
        assert_eq!(swept, Swept { bytes: 0, expired: 2, crowded: 0 });
        assert!(there(&folder, 2).is_empty());
    }

    #[test]
    fn of_what_is_too_much_the_oldest_go_first() {
        let (_temp, folder) = folder(10);
        let bounds = Bounds { max_bytes: 5 * 4096, ..ROOMY };
        let swept = sweep(&folder, bounds, SystemTime::now()).unwrap();
        assert_eq!(swept, Swept { bytes: 4 * 4096, expired: 0, crowded: 6 });
        assert_eq!(there(&folder, 10), [6, 7, 8, 9]);
    }

    #[test]
    fn of_a_burst_the_first_go() {
        let (_temp, folder) = folder(0);
        for number in 0..400 {
            folder.write(&name(number), b"x").unwrap();
        }
        let bounds = Bounds { max_bytes: 200 * 4096, ..ROOMY };
        sweep(&folder, bounds, SystemTime::now()).unwrap();
        assert_eq!(there(&folder, 400), (220..400).collect::<Vec<_>>());
    }

    #[test]
    fn who_has_more_than_its_share_pushes_out_nobody_else() {
        let (_temp, folder) = folder(2);
        for number in 10..30 {
            folder.write(&name_of(number, 8), b"x").unwrap();
        }
        let bounds = Bounds { max_bytes: 10 * 4096, ..ROOMY };
        let swept = sweep(&folder, bounds, SystemTime::now()).unwrap();
        assert_eq!(swept, Swept { bytes: 9 * 4096, expired: 0, crowded: 13 });
        assert_eq!(there(&folder, 2), [0, 1]);
        let newest = (23..30).map(|number| folder.read(&name_of(number, 8)).unwrap());
        assert!(newest.into_iter().all(|file| file.is_some()));
    }

    #[test]
    fn where_there_are_more_owners_than_places_the_newest_stay() {
        let (_temp, folder) = folder(0);
        for number in 0..20 {
            folder.write(&name_of(number, u64::from(number)), b"x").unwrap();
        }
        let bounds = Bounds { max_bytes: 10 * 4096, ..ROOMY };
        assert_eq!(sweep(&folder, bounds, SystemTime::now()).unwrap().bytes, 9 * 4096);
        let is_there = |number| folder.read(&name_of(number, u64::from(number))).unwrap().is_some();
        assert!((11..20).all(is_there) && !(0..11).any(is_there));
    }

    #[test]
    fn a_share_is_what_is_left_for_those_who_need_more() {
        assert_eq!(fair_share(vec![100, 1, 100], 61), 30);
        assert_eq!(fair_share(vec![10, 20], 40), u64::MAX);
        assert_eq!(fair_share(vec![10, 50], 40), 30);
        assert_eq!(fair_share(vec![], 40), u64::MAX);
        assert_eq!(fair_share(vec![5], 0), 0);
    }

    #[test]
    fn what_is_not_the_stores_own_is_left_alone() {
        let (temp, folder) = folder(1);
        let foreign = ["note.txt", "00/note.txt", "other/note.txt"].map(|at| temp.path().join(at));
        fs::create_dir(temp.path().join("other")).unwrap();
        for path in &foreign {
            fs::write(path, "x").unwrap();
        }
        sweep(&folder, Bounds { keep: Duration::ZERO, max_bytes: 0 }, SystemTime::now()).unwrap();
        assert!(there(&folder, 1).is_empty());
        assert!(foreign.iter().all(|path| path.exists()));
    }

    #[test]
    fn what_a_dead_process_was_writing_goes_after_a_while() {
        let (temp, folder) = folder(1);
        let unfinished = temp.path().join("00/.new-1");
        fs::write(&unfinished, "x").unwrap();
        sweep(&folder, ROOMY, SystemTime::now()).unwrap();
        assert!(unfinished.exists());
        sweep(&folder, ROOMY, SystemTime::now() + 2 * UNFINISHED).unwrap();
        assert!(!unfinished.exists());
    }

    #[test]
    fn one_process_sweeps_at_a_time_and_not_all_the_time() {
        let (_temp, folder) = folder(1);
        let turn = Turn::take(&folder, DAY).unwrap();
        assert!(turn.is_some());
        assert!(Turn::take(&folder, Duration::ZERO).unwrap().is_none());
        drop(turn);
        assert!(Turn::take(&folder, DAY).unwrap().is_none());
        assert!(Turn::take(&folder, Duration::ZERO).unwrap().is_some());
    }

    #[test]
    fn a_folder_that_does_not_exist_is_told() {
        let (temp, _) = folder(0);
        let nowhere = Folder::new(temp.path().join("nowhere"));
        let error = Turn::take(&nowhere, DAY).err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
