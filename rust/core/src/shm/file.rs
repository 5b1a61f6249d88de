//! Making, checking and laying out the shared file, so that any number of workers may race for it.

use super::layout::{HEADER_WORDS, LAYOUT_VERSION, MAGIC, Region};
use super::{effective_user, lock_exclusively, unlock};
use std::fs::{File, OpenOptions};
use std::io::{Error, Result};
use std::mem::size_of;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

const HEADER_BYTES: usize = HEADER_WORDS * 8;

/// What the first words of the file say.
#[derive(Debug, PartialEq, Eq)]
struct Header {
    magic: u64,
    version: u64,
    bytes: u64,
    boot: u64,
}

impl Header {
    fn current() -> Self {
        Header {
            magic: MAGIC,
            version: LAYOUT_VERSION,
            bytes: size_of::<Region>() as u64,
            boot: boot_id(),
        }
    }

    fn read(file: &File) -> Result<Self> {
        let mut raw = [0; HEADER_BYTES];
        file.read_exact_at(&mut raw, 0)?;
        let word =
            |at: usize| raw[at * 8..].first_chunk().map_or(0, |bytes| u64::from_ne_bytes(*bytes));
        Ok(Header { magic: word(0), version: word(1), bytes: word(2), boot: word(3) })
    }
}

/// Opens the file at `path`, laid out for this version and this boot of the machine.
pub(super) fn open_laid_out(path: &Path) -> Result<File> {
    loop {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC)
            .open(path)?;
        check_privacy(&file)?;
        lock_exclusively(&file)?;
        if was_replaced(&file, path) {
            continue;
        }
        lay_out(&file)?;
        unlock(&file)?;
        return Ok(file);
    }
}

/// Lets nobody else's file in: it holds limits, and whoever can write it can lift them.
fn check_privacy(file: &File) -> Result<()> {
    let facts = file.metadata()?;
    if !facts.is_file() {
        return Err(Error::other("is not a regular file"));
    }
    if facts.uid() != effective_user() {
        return Err(Error::other("belongs to another user"));
    }
    if facts.mode() & 0o077 != 0 {
        return Err(Error::other("is open to other users; its mode must be 0600"));
    }
    Ok(())
}

/// True when `path` no longer leads to `file`: someone deleted it while we waited for the lock.
fn was_replaced(file: &File, path: &Path) -> bool {
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(held), Ok(named)) => (held.dev(), held.ino()) != (named.dev(), named.ino()),
        _ => true,
    }
}

/// Writes zeros and the header, unless a worker of this boot already has.
fn lay_out(file: &File) -> Result<()> {
    let current = Header::current();
    if file.metadata()?.len() >= HEADER_BYTES as u64 {
        let found = Header::read(file)?;
        if found == current && file.metadata()?.len() >= current.bytes {
            return Ok(());
        }
        refuse_foreign(&found, &current)?;
    }
    // Real zeros rather than a hole: a full disk shows here as an error, not later as a SIGBUS.
    file.set_len(0)?;
    file.write_all_at(&vec![0; size_of::<Region>()], 0)?;
    for (at, word) in [(1, current.version), (2, current.bytes), (3, current.boot)] {
        file.write_all_at(&word.to_ne_bytes(), at * 8)?;
    }
    // Last, for it says that the rest is there.
    file.write_all_at(&current.magic.to_ne_bytes(), 0)
}

/// An unfinished file, or one from before a reboot (its clock readings mean nothing now), may be
/// laid out anew; what another version of llmgw may still be using, or a stranger's file, may not.
fn refuse_foreign(found: &Header, current: &Header) -> Result<()> {
    if found.magic == 0 {
        return Ok(());
    }
    if found.magic != current.magic {
        return Err(Error::other("is not a shared memory file of llmgw"));
    }
    if found.boot != current.boot {
        return Ok(());
    }
    Err(Error::other(format!(
        "has layout {} of {} bytes, this version needs layout {} of {} bytes; stop the workers of \
         the other version and delete the file",
        found.version, found.bytes, current.version, current.bytes
    )))
}

/// Names the running boot of the machine; 0 where the system does not tell.
fn boot_id() -> u64 {
    let Ok(text) = std::fs::read_to_string("/proc/sys/kernel/random/boot_id") else {
        return 0;
    };
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).take(16).collect();
    u64::from_str_radix(&digits, 16).unwrap_or(0)
}
