//! At which prices an attempt is charged, and at most how much.

use crate::plan::{Deployment, Plan};
use crate::price::{self, Cost, PriceList, Served, Status};
use crate::snapshot::Operation;
use crate::usage::Usage;
use std::sync::Arc;

/// Output tokens that a reply has at most, where neither the client nor the catalogue says.
const MOST_OUTPUT: u64 = 16_384;

/// The prices of one attempt.
pub struct Tariff {
    plan: Arc<Plan>,
    /// The deployment whose prices hold; none if the model is not known.
    deployment: Option<usize>,
    operation: Option<Operation>,
}

impl Tariff {
    /// Those of a deployment.
    #[must_use]
    pub fn of(plan: Arc<Plan>, deployment: usize, operation: Operation) -> Self {
        Tariff { plan, deployment: Some(deployment), operation: Some(operation) }
    }

    /// Those of a raw request, as far as it is known what it asks of which model.
    #[must_use]
    pub fn raw(plan: Arc<Plan>, deployment: Option<usize>, operation: Option<Operation>) -> Self {
        Tariff { plan, deployment, operation }
    }

    fn deployment(&self) -> Option<&Deployment> {
        self.plan.deployments.get(self.deployment?)
    }

    fn list(&self) -> Option<&PriceList> {
        self.deployment()?.price.as_ref()
    }

    /// What a reply costs by what was used: the provider's word, or, where it says nothing (`None`), what
    /// was counted.
    #[must_use]
    pub fn cost(&self, told: Option<&Usage>, counted: &Usage, served: &Served) -> Cost {
        let usage = told.unwrap_or(counted);
        let list = self.list();
        let cost = price::cost(list, &self.plan.pricing, usage, served);
        if told.is_some() || usage.is_nothing() || list.is_some_and(|list| !list.charges_tokens()) {
            return cost;
        }
        // Of pictures and sound nobody here counts the tokens.
        let of_media = self.operation.is_some_and(Operation::is_of_media);
        if of_media { cost.partial() } else { cost.estimated() }
    }

    /// Output tokens at most: what the client allows, else what the model can write.
    #[must_use]
    pub fn most_output(&self, allowed: u64) -> u64 {
        if allowed > 0 {
            return allowed;
        }
        match self.operation {
            Some(operation) if operation.writes_text() || operation == Operation::Realtime => {
                let most = self.deployment().and_then(|one| one.max_output_tokens);
                most.unwrap_or(MOST_OUTPUT)
            }
            None => MOST_OUTPUT,
            Some(_) => 0,
        }
    }

    /// What a reply costs at most.
    #[must_use]
    pub fn ceiling(&self, input: u64, output: u64, served: &Served) -> u64 {
        price::ceiling(self.list(), &self.plan.pricing, input, output, served)
    }

    /// Where the price of such a cost is from.
    pub(super) fn source(&self, status: Status) -> &str {
        match (self.list(), status) {
            (_, Status::Ceiling) => "ceiling",
            (Some(list), _) => &list.source,
            (None, _) => "",
        }
    }
}
