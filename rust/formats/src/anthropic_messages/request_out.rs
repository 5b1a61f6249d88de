//! A request for an upstream.

use super::messages_out::Conversation;
use super::models::Model;
use super::sampling;
use super::thinking::{self, Plan};
use super::tools_out::{self, Answer};
use super::turns::Turns;
use crate::chat::Request;
use crate::format::{Dropped, Fault, OUTPUT_TOOL, Sent, Target};
use crate::writer::Writer;

/// Tokens of a reply when nobody says how many.
const USUAL_MAX_TOKENS: u64 = 4096;

pub(super) fn encode(
    request: &Request<'_>,
    target: &Target<'_>,
    dropped: &mut Dropped,
) -> Result<Sent, Fault> {
    let model = Model::of(target.known_as(), target.original);
    let max_tokens = max_tokens(request, target, dropped);
    let answer = Answer::new(request, target, model, dropped);
    let forced = answer.forces(request, model);
    let plan = thinking::plan(request, target, model, max_tokens, forced, dropped);
    let turns = Turns::of(&request.messages, model.hears_system_inside(), dropped);
    let conversation = Conversation::write(&turns, &request.messages, dropped)?;
    let mut w = Writer::new();
    w.object(|w| {
        w.text("model", target.model).count("max_tokens", max_tokens);
        w.member_if("system", conversation.system.as_deref());
        w.member("messages", &conversation.messages);
        tools_out::write(w, request, &answer, target, model, dropped);
        config(w, &answer, &plan);
        plan.write(w, request.reasoning.as_ref());
        sampling::write(w, request, model, plan.is_on(), dropped);
        options(w, request, dropped);
    });
    uncarried(request, dropped);
    let output_tool = answer.tool.as_ref().map(|_| OUTPUT_TOOL);
    Ok(Sent { body: w.finish(), headers: Vec::new(), output_tool })
}

fn max_tokens(request: &Request<'_>, target: &Target<'_>, dropped: &mut Dropped) -> u64 {
    let given = request.max_output_tokens.or(target.max_output_tokens).unwrap_or(USUAL_MAX_TOKENS);
    let most = target.max_output_tokens.unwrap_or(u64::MAX);
    dropped.add_if(given > most, "max_output_tokens (clamped)");
    given.min(most)
}

fn config(w: &mut Writer, answer: &Answer<'_>, plan: &Plan) {
    if answer.schema.is_none() && plan.effort().is_none() {
        return;
    }
    w.key("output_config").object(|w| {
        w.text_if("effort", plan.effort());
        if let Some(schema) = &answer.schema {
            w.key("format").object(|w| {
                w.text("type", "json_schema").member("schema", schema);
            });
        }
    });
}

fn options(w: &mut Writer, request: &Request<'_>, dropped: &mut Dropped) {
    // Blank ones are refused.
    let stops = request.stop.iter().filter(|text| !text.trim().is_empty());
    let stops: Vec<_> = stops.collect();
    dropped.add_if(stops.len() < request.stop.len(), "stop");
    if !stops.is_empty() {
        w.key("stop_sequences").array(|w| stops.iter().for_each(|text| w.string(text)));
    }
    if let Some(user) = &request.end_user {
        w.key("metadata").object(|w| {
            w.text("user_id", user);
        });
    }
    let tier = match request.service_tier.as_deref() {
        Some("default") => Some("standard_only"),
        Some("auto") => Some("auto"),
        _ => None,
    };
    dropped.add_if(request.service_tier.is_some() && tier.is_none(), "service_tier");
    w.text_if("service_tier", tier);
    if request.stream {
        w.flag("stream", true);
    }
}

/// Notes what the format has no words for.
fn uncarried(request: &Request<'_>, dropped: &mut Dropped) {
    for (given, name) in [
        (request.frequency_penalty.is_some_and(|given| given != 0.0), "frequency_penalty"),
        (request.presence_penalty.is_some_and(|given| given != 0.0), "presence_penalty"),
        (request.seed.is_some(), "seed"),
        (request.n.is_some_and(|n| n != 1), "n"),
        (request.logprobs.is_some(), "logprobs"),
        (request.metadata.is_some(), "metadata"),
    ] {
        dropped.add_if(given, name);
    }
    for one in &request.extra {
        dropped.add(one.name.clone().into_owned());
    }
}
