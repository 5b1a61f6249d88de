//! What is done to the segments of writers: torn ends are cut off, and what is no longer needed is removed.

use super::folder::{self, Folder};
use super::reader::first_sequence;
use super::scan::{Beginning, Frames, Step};
use super::segment::{self, State, Writer};
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A file that is to become a segment does so long before this age.
const ABANDONED: Duration = Duration::from_secs(60);

/// What a repair cut off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// The segment.
    pub file: PathBuf,
    /// Where it ends now.
    pub offset: u64,
    /// How much it was.
    pub bytes: u64,
    /// Where that is now.
    pub aside: PathBuf,
}

/// Cuts off what dead writers left unfinished, so that their segments read without a finding.
///
/// What is cut off is set aside, in `SEGMENT.torn-OFFSET`, since a last group that was damaged later looks
/// like one that was never finished. Damage is left as it is.
///
/// # Errors
/// The system's; what was repaired until then is.
pub fn repair(folder: &Path) -> io::Result<Vec<Cut>> {
    let folder = Folder::at(folder);
    let mut cuts = Vec::new();
    for (writer, numbers) in folder.list()? {
        let Some(&last) = numbers.last() else { continue };
        let Some(file) = claim(&folder, (writer, last))? else { continue };
        if let Some(offset) = torn(&file, (writer, last))? {
            cuts.push(cut(&folder, file, (writer, last), offset)?);
        }
    }
    for path in folder.list_unfinished()? {
        clear(&path)?;
    }
    Ok(cuts)
}

/// Removes the segments of a writer that hold only records before `before`; returns how many.
///
/// The last one goes only if the writer is dead and nothing in it is broken.
///
/// # Errors
/// The system's.
pub fn remove(folder: &Path, writer: Writer, before: u64) -> io::Result<usize> {
    let folder = Folder::at(folder);
    let numbers = folder.list()?.remove(&writer).unwrap_or_default();
    let mut following = numbers.iter().skip(1);
    let mut removed = 0;
    for &number in &numbers {
        // Held while its segment is removed.
        let claimed;
        match following.next() {
            Some(&next) => {
                if first_sequence(&folder, writer, next)?.is_none_or(|first| first > before) {
                    break;
                }
            }
            None => {
                claimed = claim(&folder, (writer, number))?;
                let Some(file) = &claimed else { break };
                if end(file, (writer, number))?.is_none_or(|end| end > before) {
                    break;
                }
            }
        }
        discard(&folder, writer, number)?;
        removed += 1;
    }
    if removed > 0 {
        folder.sync()?;
    }
    Ok(removed)
}

/// Opens and locks the last segment of a dead writer; `None` if it is not that.
fn claim(folder: &Folder, name: (Writer, u64)) -> io::Result<Option<File>> {
    let path = folder.path(name.0, name.1);
    let file = match OpenOptions::new().read(true).write(true).open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let is_left = segment::lock_alone(&file)? && segment::settled(folder, name)? == State::Left;
    Ok(is_left.then_some(file))
}

/// Where a claimed segment is torn; `None` if it is whole, or damaged.
fn torn(file: &File, name: (Writer, u64)) -> io::Result<Option<u64>> {
    let (mut frames, beginning) = Frames::open(file, name)?;
    match beginning {
        Beginning::Short => return Ok(Some(0)),
        Beginning::Broken(_) => return Ok(None),
        Beginning::Header(_) => {}
    }
    loop {
        match frames.step()? {
            Step::Record { .. } => {}
            Step::End | Step::Misplaced { .. } => return Ok(None),
            Step::Broken { offset, .. } => {
                return Ok(frames.damage()?.is_none().then_some(offset));
            }
        }
    }
}

/// The sequence after the last record of a claimed segment; `None` if anything in it is broken.
fn end(file: &File, name: (Writer, u64)) -> io::Result<Option<u64>> {
    let (mut frames, beginning) = Frames::open(file, name)?;
    if !matches!(beginning, Beginning::Header(_)) {
        return Ok(None);
    }
    loop {
        match frames.step()? {
            Step::Record { .. } => {}
            Step::End => return Ok(Some(frames.next_sequence())),
            Step::Misplaced { .. } | Step::Broken { .. } => return Ok(None),
        }
    }
}

/// Sets aside what is behind `offset`, then cuts it off. A segment without a header is set aside as a whole.
fn cut(folder: &Folder, mut file: File, name: (Writer, u64), offset: u64) -> io::Result<Cut> {
    let path = folder.path(name.0, name.1);
    let aside = folder.aside(name.0, name.1, offset);
    let bytes = file.metadata()?.len().saturating_sub(offset);
    if offset == 0 {
        fs::rename(&path, &aside)?;
        folder.sync()?;
        return Ok(Cut { file: path, offset, bytes, aside });
    }
    // One of that name is from a repair that came no further.
    match fs::remove_file(&aside) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut copy = folder::create(&aside)?;
    file.seek(SeekFrom::Start(offset))?;
    io::copy(&mut file, &mut copy)?;
    copy.sync_data()?;
    folder.sync()?;
    file.set_len(offset)?;
    file.sync_data()?;
    Ok(Cut { file: path, offset, bytes, aside })
}

/// Removes a segment with what was set aside of it.
fn discard(folder: &Folder, writer: Writer, number: u64) -> io::Result<()> {
    for path in folder.list_aside(writer, number)? {
        fs::remove_file(path)?;
    }
    fs::remove_file(folder.path(writer, number))
}

/// Removes a file that was to become a segment, if it will not any more.
fn clear(path: &Path) -> io::Result<()> {
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        file => file?,
    };
    // One that was not locked yet is young.
    let age = file.metadata()?.modified()?.elapsed().unwrap_or_default();
    if age > ABANDONED && segment::lock_alone(&file)? {
        fs::remove_file(path)?;
    }
    Ok(())
}
