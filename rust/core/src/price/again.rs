//! What an attempt of the books costs at other prices, by what the ledger kept of it.

use super::{Cost, PriceList, Served};
use crate::snapshot::Price;
use crate::usage::{Service, Usage};
use std::collections::BTreeMap;

/// Amounts under the names that the ledger gives them.
pub type Amounts = BTreeMap<String, u64>;

/// Reads a price as the snapshot has it (JSON).
///
/// # Errors
/// What is wrong with it.
pub fn read(price: &[u8]) -> Result<Price, String> {
    serde_json::from_slice(price).map_err(|error| format!("this is no price: {error}"))
}

impl PriceList {
    /// What a reply costs that used and served these amounts, in a tier that is `None` for the usual one.
    #[must_use]
    pub fn cost_again(&self, used: &Amounts, served: &Amounts, tier: Option<&str>) -> Cost {
        let usage = usage(used, tier);
        self.cost(&usage, &served_of(served)).unwrap_or(Cost::UNPRICED)
    }
}

fn usage(used: &Amounts, tier: Option<&str>) -> Usage {
    let of = |name: &str| used.get(name).copied().unwrap_or(0);
    Usage {
        input: of("input"),
        output: of("output"),
        cache_read: of("cache_read"),
        cache_write: of("cache_write"),
        cache_write_1h: of("cache_write_1h"),
        reasoning: of("reasoning"),
        audio_input: of("audio_input"),
        audio_output: of("audio_output"),
        audio_cached: of("audio_cached"),
        image_input: of("image_input"),
        image_output: of("image_output"),
        service: service(tier),
    }
}

fn service(tier: Option<&str>) -> Service {
    match tier {
        None => Service::Standard,
        Some("batch") => Service::Batch,
        Some("flex") => Service::Flex,
        Some("priority") => Service::Priority,
        Some(_) => Service::Other,
    }
}

fn served_of(served: &Amounts) -> Served {
    let of = |name: &str| served.get(name).copied();
    Served {
        images: of("images"),
        images_seen: of("images_seen"),
        milliseconds: of("milliseconds"),
        milliseconds_heard: of("milliseconds_heard"),
        characters: of("characters"),
        pages: of("pages"),
        queries: of("queries"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::price::Status;
    use crate::snapshot::{TokenRates, UnitRates};

    fn amounts(parts: &[(&str, u64)]) -> Amounts {
        parts.iter().map(|(name, amount)| ((*name).to_owned(), *amount)).collect()
    }

    #[test]
    fn what_the_ledger_kept_is_priced_as_a_reply_is() {
        let rates = TokenRates { input: Some(2000), output: Some(8000), ..TokenRates::default() };
        let list = PriceList::new(Price {
            source: "settings".into(),
            rates,
            tiers: vec![],
            services: vec![],
            units: UnitRates::default(),
        });
        let used = amounts(&[("input", 1000), ("output", 500)]);
        let cost = list.cost_again(&used, &amounts(&[]), None);
        assert_eq!(cost, Cost { nano_dollars: 6000, status: Status::Priced });
        let cost = list.cost_again(&used, &amounts(&[]), Some("flex"));
        assert_eq!(cost, Cost { nano_dollars: 6000, status: Status::Partial });
    }
}
