//! The words of this format that stand for canonical ones: stop reasons, usage, tool ids.

use crate::chat::{Finish, Text, Usage};
use crate::value::Value;
use crate::writer::Writer;
use std::borrow::Cow;
use std::hash::{Hash, Hasher};

pub(super) fn finish_in(word: &str) -> Finish {
    match word {
        "max_tokens" | "model_context_window_exceeded" => Finish::Length,
        "stop_sequence" => Finish::StopSequence,
        "tool_use" => Finish::ToolCalls,
        "pause_turn" => Finish::Pause,
        // Said by the provider's classifiers, not by the model.
        "refusal" => Finish::ContentFilter,
        _ => Finish::Stop,
    }
}

pub(super) fn finish_out(finish: Finish) -> &'static str {
    match finish {
        // There is no word for a failure: the turn is over.
        Finish::Stop | Finish::Error => "end_turn",
        Finish::StopSequence => "stop_sequence",
        Finish::Length => "max_tokens",
        Finish::ToolCalls => "tool_use",
        Finish::ContentFilter | Finish::Refusal => "refusal",
        Finish::Pause => "pause_turn",
    }
}

/// The usage; what a later event of a stream does not repeat is taken from `before`.
pub(super) fn usage_in(value: &Value<'_>, before: Option<Usage>) -> Usage {
    let before = before.unwrap_or_default();
    let count = |name: &str| value.get(name).and_then(Value::as_u64);
    let cache_read = count("cache_read_input_tokens").unwrap_or(before.cache_read);
    let cache_write = count("cache_creation_input_tokens").unwrap_or(before.cache_write);
    let plain = before.input.saturating_sub(before.cache_read).saturating_sub(before.cache_write);
    let input = count("input_tokens").unwrap_or(plain);
    let details = value.get("output_tokens_details");
    let thought =
        details.and_then(|details| details.get("thinking_tokens")).and_then(Value::as_u64);
    let written = value.get("cache_creation");
    let for_an_hour = written.and_then(|written| written.get("ephemeral_1h_input_tokens"));
    let usage = Usage {
        input: input.saturating_add(cache_read).saturating_add(cache_write),
        output: count("output_tokens").unwrap_or(before.output),
        cache_read,
        cache_write,
        cache_write_1h: for_an_hour.and_then(Value::as_u64).unwrap_or(before.cache_write_1h),
        reasoning: thought.unwrap_or(before.reasoning),
        service: before.service,
        ..Usage::default()
    };
    let word = |name: &str| value.get(name).and_then(Value::as_str);
    let searches = value.get("server_tool_use").and_then(|used| used.get("web_search_requests"));
    let usage = usage.served_by(word("service_tier")).with_surcharges(
        word("speed"),
        word("inference_geo"),
        searches.and_then(Value::as_u64),
    );
    with_compactions(value, usage)
}

/// The usage with what compactions took: the sums leave them out, and they are charged.
fn with_compactions(value: &Value<'_>, usage: Usage) -> Usage {
    let steps = value.get("iterations").map(Value::items).unwrap_or_default();
    let is_compaction =
        |step: &&Value<'_>| step.get("type").and_then(Value::as_str) == Some("compaction");
    if !steps.iter().any(|step| is_compaction(&step)) {
        return usage;
    }
    let whole = steps.iter().map(|step| usage_in(step, None)).fold(Usage::default(), Usage::plus);
    Usage { service: usage.service, reasoning: usage.reasoning, ..whole }
}

/// The tier that served a reply.
pub(super) fn tier_in(word: Text<'_>) -> Text<'_> {
    if word == "standard" { "default".into() } else { word }
}

/// The tier that served a reply, if Anthropic has a word for it.
fn tier_out(tier: &str) -> Option<&'static str> {
    Some(match tier {
        "default" => "standard",
        "priority" => "priority",
        "batch" => "batch",
        _ => return None,
    })
}

/// Writes the usage, with the tier where it is known: streams do not tell it.
pub(super) fn usage_out(w: &mut Writer, usage: &Usage, tier: Option<&str>) {
    let plain = usage.input.saturating_sub(usage.cache_read).saturating_sub(usage.cache_write);
    w.object(|w| {
        w.count("input_tokens", plain);
        w.count("cache_creation_input_tokens", usage.cache_write);
        w.count("cache_read_input_tokens", usage.cache_read);
        w.count("output_tokens", usage.output);
        if usage.reasoning > 0 {
            w.key("output_tokens_details").object(|w| {
                w.count("thinking_tokens", usage.reasoning);
            });
        }
        w.text_if("service_tier", tier.and_then(tier_out));
    });
}

/// The id of a call as Anthropic allows it: letters, digits, `_` and `-`. Another one is changed the same
/// way in the call and in its result, and so that no two become one.
pub(super) fn tool_id(id: &str) -> Cow<'_, str> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !id.is_empty() && id.chars().all(allowed) {
        return Cow::Borrowed(id);
    }
    let kept: String = id.chars().map(|c| if allowed(c) { c } else { '_' }).collect();
    let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
    id.hash(&mut hasher);
    Cow::Owned(format!("{kept}_{:016x}", hasher.finish()))
}

/// FNV-1a: the same in every process, as an id has to be.
struct Fnv(u64);

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
