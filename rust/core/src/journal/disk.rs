//! What a writer does to files, in one place, so that tests can count it and make it fail.

use memmap2::MmapRaw;
use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;

/// Zeros that are written at a time where blocks cannot be had otherwise.
static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

/// The calls that a full or broken disk refuses.
pub(super) trait Disk: Send + 'static {
    /// Makes an empty file that many zeros long, with blocks for each of them.
    fn allocate(&mut self, file: &File, bytes: u64) -> io::Result<()>;
    /// Writes all of `bytes` from `offset` on.
    fn write(&mut self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Returns when what was written is on the disk.
    fn sync(&mut self, file: &File) -> io::Result<()>;
    /// Returns when these bytes of a mapped file are on the disk, stored or written.
    fn force(&mut self, map: &MmapRaw, bytes: Range<usize>) -> io::Result<()>;
    /// Makes the file end at `offset`.
    fn cut(&mut self, file: &File, offset: u64) -> io::Result<()>;
}

/// The system's.
pub(super) struct RealDisk;

impl Disk for RealDisk {
    fn allocate(&mut self, file: &File, bytes: u64) -> io::Result<()> {
        loop {
            match fallocate(file, FallocateFlags::empty(), 0, bytes) {
                Err(Errno::INTR) => {}
                Err(Errno::OPNOTSUPP | Errno::NOSYS) => return write_zeros(file, bytes),
                done => return Ok(done?),
            }
        }
    }

    fn write(&mut self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        file.write_all_at(bytes, offset)
    }

    fn sync(&mut self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    fn force(&mut self, map: &MmapRaw, bytes: Range<usize>) -> io::Result<()> {
        map.flush_range(bytes.start, bytes.len())
    }

    fn cut(&mut self, file: &File, offset: u64) -> io::Result<()> {
        file.set_len(offset)
    }
}

/// What a file system that allocates nothing ahead leaves to do.
fn write_zeros(file: &File, bytes: u64) -> io::Result<()> {
    let mut offset = 0;
    while offset < bytes {
        let piece = (bytes - offset).min(ZEROS.len() as u64);
        file.write_all_at(&ZEROS[..usize::try_from(piece).unwrap_or(ZEROS.len())], offset)?;
        offset += piece;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::store::testing::TempFolder;

    #[test]
    fn zeros_are_written_where_blocks_cannot_be_had_otherwise() {
        let temp = TempFolder::make();
        let path = temp.path().join("file");
        write_zeros(&File::create(&path).unwrap(), 150_000).unwrap();
        assert_eq!(std::fs::read(path).unwrap(), vec![0; 150_000]);
    }
}
