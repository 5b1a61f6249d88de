//! What is held of budgets for a request: the most that it can cost, wherever it may be sent.

use crate::call::Allowed;
use crate::plan::{Deployment, Group, Plan};
use crate::price::{self, Served};
use crate::snapshot::{Operation, UnknownPrice};

/// Output tokens of a choice where neither the client nor what is known of the model sets a bound.
const UNKNOWN_OUTPUT: u64 = 16_384;
/// Images of a request that does not say how many, where it is not at hand to be asked: OpenAI's most.
const MOST_IMAGES: u64 = 10;

/// What is known of a request before it is sent.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// What for.
    pub operation: Operation,
    /// Its body, as far as it is at hand.
    pub body: &'a [u8],
    /// Tokens of input, counted.
    pub input: u64,
    /// What it allows of output.
    pub allowed: Allowed,
}

/// The deployments that a request at a group may come to, by the groups that it falls back to; of those that
/// cost the same, one.
#[must_use]
pub(crate) fn reach(groups: &[Group], deployments: &[Deployment], first: usize) -> Vec<usize> {
    let (mut queue, mut next) = (vec![first], 0);
    let mut found: Vec<usize> = Vec::new();
    while let Some(group) = queue.get(next).map(|index| &groups[*index]) {
        next += 1;
        for index in group.members() {
            let one = &deployments[index];
            let costs_the_same = |other: &usize| {
                let other = &deployments[*other];
                (&one.price, one.max_output_tokens, one.tokenizer.is_exact())
                    == (&other.price, other.max_output_tokens, other.tokenizer.is_exact())
            };
            if !found.iter().any(costs_the_same) {
                found.push(index);
            }
        }
        for index in group.fallbacks.iter().chain(&group.context_window_fallbacks) {
            if !queue.contains(index) {
                queue.push(*index);
            }
        }
    }
    found
}

impl Plan {
    /// The most that a request at a group can cost, in nano-dollars; none if it costs nothing at all.
    #[must_use]
    pub fn hold(&self, group: usize, asked: &Asked<'_>) -> Option<u64> {
        if asked.operation.counts() {
            return None;
        }
        let most = most_served(asked);
        let reach = self.groups[group].reach.iter().map(|index| &self.deployments[*index]);
        reach.filter_map(|one| self.hold_at(Some(one), asked, &most)).max()
    }

    /// The same of a request whose model nobody knows.
    #[must_use]
    pub fn hold_unknown(&self, asked: &Asked<'_>) -> Option<u64> {
        self.hold_at(None, asked, &Served::default())
    }

    fn hold_at(&self, at: Option<&Deployment>, asked: &Asked<'_>, most: &Served) -> Option<u64> {
        let price = at.and_then(|one| one.price.as_ref());
        let charges = match price {
            Some(list) => list.charges(),
            None => self.pricing.unknown == UnknownPrice::Ceiling,
        };
        if !charges {
            return None;
        }
        let input = match at {
            // Who counts by another's vocabulary counts too little for some texts.
            Some(one) if !one.tokenizer.is_exact() => asked.input.saturating_add(asked.input / 4),
            _ => asked.input,
        };
        let bound = at.and_then(|one| one.max_output_tokens);
        let output = match asked.operation.writes_text() {
            true => {
                asked.allowed.at_most(bound).or_else(|| asked.allowed.at_most(Some(UNKNOWN_OUTPUT)))
            }
            false => None,
        };
        let nano = price::ceiling(price, &self.pricing, input, output.unwrap_or(0), most);
        // What costs something holds something, so that a budget that is spent refuses it.
        Some(nano.max(1))
    }
}

/// What may be served beside tokens, as far as the request tells.
fn most_served(asked: &Asked<'_>) -> Served {
    let known = Served::of(asked.operation, asked.body, None);
    match asked.operation {
        Operation::ImagesGenerations => Served { images: Some(asked.allowed.choices), ..known },
        Operation::ImagesEdits => Served { images: Some(MOST_IMAGES), ..known },
        Operation::Rerank => Served { queries: Some(1), ..known },
        _ => known,
    }
}
