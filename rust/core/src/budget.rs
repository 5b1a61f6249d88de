//! Budgets, exact across all worker processes: what is spent or held in a window, in shared memory.
//!
//! A row holds the number of a window and the nano-dollars that are *committed* in it: spent, and held by
//! requests under way. One compare-and-swap of both decides each request, so that no number of parallel
//! requests walks through a budget. A rolling window is a ring of parts with a row each.
//!
//! Windows follow the wall clock, and only forward: a row stays in the latest window that it has seen. A
//! clock that is set back does not open a window again that was spent; one that is set forward begins the
//! new window, once.

mod table;
mod window;

use crate::shm::{BudgetRow, Shared, Word};
use crate::snapshot::BudgetWindow;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::time::{SystemTime, UNIX_EPOCH};
use table::{State, Table};

pub use window::{PARTS, Span, date, span};

/// How often a request looks again before it believes that a budget is full: what another one holds for
/// a moment and gives back is no reason to refuse.
const LOOKS: u32 = 3;
/// Bits of [`BudgetRow::told`] below the window's number.
const FLAG_BITS: u32 = 16;
/// The flag of a budget that was restored in the window.
const RESTORED: u32 = FLAG_BITS - 1;
/// Most things that can be told of a budget in a window, each once.
pub const FLAGS: u32 = RESTORED;

/// The budgets of the machine.
#[derive(Clone)]
pub struct Budgets {
    shared: Arc<Shared>,
}

/// Names a budget: of this key or node, under this name. Never 0.
#[must_use]
pub fn slot(owner: &str, name: &str) -> u64 {
    let id = crate::limiter::bucket_id(owner, name);
    ((id >> 64) as u64 ^ id as u64).max(1)
}

/// Unix microseconds.
#[must_use]
pub fn unix_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

/// Why nothing was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The budget does not cover it.
    Spent {
        /// Nano-dollars that are committed.
        committed: u64,
    },
    /// The table has no room for another budget.
    NoRoom,
}

impl Budgets {
    /// The budgets in `shared`.
    #[must_use]
    pub fn new(shared: Arc<Shared>) -> Self {
        Budgets { shared }
    }

    /// Nano-dollars that are committed at an instant (Unix microseconds).
    #[must_use]
    pub fn committed(&self, slot: u64, window: BudgetWindow, now_us: u64) -> u64 {
        let now = span(window, now_us);
        let here = self.table().find(table::tag(slot, now.number));
        let here = here.map_or(0, |row| read(row).at_least(now.number).nano);
        here.saturating_add(self.elsewhere(slot, window, now.number, now_us))
    }

    /// Holds `nano` of a budget if no more than `most` are committed then; returns the window that they are
    /// held in. Without `most` it only counts.
    ///
    /// # Errors
    /// Why not; nothing is held then.
    pub fn take(
        &self,
        slot: u64,
        window: BudgetWindow,
        nano: u64,
        most: Option<u64>,
        now_us: u64,
    ) -> Result<u64, Refusal> {
        let mut looks = 0;
        loop {
            match self.try_take(slot, window, nano, most, now_us) {
                Err(Refusal::Spent { .. }) if looks < LOOKS => {
                    looks += 1;
                    pause(looks);
                }
                outcome => return outcome,
            }
        }
    }

    fn try_take(
        &self,
        slot: u64,
        window: BudgetWindow,
        nano: u64,
        most: Option<u64>,
        now_us: u64,
    ) -> Result<u64, Refusal> {
        let now = span(window, now_us);
        let Some(row) = self.table().claim(table::tag(slot, now.number)) else {
            self.shared.word(Word::BudgetOverflow).fetch_add(1, Relaxed);
            return Err(Refusal::NoRoom);
        };
        loop {
            let raw = row.state.load(SeqCst);
            let here = State::read(raw).at_least(now.number);
            let others = self.elsewhere(slot, window, now.number, now_us);
            let committed = here.nano.saturating_add(others);
            if most.is_some_and(|most| committed.saturating_add(nano) > most) {
                return Err(Refusal::Spent { committed });
            }
            let next = State { nano: here.nano.saturating_add(nano), ..here };
            if row.state.compare_exchange(raw, next.raw(), SeqCst, SeqCst).is_err() {
                continue;
            }
            // Other parts of a ring may have grown meanwhile: of two that add, one at least sees the other.
            let others = self.elsewhere(slot, window, now.number, now_us);
            if most.is_some_and(|most| next.nano.saturating_add(others) > most) {
                self.shift(slot, here.window, -signed(nano));
                return Err(Refusal::Spent { committed: here.nano.saturating_add(others) });
            }
            return Ok(here.window);
        }
    }

