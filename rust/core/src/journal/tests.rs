#![allow(clippy::unwrap_used)]

mod damage;
mod disk;
mod failing;
mod following;
mod killing;
mod living;
mod moving;
mod room;
mod upkeep;
mod writing;

use super::*;
use crate::store::testing::TempFolder;
use std::path::PathBuf;

/// Longer than any test waits that passes.
const LONG: Duration = Duration::from_secs(60);

/// What a folder holds: each record with its writer and sequence, and what is wrong.
type Content = (Vec<(Writer, u64, Vec<u8>)>, Vec<Finding>);

fn content(folder: &Path) -> Content {
    content_of(read(folder).unwrap())
}

fn content_of(reader: Reader) -> Content {
    let mut content = Content::default();
    for found in reader {
        match found.unwrap() {
            Found::Record { writer, sequence, payload } => {
                content.0.push((writer, sequence, payload));
            }
            Found::Finding(finding) => content.1.push(finding),
        }
    }
    content
}

/// The payloads of a folder's only writer, which must be numbered without a gap and flawless.
fn payloads(folder: &Path) -> Vec<Vec<u8>> {
    let (records, findings) = content(folder);
    assert_eq!(findings, []);
    for (expected, (writer, sequence, _)) in (0..).zip(&records) {
        assert_eq!((*writer, *sequence), (records[0].0, expected));
    }
    records.into_iter().map(|(_, _, payload)| payload).collect()
}

/// Lets others work for some time.
#[allow(clippy::disallowed_methods)] // no runtime is blocked here
fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// Appends, and waits for room as long as there is none.
fn put(journal: &Journal, payload: &[u8]) -> u64 {
    let start = Instant::now();
    loop {
        match journal.append(payload) {
            Err(Refused::Full) => assert!(start.elapsed() < LONG, "{:?}", journal.health()),
            taken => return taken.unwrap(),
        }
        std::thread::yield_now();
    }
}

/// A journal with segments that hold three records of 1000 bytes.
fn open_small(folder: &Path) -> Journal {
    Journal::open_on(RealDisk, folder, small_segments()).unwrap()
}

fn small_segments() -> Options {
    Options { segment_bytes: 4096, gather: Duration::ZERO, ..Options::default() }
}

/// The segments of a folder, in order.
fn segments(folder: &Path) -> Vec<PathBuf> {
    let paths = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut paths: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|end| end == "log")).collect();
    paths.sort();
    paths
}

/// A closed journal of these groups of records; its only segment.
fn written(folder: &Path, groups: &[&[&[u8]]]) -> PathBuf {
    let journal = Journal::open(folder, Options::default()).unwrap();
    for group in groups {
        let last = group.iter().map(|payload| journal.append(payload).unwrap()).last();
        journal.wait(last.unwrap(), LONG).unwrap();
    }
    journal.close().unwrap();
    segments(folder).pop().unwrap()
}
