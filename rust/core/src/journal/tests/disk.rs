//! A disk that counts, and that refuses on demand.

use crate::journal::disk::{Disk, RealDisk};
use memmap2::MmapRaw;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

#[derive(Clone, Default)]
pub struct TestDisk(pub Arc<Script>);

#[derive(Default)]
pub struct Script {
    pub writes: AtomicU64,
    pub syncs: AtomicU64,
    /// There are no blocks for another segment.
    pub is_full: AtomicBool,
    /// What was written stays where it is, and may not be on the disk.
    pub fails_to_sync: AtomicBool,
    /// Half of what is to be written is, and that is told.
    pub fails_to_write: AtomicBool,
    pub fails_to_cut: AtomicBool,
}

impl TestDisk {
    fn count_sync(&self) -> io::Result<()> {
        self.0.syncs.fetch_add(1, SeqCst);
        if self.0.fails_to_sync.load(SeqCst) {
            return Err(io::Error::other("the disk is broken"));
        }
        Ok(())
    }
}

impl Disk for TestDisk {
    fn allocate(&mut self, file: &File, bytes: u64) -> io::Result<()> {
        if self.0.is_full.load(SeqCst) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        RealDisk.allocate(file, bytes)
    }

    fn write(&mut self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.writes.fetch_add(1, SeqCst);
        if self.0.fails_to_write.load(SeqCst) {
            RealDisk.write(file, &bytes[..bytes.len() / 2], offset)?;
            return Err(io::Error::other("the disk is very broken"));
        }
        RealDisk.write(file, bytes, offset)
    }

    fn sync(&mut self, file: &File) -> io::Result<()> {
        self.count_sync()?;
        RealDisk.sync(file)
    }

    fn force(&mut self, map: &MmapRaw, bytes: Range<usize>) -> io::Result<()> {
        self.count_sync()?;
        RealDisk.force(map, bytes)
    }

    fn cut(&mut self, file: &File, offset: u64) -> io::Result<()> {
        if self.0.fails_to_cut.load(SeqCst) {
            return Err(io::Error::other("the disk is very broken"));
        }
        RealDisk.cut(file, offset)
    }
}
