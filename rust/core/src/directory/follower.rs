//! Reads the directory's file on from where it was, as far as that is published and whole.

use super::book::{Book, Change, Issuer};
use super::feed::{self, JwksLine, KeyLine, Line, NodeLine};
use super::intern::Interner;
use super::{Published, Refused};
use crate::jwt::Jwks;
use crate::plan::{Key, KeyParts, Node, NodeKind, Nodes, Slot};
use crate::snapshot::Rules;
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

/// Bytes of the longest line.
const LONGEST_LINE: u64 = 1024 * 1024;
/// Bytes that are read at once.
const BUFFER: usize = 256 * 1024;
/// Changes that are taken in while requests wait; for more of them the book is copied first.
const MOST_IN_PLACE: usize = 4096;
/// Places of nodes that may stand empty.
const MOST_EMPTY: usize = 1024;
/// Longest alias and name, in bytes.
const LONGEST_NAME: usize = 512;

/// How far one worker has read.
#[derive(Default)]
pub(super) struct Follower {
    /// The file, and up to where it was taken in.
    at: Published,
    sequence: u64,
    /// What was published when something was found to be wrong with it.
    refused: Option<(Published, Refused)>,
    known: Known,
    has_taken_in: bool,
}

/// What lines refer to.
#[derive(Default)]
struct Known {
    slots: HashMap<Box<str>, Arc<Slot>>,
    /// How many of them were emptied since that was cleared up.
    emptied: usize,
    interner: Interner,
}

impl Follower {
    /// The number of the file; 0 before the first.
    pub(super) fn file(&self) -> u64 {
        self.at.file
    }

    /// What the last `end` said.
    pub(super) fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Whether anything was taken in when it last read on.
    pub(super) fn has_taken_in(&self) -> bool {
        self.has_taken_in
    }

    /// Whether there is something to read that was not found to be damaged.
    pub(super) fn is_behind(&self, published: Published) -> bool {
        let is_damaged =
            |(at, refused): &(Published, Refused)| *at == published && refused.is_damage;
        published.file != 0
            && published != self.at
            && !self.refused.as_ref().is_some_and(is_damaged)
    }

    /// Reads on to what is published.
    pub(super) fn read_on(
        &mut self,
        folder: &Path,
        published: Published,
        book: &RwLock<Book>,
    ) -> Result<(), Refused> {
        self.has_taken_in = false;
        let result = if published.file == self.at.file {
            self.continued(folder, published, book)
        } else {
            self.begun_anew(folder, published, book)
        };
        self.refused = result.as_ref().err().map(|refused| (published, refused.clone()));
        result
    }

    /// Takes in what was appended.
    fn continued(
        &mut self,
        folder: &Path,
        published: Published,
        book: &RwLock<Book>,
    ) -> Result<(), Refused> {
        let mut reader = Reader::open(folder, self.at, published.length)?;
        while let Some(batch) = reader.batch(&mut self.known, self.sequence)? {
            take_in(book, batch.changes);
            self.at.length = batch.end;
            (self.sequence, self.has_taken_in) = (batch.sequence, true);
        }
        self.known.sweep();
        Ok(())
    }

    /// Builds the whole state beside the old one, and puts it in its place.
    fn begun_anew(
        &mut self,
        folder: &Path,
        published: Published,
        book: &RwLock<Book>,
    ) -> Result<(), Refused> {
        let from = Published { file: published.file, length: 0 };
        let mut reader = Reader::open(folder, from, published.length)?;
        let (mut fresh, mut known) = (Book::begun(published.file), Known::default());
        let (mut at, mut sequence) = (from, 0);
        while let Some(batch) = reader.batch(&mut known, sequence)? {
            fresh.apply(batch.changes);
            (at.length, sequence) = (batch.end, batch.sequence);
        }
        if at.length == 0 {
            return Err(damage("nothing in it is whole".into()));
        }
        replace(book, fresh);
        *self = Follower { at, sequence, refused: None, known, has_taken_in: true };
        Ok(())
    }
}

/// Takes changes in while nobody looks.
fn take_in(book: &RwLock<Book>, changes: Vec<Change>) {
    if changes.len() > MOST_IN_PLACE {
        let mut copy = book.read().unwrap_or_else(PoisonError::into_inner).clone();
        copy.apply(changes);
        return replace(book, copy);
    }
    book.write().unwrap_or_else(PoisonError::into_inner).apply(changes);
}

fn replace(book: &RwLock<Book>, fresh: Book) {
    let old = std::mem::replace(&mut *book.write().unwrap_or_else(PoisonError::into_inner), fresh);
    // Not before the lock is given up: there may be much to let go of.
    drop(old);
}

/// What is to be taken in together.
struct Batch {
    changes: Vec<Change>,
    /// Where in the file it ends.
    end: u64,
    sequence: u64,
}

/// The part of a file that is to be read.
struct Reader {
    lines: std::io::Take<BufReader<File>>,
    /// Where in the file the next line begins.
    position: u64,
    line: Vec<u8>,
}

impl Reader {
    fn open(folder: &Path, from: Published, to: u64) -> Result<Self, Refused> {
        let open = || {
            let mut file = File::open(folder.join(format!("directory.{}", from.file)))?;
            file.seek(SeekFrom::Start(from.length))?;
            Ok(BufReader::with_capacity(BUFFER, file))
        };
        let length = to.checked_sub(from.length);
        let length = length.ok_or_else(|| damage("it has become shorter".into()))?;
        let file = open().map_err(|error| unreadable(&error))?;
        Ok(Reader { lines: file.take(length), position: from.length, line: Vec::new() })
    }

