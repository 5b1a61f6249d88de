//! The words of this format that stand for canonical ones: finish reasons, tiers, usage, log
//! probabilities.

use super::names::{get, get_count, get_items, get_text};
use crate::chat::{Finish, Logprob, Text, Usage};
use crate::value::Value;
use crate::writer::Writer;
use std::borrow::Cow;

/// `finishReason`. A stop after calls is told apart by who knows of them.
pub(super) fn finish_in(word: &str) -> Finish {
    match word {
        "MAX_TOKENS" => Finish::Length,
        "SAFETY"
        | "RECITATION"
        | "LANGUAGE"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION"
        | "MODEL_ARMOR"
        | "ESCALATION"
        | "PUP_LIMITED_DISABLED" => Finish::ContentFilter,
        "MALFORMED_FUNCTION_CALL"
        | "UNEXPECTED_TOOL_CALL"
        | "TOO_MANY_TOOL_CALLS"
        | "MISSING_THOUGHT_SIGNATURE"
        | "MALFORMED_RESPONSE"
        | "OTHER"
        | "IMAGE_OTHER"
        | "NO_IMAGE" => Finish::Error,
        "CONTINUATION" => Finish::Pause,
        _ => Finish::Stop,
    }
}

/// `finishReason` for a client. Gemini calls a turn that ends in calls a stop.
pub(super) fn finish_out(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop | Finish::StopSequence | Finish::ToolCalls | Finish::Pause => "STOP",
        Finish::Length => "MAX_TOKENS",
        Finish::ContentFilter | Finish::Refusal => "SAFETY",
        Finish::Error => "OTHER",
    }
}

/// `serviceTier` by OpenAI's names.
pub(super) fn tier_in(word: Text<'_>) -> Option<Text<'_>> {
    match &*word.to_ascii_lowercase() {
        "unspecified" | "service_tier_unspecified" | "" => None,
        "standard" => Some("default".into()),
        "flex" => Some("flex".into()),
        "priority" => Some("priority".into()),
        _ => Some(word),
    }
}

/// `serviceTier`, for those of OpenAI's that Google has.
pub(super) fn tier_out(tier: &str) -> Option<&'static str> {
    match tier {
        "default" => Some("standard"),
        "flex" => Some("flex"),
        "priority" => Some("priority"),
        _ => None,
    }
}

/// `usageMetadata`: a prompt contains what came from the cache, but neither the results of Google's own
/// tools nor do candidates contain the thoughts.
pub(super) fn usage_in(value: &Value<'_>) -> Usage {
    let count = |name| get_count(value, name).unwrap_or(0);
    let of = |modality: &str, name| {
        let is_it = |one: &&Value<'_>| get_text(one, "modality").as_deref() == Some(modality);
        let found = get_items(value, name).iter().find(is_it);
        found.and_then(|one| get_count(one, "tokenCount")).unwrap_or(0)
    };
    let audio = |name| of("AUDIO", name);
    let reasoning = count("thoughtsTokenCount");
    let usage = Usage {
        input: count("promptTokenCount").saturating_add(count("toolUsePromptTokenCount")),
        output: count("candidatesTokenCount").saturating_add(reasoning),
        cache_read: count("cachedContentTokenCount"),
        reasoning,
        audio_input: audio("promptTokensDetails"),
        audio_output: audio("candidatesTokensDetails"),
        audio_cached: audio("cacheTokensDetails"),
        image_output: of("IMAGE", "candidatesTokensDetails"),
        ..Usage::default()
    };
    usage.served_by(served_by(value).as_deref())
}

/// The tier that a reply was served by.
pub(super) fn served_by<'a>(usage: &Value<'a>) -> Option<Text<'a>> {
    if let Some(tier) = get_text(usage, "serviceTier") {
        return tier_in(tier);
    }
    match get_text(usage, "trafficType")?.as_ref() {
        "ON_DEMAND_PRIORITY" => Some("priority".into()),
        "ON_DEMAND_FLEX" => Some("flex".into()),
        _ => None,
    }
}

pub(super) fn usage_out(w: &mut Writer, usage: &Usage, tier: Option<&str>) {
    let some = |count: u64| (count > 0).then_some(count);
    let shown = usage.output.saturating_sub(usage.reasoning);
    w.key("usageMetadata").object(|w| {
        w.count("promptTokenCount", usage.input).count("candidatesTokenCount", shown);
        w.count("totalTokenCount", usage.input.saturating_add(usage.output));
        w.count_if("cachedContentTokenCount", some(usage.cache_read));
        details(w, "promptTokensDetails", usage.input, usage.audio_input);
        w.count_if("thoughtsTokenCount", some(usage.reasoning));
        details(w, "candidatesTokensDetails", shown, usage.audio_output);
        w.text_if("serviceTier", tier.and_then(tier_out));
    });
}

/// Counts by modality, where sound is one of them.
fn details(w: &mut Writer, name: &str, all: u64, audio: u64) {
    if audio == 0 {
        return;
    }
    w.key(name).array(|w| {
        for (modality, count) in [("TEXT", all.saturating_sub(audio)), ("AUDIO", audio)] {
            if count > 0 {
                w.object(|w| {
                    w.text("modality", modality).count("tokenCount", count);
                });
            }
        }
    });
}

/// `logprobsResult`.
pub(super) fn logprobs_in<'a>(value: &Value<'a>) -> Vec<Logprob<'a>> {
    let top = get_items(value, "topCandidates");
    let chosen = get_items(value, "chosenCandidates").iter().enumerate();
    chosen
        .map(|(index, one)| {
            let top = top.get(index).map(|all| get_items(all, "candidates")).unwrap_or_default();
            Logprob { top: top.iter().map(logprob).collect(), ..logprob(one) }
        })
        .collect()
}

fn logprob<'a>(value: &Value<'a>) -> Logprob<'a> {
    let logprob = get(value, "logProbability").and_then(Value::as_f64).unwrap_or(0.0);
    let token = get_text(value, "token").unwrap_or(Cow::Borrowed(""));
    Logprob { token, logprob, bytes: None, top: Vec::new() }
}

pub(super) fn logprobs_out(w: &mut Writer, logprobs: &[Logprob<'_>]) {
    let write = |w: &mut Writer, one: &Logprob<'_>| {
        w.object(|w| {
            w.text("token", &one.token).key("logProbability").float(one.logprob);
        });
    };
    w.key("logprobsResult").object(|w| {
        w.key("topCandidates").array(|w| {
            for one in logprobs {
                w.object(|w| {
                    w.key("candidates").array(|w| one.top.iter().for_each(|one| write(w, one)));
                });
            }
        });
        w.key("chosenCandidates").array(|w| logprobs.iter().for_each(|one| write(w, one)));
    });
}
