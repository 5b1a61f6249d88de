//! The rules of one owner, compiled: what each request of its is charged.
//!
//! Nothing of the owner is in here, so that owners with the same rules share one of these; which bucket, row
//! or places are meant is found by joining the rule's hash with the owner's.

use crate::limiter::{Limit, bucket_id};
use crate::plan::Pattern;
use crate::snapshot::{BudgetAction, BudgetRule, BudgetWindow, LimitOf, LimitRule, Period, Rules};
use std::sync::Arc;
use std::time::Duration;

/// Most thresholds of a budget.
pub(super) const MOST_SOFT: usize = 8;
/// Thousandths in a whole.
const WHOLE: u16 = 1000;
/// Longest rolling window: ten years, in seconds.
const LONGEST_ROLLING: u64 = 10 * 366 * 24 * 3600;

/// The rules of one owner, ready to be charged.
#[derive(Debug, Default)]
pub struct Charges {
    pub(super) limits: Box<[Limited]>,
    pub(super) budgets: Box<[Arc<Budget>]>,
}

/// A limit.
#[derive(Debug)]
pub struct Limited {
    /// What it counts.
    pub of: LimitOf,
    /// How much of it; of what is in hand at once, the amount alone counts.
    pub limit: Limit,
    /// In which time; none for what is in hand at once.
    pub per: Option<Period>,
    pub(super) hash: u128,
    pub(super) models: Option<Pattern>,
}

/// A budget.
#[derive(Debug)]
pub struct Budget {
    /// Its name, of which its owner has one only.
    pub name: Box<str>,
    /// Nano-dollars.
    pub amount: u64,
    /// The time that they are for.
    pub window: BudgetWindow,
    /// Nano-dollars at which something is told, the least first.
    pub(super) soft: Box<[u64]>,
    /// The same, in thousandths.
    pub(super) per_mille: Box<[u16]>,
    /// What happens.
    pub action: Action,
    pub(super) hash: u128,
    pub(super) models: Option<Pattern>,
}

/// What happens where a budget is not enough.
#[derive(Debug)]
pub enum Action {
    /// What it cannot pay is refused.
    Block,
    /// It is told, and nothing else.
    Alert,
    /// As blocked; and from the first threshold on this limit applies.
    Throttle(Box<Limited>),
    /// As blocked; but from the first threshold on, and where it cannot pay, this group is asked instead.
    Downgrade(Box<str>),
}

impl Charges {
    /// Compiles rules.
    ///
    /// # Errors
    /// Which of them makes no sense, and why.
    pub fn new(rules: &Rules) -> Result<Self, String> {
        let mut limits: Vec<Limited> = Vec::with_capacity(rules.limits.len());
        for rule in &rules.limits {
            let mut one = Limited::new(rule, "limit")?;
            // Two limits of the same kind have buckets of their own.
            let twins = limits.iter().filter(|other| other.kind() == one.kind()).count();
            one.hash = one.hash.wrapping_add(twins as u128);
            limits.push(one);
        }
        let mut budgets: Vec<Arc<Budget>> = Vec::with_capacity(rules.budgets.len());
        for rule in &rules.budgets {
            if budgets.iter().any(|one| *one.name == *rule.name) {
                return Err(format!("two budgets have the name {:?}", rule.name));
            }
            budgets.push(Arc::new(Budget::new(rule)?));
        }
        Ok(Charges { limits: limits.into(), budgets: budgets.into() })
    }

    /// The same with a limit per minute before the others, as `rpm_limit` and `tpm_limit` mean it.
    ///
    /// # Errors
    /// As [`Charges::new`].
    pub fn with_per_minute(
        rules: Rules,
        requests: Option<u64>,
        tokens: Option<u64>,
    ) -> Result<Self, String> {
        let rule = |of, amount: Option<u64>| {
            let (per, burst, model) = (Some(Period::Minute), None, None);
            amount.map(|amount| LimitRule { of, amount, per, burst, model })
        };
        let short = [rule(LimitOf::Requests, requests), rule(LimitOf::Tokens, tokens)];
        let limits = short.into_iter().flatten().chain(rules.limits).collect();
        Charges::new(&Rules { limits, ..rules })
    }

    /// The limits.
    #[must_use]
    pub fn limits(&self) -> &[Limited] {
        &self.limits
    }

    /// The budgets.
    #[must_use]
    pub fn budgets(&self) -> &[Arc<Budget>] {
        &self.budgets
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.limits.is_empty() && self.budgets.is_empty()
    }

    /// Whether what a request says counts: how long it is, and what its reply may cost.
    #[must_use]
    pub fn depend_on_content(&self) -> bool {
        !self.budgets.is_empty() || self.limits.iter().any(Limited::depends_on_content)
    }
}

