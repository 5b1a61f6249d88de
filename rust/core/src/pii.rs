//! Finds personal data and secrets in text: short triggers in the matching engine, verified in Rust.
//!
//! The engine looks for the 31 trigger expressions of the `catalogue` in one pass; each hit goes to
//! the verifiers of that trigger, which read the value around it, check its digits and score it:
//!
//! `score = base(shape) + checksum + context − what speaks against it`, between 0 and 1.
//!
//! What reaches [`THRESHOLD`] is a finding. Overlapping findings are resolved to disjoint ones by
//! priority, score, length and place. Text is read as bytes; JSON may be given as it is on the wire,
//! as its escapes (`\n`, `\"`, `\/`) do not hide values.

mod catalogue;
mod checksum;
mod contact;
mod context;
mod dates;
mod finance;
mod identity;
mod mrz;
mod numbers;
mod resolve;
mod secrets;
mod text;

#[cfg(test)]
mod tests;

use crate::scan::{Choice, MAX_ENDS, Pattern, PatternSet, ScanError, with_ends};
use catalogue::{CATALOGUE, Entity};
use context::Context;
use text::Text;

/// Score from which a value counts as found.
pub const THRESHOLD: f32 = 0.6;

/// A value that was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Finding {
    /// The entity, as in the catalogue: `EMAIL_ADDRESS`, `CREDIT_CARD`, …
    pub kind: &'static str,
    /// Offset of its first byte.
    pub start: u32,
    /// Offset after its last byte.
    pub end: u32,
    /// How sure it is, from [`THRESHOLD`] to 1.
    pub score: f32,
}

/// A value of the right shape, and how much its details add to (or take from) the entity's base.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Candidate {
    start: usize,
    end: usize,
    bonus: f32,
}

/// The compiled catalogue: immutable, to be shared by all threads.
#[derive(Debug)]
pub struct Scanner {
    set: PatternSet,
    /// For each trigger, the entities that it may announce.
    routes: Vec<Vec<Known>>,
}

#[derive(Debug)]
struct Known {
    entity: &'static Entity,
    rank: usize,
    context: Context,
}

impl Scanner {
    /// Compiles the catalogue; takes about a tenth of a second with Hyperscan.
    ///
    /// # Errors
    /// [`ScanError::Engine`] if the chosen engine is missing.
    pub fn new(engine: Choice) -> Result<Self, ScanError> {
        let patterns = triggers();
        let mut routes: Vec<Vec<Known>> = patterns.iter().map(|_| Vec::new()).collect();
        for (rank, entity) in CATALOGUE.iter().enumerate() {
            let context = Context::build(entity.context)?;
            let position = patterns.iter().position(|p| p.expression == entity.trigger);
            routes[position.unwrap_or_default()].push(Known { entity, rank, context });
        }
        Ok(Scanner { set: PatternSet::compile(&patterns, engine)?, routes })
    }

    /// The engine in use: `hyperscan` or `rust`.
    #[must_use]
    pub fn engine(&self) -> &'static str {
        self.set.engine()
    }

    /// Appends what is found in `text`: disjoint, sorted by place.
    ///
    /// # Errors
    /// [`ScanError::TooManyMatches`] if triggers fire more than once in four bytes of a long text,
    /// [`ScanError::TooLong`] beyond 4 GiB.
    pub fn scan(&self, text: &[u8], out: &mut Vec<Finding>) -> Result<(), ScanError> {
        with_ends(MAX_ENDS + text.len() / 4, |ends| {
            self.set.ends(text, ends)?;
            let first = out.len();
            let mut ranked = Vec::new();
            for end in ends.as_slice() {
                for known in &self.routes[end.pattern as usize] {
                    if let Some(finding) = known.verify(Text(text), end.offset as usize) {
                        ranked.push((known.rank, finding));
                    }
                }
            }
            resolve::disjoint(&mut ranked, out);
            out[first..].sort_unstable_by_key(|finding| finding.start);
            Ok(())
        })
    }
}

impl Known {
    fn verify(&self, text: Text<'_>, end: usize) -> Option<Finding> {
        let Candidate { start, end, bonus } = (self.entity.verify)(text, end)?;
        let mut score = self.entity.base + bonus;
        if score + context::BONUS >= THRESHOLD - ROUNDING && self.context.is_near(text, start, end)
        {
            score += context::BONUS;
        }
        (score >= THRESHOLD - ROUNDING).then_some(Finding {
            kind: self.entity.kind,
            start: start as u32,
            end: end as u32,
            score: score.min(1.0),
        })
    }
}

/// Scores are sums of two-digit decimals, which floats hold inexactly.
const ROUNDING: f32 = 1e-4;

/// The expressions given to the engine, one per distinct trigger of the catalogue.
#[must_use]
pub fn triggers() -> Vec<Pattern> {
    let mut expressions: Vec<&str> = Vec::new();
    for entity in CATALOGUE {
        if !expressions.contains(&entity.trigger) {
            expressions.push(entity.trigger);
        }
    }
    (0..).zip(expressions).map(|(id, expression)| Pattern::new(id, expression)).collect()
}

/// The names of all entities, the most important first.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    CATALOGUE.iter().map(|entity| entity.kind)
}
