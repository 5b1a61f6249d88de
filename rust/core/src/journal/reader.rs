//! Reads the records of all writers of a folder back, also while they are being written.
//!
//! Writer by writer, each in order. What is behind damage in a segment is not read: whatever looks like a
//! record there may be part of one. Reading goes on with the next segment, and what is missing is told.

use super::folder::{Folder, Listing};
use super::header::{HEADER, Header, Opening};
use super::scan::{Beginning, Frames, Step};
use super::segment::{self, Sequel, State, Writer};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Where to begin, for some writers: the first sequence that is wanted.
pub type Positions = BTreeMap<Writer, u64>;

/// Where a reader stopped in a writer's records, so that the next one need not look for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// The segment.
    number: u64,
    /// Where in it the last record ends that was read.
    offset: u64,
    /// The sequence of the record that comes next.
    sequence: u64,
}

/// Something that is wrong with a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// What a dead writer appended last did not reach the disk whole. Nothing is missing that was told as durable.
    Torn {
        /// The segment. What is in the writer's next one is not read.
        file: PathBuf,
        /// Where whole records end.
        offset: u64,
    },
    /// Records are missing, damaged or in the wrong place.
    Corrupt {
        /// The segment.
        file: PathBuf,
        /// Where in it.
        offset: u64,
        /// What is wrong, for people.
        why: String,
    },
}

/// What a reader comes upon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A record.
    Record {
        /// Whose it is.
        writer: Writer,
        /// Which of that writer's it is.
        sequence: u64,
        /// What was appended.
        payload: Vec<u8>,
    },
    /// Something wrong.
    Finding(Finding),
}

/// All records of a folder.
///
/// # Errors
/// When the folder cannot be listed. One that does not exist is empty.
pub fn read(folder: &Path) -> io::Result<Reader> {
    read_from(folder, Positions::new())
}

/// The records of a folder from these positions on; of other writers, all. A position that is behind the
/// last record is no error.
///
/// # Errors
/// As [`read`].
pub fn read_from(folder: &Path, positions: Positions) -> io::Result<Reader> {
    let folder = Folder::at(folder);
    let listing = folder.list()?;
    Ok(Reader::over(folder, listing, positions, BTreeMap::new()))
}

/// An iterator over what there is. It ends; a live writer's records that come later are for the next one.
///
/// An error means that a segment could not be read; what comes next is from the next writer.
pub struct Reader {
    folder: Folder,
    /// Writers to come.
    listing: Listing,
    positions: Positions,
    /// Where reading goes on, and how far it came.
    places: BTreeMap<Writer, Place>,
    /// Dead writers all of whose records were read.
    ended: BTreeSet<Writer>,
    course: Option<Course>,
    findings: VecDeque<Finding>,
}

impl Reader {
    /// Reads these segments, each writer's from its place on, or else from its position.
    pub(super) fn over(
        folder: Folder,
        listing: Listing,
        positions: Positions,
        places: BTreeMap<Writer, Place>,
    ) -> Self {
        let (ended, findings) = (BTreeSet::new(), VecDeque::new());
        Reader { folder, listing, positions, places, ended, course: None, findings }
    }

    /// How far it came with each writer, and the dead ones of whom there is no more to come.
    pub(super) fn into_progress(self) -> (BTreeMap<Writer, Place>, BTreeSet<Writer>) {
        (self.places, self.ended)
    }
}

/// The way through one writer's segments.
struct Course {
    writer: Writer,
    /// Segments to come, of those that were listed.
    numbers: BTreeSet<u64>,
    /// The last of them.
    last: u64,
    /// The first sequence that is wanted.
    from: u64,
    /// The sequence that the next segment has to begin with, if that is known.
    expected: Option<u64>,
    /// The segment before.
    before: Option<u64>,
    /// Where an earlier reader stopped.
    place: Option<Place>,
    /// Whether the segment that was opened last is the last one of a dead writer.
    is_left: bool,
    open: Option<Open>,
}

/// A segment that is being read.
struct Open {
    frames: Frames<File>,
    number: u64,
    state: State,
    sequel: Sequel,
}

impl Iterator for Reader {
    type Item = io::Result<Found>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(finding) = self.findings.pop_front() {
                return Some(Ok(Found::Finding(finding)));
            }
            let Some(course) = &mut self.course else {
                let (writer, numbers) = self.listing.pop_first()?;
                let place = self.places.get(&writer).copied();
                let from = place.map(|place| place.sequence);
                let from = from.or_else(|| self.positions.get(&writer).copied());
                match Course::begin(&self.folder, writer, numbers, from, place) {
                    Ok(course) => self.course = Some(course),
                    Err(error) => return Some(Err(error)),
                }
                continue;
            };
            match course.step(&self.folder, &mut self.findings) {
                Ok(Some(Stage::Record(found, place))) => {
                    self.places.insert(course.writer, place);
                    return Some(Ok(found));
                }
                Ok(Some(Stage::Onwards)) => {}
                Ok(None) => {
                    if course.is_left {
                        self.ended.insert(course.writer);
                    }
                    self.course = None;
                }
                Err(error) => {
                    self.course = None;
                    return Some(Err(error));
                }
            }
        }
    }
}

