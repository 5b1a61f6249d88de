//! The words of this format that stand for canonical ones: finish reasons, usage, log probabilities.

use crate::chat::{Finish, Logprob, Usage};
use crate::value::Value;
use crate::writer::Writer;

pub(super) fn finish_in(word: &str) -> Finish {
    match word {
        "STOP_SEQUENCE" => Finish::StopSequence,
        "MAX_TOKENS" => Finish::Length,
        "TOOL_CALL" => Finish::ToolCalls,
        "ERROR" | "TIMEOUT" => Finish::Error,
        _ => Finish::Stop,
    }
}

pub(super) fn finish_out(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop | Finish::Pause | Finish::Refusal => "COMPLETE",
        Finish::StopSequence => "STOP_SEQUENCE",
        Finish::Length => "MAX_TOKENS",
        Finish::ToolCalls => "TOOL_CALL",
        Finish::ContentFilter | Finish::Error => "ERROR",
    }
}

/// What is billed; what else there is of tokens is Cohere's own prompt. Counts are written as fractions.
pub(super) fn usage_in(value: &Value<'_>) -> Option<Usage> {
    let counts = ["billed_units", "tokens"].iter().find_map(|name| value.get(name))?;
    let count = |name: &str| counts.get(name).and_then(Value::as_u64).unwrap_or(0);
    let cache_read = value.get("cached_tokens").and_then(Value::as_u64).unwrap_or(0);
    Some(Usage {
        input: count("input_tokens").max(cache_read),
        output: count("output_tokens"),
        cache_read,
        ..Usage::default()
    })
}

pub(super) fn usage_out(w: &mut Writer, usage: &Usage) {
    w.object(|w| {
        for name in ["billed_units", "tokens"] {
            w.key(name).object(|w| {
                w.count("input_tokens", usage.input).count("output_tokens", usage.output);
            });
        }
        w.count("cached_tokens", usage.cache_read);
    });
}

/// A piece of text with the log probabilities of its tokens: their sum is the piece's.
pub(super) fn logprob_in<'a>(value: &Value<'a>) -> Option<Logprob<'a>> {
    let each = value.get("logprobs")?.items().iter().filter_map(Value::as_f64);
    Some(Logprob {
        token: value.get("text")?.text()?,
        logprob: each.sum(),
        bytes: None,
        top: Vec::new(),
    })
}

pub(super) fn logprob_out(w: &mut Writer, one: &Logprob<'_>) {
    w.object(|w| {
        w.text("text", &one.token).member("token_ids", "[]");
        w.key("logprobs").array(|w| w.float(one.logprob));
    });
}