    /// Counts `nano` more, whatever is left.
    pub fn charge(&self, slot: u64, window: BudgetWindow, nano: u64, now_us: u64) {
        // Without a bound there is nothing to refuse but for want of room, and that is counted.
        let _ = self.take(slot, window, nano, None, now_us);
    }

    /// Corrects what is committed in a window by `delta`; a window that is over is left alone. Returns what
    /// is committed in it then.
    pub fn shift(&self, slot: u64, number: u64, delta: i64) -> Option<u64> {
        let row = self.table().find(table::tag(slot, number))?;
        loop {
            let raw = row.state.load(SeqCst);
            let state = State::read(raw);
            if state.window != number {
                return None;
            }
            let next = State { nano: state.nano.saturating_add_signed(delta), ..state };
            if row.state.compare_exchange(raw, next.raw(), SeqCst, SeqCst).is_ok() {
                return Some(next.nano);
            }
        }
    }

    /// Adds what the books say was committed in a window before this machine counted. It is added once:
    /// false if it was before, or the window is over, or there is no room.
    pub fn restore(&self, slot: u64, number: u64, nano: u64) -> bool {
        let Some(row) = self.table().claim(table::tag(slot, number)) else { return false };
        loop {
            let raw = row.state.load(SeqCst);
            let state = State::read(raw).at_least(number);
            let is_there = state.raw() == raw;
            if is_there || row.state.compare_exchange(raw, state.raw(), SeqCst, SeqCst).is_ok() {
                break;
            }
        }
        let is_first = read(row).window == number && first_to_tell(row, number, RESTORED);
        is_first && self.shift(slot, number, signed(nano)).is_some()
    }

    /// All budgets of which something is committed: which one, the number of the window or part, how much.
    #[must_use]
    pub fn all(&self) -> Vec<(u64, u64, u64)> {
        let rows = self.shared.budgets.iter().filter_map(|row| {
            let tag = row.tag.load(SeqCst);
            let State { window, nano } = read(row);
            (tag != 0 && nano > 0).then(|| (table::slot_of(tag, window), window, nano))
        });
        rows.collect()
    }

    /// Whether this caller is the one of the machine that is to tell of something (below [`FLAGS`]) in this
    /// window: true once. For a rolling budget, time is cut into windows that do not overlap.
    #[must_use]
    pub fn is_first_to_tell(
        &self,
        slot: u64,
        window: BudgetWindow,
        flag: u32,
        now_us: u64,
    ) -> bool {
        let number = match window {
            BudgetWindow::Rolling(seconds) => {
                let seconds = seconds.max(1);
                now_us / 1_000_000 / seconds * seconds
            }
            _ => span(window, now_us).number,
        };
        let row = self.table().claim(slot);
        row.is_some_and(|row| first_to_tell(row, number, flag.min(FLAGS - 1)))
    }

    /// What is committed in the parts of a rolling window that lie elsewhere than the one of this number.
    fn elsewhere(&self, slot: u64, window: BudgetWindow, number: u64, now_us: u64) -> u64 {
        let BudgetWindow::Rolling(seconds) = window else { return 0 };
        let from = window::counts_from(seconds, now_us);
        let own = window::place(number);
        let places = (0..window::RING).filter(|place| Some(*place) != own);
        let rows = places.filter_map(|place| self.table().find(table::ring_tag(slot, place)));
        let counted = rows.map(read).filter(|state| window::starts_of_part(state.window) >= from);
        counted.fold(0, |sum, state| sum.saturating_add(state.nano))
    }

    fn table(&self) -> Table<'_> {
        Table(&self.shared.budgets)
    }
}

fn read(row: &BudgetRow) -> State {
    State::read(row.state.load(SeqCst))
}

/// Sets a flag of a row; true if it was not set in this window.
fn first_to_tell(row: &BudgetRow, number: u64, flag: u32) -> bool {
    let window = number << FLAG_BITS;
    loop {
        let told = row.told.load(SeqCst);
        let before = if told >> FLAG_BITS == window >> FLAG_BITS { told } else { window };
        let next = before | 1 << flag;
        // What is told of a window that is over needs not be told any more.
        if next == told || told >> FLAG_BITS > window >> FLAG_BITS {
            return false;
        }
        if row.told.compare_exchange(told, next, SeqCst, SeqCst).is_ok() {
            return true;
        }
    }
}

/// Lets others finish what they are about to give back.
fn pause(look: u32) {
    for _ in 0..64 << look {
        std::hint::spin_loop();
    }
}

fn signed(nano: u64) -> i64 {
    i64::try_from(nano).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