enum Stage {
    Record(Found, Place),
    Onwards,
}

impl Course {
    fn begin(
        folder: &Folder,
        writer: Writer,
        mut numbers: BTreeSet<u64>,
        from: Option<u64>,
        place: Option<Place>,
    ) -> io::Result<Self> {
        let last = numbers.last().copied().unwrap_or(0);
        if let Some(place) = place {
            numbers = numbers.split_off(&place.number);
        } else if let Some(from) = from {
            skip(folder, writer, &mut numbers, from)?;
        }
        Ok(Course {
            writer,
            numbers,
            last,
            from: from.unwrap_or(0),
            expected: None,
            before: None,
            place,
            is_left: false,
            open: None,
        })
    }

    /// Goes one step on; `None` when the writer's records are all read.
    fn step(
        &mut self,
        folder: &Folder,
        findings: &mut VecDeque<Finding>,
    ) -> io::Result<Option<Stage>> {
        let Some(mut open) = self.open.take() else {
            let Some(number) = self.next_number(folder, findings)? else { return Ok(None) };
            self.open = self.open(folder, number, findings)?;
            return Ok(Some(Stage::Onwards));
        };
        let file = || folder.path(self.writer, open.number);
        match open.frames.step()? {
            Step::Record { sequence, payload } => {
                let stage = if sequence < self.from {
                    Stage::Onwards
                } else {
                    let payload = payload.to_vec();
                    let found = Found::Record { writer: self.writer, sequence, payload };
                    let (number, offset) = (open.number, open.frames.offset());
                    Stage::Record(found, Place { number, offset, sequence: sequence + 1 })
                };
                self.open = Some(open);
                return Ok(Some(stage));
            }
            Step::End => {
                let (file, end) = (file(), open.frames.offset());
                self.end(&mut open, file, end, findings)?;
            }
            Step::Unwritten { offset } => {
                let (file, next) = (file(), open.frames.next_sequence());
                // A living writer's is as long as it may become, and not looked through.
                if open.state == State::Growing || open.frames.is_blank()? {
                    self.end(&mut open, file, offset, findings)?;
                } else {
                    let why = format!("record {next}: it was never finished");
                    self.judge(&mut open, file, offset, why, findings)?;
                }
            }
            Step::Misplaced { offset, why } => {
                findings.push_back(Finding::Corrupt { file: file(), offset, why });
            }
            Step::Broken { offset, why } => {
                let file = file();
                self.judge(&mut open, file, offset, why, findings)?;
            }
        }
        self.expected = Some(open.frames.next_sequence());
        Ok(Some(Stage::Onwards))
    }

    /// Comes to where the records of a segment end.
    fn end(
        &mut self,
        open: &mut Open,
        file: PathBuf,
        offset: u64,
        findings: &mut VecDeque<Finding>,
    ) -> io::Result<()> {
        match (open.state, open.sequel) {
            // There is less than was appended: pages of zeros, that never came to the disk.
            (State::Left, Sequel::Used(Opening { first, .. }))
                if open.frames.next_sequence() < first =>
            {
                let why = "it ends too early".into();
                self.judge(open, file, offset, why, findings)?;
            }
            // What comes after it may come only now.
            (State::Growing, Sequel::None | Sequel::Prepared | Sequel::Broken) => self.stop(open),
            _ => {}
        }
        Ok(())
    }

    /// Tells of something broken; not if it is still being written.
    fn judge(
        &mut self,
        open: &mut Open,
        file: PathBuf,
        offset: u64,
        why: String,
        findings: &mut VecDeque<Finding>,
    ) -> io::Result<()> {
        let why = match open.state {
            State::Growing => {
                self.stop(open);
                return Ok(());
            }
            State::Followed => why,
            State::Left => match open.frames.damage()? {
                None => {
                    self.stop(open);
                    findings.push_back(Finding::Torn { file, offset });
                    return Ok(());
                }
                Some(damage) => format!("{why}; {damage}"),
            },
        };
        findings.push_back(Finding::Corrupt { file, offset, why });
        Ok(())
    }

    /// Leaves out what comes after this segment.
    fn stop(&mut self, open: &Open) {
        self.last = open.number;
    }

