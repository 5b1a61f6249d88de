//! What a model costs, as `wiring` compiles it from the catalogue and the settings.
//!
//! Prices are whole nano-dollars. What is not known is left out; zero is free.

use llmgw_formats::chat::Service;
use serde::Deserialize;

/// What a deployment's model costs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Where it is from: `settings`, `catalogue 2026-11-25`.
    pub source: String,
    /// Of requests of any length that are served as usual.
    pub rates: TokenRates,
    /// Of long requests, by length.
    pub tiers: Vec<LengthTier>,
    /// Of requests that are served sooner or later than usual.
    pub services: Vec<ServicePrice>,
    /// Of what is not counted in tokens.
    pub units: UnitRates,
}

/// Nano-dollars per thousand tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TokenRates {
    /// Input.
    pub input: Option<u64>,
    /// Output.
    pub output: Option<u64>,
    /// Input that the provider had in its cache.
    pub cached: Option<u64>,
    /// Input that is put into the provider's cache.
    pub cache_write: Option<u64>,
    /// The same, to stay there for an hour.
    pub cache_write_1h: Option<u64>,
    /// Reasoning.
    pub reasoning: Option<u64>,
    /// Sound that is heard.
    pub audio_input: Option<u64>,
    /// Sound that is made.
    pub audio_output: Option<u64>,
    /// Sound that the provider had in its cache.
    pub audio_cached: Option<u64>,
    /// Images that are seen.
    pub image_input: Option<u64>,
    /// Images that are made.
    pub image_output: Option<u64>,
}

/// The prices of a whole request whose input is longer than that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LengthTier {
    /// Input tokens.
    pub above: u64,
    /// What a tier leaves out is as without it.
    pub rates: TokenRates,
}

/// The prices of a whole request that is served so.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServicePrice {
    /// How.
    #[serde(with = "Named")]
    pub service: Service,
    /// What it leaves out is unknown, apart from the usual way of standing in.
    pub rates: TokenRates,
    /// Of long requests, by length.
    pub tiers: Vec<LengthTier>,
}

/// The names of the ways to be served.
#[derive(Deserialize)]
#[serde(remote = "Service", rename_all = "snake_case")]
#[allow(dead_code, reason = "it only says how the real one reads")]
enum Named {
    Standard,
    Batch,
    Flex,
    Priority,
    Other,
}

/// Nano-dollars per one, of what is not counted in tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UnitRates {
    /// A request, on top of everything else.
    pub per_request: Option<u64>,
    /// An image that is made.
    pub per_image: Option<u64>,
    /// An image that is seen.
    pub per_image_seen: Option<u64>,
    /// A second of speech or film that is made.
    pub per_second: Option<u64>,
    /// A second of sound that is heard.
    pub per_second_heard: Option<u64>,
    /// A thousand characters of text to speak.
    pub characters: Option<u64>,
    /// A page that is read.
    pub per_page: Option<u64>,
    /// A search: what rerankers bill.
    pub per_query: Option<u64>,
}

/// What a request at a model of unknown price comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PricingPolicy {
    /// What is done with it.
    pub unknown: UnknownPrice,
    /// Nano-dollars per thousand input tokens, for `ceiling`.
    pub ceiling_input: u64,
    /// Nano-dollars per thousand output tokens, for `ceiling`.
    pub ceiling_output: u64,
}

/// What is done with a request at a model of unknown price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownPrice {
    /// It is served at no charge, and its cost says that it is none.
    Free,
    /// It is refused.
    Block,
    /// It is charged at the prices of the policy.
    Ceiling,
}
