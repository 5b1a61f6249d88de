//! Names of records: 128 random bits each, so that no two writers ever give the same one.

use serde::{Serialize, Serializer};
use std::io;

/// Bytes of an id.
const SIZE: usize = 16;
/// Random bytes that are asked for at a time: one call to the system for 64 ids.
const POOL: usize = 64 * SIZE;

/// An id, as 32 hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Id([u8; 2 * SIZE]);

impl Id {
    /// Its digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Hex digits are text.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Where ids come from.
pub(super) struct Ids {
    pool: [u8; POOL],
    used: usize,
}

impl Ids {
    /// With randomness of this process's own.
    pub(super) fn new() -> io::Result<Self> {
        let mut ids = Ids { pool: [0; POOL], used: POOL };
        ids.fill()?;
        Ok(ids)
    }

    fn fill(&mut self) -> io::Result<()> {
        getrandom::fill(&mut self.pool).map_err(|error| io::Error::other(error.to_string()))?;
        self.used = 0;
        Ok(())
    }

    /// A new one.
    pub(super) fn next(&mut self) -> io::Result<Id> {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        if self.used == POOL {
            self.fill()?;
        }
        let bytes = &self.pool[self.used..self.used + SIZE];
        self.used += SIZE;
        let mut digits = [0; 2 * SIZE];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
            pair[0] = HEX[usize::from(byte >> 4)];
            pair[1] = HEX[usize::from(byte & 15)];
        }
        Ok(Id(digits))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_id_is_given_twice() {
        let mut ids = Ids::new().unwrap();
        let given: HashSet<String> =
            (0..1000).map(|_| ids.next().unwrap().as_str().to_owned()).collect();
        assert_eq!(given.len(), 1000);
        assert!(given.iter().all(|id| id.len() == 32 && u128::from_str_radix(id, 16).is_ok()));
    }
}
