//! Thresholds of budgets that were passed: each is told once in a window, by one worker of the machine.

use super::Whose;
use super::bill::Share;
use super::charges::MOST_SOFT;
use crate::budget::{Budgets, unix_us};

/// The flag of the amount itself; those before it are of the thresholds.
const ALL: usize = MOST_SOFT;
/// Thousandths in a whole.
const WHOLE: u16 = 1000;

/// A threshold that was passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    /// Whose budget.
    pub whose: Whose,
    /// The id of whose it is.
    pub owner: Box<str>,
    /// The budget's name.
    pub budget: Box<str>,
    /// The threshold, in thousandths of the amount.
    pub per_mille: u16,
    /// Nano-dollars that are spent or held.
    pub committed: u64,
    /// Nano-dollars of the whole budget.
    pub amount: u64,
}

impl Passed {
    /// Whether it is the whole amount.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.per_mille == WHOLE
    }
}

/// Adds the thresholds that `committed` passes and that this caller is the one to tell of.
pub(super) fn passed(budgets: &Budgets, share: &Share, committed: u64, into: &mut Vec<Passed>) {
    let budget = &share.budget;
    let soft = budget.soft.iter().zip(&budget.per_mille).enumerate();
    let soft = soft.map(|(flag, (nano, per_mille))| (flag, *nano, *per_mille));
    let soft = soft.filter(|(_, _, per_mille)| *per_mille < WHOLE);
    for (flag, nano, per_mille) in soft.chain([(ALL, budget.amount, WHOLE)]) {
        // Most requests pass none, and then nobody else's memory is looked at.
        if committed < nano {
            continue;
        }
        let flag = u32::try_from(flag).unwrap_or(u32::MAX);
        if budgets.is_first_to_tell(share.slot, budget.window, flag, unix_us()) {
            into.push(Passed {
                whose: share.whose,
                owner: share.owner.clone(),
                budget: budget.name.clone(),
                per_mille,
                committed,
                amount: budget.amount,
            });
        }
    }
}