    /// The segment to be read next. It may have come into being after the folder was listed, which a listing
    /// made meanwhile may have missed; so its existence is asked for.
    fn next_number(
        &mut self,
        folder: &Folder,
        findings: &mut VecDeque<Finding>,
    ) -> io::Result<Option<u64>> {
        let Some(before) = self.before else {
            self.before = self.numbers.pop_first();
            return Ok(self.before);
        };
        if before >= self.last {
            return Ok(None);
        }
        let mut number = before + 1;
        let is_listed = self.numbers.remove(&number);
        if !is_listed && !folder.has(self.writer, number)? {
            let Some(listed) = self.numbers.pop_first() else { return Ok(None) };
            let why = format!("segments {number} to {} are missing", listed - 1);
            let file = folder.path(self.writer, number);
            findings.push_back(Finding::Corrupt { file, offset: 0, why });
            number = listed;
        }
        self.before = Some(number);
        Ok(self.before)
    }

    /// Opens a segment; `None` if nothing can be read from it.
    fn open(
        &mut self,
        folder: &Folder,
        number: u64,
        findings: &mut VecDeque<Finding>,
    ) -> io::Result<Option<Open>> {
        let name = (self.writer, number);
        let path = folder.path(self.writer, number);
        let Some(file) = folder.open(self.writer, number)? else {
            // Segments are removed from the first one on. Where an earlier one is still there, it was not that.
            self.expected = None;
            let is_gap = folder
                .list()?
                .get(&self.writer)
                .is_some_and(|now| now.range(..number).next().is_some());
            if is_gap {
                let why = "it is missing".into();
                findings.push_back(Finding::Corrupt { file: path, offset: 0, why });
            }
            return Ok(None);
        };
        // Asked before anything is read: a dead writer's file does not change any more, and where the next one
        // is used, this one is complete.
        let (state, sequel) = match segment::state(folder, &file, name)? {
            (State::Left, Sequel::None) if number < self.last => (State::Followed, Sequel::None),
            (State::Left, Sequel::Prepared) if number.saturating_add(1) < self.last => {
                (State::Followed, Sequel::Prepared)
            }
            known => known,
        };
        self.is_left = state == State::Left;
        if let Some(place) = self.place.take_if(|place| place.number == number) {
            let frames = resume(file, name, place)?;
            return Ok(Some(Open { frames, number, state, sequel }));
        }
        let (frames, beginning) = Frames::open(file, name)?;
        let mut open = Open { frames, number, state, sequel };
        let why = match beginning {
            Beginning::Short if state == State::Left => {
                findings.push_back(Finding::Torn { file: path, offset: 0 });
                return Ok(None);
            }
            Beginning::Short => "its header is cut off",
            Beginning::Broken(why) => why,
            Beginning::Header(Header { opening: Some(Opening { first, .. }), .. }) => {
                if let Some(why) = self.unexpected(first) {
                    findings.push_back(Finding::Corrupt { file: path, offset: 0, why });
                }
                return Ok(Some(open));
            }
            Beginning::Header(_) if state == State::Followed => {
                "it was never used, and is followed"
            }
            Beginning::Header(_) => {
                // What was appended first may have reached the disk, and the word that it is used may not.
                if state == State::Left && !open.frames.is_blank()? {
                    findings.push_back(Finding::Torn { file: path, offset: 0 });
                }
                return Ok(None);
            }
        };
        findings.push_back(Finding::Corrupt { file: path, offset: 0, why: why.into() });
        Ok(None)
    }

    /// What is wrong if a segment begins with this sequence. The first one may begin anywhere up to what is
    /// wanted: those before may have been removed.
    fn unexpected(&self, first: u64) -> Option<String> {
        let expected = self.expected.or((self.from > 0).then_some(first.min(self.from)))?;
        match first {
            first if first > expected => {
                Some(format!("records {expected} to {} are missing", first - 1))
            }
            first if first < expected => {
                Some(format!("records {first} to {} are there twice", expected - 1))
            }
            _ => None,
        }
    }
}

/// The frames of a segment behind a place in it.
fn resume(mut file: File, name: (Writer, u64), place: Place) -> io::Result<Frames<File>> {
    file.seek(SeekFrom::Start(place.offset))?;
    Ok(Frames::resume(file, name, place.offset, place.sequence))
}

/// Leaves out the segments all of whose records are before `from`.
fn skip(folder: &Folder, writer: Writer, numbers: &mut BTreeSet<u64>, from: u64) -> io::Result<()> {
    let mut all = numbers.iter().copied();
    let mut kept = all.next();
    while let Some(next) = all.next()
        && first_sequence(folder, writer, next)?.is_some_and(|first| first <= from)
    {
        kept = Some(next);
    }
    if let Some(kept) = kept {
        *numbers = numbers.split_off(&kept);
    }
    Ok(())
}

/// The sequence that a segment begins with, as its header says; `None` if that is not to be had.
fn first_sequence(folder: &Folder, writer: Writer, number: u64) -> io::Result<Option<u64>> {
    let Some(file) = folder.open(writer, number)? else { return Ok(None) };
    let header = file.take(HEADER as u64);
    Ok(match Frames::open(header, (writer, number))?.1 {
        Beginning::Header(header) => header.opening.map(|opening| opening.first),
        Beginning::Short | Beginning::Broken(_) => None,
    })
}
