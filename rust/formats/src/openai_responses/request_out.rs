//! A request for an upstream.

use super::ids::shortened;
use super::input_out::{Items, instructions};
use super::tools_out;
use crate::chat::{Effort, Extra, Output, Reasoning, Request};
use crate::format::{Dropped, Fault, Kind, OUTPUT_TOOL, Sent, Target};
use crate::openai_chat::words::{effort_of_budget, effort_out};
use crate::value::Value;
use crate::writer::Writer;
use std::collections::HashSet;

/// Members that pass as they are; chat completions have some of them under the same name.
const CARRIED: [&str; 16] = [
    "access_programs",
    "background",
    "background_options",
    "context_management",
    "conversation",
    "image",
    "max_tool_calls",
    "moderation",
    "previous_response_id",
    "prompt",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "safety_identifier",
    "truncation",
    "user",
];

/// The least that OpenAI takes for `max_output_tokens`.
const LEAST_OUTPUT: u64 = 16;
/// The most alternatives of a token that OpenAI tells.
const MOST_LOGPROBS: u64 = 20;

pub(super) fn encode(
    request: &Request<'_>,
    target: &Target<'_>,
    dropped: &mut Dropped,
) -> Result<Sent, Fault> {
    let output_tool = match request.output {
        Output::Schema(_) if !target.native_schema => Some(OUTPUT_TOOL),
        _ => None,
    };
    let mut w = Writer::new();
    let mut result = Ok(());
    let mut found = HashSet::new();
    w.object(|w| {
        w.text("model", target.model);
        let instructions = instructions(request);
        w.text_if("instructions", instructions.as_deref());
        w.key("input").array(|w| {
            let skipped = usize::from(instructions.is_some());
            let mut items = Items::new(request, target, dropped);
            result = items.write(w, skipped);
            found = items.found;
        });
        tools_out::write(w, request, output_tool.is_some(), &found, dropped);
        sampling(w, request, target, dropped);
        text(w, request, output_tool.is_some());
        reasoning(w, request, target, dropped);
        include(w, request, target);
        options(w, request, target, dropped);
    });
    result.map(|()| Sent { body: w.finish(), headers: Vec::new(), output_tool })
}

fn extra<'r>(request: &'r Request<'_>, name: &str) -> Option<&'r str> {
    request.extra.iter().find(|one| one.name == name).map(|one| &*one.value)
}

fn effort(reasoning: &Reasoning<'_>) -> Option<Effort> {
    reasoning.effort.or_else(|| reasoning.budget.map(effort_of_budget))
}

/// Whether the model is asked not to think.
fn is_off(request: &Request<'_>) -> bool {
    request.reasoning.as_ref().and_then(effort) == Some(Effort::None)
}

fn sampling(w: &mut Writer, request: &Request<'_>, target: &Target<'_>, dropped: &mut Dropped) {
    // OpenAI's thinking models refuse to have their sampling changed from what they do anyway.
    let fixed = target.original && target.reasoning && !is_off(request);
    for (name, given) in [("temperature", request.temperature), ("top_p", request.top_p)] {
        if fixed && given.is_some_and(|given| given != 1.0) {
            dropped.add(name);
        } else {
            w.float_if(name, given);
        }
    }
    if let Some(asked) = request.max_output_tokens {
        let most = target.max_output_tokens.unwrap_or(u64::MAX);
        let least = if target.original { LEAST_OUTPUT } else { 1 };
        let taken = asked.min(most).max(least);
        if taken != asked {
            dropped.add("max_output_tokens (clamped)");
        }
        w.count("max_output_tokens", taken);
    }
    if let Some(asked) = request.logprobs {
        if asked > MOST_LOGPROBS {
            dropped.add("logprobs (clamped)");
        }
        w.count("top_logprobs", asked.min(MOST_LOGPROBS));
    }
    dropped.add_if(request.top_k.is_some(), "top_k");
    dropped.add_if(request.frequency_penalty.is_some(), "frequency_penalty");
    dropped.add_if(request.presence_penalty.is_some(), "presence_penalty");
    dropped.add_if(!request.stop.is_empty(), "stop");
    dropped.add_if(request.seed.is_some(), "seed");
    dropped.add_if(request.n.is_some_and(|n| n != 1), "n");
}

/// `text`: the format of the output, and the client's wishes beside it.
fn text(w: &mut Writer, request: &Request<'_>, forced: bool) {
    let verbosity = extra(request, "text.verbosity").or_else(|| extra(request, "verbosity"));
    let shaped = request.output != Output::Text && !forced;
    if !shaped && verbosity.is_none() {
        return;
    }
    w.key("text").object(|w| {
        if shaped {
            w.key("format").object(|w| format(w, &request.output));
        }
        w.member_if("verbosity", verbosity);
    });
}

