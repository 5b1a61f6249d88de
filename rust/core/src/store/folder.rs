//! The files of the store: one for each entry, whole or not at all, in folders by the first letters of
//! their names. All of it blocks: never on the thread that serves.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// How many letters of a name its folder has.
const SHARD: usize = 2;
/// How many letters at a name's end are its owner's mark.
const MARK: usize = 16;
/// What disks give out: a small file takes as much.
const BLOCK: u64 = 4096;
/// The largest file that is read at all.
const LARGEST: u64 = 1 << 30;
/// How names of files begin that are still being written.
const UNFINISHED: &str = ".new-";

/// A folder of entries.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    /// The store in this folder, which need not exist yet.
    #[must_use]
    pub fn new(root: PathBuf) -> Self {
        Folder { root }
    }

    /// Where it is.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Puts a file in its place at once. Returns what it takes on the disk.
    ///
    /// It is not forced to the disk: what a power cut leaves half written does not open, and that is all.
    ///
    /// # Errors
    /// The system's; nothing is left behind then.
    pub fn write(&self, name: &str, bytes: &[u8]) -> io::Result<u64> {
        let shard = self.root.join(name.get(..SHARD).unwrap_or(name));
        let unfinished = shard.join(format!("{UNFINISHED}{:016x}", fastrand::u64(..)));
        let mut file = match create(&unfinished) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                DirBuilder::new().recursive(true).mode(0o700).create(&shard)?;
                create(&unfinished)?
            }
            result => result?,
        };
        // The kernel's own stamp moves on with its clock, every few milliseconds: too coarse to tell which came first.
        let written = file
            .write_all(bytes)
            .and_then(|()| file.set_modified(SystemTime::now()))
            .and_then(|()| fs::rename(&unfinished, shard.join(name)));
        if let Err(error) = written {
            // The error to be told is the first one.
            let _ = fs::remove_file(&unfinished);
            return Err(error);
        }
        Ok(on_disk(bytes.len() as u64))
    }

    /// The bytes of a file; `None` if there is none.
    ///
    /// # Errors
    /// The system's, or that the file is too large.
    pub fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let file = match fs::File::open(self.path(name)) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let length = file.metadata()?.len();
        if length > LARGEST {
            return Err(ErrorKind::FileTooLarge.into());
        }
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0) + 1);
        file.take(LARGEST).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    /// Removes a file. Whether there was one.
    ///
    /// # Errors
    /// The system's.
    pub fn remove(&self, name: &str) -> io::Result<bool> {
        match fs::remove_file(self.path(name)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The names of entries that begin so; `prefix` has at least the letters of a shard.
    ///
    /// # Errors
    /// The system's. Where nothing was written yet, there are none.
    pub fn names(&self, prefix: &str) -> io::Result<Vec<String>> {
        let files = match fs::read_dir(self.root.join(prefix.get(..SHARD).unwrap_or(prefix))) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            result => result?,
        };
        let names = files.filter_map(|file| file.ok()?.file_name().into_string().ok());
        Ok(names.filter(|name| name.starts_with(prefix) && is_entry(name)).collect())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.join(name.get(..SHARD).unwrap_or(name)).join(name)
    }
}

fn create(path: &Path) -> io::Result<fs::File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// What a file of that length takes on the disk.
#[must_use]
pub fn on_disk(length: u64) -> u64 {
    length.div_ceil(BLOCK) * BLOCK
}

/// Whether it is the name of an entry's file.
#[must_use]
pub fn is_entry(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The mark of its owner that an entry's name ends with; see [`super::seal`].
#[must_use]
pub fn mark(name: &str) -> Option<u64> {
    u64::from_str_radix(name.get(name.len().checked_sub(MARK)?..)?, 16).ok()
}

/// Whether it is the name of a folder of such files.
#[must_use]
pub fn is_shard(name: &str) -> bool {
    name.len() == SHARD && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Whether it is the name of a file that is still being written, or was when its process died.
#[must_use]
pub fn is_unfinished(name: &str) -> bool {
    name.starts_with(UNFINISHED)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::testing::TempFolder;
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    const NAME: &str = "ab0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn a_file_reads_as_it_was_written_until_it_is_removed() {
        let temp = TempFolder::make();
        let folder = Folder::new(temp.path().join("responses"));
        assert_eq!(folder.read(NAME).unwrap(), None);
        assert_eq!(folder.write(NAME, b"bytes").unwrap(), BLOCK);
        assert_eq!(folder.read(NAME).unwrap().unwrap(), b"bytes");
        assert!(folder.remove(NAME).unwrap());
        assert!(!folder.remove(NAME).unwrap());
        assert_eq!(folder.read(NAME).unwrap(), None);
    }

    #[test]
    fn files_and_folders_are_the_owners_alone() {
        let temp = TempFolder::make();
        let folder = Folder::new(temp.path().join("responses"));
        folder.write(NAME, b"bytes").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder.path(NAME)), 0o600);
        assert_eq!(mode(folder.path(NAME).parent().unwrap()), 0o700);
        assert_eq!(mode(folder.root()), 0o700);
    }

    #[test]
    fn a_file_that_cannot_be_put_in_place_leaves_nothing_behind() {
        let temp = TempFolder::make();
        let folder = Folder::new(temp.path().to_owned());
        let place = folder.path(NAME);
        // A folder of that name, with something in it, is in the way.
        fs::create_dir_all(place.join("x")).unwrap();
        folder.write(NAME, b"bytes").unwrap_err();
        let names = fs::read_dir(place.parent().unwrap()).unwrap();
        assert_eq!(names.count(), 1);
    }

    #[test]
    fn names_of_entries_are_told_from_others() {
        assert!(is_entry(&NAME[..64]));
        assert!(!is_entry("sweep.lock"));
        assert_eq!(mark(&NAME[..64]), Some(0xef01_2345_6789_abcd));
        assert!(is_shard("ab") && !is_shard("xy"));
        assert!(is_unfinished(".new-1"));
    }
}
