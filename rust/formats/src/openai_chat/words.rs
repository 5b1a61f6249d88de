//! The words of this format that stand for canonical ones: finish reasons, efforts, usage.

use crate::chat::{Effort, Finish, Logprob, Usage};
use crate::value::Value;
use crate::writer::Writer;

pub(super) fn finish_in(word: &str) -> Finish {
    match word {
        "length" => Finish::Length,
        "tool_calls" | "function_call" => Finish::ToolCalls,
        "content_filter" => Finish::ContentFilter,
        "error" => Finish::Error,
        _ => Finish::Stop,
    }
}

pub(super) fn finish_out(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop | Finish::StopSequence | Finish::Pause => "stop",
        Finish::Length => "length",
        Finish::ToolCalls => "tool_calls",
        Finish::ContentFilter | Finish::Refusal => "content_filter",
        // OpenRouter's word: OpenAI itself never ends a choice this way.
        Finish::Error => "error",
    }
}

pub(crate) fn effort_in(word: &str) -> Option<Effort> {
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

pub(crate) fn effort_out(effort: Effort) -> &'static str {
    match effort {
        Effort::None => "none",
        Effort::Minimal => "minimal",
        Effort::Low => "low",
        Effort::Medium => "medium",
        Effort::High => "high",
        Effort::XHigh => "xhigh",
    }
}

/// Budgets of thought in tokens, and the efforts that they are taken for: each up to its number.
const BUDGETS: [(u64, Effort); 4] = [
    (1024, Effort::Minimal),
    (4096, Effort::Low),
    (16_384, Effort::Medium),
    (32_768, Effort::High),
];

/// The effort that a budget of thought comes closest to.
pub(crate) fn effort_of_budget(tokens: u64) -> Effort {
    if tokens == 0 {
        return Effort::None;
    }
    BUDGETS.iter().find(|(most, _)| tokens <= *most).map_or(Effort::XHigh, |(_, effort)| *effort)
}

/// The usage of a reply or chunk, and how it was served.
pub(super) fn usage_of(body: &Value<'_>) -> Option<Usage> {
    let usage = body.get("usage").and_then(usage_in)?;
    Some(usage.served_by(body.get("service_tier").and_then(Value::as_str)))
}

fn usage_in(value: &Value<'_>) -> Option<Usage> {
    let detail = |group: &str, name: &str| {
        value.get(group).and_then(|group| group.get(name)).and_then(Value::as_u64)
    };
    let input = value.get("prompt_tokens")?.as_u64()?;
    let count = |name: &str| value.get(name).and_then(Value::as_u64);
    // DeepSeek and Moonshot tell cached tokens beside the details that they lack.
    let cache_read = detail("prompt_tokens_details", "cached_tokens")
        .or_else(|| count("prompt_cache_hit_tokens"))
        .or_else(|| count("cached_tokens"));
    let usage = Usage {
        input,
        output: count("completion_tokens").unwrap_or(0),
        cache_read: cache_read.unwrap_or(0),
        cache_write: detail("prompt_tokens_details", "cache_write_tokens").unwrap_or(0),
        reasoning: detail("completion_tokens_details", "reasoning_tokens").unwrap_or(0),
        audio_input: detail("prompt_tokens_details", "audio_tokens").unwrap_or(0),
        audio_output: detail("completion_tokens_details", "audio_tokens").unwrap_or(0),
        image_input: detail("prompt_tokens_details", "image_tokens").unwrap_or(0),
        image_output: detail("completion_tokens_details", "image_tokens").unwrap_or(0),
        ..Usage::default()
    };
    Some(usage.adding_up_to(count("total_tokens")))
}

pub(super) fn usage_out(w: &mut Writer, usage: &Usage) {
    w.object(|w| {
        w.count("prompt_tokens", usage.input);
        w.count("completion_tokens", usage.output);
        w.count("total_tokens", usage.input.saturating_add(usage.output));
        w.key("prompt_tokens_details").object(|w| {
            w.count("cached_tokens", usage.cache_read).count("audio_tokens", usage.audio_input);
            // Zero where the provider does not charge for it.
            w.count_if("cache_write_tokens", (usage.cache_write > 0).then_some(usage.cache_write));
        });
        w.key("completion_tokens_details").object(|w| {
            w.count("reasoning_tokens", usage.reasoning);
            w.count("audio_tokens", usage.audio_output);
        });
    });
}

/// The log probabilities of a choice: its `logprobs` object.
pub(super) fn logprobs_in<'a>(value: &Value<'a>) -> Vec<Logprob<'a>> {
    value
        .get("content")
        .map(|list| list.items().iter().filter_map(logprob_in).collect())
        .unwrap_or_default()
}

pub(crate) fn logprob_in<'a>(value: &Value<'a>) -> Option<Logprob<'a>> {
    let bytes = value.get("bytes").map(|bytes| {
        bytes.items().iter().filter_map(|byte| u8::try_from(byte.as_u64()?).ok()).collect()
    });
    let top = value.get("top_logprobs").map(Value::items).unwrap_or_default();
    Some(Logprob {
        token: value.get("token")?.text()?,
        logprob: value.get("logprob")?.as_f64()?,
        bytes,
        top: top.iter().filter_map(logprob_in).collect(),
    })
}

pub(super) fn logprobs_out(w: &mut Writer, logprobs: &[Logprob<'_>]) {
    w.object(|w| {
        w.key("content").array(|w| logprobs.iter().for_each(|one| logprob_out(w, one, true)));
        w.member("refusal", "null");
    });
}

fn logprob_out(w: &mut Writer, one: &Logprob<'_>, with_top: bool) {
    w.object(|w| {
        w.text("token", &one.token).key("logprob").float(one.logprob);
        match &one.bytes {
            Some(bytes) => {
                w.key("bytes").array(|w| bytes.iter().for_each(|&byte| w.number(byte.into())))
            }
            None => w.key("bytes").null(),
        }
        if with_top {
            w.key("top_logprobs")
                .array(|w| one.top.iter().for_each(|top| logprob_out(w, top, false)));
        }
    });
}
