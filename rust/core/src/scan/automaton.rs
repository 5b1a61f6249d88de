//! The pure-Rust engine: one lazily built DFA over all patterns that reports every end.

use super::syntax::{self, Program};
use super::{End, Ends, Engine, Feed, ScanError};
use regex_automata::hybrid::LazyStateID;
use regex_automata::hybrid::dfa::{Cache, Config, DFA};
use regex_automata::{Input, MatchKind};
use std::sync::{Arc, Mutex, PoisonError};

/// Memory for the states of one scan at a time; when it is full, the states are built anew.
const CACHE_BYTES: usize = 4 << 20;
/// States kept warm between scans.
const KEPT_CACHES: usize = 16;

pub(super) struct Automaton {
    shared: Arc<Shared>,
}

struct Shared {
    dfa: DFA,
    /// More memory than the states of one [`Walk::report_certain`] can take.
    headroom: usize,
    caches: Mutex<Vec<Cache>>,
}

impl Automaton {
    pub(super) fn build(programs: &[Program]) -> Result<Self, ScanError> {
        let nfa = syntax::nfa(programs, false)?;
        let config = Config::new()
            .match_kind(MatchKind::All)
            .cache_capacity(CACHE_BYTES)
            .skip_cache_capacity_check(true);
        let dfa = DFA::builder().configure(config).build_from_nfa(nfa).map_err(engine_error)?;
        let headroom = (dfa.get_nfa().states().len() * 16 + 4096) * 5;
        let shared = Shared { dfa, headroom, caches: Mutex::new(Vec::new()) };
        Ok(Automaton { shared: Arc::new(shared) })
    }
}

impl Engine for Automaton {
    fn name(&self) -> &'static str {
        "rust"
    }

    fn scan(&self, text: &[u8], ends: &mut Ends) -> Result<(), ScanError> {
        let mut walk = Walk::start(&self.shared)?;
        walk.walk(text, ends)?;
        walk.finish(ends)
    }

    fn open(&self) -> Result<Box<dyn Feed>, ScanError> {
        Ok(Box::new(Walk::start(&self.shared)?))
    }
}

/// The DFA in the middle of a text. It owns its states, so nobody else can invalidate the current one.
///
/// A DFA sees a match one byte late. At the end of a piece the matches that no next byte can undo are
/// reported at once, and by the next byte again; [`super::Stream`] drops what it knows.
struct Walk {
    shared: Arc<Shared>,
    cache: Cache,
    state: LazyStateID,
    offset: u64,
}

impl Walk {
    fn start(shared: &Arc<Shared>) -> Result<Self, ScanError> {
        let kept = shared.caches.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut cache = kept.unwrap_or_else(|| shared.dfa.create_cache());
        let state =
            shared.dfa.start_state_forward(&mut cache, &Input::new("")).map_err(engine_error)?;
        Ok(Walk { shared: Arc::clone(shared), cache, state, offset: 0 })
    }

    fn walk(&mut self, piece: &[u8], ends: &mut Ends) -> Result<(), ScanError> {
        let dfa = &self.shared.dfa;
        let mut state = self.state;
        for (at, &byte) in piece.iter().enumerate() {
            state = dfa.next_state(&mut self.cache, state, byte).map_err(engine_error)?;
            if state.is_match() {
                push(self.offset + at as u64, matches(dfa, &self.cache, state), ends)?;
            }
        }
        self.state = state;
        self.offset += piece.len() as u64;
        Ok(())
    }

    /// Reports the matches that end here whatever comes next: those seen with the end of the text, a
    /// word byte, another byte and a line feed as the next one, as that is all a look-ahead can tell.
    fn report_certain(&mut self, ends: &mut Ends) -> Result<(), ScanError> {
        if self.cache.memory_usage() + self.shared.headroom > CACHE_BYTES {
            return Ok(()); // a full cache is emptied, the current state's name with it: report late
        }
        let (dfa, cache) = (&self.shared.dfa, &mut self.cache);
        let at_end = dfa.next_eoi_state(cache, self.state).map_err(engine_error)?;
        let mut certain: Vec<u32> = matches(dfa, cache, at_end).collect();
        for byte in *b"a \n" {
            if certain.is_empty() {
                return Ok(());
            }
            let next = dfa.next_state(cache, self.state, byte).map_err(engine_error)?;
            certain.retain(|pattern| matches(dfa, cache, next).any(|other| other == *pattern));
        }
        push(self.offset, certain.into_iter(), ends)
    }

    fn finish(mut self, ends: &mut Ends) -> Result<(), ScanError> {
        let dfa = &self.shared.dfa;
        let state = dfa.next_eoi_state(&mut self.cache, self.state).map_err(engine_error)?;
        push(self.offset, matches(dfa, &self.cache, state), ends)?;
        let mut kept = self.shared.caches.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT_CACHES {
            kept.push(self.cache);
        }
        Ok(())
    }
}

fn matches(dfa: &DFA, cache: &Cache, state: LazyStateID) -> impl Iterator<Item = u32> {
    let count = if state.is_match() { dfa.match_len(cache, state) } else { 0 };
    (0..count).map(move |index| dfa.match_pattern(cache, state, index).as_u32())
}

fn push(
    offset: u64,
    patterns: impl Iterator<Item = u32>,
    ends: &mut Ends,
) -> Result<(), ScanError> {
    for pattern in patterns {
        if !ends.push(End { offset, pattern }) {
            return Err(ScanError::TooManyMatches);
        }
    }
    Ok(())
}

fn engine_error(error: impl ToString) -> ScanError {
    ScanError::Engine(error.to_string())
}

impl Feed for Walk {
    fn feed(&mut self, piece: &[u8], ends: &mut Ends) -> Result<(), ScanError> {
        if piece.is_empty() {
            return Ok(());
        }
        self.walk(piece, ends)?;
        self.report_certain(ends)
    }

    fn close(self: Box<Self>, ends: &mut Ends) -> Result<(), ScanError> {
        self.finish(ends)
    }
}
