//! A request for an upstream.

use super::messages_out::Turn;
use super::words::{effort_of_budget, effort_out};
use crate::chat::{Effort, Output, OutputSchema, Reasoning, Request, Tool, ToolChoice};
use crate::format::{Dropped, Fault, OUTPUT_TOOL, Sent, Target};
use crate::modalities::{Asked, is_of_gemini};
use crate::writer::Writer;

/// Who speaks to clients of Gemini, whose voices OpenAI does not have.
const VOICE: &str = "alloy";
/// Stop texts that OpenAI takes.
const MOST_STOPS: usize = 4;

pub(super) fn encode(
    request: &Request<'_>,
    target: &Target<'_>,
    dropped: &mut Dropped,
) -> Result<Sent, Fault> {
    let output_tool = match request.output {
        Output::Schema(_) if !target.native_schema => Some(OUTPUT_TOOL),
        _ => None,
    };
    let mut makes = false;
    let mut w = Writer::new();
    w.object(|w| {
        w.text("model", target.model);
        w.key("messages").array(|w| {
            for (index, message) in request.messages.iter().enumerate() {
                Turn { target, index, dropped }.write(w, message);
            }
        });
        tools(w, request, output_tool.is_some(), target, dropped);
        if output_tool.is_none() {
            output(w, &request.output);
        }
        sampling(w, request, target, dropped);
        options(w, request, target, dropped);
        makes = modalities(w, request, target);
    });
    for one in &request.extra {
        if !(makes && is_of_gemini(&one.name)) {
            dropped.add(one.name.clone().into_owned());
        }
    }
    Ok(Sent { body: w.finish(), headers: Vec::new(), output_tool })
}

fn tools(
    w: &mut Writer,
    request: &Request<'_>,
    forced: bool,
    target: &Target<'_>,
    dropped: &mut Dropped,
) {
    let mut written = 0;
    let functions = request.tools.iter().any(|tool| matches!(tool, Tool::Function(_)));
    if !functions && !forced {
        for (index, one) in request.tools.iter().enumerate() {
            if let Tool::Hosted { kind, .. } = one {
                dropped.add(format!("tools[{index}] ({kind})"));
            }
        }
        return;
    }
    {
        w.key("tools").array(|w| {
            for (index, one) in request.tools.iter().enumerate() {
                match one {
                    Tool::Hosted { kind, .. } => dropped.add(format!("tools[{index}] ({kind})")),
                    Tool::Function(function) => {
                        written += 1;
                        let parameters = function.parameters.as_deref();
                        let strict = function.strict.filter(|strict| target.original || *strict);
                        function_tool(
                            w,
                            &function.name,
                            function.description.as_deref(),
                            parameters,
                            strict,
                        );
                        if function.cache.is_some() {
                            dropped.add(format!("tools[{index}].cache_control"));
                        }
                    }
                }
            }
            if let (true, Output::Schema(schema)) = (forced, &request.output) {
                output_tool(w, schema);
            }
        });
    }
    if forced && written == 0 {
        w.key("tool_choice");
        named_choice(w, OUTPUT_TOOL);
        return;
    }
    if forced {
        // Either a tool of the client's or the answer: in both cases a call.
        w.text("tool_choice", "required");
    } else if let Some(choice) = request.tool_choice.as_ref().filter(|_| written > 0) {
        w.key("tool_choice");
        tool_choice(w, choice, target, dropped);
    }
    if let (Some(parallel), true) = (request.parallel_tool_calls, written > 0) {
        w.flag("parallel_tool_calls", parallel);
    }
}

fn function_tool(
    w: &mut Writer,
    name: &str,
    description: Option<&str>,
    parameters: Option<&str>,
    strict: Option<bool>,
) {
    w.object(|w| {
        w.text("type", "function").key("function").object(|w| {
            w.text("name", name).text_if("description", description);
            w.member_if("parameters", parameters).flag_if("strict", strict);
        });
    });
}

fn output_tool(w: &mut Writer, schema: &OutputSchema<'_>) {
    let description = "Gives the answer. Call it exactly once, with the answer as its arguments.";
    function_tool(w, OUTPUT_TOOL, Some(description), Some(&schema.schema), None);
}

fn named_choice(w: &mut Writer, name: &str) {
    w.object(|w| {
        w.text("type", "function").key("function").object(|w| {
            w.text("name", name);
        });
    });
}

