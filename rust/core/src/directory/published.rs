//! How far a file is written: its number and its length in one word, so that nobody sees the one without the
//! other.

use crate::shm::{Region, Word};
use std::sync::atomic::Ordering::{AcqRel, Acquire, Release};

/// Bits of the length: a tebibyte.
const LENGTH_BITS: u32 = 40;
const LENGTH: u64 = (1 << LENGTH_BITS) - 1;

/// What there is to read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Published {
    /// The file's number, from 1; 0: there is none.
    pub file: u64,
    /// Bytes of it that may be read.
    pub length: u64,
}

impl Published {
    /// What is published now.
    #[must_use]
    pub fn load(shared: &Region) -> Self {
        let word = shared.word(Word::Directory).load(Acquire);
        Published { file: word >> LENGTH_BITS, length: word & LENGTH }
    }

    /// Publishes it. What it tells of must be in the file.
    ///
    /// # Errors
    /// When one of the two is too large a number.
    pub fn store(self, shared: &Region) -> Result<(), String> {
        if self.length > LENGTH || self.file >= 1 << (u64::BITS - LENGTH_BITS) {
            return Err("the number or the length of the directory's file is too large".into());
        }
        let word = self.file << LENGTH_BITS | self.length;
        shared.word(Word::Directory).store(word, Release);
        Ok(())
    }

    /// Asks whoever writes the files for a new one in the place of this.
    pub fn note_damage(self, shared: &Region) {
        shared.word(Word::DamagedDirectory).fetch_max(self.file, AcqRel);
    }

    /// The number of the newest file that somebody found damaged; 0 if none was.
    #[must_use]
    pub fn damaged(shared: &Region) -> u64 {
        shared.word(Word::DamagedDirectory).load(Acquire)
    }
}