    /// The next changes that are whole; none if there are no more.
    fn batch(&mut self, known: &mut Known, before: u64) -> Result<Option<Batch>, Refused> {
        let mut changes = Vec::new();
        while self.next_line()? {
            let wrong = |what: String| {
                damage(format!("the line that ends at byte {} is wrong: {what}", self.position))
            };
            let change = match Line::read(&self.line).map_err(wrong)? {
                Line::End(sequence) if sequence < before => {
                    return Err(wrong("its end is older than the one before".into()));
                }
                Line::End(sequence) => {
                    return Ok(Some(Batch { changes, end: self.position, sequence }));
                }
                Line::Key(line) => known.key(*line).map_err(wrong)?,
                Line::Node(line) => known.node(*line).map_err(wrong)?,
                Line::Jwks(line) => issuer(line),
                Line::Drop(id) => known.gone(&id),
            };
            changes.push(change);
        }
        Ok(None)
    }

    /// Reads a line; false if there is none, or only a part of one.
    fn next_line(&mut self) -> Result<bool, Refused> {
        self.line.clear();
        let most = &mut (&mut self.lines).take(LONGEST_LINE);
        let read = most.read_until(b'\n', &mut self.line).map_err(|error| unreadable(&error))?;
        self.position += read as u64;
        match self.line.pop() {
            Some(b'\n') => Ok(true),
            Some(_) if read as u64 == LONGEST_LINE => Err(damage("a line is too long".into())),
            None if self.lines.limit() > 0 => Err(Refused {
                reason: "the directory's file is shorter than it was said to be".into(),
                is_damage: false,
            }),
            _ => Ok(false),
        }
    }
}

impl Known {
    /// The place of a node, empty if nothing was told of it yet.
    fn slot(&mut self, id: &str) -> Result<Arc<Slot>, String> {
        if let Some(slot) = self.slots.get(id) {
            return Ok(slot.clone());
        }
        if !feed::is_id(id) {
            return Err("an id is none".into());
        }
        let slot = Slot::empty(id);
        self.slots.insert(id.into(), slot.clone());
        Ok(slot)
    }

    fn key(&mut self, mut line: KeyLine<'_>) -> Result<Change, String> {
        if !feed::is_id(line.id) || !line.id.starts_with(feed::KEY) {
            return Err("the id of a key is none".into());
        }
        check_name(&line.alias)?;
        let policy = self.interner.policy(line.take_grants())?;
        let limits = std::mem::take(&mut line.limits);
        let rules = Rules { limits, budgets: std::mem::take(&mut line.budgets) };
        let parts = KeyParts {
            id: line.id,
            alias: &line.alias,
            shown: line.shown()?,
            nodes: self.nodes(&line)?,
            policy,
            charges: self.interner.charges(&rules)?,
            admin: line.admin,
            blocked: line.blocked,
            expires_at: line.expires_at,
        };
        Ok(Change::Key(Arc::new(Key::of_directory(parts))))
    }

    /// The nodes that a key names. One of which nothing was told bars the key until something is.
    fn nodes(&mut self, line: &KeyLine<'_>) -> Result<Nodes, String> {
        let mut nodes = Nodes::default();
        for (kind, id) in [
            (NodeKind::Organisation, line.organisation),
            (NodeKind::Team, line.team),
            (NodeKind::Project, line.project),
            (NodeKind::User, line.user),
            (NodeKind::ServiceAccount, line.service_account),
        ] {
            nodes.0[kind as usize] = id.map(|id| self.slot(id)).transpose()?;
        }
        Ok(nodes)
    }

    fn node(&mut self, mut line: NodeLine<'_>) -> Result<Change, String> {
        check_name(&line.name)?;
        let slot = self.slot(line.id)?;
        let parent = line.parent.filter(|id| *id != line.id);
        let limits = std::mem::take(&mut line.limits);
        let rules = Rules { limits, budgets: std::mem::take(&mut line.budgets) };
        let node = Node {
            kind: line.kind,
            name: (&*line.name).into(),
            external_id: line.external_id.as_deref().map(Into::into),
            parent: parent.map(|id| self.slot(id)).transpose()?,
            blocked: line.blocked,
            policy: self.interner.policy(line.take_grants())?,
            charges: self.interner.charges(&rules)?,
            margin_ppm: line.margin_ppm,
        };
        Ok(Change::Node(slot, Some(Arc::new(node))))
    }

    fn gone(&mut self, id: &str) -> Change {
        let Some(slot) = self.slots.get(id) else { return Change::Drop(id.into()) };
        self.emptied += 1;
        Change::Node(slot.clone(), None)
    }

    /// Forgets the places in which nothing stands and that no key knows of, once there may be many.
    fn sweep(&mut self) {
        if self.emptied < MOST_EMPTY {
            return;
        }
        self.emptied = 0;
        self.slots.retain(|_, slot| Arc::strong_count(slot) > 1 || slot.now.load().is_some());
    }
}

fn issuer(line: JwksLine<'_>) -> Change {
    let keys = Arc::new(Jwks::new(&line.keys));
    Change::Issuer((&*line.issuer).into(), Arc::new(Issuer { keys, fetched_at: line.at }))
}

/// Names stand in logs and metrics.
fn check_name(name: &str) -> Result<(), String> {
    let is_one = name.len() <= LONGEST_NAME && !name.chars().any(char::is_control);
    if is_one { Ok(()) } else { Err("a name is too long, or holds what cannot be shown".into()) }
}

fn damage(what: String) -> Refused {
    Refused { reason: format!("the directory's file is damaged: {what}"), is_damage: true }
}

fn unreadable(error: &std::io::Error) -> Refused {
    let reason = format!("the directory's file cannot be read: {error}");
    Refused { reason, is_damage: false }
}
