//! A segment that is being written: a file whose blocks are there from the beginning, mapped into memory.
//!
//! What is stored in the mapping is the system's at once, and stays when the process is killed. Blocks that
//! are there cannot be missing when a page is first touched: a full disk is an error of making a segment.

use super::disk::Disk;
use super::folder::Folder;
use super::frame::{HEAD, MARK};
use super::header::{FIRST_AT, HEADER, Header, Opening, SETTLED, SETTLED_AT, SUM_AT};
use super::segment::{Writer, lock_alone};
use memmap2::{Advice, MmapOptions, MmapRaw};
use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::path::Path;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

/// One of a writer's segments. Its lock is held until it is dropped.
pub(super) struct Segment {
    file: File,
    map: MmapRaw,
    /// As it was made; what was stored later is in the next two.
    made: Header,
    first: OnceLock<u64>,
    is_settled: AtomicBool,
}

impl Segment {
    /// A writer's first, which is used from the beginning.
    pub(super) fn first(
        disk: &mut impl Disk,
        folder: &Folder,
        writer: Writer,
        bytes: usize,
    ) -> io::Result<Self> {
        let opening = Some(Opening { first: 0, is_settled: true });
        Segment::make(
            disk,
            folder,
            Header { writer, number: 0, created: unix_ns(), opening },
            bytes,
        )
    }

    /// The one after this, to be used when this one is full.
    pub(super) fn prepare_next(
        &self,
        disk: &mut impl Disk,
        folder: &Folder,
        bytes: usize,
    ) -> io::Result<Self> {
        let number = self.number().checked_add(1).ok_or(io::ErrorKind::FileTooLarge)?;
        let writer = self.made.writer;
        let header = Header { writer, number, created: unix_ns(), opening: None };
        Segment::make(disk, folder, header, bytes)
    }

    fn make(disk: &mut impl Disk, folder: &Folder, made: Header, bytes: usize) -> io::Result<Self> {
        let (unfinished, file) = folder.unfinished()?;
        let path = folder.path(made.writer, made.number);
        match Segment::name(disk, folder, (&unfinished, &path), (&file, &made), bytes) {
            Ok(map) => {
                let (first, is_settled) = match made.opening {
                    Some(opening) => (OnceLock::from(opening.first), opening.is_settled),
                    None => (OnceLock::new(), false),
                };
                let is_settled = AtomicBool::new(is_settled);
                Ok(Segment { file, map, made, first, is_settled })
            }
            Err(error) => {
                // The error to be told is the first one, and repair finds what stays. Nothing was written to
                // a segment of that name.
                let _ = fs::remove_file(&unfinished);
                let _ = fs::remove_file(&path);
                Err(error)
            }
        }
    }

    /// Gives a file all that a segment has; last its name.
    fn name(
        disk: &mut impl Disk,
        folder: &Folder,
        (unfinished, path): (&Path, &Path),
        (file, made): (&File, &Header),
        bytes: usize,
    ) -> io::Result<MmapRaw> {
        if !lock_alone(file)? {
            return Err(io::Error::other("somebody locked a new segment"));
        }
        disk.allocate(file, bytes as u64)?;
        disk.write(file, &made.encode(), 0)?;
        disk.sync(file)?;
        let map = MmapOptions::new().len(bytes).map_raw(file)?;
        // A process that is forked has no use for it, and cannot spoil it then.
        map.advise(Advice::DontFork)?;
        fs::rename(unfinished, path)?;
        folder.sync()?;
        Ok(map)
    }

    /// Whose it is.
    pub(super) fn writer(&self) -> Writer {
        self.made.writer
    }

    /// Which of its writer's it is.
    pub(super) fn number(&self) -> u64 {
        self.made.number
    }

    /// Has these of its bytes on the disk.
    pub(super) fn force(&self, disk: &mut impl Disk, bytes: Range<usize>) -> io::Result<()> {
        disk.force(&self.map, bytes)
    }

    /// Has the system find the pages for these bytes, so that whoever appends need not wait for that.
    pub(super) fn touch(&self, bytes: Range<usize>) {
        let end = bytes.end.min(self.map.len());
        // One that cannot do that in advance does it when they are first stored to.
        let length = end.saturating_sub(bytes.start);
        let _ = self.map.advise_range(Advice::PopulateWrite, bytes.start.min(end), length);
    }

