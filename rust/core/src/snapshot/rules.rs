//! What somebody may use: limits and budgets, as the settings file, the directory and the snapshot have them.
//!
//! Money is whole nano-dollars. Which rules make sense is checked where they are compiled
//! ([`crate::limits`]); here they are only read.

use serde::{Deserialize, Serialize};

/// What a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitOf {
    /// Requests.
    Requests,
    /// Tokens of input and output.
    Tokens,
    /// Tokens of input.
    InputTokens,
    /// Tokens of output.
    OutputTokens,
    /// Requests in hand at the same time.
    Concurrent,
    /// Bytes of bodies, the request's and the reply's.
    Bytes,
    /// What replies cost, in nano-dollars.
    Cost,
}

/// The time in which a limit's amount flows in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// One second.
    Second,
    /// Sixty seconds.
    Minute,
    /// Sixty minutes.
    Hour,
    /// Twenty-four hours.
    Day,
}

/// How much may pass in a time, or be in hand at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitRule {
    /// What is counted.
    pub of: LimitOf,
    /// How much of it; nano-dollars of a cost.
    pub amount: u64,
    /// In which time; none for what is in hand at once.
    #[serde(default)]
    pub per: Option<Period>,
    /// How much of it may come at once; without it, all.
    #[serde(default)]
    pub burst: Option<u64>,
    /// Only requests at this model group count; may hold one `*`.
    #[serde(default)]
    pub model: Option<String>,
}

/// The time for which a budget is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BudgetWindow {
    /// A calendar day of UTC.
    Day,
    /// A week of UTC, from Monday on.
    Week,
    /// A calendar month of UTC.
    Month,
    /// A calendar year of UTC.
    Year,
    /// All time.
    Total,
    /// The last so many seconds, at any instant.
    Rolling(u64),
}

impl BudgetWindow {
    /// Reads a window, `"month"` or `{"rolling": seconds}`.
    ///
    /// # Errors
    /// When it is none.
    pub fn from_json(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|_| "not a window of a budget".to_owned())
    }
}

/// What happens where a budget is not enough.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BudgetAction {
    /// Requests that it cannot pay are refused.
    #[default]
    Block,
    /// Nothing but a line in the log and a count.
    Alert,
    /// Requests that it cannot pay are refused, and from the first threshold on a limit applies.
    Throttle,
    /// From the first threshold on, and where it cannot pay, requests go to another model group.
    Downgrade,
}

/// How much may be spent in a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BudgetRule {
    /// Tells it from the others of the same key or node.
    pub name: String,
    /// Nano-dollars.
    pub amount: u64,
    /// In which time.
    pub window: BudgetWindow,
    /// Thresholds, in thousandths of the amount, that are told when they are passed.
    #[serde(default)]
    pub soft: Vec<u16>,
    /// What happens where it is not enough.
    #[serde(default)]
    pub action: BudgetAction,
    /// The limit that applies from the first threshold on, if the action is to throttle.
    #[serde(default)]
    pub throttle: Option<LimitRule>,
    /// The model group that requests go to instead, if the action is to downgrade.
    #[serde(default)]
    pub downgrade_to: Option<String>,
    /// Only requests at this model group count; may hold one `*`.
    #[serde(default)]
    pub model: Option<String>,
}

/// The limits and budgets of one key or node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// How much may pass in a time, or be in hand at once.
    pub limits: Vec<LimitRule>,
    /// How much may be spent.
    pub budgets: Vec<BudgetRule>,
}

impl Rules {
    /// Reads what the directory has of them.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn from_json(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.limits.is_empty() && self.budgets.is_empty()
    }
}

/// By what a limit of the settings tells its buckets apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitBy {
    /// By the virtual key.
    Key,
    /// By the user of the key.
    User,
    /// By the team of the key.
    Team,
    /// By the project of the key.
    Project,
    /// By the organisation of the key.
    Organisation,
    /// By the model group asked for.
    Model,
    /// By the client's address.
    Ip,
    /// By each tag of the key.
    Tag,
}

/// A limit for all of a kind: each of them has it to itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharedLimit {
    /// Of what kind.
    pub by: LimitBy,
    /// Only those whose name matches; may hold one `*`.
    pub matching: Option<String>,
    /// The limit that each of them has.
    pub rule: LimitRule,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_window_is_a_word_or_a_number_of_seconds() {
        let read = |text: &str| serde_json::from_str::<BudgetWindow>(text).unwrap();
        assert_eq!(read(r#""month""#), BudgetWindow::Month);
        assert_eq!(read(r#"{"rolling":3600}"#), BudgetWindow::Rolling(3600));
    }

    #[test]
    fn what_a_rule_leaves_out_is_the_usual() {
        let rule: BudgetRule =
            serde_json::from_str(r#"{"amount":5,"window":"day","name":"b"}"#).unwrap();
        assert_eq!((rule.action, rule.soft.len(), rule.model), (BudgetAction::Block, 0, None));
    }
}
