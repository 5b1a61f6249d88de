//! Finds many patterns in one pass, with Hyperscan or with a pure-Rust engine that answers the same.
//!
//! The syntax is that of the `regex` crate over bytes: `.`, `\d`, `\w`, `\b` and friends are ASCII,
//! `(?u:…)` spells text in UTF-8, and look-around, back-references and lazy repetition have no say.
//! What is reported is the same for both engines:
//!
//! * [`PatternSet::ends`] and [`Stream`]: **every** offset at which a match of a pattern ends, once
//!   each. In a stream, an end that the next byte decides (`\b`, `\z`) comes with the next piece or
//!   with [`Stream::close`], so a stream must always be closed.
//! * [`PatternSet::spans`]: the maximal runs of text covered by overlapping matches of one pattern.
//!   `\d{4,8}` on eight digits is one span, and `aba` on `ababa` is the whole of it: nothing that any
//!   match covers stays uncovered.
//!
//! A scan that finds more than its limit fails instead of passing half of its findings on.

mod automaton;
mod ends;
#[cfg(feature = "hyperscan")]
mod hyperscan;
mod spans;
mod syntax;

#[cfg(test)]
mod tests;

use crate::error::{Class, Error};
use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

pub use ends::{End, Ends};
use spans::Starts;
use syntax::Program;

/// Ends that one scan, or one piece of a stream, may report.
pub const MAX_ENDS: usize = 4096;

/// One expression to look for.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// Reported with each match; unique within a set.
    pub id: u32,
    /// The expression, at most [`MAX_EXPRESSION`] bytes. It must not match the empty text.
    pub expression: String,
    /// How it is read.
    pub flags: Flags,
}

/// Longest expression, in bytes.
pub const MAX_EXPRESSION: usize = 4096;

impl Pattern {
    /// An expression without flags.
    pub fn new(id: u32, expression: impl Into<String>) -> Self {
        Pattern { id, expression: expression.into(), flags: Flags::default() }
    }
}

/// How an expression is read; each can also be set inline (`(?i)`, `(?s)`, `(?m)`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// Letters match in both cases.
    pub caseless: bool,
    /// `.` matches a line feed too.
    pub dotall: bool,
    /// `^` and `$` match at every line.
    pub multiline: bool,
}

/// Which engine scans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Hyperscan where it is built in, runs on this processor and takes every pattern; else Rust.
    Auto,
    /// Hyperscan or an error.
    Hyperscan,
    /// The pure-Rust engine.
    Rust,
}

impl Choice {
    /// Reads `auto`, `hyperscan` or `rust`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "auto" => Some(Choice::Auto),
            "hyperscan" => Some(Choice::Hyperscan),
            "rust" => Some(Choice::Rust),
            _ => None,
        }
    }
}

/// Why a set was not built or a scan has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScanError {
    /// A pattern was refused.
    Pattern {
        /// Its id.
        id: u32,
        /// Its expression.
        expression: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The engine is missing or failed.
    Engine(String),
    /// More matches, or more overlap between them, than one scan may report.
    TooManyMatches,
    /// The text is too long for one scan (4 GiB).
    TooLong,
}

impl fmt::Display for ScanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ScanError::Pattern { id, expression, reason } => {
                write!(f, "pattern {id} ({expression:?}): {reason}")
            }
            ScanError::Engine(reason) => write!(f, "matching engine: {reason}"),
            ScanError::TooManyMatches => write!(f, "the text holds too many matches for one scan"),
            ScanError::TooLong => write!(f, "the text is too long for one scan"),
        }
    }
}

impl std::error::Error for ScanError {}

impl From<ScanError> for Error {
    /// A text that cannot be scanned is refused: the guardrail fails closed.
    fn from(error: ScanError) -> Self {
        let class = match error {
            ScanError::TooManyMatches | ScanError::TooLong => Class::GuardrailBlocked,
            ScanError::Pattern { .. } | ScanError::Engine(_) => Class::InternalError,
        };
        Error::new(class, error.to_string())
    }
}

/// A matching engine with its patterns compiled. Ends carry a pattern's position, not its id.
trait Engine: Send + Sync {
    fn name(&self) -> &'static str;
    fn scan(&self, text: &[u8], ends: &mut Ends) -> Result<(), ScanError>;
    fn open(&self) -> Result<Box<dyn Feed>, ScanError>;
}

/// An engine's state in the middle of a text.
trait Feed: Send {
    fn feed(&mut self, piece: &[u8], ends: &mut Ends) -> Result<(), ScanError>;
    fn close(self: Box<Self>, ends: &mut Ends) -> Result<(), ScanError>;
}

/// A run of text covered by matches of one pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    /// The pattern's id.
    pub id: u32,
    /// Offset of the first byte.
    pub start: usize,
    /// Offset after the last byte.
    pub end: usize,
}

/// Compiled patterns: immutable, cheap to clone, usable from any number of threads.
#[derive(Clone)]
pub struct PatternSet {
    engine: Arc<dyn Engine>,
    starts: Arc<Starts>,
    ids: Arc<[u32]>,
}

impl PatternSet {
    /// Compiles patterns. Takes milliseconds to seconds: at start-up, never in a request.
    ///
    /// # Errors
    /// [`ScanError::Pattern`] names the pattern that was refused.
    pub fn compile(patterns: &[Pattern], choice: Choice) -> Result<Self, ScanError> {
        let programs = syntax::read_all(patterns)?;
        let engine = build_engine(&programs, choice)?;
        let starts = Arc::new(Starts::build(&programs)?);
        Ok(PatternSet { engine, starts, ids: patterns.iter().map(|p| p.id).collect() })
    }