fn format(w: &mut Writer, output: &Output<'_>) {
    match output {
        Output::Text => {
            w.text("type", "text");
        }
        Output::Json => {
            w.text("type", "json_object");
        }
        Output::Schema(schema) => {
            let name = if schema.name.is_empty() { "output" } else { &schema.name };
            w.text("type", "json_schema").text("name", name);
            w.text_if("description", schema.description.as_deref());
            w.member("schema", &schema.schema).flag_if("strict", schema.strict);
        }
    }
}

fn reasoning(w: &mut Writer, request: &Request<'_>, target: &Target<'_>, dropped: &mut Dropped) {
    let Some(reasoning) = &request.reasoning else { return };
    let effort = effort(reasoning);
    if !target.reasoning {
        // Not to think is what the others do anyway.
        dropped.add_if(!matches!(effort, None | Some(Effort::None)), "reasoning");
        return;
    }
    let summary = match (reasoning.visible, &reasoning.summary) {
        (Some(false), _) => None,
        (_, Some(summary)) => Some(&**summary),
        (visible, None) => visible.map(|_| "auto"),
    };
    let own_effort = extra(request, "reasoning.effort");
    let others: Vec<_> = request
        .extra
        .iter()
        .filter_map(|one| Some((one.name.strip_prefix("reasoning.")?, &*one.value)))
        .filter(|(name, _)| *name != "effort")
        .collect();
    if effort.is_none() && own_effort.is_none() && summary.is_none() && others.is_empty() {
        return;
    }
    w.key("reasoning").object(|w| {
        match own_effort {
            Some(effort) => w.member("effort", effort),
            None => w.text_if("effort", effort.map(effort_out)),
        };
        w.text_if("summary", summary);
        for (name, value) in others {
            w.member(name, value);
        }
    });
}

/// Whether the proofs of thoughts are wanted: there have to be thoughts, and a model that has them sealed.
fn wants_proofs(request: &Request<'_>, target: &Target<'_>) -> bool {
    let asked = request
        .reasoning
        .as_ref()
        .is_some_and(|one| one.sealed || !matches!(effort(one), None | Some(Effort::None)));
    let replayed = || {
        request.messages.iter().flat_map(|message| &message.blocks).any(|block| {
            matches!(block, crate::chat::Block::Thinking(thought)
                if thought.signature.as_ref().is_some_and(|one| one.origin == Kind::OpenaiResponses))
        })
    };
    target.reasoning && (asked || replayed())
}

fn include(w: &mut Writer, request: &Request<'_>, target: &Target<'_>) {
    let proofs = wants_proofs(request, target);
    let others = extra(request, "include").and_then(|raw| Value::parse(raw).ok());
    if !proofs && request.logprobs.is_none() && others.is_none() {
        return;
    }
    w.key("include").array(|w| {
        if proofs {
            w.string("reasoning.encrypted_content");
        }
        if request.logprobs.is_some() {
            w.string("message.output_text.logprobs");
        }
        for other in others.as_ref().map(Value::items).unwrap_or_default() {
            w.raw(other.raw());
        }
    });
}

fn options(w: &mut Writer, request: &Request<'_>, target: &Target<'_>, dropped: &mut Dropped) {
    let end_user = if target.original { "safety_identifier" } else { "user" };
    w.text_if(end_user, request.end_user.as_deref().map(shortened).as_deref());
    w.text_if("service_tier", request.service_tier.as_deref());
    w.member_if("metadata", request.metadata.as_deref());
    w.member("store", extra(request, "store").unwrap_or("false"));
    if request.stream {
        w.flag("stream", true);
        w.member_if("stream_options", extra(request, "stream_options"));
    }
    for one in &request.extra {
        let name = &*one.name;
        if CARRIED.contains(&name) && !is_anthropics(name, &one.value) {
            if request.end_user.is_none() || name != end_user {
                w.member(name, &one.value);
            }
        } else if !is_placed(one, request, target) {
            dropped.add(one.name.clone().into_owned());
        }
    }
}

/// Whether an extra only has its name in common with one of ours: Anthropic's `context_management` is an
/// object, OpenAI's a list.
fn is_anthropics(name: &str, value: &str) -> bool {
    name == "context_management" && value.trim_start().starts_with('{')
}

/// Whether an extra has been written where it belongs.
fn is_placed(extra: &Extra<'_>, request: &Request<'_>, target: &Target<'_>) -> bool {
    match &*extra.name {
        "store" | "include" | "text.verbosity" | "verbosity" => true,
        "stream_options" => request.stream,
        name @ "tool_choice" => tools_out::is_hosted_choice(name, &extra.value),
        name if name.starts_with("reasoning.") => target.reasoning && request.reasoning.is_some(),
        _ => tools_out::of_tool(request, extra).is_some(),
    }
}