impl Limited {
    pub(super) fn new(rule: &LimitRule, scope: &str) -> Result<Self, String> {
        let window = match (rule.of, rule.per) {
            (LimitOf::Concurrent, None) => Duration::ZERO,
            (LimitOf::Concurrent, Some(_)) => {
                return Err("a limit of what is in hand at once has no `per`".into());
            }
            (_, Some(period)) => seconds(period),
            (_, None) => return Err("a limit needs to say per which time it is".into()),
        };
        let limit = Limit { amount: rule.amount, window, burst: rule.burst.unwrap_or(rule.amount) };
        let models = rule.model.as_deref().map(Pattern::new);
        let mut one = Limited { of: rule.of, limit, per: rule.per, hash: 0, models };
        one.hash = bucket_id(scope, &format!("{:?}", one.kind()));
        Ok(one)
    }

    pub(super) fn depends_on_content(&self) -> bool {
        !matches!(self.of, LimitOf::Requests | LimitOf::Concurrent)
    }

    /// What tells it from other limits of the same owner, but for those that differ in their amounts alone:
    /// who changes an amount does not begin anew.
    fn kind(&self) -> (LimitOf, Option<Period>, &Option<Pattern>) {
        (self.of, self.per, &self.models)
    }

    /// Which bucket or places of the owner are meant.
    pub(super) fn id(&self, owner: u128) -> u128 {
        self.hash ^ owner
    }
}

impl Budget {
    fn new(rule: &BudgetRule) -> Result<Self, String> {
        let wrong = |what: &str| Err(format!("the budget {:?} {what}", rule.name));
        if let BudgetWindow::Rolling(seconds) = rule.window
            && !(1..=LONGEST_ROLLING).contains(&seconds)
        {
            return wrong("needs a rolling window of a second to ten years");
        }
        let mut per_mille = rule.soft.clone();
        per_mille.sort_unstable();
        per_mille.dedup();
        if per_mille.len() > MOST_SOFT || per_mille.iter().any(|one| !(1..=WHOLE).contains(one)) {
            return wrong("needs thresholds between 1 and 1000 thousandths, eight at most");
        }
        let action = match (rule.action, &rule.throttle, &rule.downgrade_to) {
            (BudgetAction::Block, ..) => Action::Block,
            (BudgetAction::Alert, ..) => Action::Alert,
            (BudgetAction::Throttle, Some(limit), _) => Action::Throttle(Box::new(Limited::new(
                limit,
                &["throttle ", &rule.name].concat(),
            )?)),
            (BudgetAction::Throttle, None, _) => return wrong("does not say how it throttles"),
            (BudgetAction::Downgrade, _, Some(group)) => Action::Downgrade(group.as_str().into()),
            (BudgetAction::Downgrade, ..) => return wrong("does not say what it downgrades to"),
        };
        let nano = |one: &u16| u128::from(rule.amount) * u128::from(*one) / u128::from(WHOLE);
        Ok(Budget {
            name: rule.name.as_str().into(),
            amount: rule.amount,
            window: rule.window,
            soft: per_mille
                .iter()
                .map(|one| u64::try_from(nano(one)).unwrap_or(u64::MAX))
                .collect(),
            per_mille: per_mille.into(),
            action,
            hash: name_hash(&rule.name),
            models: rule.model.as_deref().map(Pattern::new),
        })
    }

    /// Which budget of the owner is meant.
    pub(super) fn slot(&self, owner: u128) -> u64 {
        slot(self.hash, owner)
    }

    /// Nano-dollars from which on the action applies: the first threshold, or all.
    pub(super) fn acts_from(&self) -> u64 {
        self.soft.first().copied().unwrap_or(self.amount)
    }

    /// The most that may be committed; none if nothing is refused.
    pub(super) fn most(&self) -> Option<u64> {
        (!matches!(self.action, Action::Alert)).then_some(self.amount)
    }
}

/// What stands for an owner in the names of its buckets, rows and places.
pub(super) fn owner_hash(id: &str) -> u128 {
    bucket_id("owner", id)
}

/// Which row of the budgets is meant by a budget's name and the id of the key or node that has it.
#[must_use]
pub fn budget_slot(owner: &str, name: &str) -> u64 {
    slot(name_hash(name), owner_hash(owner))
}

fn name_hash(name: &str) -> u128 {
    bucket_id("budget", name)
}

fn slot(name: u128, owner: u128) -> u64 {
    let id = name ^ owner;
    ((id >> 64) as u64 ^ id as u64).max(1)
}

fn seconds(period: Period) -> Duration {
    Duration::from_secs(match period {
        Period::Second => 1,
        Period::Minute => 60,
        Period::Hour => 3600,
        Period::Day => 24 * 3600,
    })
}
