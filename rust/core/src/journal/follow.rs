//! Reads a folder of journals again and again, each time only what is new in it.

use super::folder::Folder;
use super::reader::{Finding, Found, Place, Positions, Reader};
use super::segment::Writer;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

/// Bytes of payloads after which a batch is full.
const MOST_BYTES: usize = 16 << 20;

/// What one look at the folder gave.
#[derive(Debug, Default)]
pub struct Batch {
    /// Records: whose, which, and what was appended.
    pub records: Vec<(Writer, u64, Vec<u8>)>,
    /// What is wrong, each told once.
    pub findings: Vec<Finding>,
    /// Whether there was more than was asked for.
    pub is_full: bool,
    /// Why a writer's records could not be read further; the next look tries again.
    pub failure: Option<io::Error>,
}

/// Follows all writers of a folder, from given positions on.
///
/// It remembers where it stopped in each segment, so that a look costs what is new, not what is there.
pub struct Follower {
    folder: Folder,
    positions: Positions,
    places: BTreeMap<Writer, Place>,
    /// Dead writers all of whose records were read: they are not looked at again.
    ended: BTreeSet<Writer>,
    /// The writer whose turn is over.
    last: Option<Writer>,
    told: Vec<Finding>,
}

impl Follower {
    /// Begins at these positions; with other writers, at their first record.
    #[must_use]
    pub fn new(folder: &Path, positions: Positions) -> Self {
        Follower {
            folder: Folder::at(folder),
            positions,
            places: BTreeMap::new(),
            ended: BTreeSet::new(),
            last: None,
            told: Vec::new(),
        }
    }

    /// Up to `most` records that were not read yet, of each writer in order. Writers take turns in being
    /// the first, so that a busy one does not keep the others waiting.
    ///
    /// # Errors
    /// When the folder cannot be listed.
    pub fn read(&mut self, most: usize) -> io::Result<Batch> {
        let mut batch = Batch::default();
        let mut listing = self.folder.list()?;
        listing.retain(|writer, _| !self.ended.contains(writer));
        let behind = self
            .last
            .map_or_else(BTreeMap::new, |last| listing.split_off(&Writer(last.0.wrapping_add(1))));
        for part in [behind, listing] {
            let mut reader = Reader::over(
                self.folder.clone(),
                part,
                self.positions.clone(),
                self.places.clone(),
            );
            fill(&mut reader, &mut batch, most);
            let (places, ended) = reader.into_progress();
            self.places.extend(places);
            self.ended.extend(ended);
        }
        self.last = batch.records.last().map(|(writer, ..)| *writer);
        batch.findings.retain(|finding| !self.told.contains(finding));
        self.told.extend(batch.findings.iter().cloned());
        Ok(batch)
    }

    /// Writers that are dead and whose records were all read.
    #[must_use]
    pub fn ended(&self) -> &BTreeSet<Writer> {
        &self.ended
    }
}

fn fill(reader: &mut Reader, batch: &mut Batch, most: usize) {
    let mut bytes = 0;
    while !batch.is_full
        && let Some(found) = reader.next()
    {
        match found {
            Err(error) => batch.failure = Some(error),
            Ok(Found::Finding(finding)) => batch.findings.push(finding),
            Ok(Found::Record { writer, sequence, payload }) => {
                bytes += payload.len();
                batch.records.push((writer, sequence, payload));
                batch.is_full = batch.records.len() >= most || bytes >= MOST_BYTES;
            }
        }
    }
}
