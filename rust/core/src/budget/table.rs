//! Finding the row of a budget: two sets of rows for each tag, and rows that are never given back.
//!
//! A newcomer takes the first free row of its first set, or, if there is none, of its second. A set that is
//! full stays full, so everybody who looks for a tag takes the same way, and two processes that bring in the
//! same budget at once agree on its row.

use super::window;
use crate::shm::BudgetRow;
use std::sync::atomic::Ordering::SeqCst;

/// Rows of one set.
const WAYS: usize = 16;

/// The budgets of the machine.
#[derive(Clone, Copy)]
pub(super) struct Table<'a>(pub &'a [BudgetRow]);

/// What is in a row: the number of a window, and what is committed in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct State {
    pub window: u64,
    pub nano: u64,
}

impl State {
    pub(super) fn read(raw: u128) -> Self {
        State { window: (raw >> 64) as u64, nano: raw as u64 }
    }

    pub(super) fn raw(self) -> u128 {
        u128::from(self.window) << 64 | u128::from(self.nano)
    }

    /// The same, in no earlier window than that: in a new one, nothing is committed yet.
    pub(super) fn at_least(self, number: u64) -> Self {
        if self.window < number { State { window: number, nano: 0 } } else { self }
    }
}

/// The tag of the row for the window of this number: of a rolling budget, each place in the ring has one.
pub(super) fn tag(slot: u64, number: u64) -> u64 {
    window::place(number).map_or(slot, |place| ring_tag(slot, place)).max(1)
}

/// The tag of the row for this place in the ring.
pub(super) fn ring_tag(slot: u64, place: u64) -> u64 {
    (slot ^ spread(place)).max(1)
}

/// The budget whose row this is, by the window that is in it.
pub(super) fn slot_of(tag: u64, number: u64) -> u64 {
    window::place(number).map_or(tag, |place| tag ^ spread(place))
}

/// Multiples of a number without a pattern: different for each place, and never 0.
fn spread(place: u64) -> u64 {
    (place + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

impl<'a> Table<'a> {
    /// The row of a tag, if it has one.
    pub(super) fn find(self, tag: u64) -> Option<&'a BudgetRow> {
        for set in self.sets(tag) {
            for row in set {
                match row.tag.load(SeqCst) {
                    found if found == tag => return Some(row),
                    // Its first free row would have been its own.
                    0 => return None,
                    _ => {}
                }
            }
        }
        None
    }

    /// The row of a tag, taken if need be; `None` when both of its sets are full of others.
    pub(super) fn claim(self, tag: u64) -> Option<&'a BudgetRow> {
        for set in self.sets(tag) {
            for row in set {
                match row.tag.load(SeqCst) {
                    found if found == tag => return Some(row),
                    0 => match row.tag.compare_exchange(0, tag, SeqCst, SeqCst) {
                        Ok(_) => return Some(row),
                        Err(winner) if winner == tag => return Some(row),
                        Err(_) => {}
                    },
                    _ => {}
                }
            }
        }
        None
    }

    fn sets(self, tag: u64) -> [&'a [BudgetRow]; 2] {
        let sets = self.0.len() / WAYS;
        [tag, tag.rotate_left(32)].map(|hash| {
            let first = (hash % sets as u64) as usize * WAYS;
            &self.0[first..first + WAYS]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_tells_its_budget_whatever_its_place_in_the_ring() {
        let slot = 0x1234_5678_9abc_def0;
        let rolling = crate::snapshot::BudgetWindow::Rolling(160);
        let mut tags: Vec<u64> = (0..window::RING)
            .map(|part| {
                let number = window::span(rolling, part * 10 * 1_000_000).number;
                let tag = tag(slot, number);
                assert_eq!(slot_of(tag, number), slot);
                tag
            })
            .collect();
        tags.sort_unstable();
        tags.dedup();
        assert_eq!(tags.len() as u64, window::RING);
        assert_eq!(slot_of(tag(slot, 5), 5), slot);
    }
}
