//! Limits and budgets of a request: rules compiled ahead of time, joined into one bill, taken all or none
//! before anything is sent, and corrected once the truth is known.
//!
//! ```text
//! rules ──compile──► Charges ─┐
//!   of the key, its nodes,    ├──► Bill ──reserve──► Held ──settle──► the truth
//!   and the settings          │
//! Demand of the request ──────┘
//! ```
//!
//! What counts lies in shared memory: rates in [`crate::limiter`], places in [`crate::places`], money in
//! [`crate::budget`].

mod bill;
mod charges;
mod held;
mod hold;
mod reserve;
mod shared;
mod telling;
mod words;

pub use bill::{Bill, Demand, Truth};
pub use charges::{Action, Budget, Charges, Limited, budget_slot};
pub use held::Held;
pub use hold::Asked;
pub(crate) use hold::reach;
pub use reserve::{Counters, Refused};
pub use shared::{Party, SharedLimits};
pub use telling::Passed;
pub use words::dollars;

/// Whose rule it is: for the words of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// The virtual key's.
    Key,
    /// A user's.
    User,
    /// A service account's.
    ServiceAccount,
    /// A project's.
    Project,
    /// A team's.
    Team,
    /// An organisation's.
    Organisation,
    /// A model group's.
    Model,
    /// A client address's.
    Address,
    /// A tag's.
    Tag,
}

impl Whose {
    /// Its name in sentences and logs.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Whose::Key => "key",
            Whose::User => "user",
            Whose::ServiceAccount => "service account",
            Whose::Project => "project",
            Whose::Team => "team",
            Whose::Organisation => "organisation",
            Whose::Model => "model",
            Whose::Address => "address",
            Whose::Tag => "tag",
        }
    }
}

#[cfg(test)]
mod tests;
