//! From a label set to its row: packed into words, hashed once, found by comparing words.

use crate::shm::{LABEL_WORDS, Row, Shared};
use foldhash::quality::FixedState;
use std::hash::BuildHasher;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

/// Longest label value kept, in bytes; five of them and their lengths fit a row.
const LONGEST: usize = 96;
/// How far from its home a row may lie.
const REACH: usize = 64;
/// Room for the packed labels.
const BYTES: usize = LABEL_WORDS * 8;

/// What a finished request is filed under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Labels<'a> {
    /// Path of the endpoint.
    pub endpoint: &'a str,
    /// Name of the model group.
    pub model: &'a str,
    /// Provider; empty when none was asked.
    pub provider: &'a str,
    /// Id of the deployment; empty when none was asked.
    pub deployment: &'a str,
    /// Alias of the virtual key.
    pub key: &'a str,
    /// HTTP status of the reply.
    pub status: u16,
}

/// The labels of a row, read back.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OwnedLabels {
    /// Endpoint, model, provider, deployment, key.
    pub values: [String; 5],
    /// HTTP status.
    pub status: u16,
}

/// The row of `labels`, made on their first use; the row of all others when there is no room.
pub(super) fn row<'a>(shared: &'a Shared, labels: &Labels<'_>) -> &'a Row {
    let packed = Packed::new(labels);
    let hash = FixedState::with_seed(0).hash_one(packed.words()).max(1);
    let home = hash as usize % shared.rows.len();
    for step in 0..REACH {
        let row = &shared.rows[(home + step) % shared.rows.len()];
        if packed.is_at(row, hash) {
            return row;
        }
    }
    &shared.other
}

/// The labels of a row; `None` when it is free or not quite written yet.
pub(super) fn read(row: &Row) -> Option<OwnedLabels> {
    let length = row.label_bytes.load(Acquire) as usize;
    let mut bytes = Vec::with_capacity(BYTES);
    for word in row.labels.iter().take(length.div_ceil(8)) {
        bytes.extend_from_slice(&word.load(Relaxed).to_ne_bytes());
    }
    let (status, mut rest) = bytes.split_first_chunk()?;
    let values = std::array::from_fn(|_| {
        let (length, text) = rest.split_first().unwrap_or((&0, &[]));
        let (value, after) = text.split_at(text.len().min(usize::from(*length)));
        rest = after;
        String::from_utf8_lossy(value).into_owned()
    });
    Some(OwnedLabels { values, status: u16::from_ne_bytes(*status) })
}

/// Labels as they lie in a row: the status, then each value behind its length.
struct Packed {
    words: [u64; LABEL_WORDS],
    bytes: usize,
}

impl Packed {
    fn new(labels: &Labels<'_>) -> Self {
        let mut bytes = [0; BYTES];
        bytes[..2].copy_from_slice(&labels.status.to_ne_bytes());
        let mut end = 2;
        for value in [labels.endpoint, labels.model, labels.provider, labels.deployment, labels.key]
        {
            let value = &value.as_bytes()[..fitting(value)];
            bytes[end] = value.len() as u8;
            bytes[end + 1..end + 1 + value.len()].copy_from_slice(value);
            end += 1 + value.len();
        }
        let mut words = [0; LABEL_WORDS];
        for (word, chunk) in words.iter_mut().zip(bytes.as_chunks().0).take(end.div_ceil(8)) {
            *word = u64::from_ne_bytes(*chunk);
        }
        Packed { words, bytes: end }
    }

    fn words(&self) -> &[u64] {
        &self.words[..self.bytes.div_ceil(8)]
    }

    /// True when `row` holds these labels, or does from now on. A row is claimed by its hash; its
    /// labels follow. Whoever meets a claimed row without labels writes them (the same bytes, the
    /// hash being the same), so nobody waits for a worker that died in between.
    fn is_at(&self, row: &Row, hash: u64) -> bool {
        let mut found = row.hash.load(Acquire);
        if found == 0 {
            found = match row.hash.compare_exchange(0, hash, AcqRel, Acquire) {
                Ok(_) => hash,
                Err(other) => other,
            };
        }
        if found != hash {
            return false;
        }
        match row.label_bytes.load(Acquire) {
            0 => self.write(row),
            bytes if bytes != self.bytes as u64 => return false,
            _ => {}
        }
        self.words().iter().zip(&row.labels).all(|(word, held)| *word == held.load(Relaxed))
    }

    fn write(&self, row: &Row) {
        for (word, place) in self.words().iter().zip(&row.labels) {
            place.store(*word, Relaxed);
        }
        row.label_bytes.store(self.bytes as u64, Release);
    }
}

/// How many bytes of `value` are kept: whole characters only.
fn fitting(value: &str) -> usize {
    let mut length = value.len().min(LONGEST);
    while !value.is_char_boundary(length) {
        length -= 1;
    }
    length
}
