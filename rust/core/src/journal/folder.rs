//! The folder of the journals: which segments it holds, and how its files are made and named.

use super::segment::{self, Writer};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// How names of segments begin that have no header yet.
const UNFINISHED: &str = ".new-";
/// What stands between a segment's name and the offset of what was set aside of it.
const ASIDE: &str = ".torn-";

/// The numbers of each writer's segments.
pub(super) type Listing = BTreeMap<Writer, BTreeSet<u64>>;

/// A folder of segments.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    root: PathBuf,
}

impl Folder {
    /// The folder at `root`, which may not exist.
    pub(super) fn at(root: &Path) -> Self {
        Folder { root: root.to_owned() }
    }

    /// The same, made for its owner alone if it does not exist.
    pub(super) fn make(root: &Path) -> io::Result<Self> {
        if !root.is_dir() {
            DirBuilder::new().recursive(true).mode(0o700).create(root)?;
            let parent = root.parent().filter(|parent| !parent.as_os_str().is_empty());
            sync(parent.unwrap_or(Path::new(".")))?;
        }
        Ok(Folder::at(root))
    }

    /// Has the names of its files on the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        sync(&self.root)
    }

    /// Where a segment is.
    pub(super) fn path(&self, writer: Writer, number: u64) -> PathBuf {
        self.root.join(segment::name(writer, number))
    }

    /// Opens a segment; `None` if there is none.
    pub(super) fn open(&self, writer: Writer, number: u64) -> io::Result<Option<File>> {
        match File::open(self.path(writer, number)) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether a segment exists.
    pub(super) fn has(&self, writer: Writer, number: u64) -> io::Result<bool> {
        self.path(writer, number).try_exists()
    }

    /// A new, empty file for its owner alone, with a name that no reader looks at.
    pub(super) fn unfinished(&self) -> io::Result<(PathBuf, File)> {
        let path = self.root.join(format!("{UNFINISHED}{:016x}", fastrand::u64(..)));
        Ok((path.clone(), create(&path)?))
    }

    /// The segments that are there; none where there is no folder.
    pub(super) fn list(&self) -> io::Result<Listing> {
        let mut listing = Listing::new();
        for (writer, number) in self.names()?.iter().filter_map(|name| segment::parse(name)) {
            listing.entry(writer).or_default().insert(number);
        }
        Ok(listing)
    }

    /// Files that were to become segments when their writers died, or that are about to.
    pub(super) fn list_unfinished(&self) -> io::Result<Vec<PathBuf>> {
        let names = self.names()?.into_iter().filter(|name| name.starts_with(UNFINISHED));
        Ok(names.map(|name| self.root.join(name)).collect())
    }

    /// Where that is set aside which is behind `offset` in a segment.
    pub(super) fn aside(&self, writer: Writer, number: u64, offset: u64) -> PathBuf {
        self.root.join(format!("{}{ASIDE}{offset}", segment::name(writer, number)))
    }

    /// What was set aside of a segment when it was repaired.
    pub(super) fn list_aside(&self, writer: Writer, number: u64) -> io::Result<Vec<PathBuf>> {
        let prefix = segment::name(writer, number) + ASIDE;
        let names = self.names()?.into_iter().filter(|name| name.starts_with(&prefix));
        Ok(names.map(|name| self.root.join(name)).collect())
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let files = match fs::read_dir(&self.root) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            files => files?,
        };
        // A name that is no text is not ours.
        files
            .filter_map(|file| file.map(|file| file.file_name().into_string().ok()).transpose())
            .collect()
    }
}

/// A new file for its owner alone.
pub(super) fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