    /// Writes once more what already stands there: the header, and these frames.
    ///
    /// After it failed to force them, the system takes the pages for clean, and may forget them. Writing makes
    /// them what they were, and dirty again, so that they are forced the next time.
    pub(super) fn rewrite(
        &self,
        disk: &mut impl Disk,
        frames: &[u8],
        offset: usize,
    ) -> io::Result<()> {
        let is_settled = self.is_settled.load(Ordering::Acquire);
        let opening = self.first.get().map(|&first| Opening { first, is_settled });
        disk.write(&self.file, &Header { opening, ..self.made }.encode(), 0)?;
        disk.write(&self.file, frames, offset as u64)
    }

    /// Notes that the segment before is on the disk as a whole.
    pub(super) fn settle(&self) {
        self.is_settled.store(true, Ordering::Release);
        self.word(SETTLED_AT).store(SETTLED.to_le(), Ordering::Release);
    }

    /// Ends the file where its records do. Nothing is lost where that fails: zeros stay behind them.
    pub(super) fn cut(&self, disk: &mut impl Disk, end: usize) {
        let _ = disk.cut(&self.file, end as u64);
    }

    /// A word of the header.
    fn word(&self, at: usize) -> &AtomicU32 {
        assert!(at.is_multiple_of(4) && at + 4 <= HEADER);
        // SAFETY: a mapping begins at a page and is longer than a header, so the word is in it and aligned;
        // it lives as long as `self`, and this process accesses those words in no other way.
        unsafe { AtomicU32::from_ptr(self.map.as_mut_ptr().add(at).cast()) }
    }
}

/// Where the next record goes in a segment. There is one of it for each segment.
pub(super) struct Place {
    segment: Arc<Segment>,
    end: usize,
}

impl Place {
    /// The beginning of a segment that was just made.
    pub(super) fn new(segment: Segment) -> Self {
        Place { segment: Arc::new(segment), end: HEADER }
    }

    pub(super) fn segment(&self) -> &Arc<Segment> {
        &self.segment
    }

    /// Where the next frame begins.
    pub(super) fn end(&self) -> usize {
        self.end
    }

    /// Bytes that are left.
    pub(super) fn room(&self) -> usize {
        self.segment.map.len() - self.end
    }

    /// Whether it is time to have the next one ready.
    pub(super) fn is_half_full(&self) -> bool {
        self.end >= self.segment.map.len() / 2
    }

    /// Begins to use a prepared segment with the record of this sequence.
    pub(super) fn begin(&mut self, first: u64) {
        if self.segment.first.set(first).is_err() {
            return;
        }
        // SAFETY: as in `append`; the field is within the header, which is within the mapping.
        unsafe {
            let at = self.segment.map.as_mut_ptr().add(FIRST_AT);
            ptr::copy_nonoverlapping(first.to_le_bytes().as_ptr(), at, 8);
        }
        let sum = self.segment.made.opening_sum(first);
        self.segment.word(SUM_AT).store(sum.to_le(), Ordering::Release);
    }

    /// Appends a frame, which must have room. It is there when its first byte is, and that is stored last.
    pub(super) fn append(&mut self, head: &[u8; HEAD], payload: &[u8]) {
        assert!(HEAD + payload.len() <= self.room());
        // SAFETY: the frame is within the mapping, which `segment` keeps. There is one `Place` for a segment,
        // it is borrowed exclusively, and nobody else accesses what is behind the header through the mapping.
        // Other processes read the file, and take what they find for bytes of any value.
        unsafe {
            let at = self.segment.map.as_mut_ptr().add(self.end);
            ptr::copy_nonoverlapping(payload.as_ptr(), at.add(HEAD), payload.len());
            ptr::copy_nonoverlapping(head[1..].as_ptr(), at.add(1), HEAD - 1);
            AtomicU8::from_ptr(at).store(MARK, Ordering::Release);
        }
        self.end += HEAD + payload.len();
    }
}

fn unix_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