fn tool_choice(
    w: &mut Writer,
    choice: &ToolChoice<'_>,
    target: &Target<'_>,
    dropped: &mut Dropped,
) {
    match choice {
        ToolChoice::Auto => w.string("auto"),
        ToolChoice::None => w.string("none"),
        ToolChoice::Required => w.string("required"),
        ToolChoice::Function(name) => named_choice(w, name),
        ToolChoice::Allowed { names, required } if target.original => w.object(|w| {
            w.text("type", "allowed_tools").key("allowed_tools").object(|w| {
                w.text("mode", if *required { "required" } else { "auto" });
                w.key("tools").array(|w| names.iter().for_each(|name| named_choice(w, name)));
            });
        }),
        ToolChoice::Allowed { required, .. } => {
            dropped.add("tool_choice.allowed_tools");
            w.string(if *required { "required" } else { "auto" });
        }
    }
}

fn output(w: &mut Writer, output: &Output<'_>) {
    match output {
        Output::Text => {}
        Output::Json => w.key("response_format").object(|w| {
            w.text("type", "json_object");
        }),
        Output::Schema(schema) => w.key("response_format").object(|w| {
            w.text("type", "json_schema").key("json_schema").object(|w| {
                w.text("name", &schema.name).text_if("description", schema.description.as_deref());
                w.member("schema", &schema.schema).flag_if("strict", schema.strict);
            });
        }),
    }
}

/// The effort to ask for, if the model is one that thinks.
fn effort(reasoning: Option<&Reasoning<'_>>) -> Option<Effort> {
    let reasoning = reasoning?;
    reasoning.effort.or_else(|| reasoning.budget.map(effort_of_budget))
}

fn sampling(w: &mut Writer, request: &Request<'_>, target: &Target<'_>, dropped: &mut Dropped) {
    // OpenAI's thinking models refuse to have their sampling changed from what they do anyway.
    let fixed = target.original
        && target.reasoning
        && effort(request.reasoning.as_ref()) != Some(Effort::None);
    let floats = [
        ("temperature", request.temperature, 1.0),
        ("top_p", request.top_p, 1.0),
        ("frequency_penalty", request.frequency_penalty, 0.0),
        ("presence_penalty", request.presence_penalty, 0.0),
    ];
    for (name, given, usual) in floats {
        if fixed && given.is_some_and(|given| given != usual) {
            dropped.add(name);
        } else {
            w.float_if(name, given);
        }
    }
    dropped.add_if(target.original && request.top_k.is_some(), "top_k");
    w.count_if("top_k", request.top_k.filter(|_| !target.original));
    if let Some(seed) = request.seed {
        w.key("seed").integer(seed);
    }
    if let Some(top) = request.logprobs {
        w.flag("logprobs", true).count_if("top_logprobs", (top > 0).then_some(top.min(20)));
    }
    w.count_if("n", request.n.filter(|n| *n != 1));
}

/// Asks for pictures or speech, if a client of Gemini's does; whether it could. OpenAI's own chats make no
/// pictures, and speak only beside a text.
fn modalities(w: &mut Writer, request: &Request<'_>, target: &Target<'_>) -> bool {
    let Some(asked) = Asked::in_gemini(request) else { return false };
    if asked.image && target.original {
        return false;
    }
    w.key("modalities").array(|w| {
        w.string("text");
        if asked.image {
            w.string("image");
        }
        if asked.audio {
            w.string("audio");
        }
    });
    if asked.audio {
        w.key("audio").object(|w| {
            w.text("voice", VOICE).text("format", "pcm16");
        });
    }
    true
}

fn options(w: &mut Writer, request: &Request<'_>, target: &Target<'_>, dropped: &mut Dropped) {
    let most = if target.original { "max_completion_tokens" } else { "max_tokens" };
    w.count_if(most, request.max_output_tokens);
    if !request.stop.is_empty() {
        let kept = if target.original { MOST_STOPS } else { usize::MAX };
        if request.stop.len() > kept {
            dropped.add("stop (clamped)");
        }
        w.key("stop").array(|w| request.stop.iter().take(kept).for_each(|text| w.string(text)));
    }
    if let Some(reasoning) = &request.reasoning {
        match effort(Some(reasoning)) {
            Some(effort) if target.reasoning => {
                w.text("reasoning_effort", effort_out(effort));
            }
            // Not to think is what the others do anyway.
            None | Some(Effort::None) => {}
            Some(_) => dropped.add("reasoning"),
        }
    }
    w.text_if("user", request.end_user.as_deref());
    w.text_if("service_tier", request.service_tier.as_deref().filter(|_| target.original));
    dropped.add_if(!target.original && request.service_tier.is_some(), "service_tier");
    // OpenAI takes it only with `store`, and others not at all.
    dropped.add_if(request.metadata.is_some(), "metadata");
    if request.stream {
        w.flag("stream", true);
        if target.stream_usage {
            w.member("stream_options", "{\"include_usage\":true}");
        }
    }
}
