//! The words of this format that stand for canonical ones: stop reasons, efforts, tiers, usage.

use crate::chat::{Effort, Finish, Usage};
use crate::value::Value;
use crate::writer::Writer;

pub(super) fn finish_in(word: &str) -> Finish {
    match word {
        "tool_use" => Finish::ToolCalls,
        "max_tokens" | "model_context_window_exceeded" => Finish::Length,
        "stop_sequence" => Finish::StopSequence,
        "guardrail_intervened" | "content_filtered" => Finish::ContentFilter,
        "malformed_model_output" | "malformed_tool_use" => Finish::Error,
        // Not in the service model, but Claude has them.
        "refusal" => Finish::Refusal,
        "pause_turn" => Finish::Pause,
        _ => Finish::Stop,
    }
}

pub(super) fn finish_out(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop | Finish::Pause => "end_turn",
        Finish::StopSequence => "stop_sequence",
        Finish::Length => "max_tokens",
        Finish::ToolCalls => "tool_use",
        Finish::ContentFilter | Finish::Refusal => "content_filtered",
        Finish::Error => "malformed_model_output",
    }
}

pub(super) fn effort_in(word: &str) -> Option<Effort> {
    Some(match word {
        "none" => Effort::None,
        "minimal" => Effort::Minimal,
        "low" => Effort::Low,
        "medium" => Effort::Medium,
        "high" => Effort::High,
        "xhigh" | "max" => Effort::XHigh,
        _ => return None,
    })
}

/// The tiers that both OpenAI and Bedrock know, and Bedrock's own.
pub(super) fn is_tier(word: &str) -> bool {
    matches!(word, "default" | "flex" | "priority" | "reserved")
}

/// The usage of a reply or of a stream's last event, and how it was served. Bedrock counts cached tokens
/// beside the input, not within it.
pub(super) fn usage_of(body: &Value<'_>) -> Option<Usage> {
    let value = body.get("usage")?;
    let count = |name: &str| value.get(name).and_then(Value::as_u64);
    let cache_read = count("cacheReadInputTokens").unwrap_or(0);
    let cache_write = count("cacheWriteInputTokens").unwrap_or(0);
    let tier = body.get("serviceTier").and_then(|tier| tier.get("type")).and_then(Value::as_str);
    let details = value.get("cacheDetails").map(Value::items).unwrap_or_default();
    let for_an_hour =
        details.iter().filter(|one| one.get("ttl").and_then(Value::as_str) == Some("1h"));
    let for_an_hour = for_an_hour.filter_map(|one| one.get("inputTokens").and_then(Value::as_u64));
    let usage = Usage {
        input: count("inputTokens")?.saturating_add(cache_read).saturating_add(cache_write),
        output: count("outputTokens").unwrap_or(0),
        cache_read,
        cache_write,
        cache_write_1h: for_an_hour.fold(0, u64::saturating_add),
        ..Usage::default()
    };
    Some(usage.served_by(tier))
}

pub(super) fn usage_out(w: &mut Writer, usage: &Usage) {
    let cached = usage.cache_read.saturating_add(usage.cache_write);
    w.object(|w| {
        w.count("inputTokens", usage.input.saturating_sub(cached));
        w.count("outputTokens", usage.output);
        w.count("totalTokens", usage.input.saturating_add(usage.output));
        if cached > 0 {
            w.count("cacheReadInputTokens", usage.cache_read);
            w.count("cacheWriteInputTokens", usage.cache_write);
        }
    });
}
