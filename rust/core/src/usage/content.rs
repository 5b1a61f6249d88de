//! Gemini's `usageMetadata`, which tells thoughts apart from the answer.

use super::Usage;
use serde::Deserialize;
use std::borrow::Cow;

/// The object as it is sent.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Content<'a> {
    prompt_token_count: u64,
    tool_use_prompt_token_count: u64,
    candidates_token_count: u64,
    thoughts_token_count: u64,
    cached_content_token_count: u64,
    #[serde(borrow)]
    prompt_tokens_details: Option<Vec<Modality<'a>>>,
    #[serde(borrow)]
    candidates_tokens_details: Option<Vec<Modality<'a>>>,
    #[serde(borrow)]
    cache_tokens_details: Option<Vec<Modality<'a>>>,
    #[serde(borrow)]
    service_tier: Option<Cow<'a, str>>,
    #[serde(borrow)]
    traffic_type: Option<Cow<'a, str>>,
}

/// Tokens of one kind of content.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Modality<'a> {
    #[serde(borrow)]
    modality: Cow<'a, str>,
    token_count: u64,
}

impl Content<'_> {
    /// The same in words of all providers.
    pub(super) fn usage(&self) -> Usage {
        let usage = Usage {
            input: self.prompt_token_count.saturating_add(self.tool_use_prompt_token_count),
            output: self.candidates_token_count.saturating_add(self.thoughts_token_count),
            cache_read: self.cached_content_token_count,
            reasoning: self.thoughts_token_count,
            audio_input: of("AUDIO", &self.prompt_tokens_details),
            audio_output: of("AUDIO", &self.candidates_tokens_details),
            audio_cached: of("AUDIO", &self.cache_tokens_details),
            image_output: of("IMAGE", &self.candidates_tokens_details),
            ..Usage::default()
        };
        usage.served_by(self.service())
    }

    /// How it was served; Vertex AI says it by the kind of traffic.
    fn service(&self) -> Option<&'static str> {
        let told = self.service_tier.as_deref().unwrap_or_default().to_ascii_lowercase();
        match (&*told, self.traffic_type.as_deref().unwrap_or_default()) {
            ("priority", _) | ("", "ON_DEMAND_PRIORITY") => Some("priority"),
            ("flex", _) | ("", "ON_DEMAND_FLEX") => Some("flex"),
            ("batch", _) => Some("batch"),
            _ => None,
        }
    }
}

fn of(modality: &str, details: &Option<Vec<Modality<'_>>>) -> u64 {
    let found = details.iter().flatten().find(|one| one.modality == modality);
    found.map_or(0, |one| one.token_count)
}
