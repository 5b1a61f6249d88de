//! The memory all worker processes of a machine share: one mapped file of fixed sections.
//!
//! Nothing in it is ever locked. Every field is an atomic, and every change that must not be seen
//! half done is a single compare-and-swap, so a worker may be killed at any instant without
//! leaving anything for the others to clean up. The one lock is taken while the file is laid out;
//! the kernel drops it when its holder dies.

mod file;
mod layout;

use crate::error::{Class, Error, Result};
use memmap2::{MmapMut, MmapOptions, MmapRaw};
use std::fs::File;
use std::mem::size_of;
use std::ops::Deref;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::sync::Arc;

pub use layout::{
    Bucket, BudgetRow, COUNTERS, Health, LABEL_WORDS, MeasureRow, Places, Region, Row, Word,
    Worker, bounds,
};

/// A mapped [`Region`]; dereferences to it.
pub struct Shared {
    map: MmapRaw,
}

impl Shared {
    /// Creates the file at `path`, or attaches to it when another worker was first.
    ///
    /// # Errors
    /// When the file cannot be made or mapped, belongs to someone else, is open to other users, or
    /// was laid out by another version of llmgw.
    pub fn open(path: &Path) -> Result<Arc<Self>> {
        demand_wide_atomics()?;
        let file = file::open_laid_out(path)
            .map_err(|why| failure(format!("shared memory file {}: {why}", path.display())))?;
        let map = MmapOptions::new()
            .len(size_of::<Region>())
            .map_raw(&file)
            .map_err(|why| failure(format!("cannot map {}: {why}", path.display())))?;
        Ok(Arc::new(Shared { map }))
    }

    /// Memory of this process alone, for a single worker and for tests.
    ///
    /// # Errors
    /// When the system has no memory to give.
    pub fn anonymous() -> Result<Arc<Self>> {
        demand_wide_atomics()?;
        let map = MmapMut::map_anon(size_of::<Region>())
            .map_err(|why| failure(format!("cannot map shared memory: {why}")))?;
        Ok(Arc::new(Shared { map: MmapRaw::from(map) }))
    }
}

impl Deref for Shared {
    type Target = Region;

    fn deref(&self) -> &Region {
        // SAFETY: the mapping is page-aligned, at least `size_of::<Region>()` long (`open_laid_out`
        // has written that many bytes; the anonymous one was asked for by that size) and lives as
        // long as `self`. A `Region` holds nothing but atomics, so any bytes are a valid value and
        // writes by other processes are atomic accesses, not data races.
        unsafe { &*self.map.as_ptr().cast::<Region>() }
    }
}

/// Nanoseconds of `CLOCK_MONOTONIC`: the same for all processes of the machine, never set back.
#[must_use]
pub fn monotonic_ns() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid place to write to; the call touches nothing else and cannot fail
    // for this clock.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut time) };
    (time.tv_sec as u64).saturating_mul(1_000_000_000).saturating_add(time.tv_nsec as u64)
}

/// Waits for the advisory lock on `file`, which the kernel drops when its holder dies.
fn lock_exclusively(file: &File) -> std::io::Result<()> {
    loop {
        match flock(file, libc::LOCK_EX) {
            Err(why) if why.kind() == std::io::ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}

/// Gives the lock up. Closing the file would not: its mapping keeps it open.
fn unlock(file: &File) -> std::io::Result<()> {
    flock(file, libc::LOCK_UN)
}

fn flock(file: &File, operation: libc::c_int) -> std::io::Result<()> {
    // SAFETY: the descriptor is open for as long as `file` is borrowed.
    match unsafe { libc::flock(file.as_raw_fd(), operation) } {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error()),
    }
}

/// The user this process acts as.
fn effective_user() -> u32 {
    // SAFETY: the call has no arguments and always succeeds.
    unsafe { libc::geteuid() }
}

/// Rate limits stand on 16-byte compare-and-swap; an emulation would not reach other processes.
fn demand_wide_atomics() -> Result<()> {
    if portable_atomic::AtomicU128::is_lock_free() {
        return Ok(());
    }
    Err(failure("this processor lacks 16-byte compare-and-swap (cmpxchg16b)".to_owned()))
}

fn failure(message: String) -> Error {
    Error::new(Class::InternalError, message)
}

#[cfg(test)]
mod tests;
