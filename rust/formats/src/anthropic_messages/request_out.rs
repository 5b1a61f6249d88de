//! A request for an upstream.

use super::messages_out::Turns;
use super::thinking::{self, Plan};
use crate::chat::{Function, Output, Request, Tool, ToolChoice};
use crate::format::{Dropped, Fault, OUTPUT_TOOL, Sent, Target};
use crate::value::Value;
use crate::writer::Writer;

/// Tokens of a reply when nobody says how many.
const USUAL_MAX_TOKENS: u64 = 4096;

pub(super) fn encode(
    request: &Request<'_>,
    target: &Target<'_>,
    dropped: &mut Dropped,
) -> Result<Sent, Fault> {
    let max_tokens = max_tokens(request, target, dropped);
    let plan = thinking::plan(request, target, max_tokens, dropped);
    let output = Answer::new(request, target, &plan, dropped);
    let mut turns = Turns::default();
    let mut messages = Writer::new();
    messages.array(|w| turns.write(w, &request.messages, dropped));
    if turns.written == 0 {
        return Err(Fault::unsupported(
            "messages",
            "Nothing of the messages can be said to this model.",
        ));
    }
    let mut w = Writer::new();
    w.object(|w| {
        w.text("model", target.model).count("max_tokens", max_tokens);
        turns.write_system(w, &request.messages, dropped);
        w.key("messages").raw(&String::from_utf8(messages.finish()).unwrap_or_default());
        tools(w, request, &output, &plan, dropped);
        config(w, &output, &plan);
        plan.write(w, request.reasoning.as_ref());
        plan.sampling(w, request, dropped);
        options(w, request, dropped);
    });
    for one in &request.extra {
        dropped.add(one.name.clone().into_owned());
    }
    let output_tool = output.tool.as_ref().map(|_| OUTPUT_TOOL);
    Ok(Sent { body: w.finish(), headers: Vec::new(), output_tool })
}

fn max_tokens(request: &Request<'_>, target: &Target<'_>, dropped: &mut Dropped) -> u64 {
    let given = request.max_output_tokens.or(target.max_output_tokens).unwrap_or(USUAL_MAX_TOKENS);
    let most = target.max_output_tokens.unwrap_or(u64::MAX);
    dropped.add_if(given > most, "max_output_tokens (clamped)");
    given.min(most)
}

/// How the reply is made to be JSON.
struct Answer<'a> {
    /// A schema that the model takes as it is.
    schema: Option<&'a str>,
    /// The schema of a tool that the model has to call instead.
    tool: Option<&'a str>,
}

impl<'a> Answer<'a> {
    fn new(
        request: &'a Request<'_>,
        target: &Target<'_>,
        plan: &Plan,
        dropped: &mut Dropped,
    ) -> Self {
        let (schema, tool) = match &request.output {
            Output::Text => (None, None),
            Output::Json => (None, Some("{\"type\":\"object\"}")),
            // Schemas that leave objects open are refused.
            Output::Schema(one) if target.native_schema && is_closed(&one.schema) => {
                (Some(&*one.schema), None)
            }
            Output::Schema(one) => (None, Some(&*one.schema)),
        };
        // While it thinks, no tool can be forced.
        let forced = tool.filter(|_| !plan.is_on());
        dropped.add_if(tool.is_some() && forced.is_none(), "response_format");
        Answer { schema, tool: forced }
    }
}

fn is_closed(schema: &str) -> bool {
    Value::parse(schema).is_ok_and(|schema| {
        schema.get("additionalProperties").and_then(Value::as_bool) == Some(false)
    })
}

fn config(w: &mut Writer, output: &Answer<'_>, plan: &Plan) {
    if output.schema.is_none() && plan.effort().is_none() {
        return;
    }
    w.key("output_config").object(|w| {
        w.text_if("effort", plan.effort());
        if let Some(schema) = output.schema {
            w.key("format").object(|w| {
                w.text("type", "json_schema").member("schema", schema);
            });
        }
    });
}

fn tools(
    w: &mut Writer,
    request: &Request<'_>,
    output: &Answer<'_>,
    plan: &Plan,
    dropped: &mut Dropped,
) {
    let mut functions = Vec::with_capacity(request.tools.len());
    for (index, one) in request.tools.iter().enumerate() {
        match one {
            Tool::Function(function) => functions.push(function),
            Tool::Hosted { kind, .. } => dropped.add(format!("tools[{index}] ({kind})")),
        }
    }
    if functions.is_empty() && output.tool.is_none() {
        return;
    }
    w.key("tools").array(|w| {
        functions.iter().for_each(|one| function(w, one));
        if let Some(schema) = output.tool {
            w.object(|w| {
                let what = "Gives the answer. Call it exactly once, with the answer as its input.";
                w.text("name", OUTPUT_TOOL).text("description", what);
                w.member("input_schema", schema);
            });
        }
    });
    let parallel = request.parallel_tool_calls;
    match (output.tool, &request.tool_choice) {
        (Some(_), _) if functions.is_empty() => choice(w, "tool", Some(OUTPUT_TOOL), None),
        (Some(_), _) => choice(w, "any", None, None),
        (None, None) if parallel == Some(false) => choice(w, "auto", None, parallel),
        (None, None) => {}
        (None, Some(ToolChoice::Auto)) => choice(w, "auto", None, parallel),
        (None, Some(ToolChoice::None)) => choice(w, "none", None, None),
        (None, Some(_)) if plan.is_on() => {
            dropped.add("tool_choice");
            choice(w, "auto", None, parallel);
        }
        (None, Some(ToolChoice::Required)) => choice(w, "any", None, parallel),
        (None, Some(ToolChoice::Function(name))) => choice(w, "tool", Some(name), parallel),
        (None, Some(ToolChoice::Allowed { required, .. })) => {
            dropped.add("tool_choice.allowed_tools");
            choice(w, if *required { "any" } else { "auto" }, None, parallel);
        }
    }
}

fn function(w: &mut Writer, function: &Function<'_>) {
    w.object(|w| {
        w.text("name", &function.name).text_if("description", function.description.as_deref());
        w.member("input_schema", function.parameters.as_deref().unwrap_or("{\"type\":\"object\"}"));
        w.flag_if("strict", function.strict.filter(|strict| *strict));
        super::blocks_out::cache(w, function.cache.as_ref());
    });
}

fn choice(w: &mut Writer, kind: &str, name: Option<&str>, parallel: Option<bool>) {
    w.key("tool_choice").object(|w| {
        w.text("type", kind).text_if("name", name);
        w.flag_if("disable_parallel_tool_use", parallel.map(|parallel| !parallel));
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
    if request.stream {
        w.flag("stream", true);
    }
}
