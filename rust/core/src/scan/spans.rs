//! From ends to spans: walks back from each end to the leftmost start, then joins what overlaps.

use super::syntax::{self, Program};
use super::{Ends, ScanError, Span};
use regex_automata::hybrid::dfa::{Cache, Config, DFA};
use regex_automata::util::primitives::PatternID;
use regex_automata::{Anchored, Input, MatchKind};
use std::sync::{Mutex, PoisonError};

/// Bytes walked back in one scan, for each byte of text and for each scan. Only patterns of unbounded
/// length whose matches overlap over and over (`a.*b` on `aaa…bbb…`) come near it.
const STEPS_PER_BYTE: usize = 64;
const STEPS_PER_SCAN: usize = 1 << 20;

/// The patterns read backwards.
pub(super) struct Starts {
    dfa: DFA,
    caches: Mutex<Vec<Cache>>,
}

impl Starts {
    pub(super) fn build(programs: &[Program]) -> Result<Self, ScanError> {
        let nfa = syntax::nfa(programs, true)?;
        let config = Config::new()
            .match_kind(MatchKind::All)
            .starts_for_each_pattern(true)
            .skip_cache_capacity_check(true);
        let dfa = DFA::builder().configure(config).build_from_nfa(nfa).map_err(engine_error)?;
        Ok(Starts { dfa, caches: Mutex::new(Vec::new()) })
    }

    /// Appends the spans that `ends` stand for, sorted by start, end and id.
    pub(super) fn collapse(
        &self,
        text: &[u8],
        ends: &mut Ends,
        ids: &[u32],
        spans: &mut Vec<Span>,
    ) -> Result<(), ScanError> {
        if ends.as_slice().is_empty() {
            return Ok(());
        }
        let kept = self.caches.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut cache = kept.unwrap_or_else(|| self.dfa.create_cache());
        let first = spans.len();
        let mut steps = text.len().saturating_mul(STEPS_PER_BYTE).saturating_add(STEPS_PER_SCAN);
        ends.as_mut_slice().sort_unstable_by_key(|end| (end.pattern, end.offset));
        for end in ends.as_slice() {
            let (id, offset) = (ids[end.pattern as usize], end.offset as usize);
            if let Some(start) = self.leftmost(&mut cache, text, end.pattern, offset, &mut steps)? {
                join(spans, first, Span { id, start, end: offset });
            }
        }
        spans[first..].sort_unstable_by_key(|span| (span.start, span.end, span.id));
        self.caches.lock().unwrap_or_else(PoisonError::into_inner).push(cache);
        Ok(())
    }

    /// The smallest start of a match of `pattern` that ends at `end`.
    fn leftmost(
        &self,
        cache: &mut Cache,
        text: &[u8],
        pattern: u32,
        end: usize,
        steps: &mut usize,
    ) -> Result<Option<usize>, ScanError> {
        let pattern = PatternID::new_unchecked(pattern as usize);
        let input = Input::new(text).range(..end).anchored(Anchored::Pattern(pattern));
        let mut state = self.dfa.start_state_reverse(cache, &input).map_err(engine_error)?;
        let mut start = None;
        for at in (0..end).rev() {
            *steps = steps.checked_sub(1).ok_or(ScanError::TooManyMatches)?;
            state = self.dfa.next_state(cache, state, text[at]).map_err(engine_error)?;
            if state.is_match() {
                start = Some(at + 1); // seen one byte late
            } else if state.is_dead() {
                return Ok(start);
            }
        }
        state = self.dfa.next_eoi_state(cache, state).map_err(engine_error)?;
        Ok(if state.is_match() { Some(0) } else { start })
    }
}

/// Adds a span whose end is not before the last one's, joined to all of its id that it overlaps.
fn join(spans: &mut Vec<Span>, first: usize, mut span: Span) {
    while let Some(last) = spans[first..].last().copied() {
        if last.id != span.id || last.end <= span.start {
            break;
        }
        span.start = span.start.min(last.start);
        spans.pop();
    }
    spans.push(span);
}

fn engine_error(error: impl ToString) -> ScanError {
    ScanError::Engine(error.to_string())
}