    /// The engine in use: `hyperscan` or `rust`.
    #[must_use]
    pub fn engine(&self) -> &'static str {
        self.engine.name()
    }

    /// Appends every end in `text` to `ends`, each with the **position** of its pattern in the list
    /// the set was compiled from. Unsorted. The caller sets the limit.
    ///
    /// # Errors
    /// [`ScanError::TooManyMatches`] when `ends` is full, [`ScanError::TooLong`] beyond 4 GiB.
    pub fn ends(&self, text: &[u8], ends: &mut Ends) -> Result<(), ScanError> {
        if u32::try_from(text.len()).is_err() {
            return Err(ScanError::TooLong);
        }
        self.engine.scan(text, ends)
    }

    /// Appends the spans in `text`, sorted by start, end and id.
    ///
    /// # Errors
    /// As [`ends`](Self::ends), with a limit of [`MAX_ENDS`].
    pub fn spans(&self, text: &[u8], spans: &mut Vec<Span>) -> Result<(), ScanError> {
        with_ends(MAX_ENDS, |ends| {
            self.ends(text, ends)?;
            self.starts.collapse(text, ends, &self.ids, spans)
        })
    }

    /// Begins a text that arrives in pieces. The first call on a set compiles it for streaming.
    ///
    /// # Errors
    /// [`ScanError::Engine`] if the engine cannot stream these patterns.
    pub fn open(&self) -> Result<Stream, ScanError> {
        let feed = self.engine.open()?;
        Ok(Stream { feed, ids: Arc::clone(&self.ids), offset: 0, at_edge: Vec::new() })
    }
}

impl fmt::Debug for PatternSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PatternSet({} patterns, {})", self.ids.len(), self.engine())
    }
}

fn build_engine(programs: &[Program], choice: Choice) -> Result<Arc<dyn Engine>, ScanError> {
    match choice {
        Choice::Rust => Ok(Arc::new(automaton::Automaton::build(programs)?)),
        Choice::Hyperscan => hyperscan(programs),
        Choice::Auto => hyperscan(programs).or_else(|_| build_engine(programs, Choice::Rust)),
    }
}

#[cfg(feature = "hyperscan")]
fn hyperscan(programs: &[Program]) -> Result<Arc<dyn Engine>, ScanError> {
    Ok(Arc::new(hyperscan::Hyperscan::build(programs)?))
}

#[cfg(not(feature = "hyperscan"))]
fn hyperscan(_: &[Program]) -> Result<Arc<dyn Engine>, ScanError> {
    Err(ScanError::Engine("this build has no Hyperscan".into()))
}

/// Lends the thread's list of ends, emptied. A scan within a scan gets a list of its own.
pub(crate) fn with_ends<R>(limit: usize, f: impl FnOnce(&mut Ends) -> R) -> R {
    thread_local! { static ENDS: RefCell<Ends> = RefCell::new(Ends::new(0)) }
    ENDS.with(|ends| match ends.try_borrow_mut() {
        Ok(mut ends) => {
            ends.reset(limit);
            f(&mut ends)
        }
        Err(_) => f(&mut Ends::new(limit)),
    })
}

/// A text that arrives in pieces.
pub struct Stream {
    feed: Box<dyn Feed>,
    ids: Arc<[u32]>,
    offset: u64,
    /// Patterns already reported to end at `offset`: Hyperscan reports such an end once more if the
    /// next byte offers another way to match.
    at_edge: Vec<u32>,
}

impl Stream {
    /// Scans the next piece; appends (id, end) sorted by end, offsets counted from the opening.
    ///
    /// # Errors
    /// [`ScanError::TooManyMatches`] after [`MAX_ENDS`] in one piece; the stream is of no use then.
    pub fn feed(&mut self, piece: &[u8], sink: &mut Vec<End>) -> Result<(), ScanError> {
        with_ends(MAX_ENDS, |ends| {
            self.feed.feed(piece, ends)?;
            hand_over(ends, (self.offset, &self.at_edge), &self.ids, sink);
            if !piece.is_empty() {
                self.offset += piece.len() as u64;
                self.at_edge.clear();
            }
            let at_edge = ends.as_slice().iter().filter(|end| end.offset == self.offset);
            self.at_edge.extend(at_edge.map(|end| end.pattern));
            Ok(())
        })
    }

    /// Ends the text; appends the ends that only this decides.
    ///
    /// # Errors
    /// As [`feed`](Self::feed).
    pub fn close(self, sink: &mut Vec<End>) -> Result<(), ScanError> {
        with_ends(MAX_ENDS, |ends| {
            self.feed.close(ends)?;
            hand_over(ends, (self.offset, &self.at_edge), &self.ids, sink);
            Ok(())
        })
    }
}

/// Appends what is not known yet to `sink`, sorted, with ids for positions.
fn hand_over(ends: &mut Ends, known: (u64, &[u32]), ids: &[u32], sink: &mut Vec<End>) {
    ends.as_mut_slice().sort_unstable();
    let first = sink.len();
    for end in ends.as_slice() {
        let found = End { pattern: ids[end.pattern as usize], ..*end };
        let is_known = end.offset == known.0 && known.1.contains(&end.pattern);
        if !is_known && sink[first..].last() != Some(&found) {
            sink.push(found);
        }
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stream")
    }
}
