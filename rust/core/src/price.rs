//! What a reply costs, in whole nano-dollars: by what its provider says it served, and a price list.
//!
//! Nothing here is a fraction. A sum is formed exactly, in thousandths of a nano-dollar (prices are per
//! thousand tokens), and rounded once, half up. What was used and has no price is never taken for free
//! in silence: the cost says so by its [`Status`].

mod again;
mod list;
mod measure;
mod parts;
mod rates;

use crate::snapshot::{PricingPolicy, UnknownPrice};
use crate::usage::Usage;
pub use again::{Amounts, read};
pub use list::PriceList;
use rates::{Rates, Sum};

/// What a reply costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// A billionth of a dollar each.
    pub nano_dollars: u64,
    /// How far to trust the number.
    pub status: Status,
}

/// How far a [`Cost`] can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// All that was used has its price.
    Priced,
    /// The list says, on purpose, that it costs nothing.
    Free,
    /// As priced, but the provider did not say what was used: it was counted here.
    Estimated,
    /// Something that was used has no price, or was not measured, or was served in a way that the list
    /// does not have (the usual prices stand in): the number is what is known.
    Partial,
    /// The price is unknown, and the settings' own is charged.
    Ceiling,
    /// The price is unknown, and nothing is charged.
    Unpriced,
}

impl Status {
    /// The word for it in headers, metrics and records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Status::Priced => "priced",
            Status::Free => "free",
            Status::Estimated => "estimated",
            Status::Partial => "partial",
            Status::Ceiling => "ceiling",
            Status::Unpriced => "unpriced",
        }
    }
}

impl Status {
    /// How little a sum can be trusted that has such a part in it.
    fn doubt(self) -> u8 {
        match self {
            Status::Free => 0,
            Status::Priced => 1,
            Status::Estimated => 2,
            Status::Ceiling => 3,
            Status::Partial => 4,
            Status::Unpriced => 5,
        }
    }
}

impl Cost {
    /// Of a model of unknown price for which nothing is charged.
    pub const UNPRICED: Cost = Cost { nano_dollars: 0, status: Status::Unpriced };

    /// Both together, trusted as far as the less certain one.
    #[must_use]
    pub fn plus(self, other: Cost) -> Self {
        let nano_dollars = self.nano_dollars.saturating_add(other.nano_dollars);
        let status = if other.status.doubt() > self.status.doubt() { other } else { self }.status;
        Cost { nano_dollars, status }
    }

    /// The same, where something was not measured.
    #[must_use]
    pub fn partial(self) -> Self {
        match self.status {
            Status::Priced => Cost { status: Status::Partial, ..self },
            _ => self,
        }
    }

    /// The same, of a usage that was counted here.
    #[must_use]
    pub fn estimated(self) -> Self {
        match self.status {
            Status::Priced => Cost { status: Status::Estimated, ..self },
            _ => self,
        }
    }
}

/// What was served beside tokens; `None` is not known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Served {
    /// Images that were made.
    pub images: Option<u64>,
    /// Images that were seen.
    pub images_seen: Option<u64>,
    /// Milliseconds of speech or film that were made.
    pub milliseconds: Option<u64>,
    /// Milliseconds of sound that were heard.
    pub milliseconds_heard: Option<u64>,
    /// Characters of text that were spoken.
    pub characters: Option<u64>,
    /// Pages that were read.
    pub pages: Option<u64>,
    /// Searches, as rerankers bill them.
    pub queries: Option<u64>,
}

/// What a reply of a model with this price costs, or of a model of unknown price under this policy. A sum
/// that is no amount of money (above 18 billion dollars) comes of numbers that nobody should believe, and
/// is as good as no price.
#[must_use]
pub fn cost(
    price: Option<&PriceList>,
    policy: &PricingPolicy,
    usage: &Usage,
    served: &Served,
) -> Cost {
    let cost = match price {
        Some(list) => list.cost(usage, served),
        None if policy.unknown == UnknownPrice::Ceiling => {
            let sum = ceiling_rates(policy).sum(usage);
            sum.rounded().map(|nano_dollars| Cost { nano_dollars, status: Status::Ceiling })
        }
        None => None,
    };
    cost.unwrap_or(Cost::UNPRICED)
}

/// The most that a reply can cost whose input and output have at most that many tokens, and beside which
/// at most that much is served: never below what [`cost`] comes to. Saturates.
#[must_use]
pub fn ceiling(
    price: Option<&PriceList>,
    policy: &PricingPolicy,
    input: u64,
    output: u64,
    most: &Served,
) -> u64 {
    match price {
        Some(list) => list.ceiling(input, output, most),
        None if policy.unknown == UnknownPrice::Ceiling => {
            let mut sum = Sum::default();
            ceiling_rates(policy).add_most(input, output, &mut sum);
            sum.rounded().unwrap_or(u64::MAX)
        }
        None => 0,
    }
}

fn ceiling_rates(policy: &PricingPolicy) -> Rates {
    Rates::of_text(policy.ceiling_input, policy.ceiling_output)
}

#[cfg(test)]
mod tests;
