//! The limits and budgets that keys and nodes carry, as the directory tells them; amounts of money are whole
//! nano-dollars.

use serde::{Deserialize, Serialize};

/// The limits and budgets of one key or node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// How much may pass in a time.
    pub limits: Vec<LimitRule>,
    /// How much may be spent.
    pub budgets: Vec<BudgetRule>,
}

impl Rules {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.limits.is_empty() && self.budgets.is_empty()
    }
}

/// What a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // the names say it
pub enum Counted {
    Requests,
    Tokens,
    InputTokens,
    OutputTokens,
    /// Requests at the same time.
    Concurrent,
    /// Of requests and replies.
    Bytes,
    /// Nano-dollars.
    Cost,
}

/// The time that an amount is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Per {
    Second,
    Minute,
    Hour,
    Day,
}

/// How much may pass in a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitRule {
    /// What is counted.
    pub of: Counted,
    /// How much of it; at least 1.
    pub amount: u64,
    /// In which time; none for what is counted at the same time.
    pub per: Option<Per>,
    /// How much may come at once; the amount, if nothing is said.
    #[serde(default)]
    pub burst: Option<u64>,
    /// The models that it is for, a name or a pattern; all, if nothing is said.
    #[serde(default)]
    pub model: Option<String>,
}

/// The time for which a budget is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Window {
    Day,
    Week,
    Month,
    Year,
    Total,
    /// The last so many seconds.
    Rolling(u64),
}

/// What happens when a budget is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Action {
    Block,
    Alert,
    Throttle,
    Downgrade,
}

/// How much may be spent in a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BudgetRule {
    /// Nano-dollars.
    pub amount: u64,
    /// In which time.
    pub window: Window,
    /// Per mille of the amount at which somebody is told.
    #[serde(default)]
    pub soft: Vec<u32>,
    /// What happens when it is spent.
    pub action: Action,
    /// The limit that then holds, with `throttle`.
    #[serde(default)]
    pub throttle: Option<LimitRule>,
    /// The model group that then serves, with `downgrade`.
    #[serde(default)]
    pub downgrade_to: Option<String>,
    /// The models that it is for, a name or a pattern; all, if nothing is said.
    #[serde(default)]
    pub model: Option<String>,
    /// Its name, of which its node has one only.
    pub name: String,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn rules_read_as_the_directory_writes_them() {
        let limit = r#"{"of":"input_tokens","amount":5,"per":"minute","burst":null,"model":null}"#;
        let limit: LimitRule = serde_json::from_str(limit).unwrap();
        assert_eq!(
            (limit.of, limit.amount, limit.per),
            (Counted::InputTokens, 5, Some(Per::Minute))
        );
        let budget = r#"{"amount":7,"window":{"rolling":60},"soft":[800],"action":"block",
            "throttle":null,"downgrade_to":null,"model":"gpt-*","name":"b"}"#;
        let budget: BudgetRule = serde_json::from_str(budget).unwrap();
        assert_eq!((budget.window, budget.action), (Window::Rolling(60), Action::Block));
    }
}
