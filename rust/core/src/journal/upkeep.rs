//! What is done to the segments of writers: torn ends are cut off, and what is no longer needed is removed.

use super::folder::{self, Folder};
use super::header::Opening;
use super::segment::{self, Sequel, State, Writer};
use super::whole::{self, Whole};
use std::collections::BTreeSet;
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
/// What is cut off is set aside, in `SEGMENT.torn-OFFSET`, since what was damaged later may look like what was
/// never finished. Damage is left as it is. Zeros that were allocated and not used are given back.
///
/// # Errors
/// The system's; what was repaired until then is.
pub fn repair(folder: &Path) -> io::Result<Vec<Cut>> {
    let folder = Folder::at(folder);
    let mut cuts = Vec::new();
    for (writer, numbers) in folder.list()? {
        repair_writer(&folder, writer, &numbers, &mut cuts)?;
    }
    for path in folder.list_unfinished()? {
        clear(&path)?;
    }
    Ok(cuts)
}

fn repair_writer(
    folder: &Folder,
    writer: Writer,
    numbers: &BTreeSet<u64>,
    cuts: &mut Vec<Cut>,
) -> io::Result<()> {
    let mut claims = Vec::new();
    // What may be torn is the end: the last one, one that it does not call whole, one that is only prepared.
    for &number in numbers.iter().rev().take(3) {
        let Some(claim) = claim(folder, (writer, number))? else { break };
        claims.push(claim);
    }
    let mut is_torn = false;
    for claim in claims.into_iter().rev() {
        // What follows a torn segment is torn as a whole.
        let end = if is_torn { Whole::Torn(0) } else { end(&claim)? };
        match end {
            Whole::Torn(offset) => {
                is_torn = true;
                cuts.push(cut(folder, claim, offset)?);
            }
            Whole::Unused => fs::remove_file(folder.path(claim.name.0, claim.name.1))?,
            Whole::Until { offset, .. } if claim.file.metadata()?.len() > offset => {
                claim.file.set_len(offset)?;
            }
            Whole::Until { .. } => {}
            Whole::Damaged => break,
        }
    }
    Ok(())
}

/// Removes the segments of a writer that hold only records before `before`; returns how many.
///
/// One that may not be on the disk as a whole goes only if the writer is dead and nothing in it is broken.
///
/// # Errors
/// The system's.
pub fn remove(folder: &Path, writer: Writer, before: u64) -> io::Result<usize> {
    remove_older(folder, writer, before, Duration::ZERO)
}

/// The same, of segments that were not written to for some time: up to the first younger one.
///
/// # Errors
/// The system's.
pub fn remove_older(
    folder: &Path,
    writer: Writer,
    before: u64,
    age: Duration,
) -> io::Result<usize> {
    let folder = Folder::at(folder);
    let numbers = folder.list()?.remove(&writer).unwrap_or_default();
    let mut removed = 0;
    for &number in &numbers {
        let name = (writer, number);
        // Held while its segment is removed.
        let mut claimed = None;
        let next = segment::sequel(&folder, name)?;
        let is_done = match next {
            Sequel::Used(Opening { first, is_settled: true }) => first <= before,
            Sequel::Broken => false,
            // A gap: those before are not known to be needless.
            Sequel::None if Some(&number) != numbers.last() => false,
            Sequel::None | Sequel::Prepared | Sequel::Used(_) => {
                claimed = claim(&folder, name)?;
                match claimed.as_ref().map(end).transpose()? {
                    Some(Whole::Until { following, .. }) => following <= before,
                    Some(Whole::Unused) => true,
                    _ => false,
                }
            }
        };
        if !is_done || is_younger(&folder.path(writer, number), age)? {
            break;
        }
        // What says that records before it are not missed has to outlive them.
        if let Some(next) = folder.open(writer, number.saturating_add(1))? {
            next.sync_data()?;
        }
        discard(&folder, writer, number)?;
        drop(claimed);
        removed += 1;
    }
    if removed > 0 {
        folder.sync()?;
    }
    Ok(removed)
}

/// Whether a file was written to within some time. A clock that was set back makes it so.
fn is_younger(path: &Path, age: Duration) -> io::Result<bool> {
    let modified = fs::metadata(path)?.modified()?;
    Ok(!age.is_zero() && modified.elapsed().unwrap_or_default() < age)
}

/// A segment that a dead writer left, locked for as long as this lives.
struct Claim {
    file: File,
    name: (Writer, u64),
    /// The sequence that the next one begins with.
    bound: Option<u64>,
}

/// Opens and locks a segment of a dead writer; `None` if it is not that, or known to be whole.
fn claim(folder: &Folder, name: (Writer, u64)) -> io::Result<Option<Claim>> {
    let path = folder.path(name.0, name.1);
    let file = match OpenOptions::new().read(true).write(true).open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    if !segment::lock_alone(&file)? {
        return Ok(None);
    }
    let (state, sequel) = segment::state_of_free(folder, name)?;
    let bound = match sequel {
        Sequel::Used(Opening { first, .. }) => Some(first),
        _ => None,
    };
    Ok((state == State::Left).then_some(Claim { file, name, bound }))
}

/// How far a claimed segment is whole.
fn end(claim: &Claim) -> io::Result<Whole> {
    let mut file = &claim.file;
    file.seek(SeekFrom::Start(0))?;
    whole::examine_until(file, claim.name, claim.bound, |_, _| {})
}

/// Sets aside what is behind `offset`, then cuts it off. A segment without a header is set aside as a whole.
fn cut(folder: &Folder, Claim { mut file, name, .. }: Claim, offset: u64) -> io::Result<Cut> {
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
