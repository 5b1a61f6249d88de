//! What a writer does to files, in one place, so that tests can count it and make it fail.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// The calls that a full or broken disk refuses.
pub(super) trait Disk: Send + 'static {
    /// Writes all of `bytes` from `offset` on.
    fn write(&mut self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Returns when what was written is on the disk.
    fn sync(&mut self, file: &File) -> io::Result<()>;
    /// Makes the file end at `offset`.
    fn cut(&mut self, file: &File, offset: u64) -> io::Result<()>;
}

/// The system's.
pub(super) struct RealDisk;

impl Disk for RealDisk {
    fn write(&mut self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        file.write_all_at(bytes, offset)
    }

    fn sync(&mut self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    fn cut(&mut self, file: &File, offset: u64) -> io::Result<()> {
        file.set_len(offset)
    }
}
