//! A request for an upstream.

use super::messages_out::{Document, Out};
use crate::chat::{Block, Effort, Function, Output, Request, Text, Tool, ToolChoice};
use crate::format::{Dropped, Fault, OUTPUT_TOOL, Sent, Target};
use crate::writer::Writer;

/// Members of a request that only Cohere has: they pass as they are.
const OWN: [&str; 4] = ["documents", "citation_options", "safety_mode", "priority"];
/// Stop texts that Cohere takes.
const MOST_STOPS: usize = 5;
/// Its largest `k`.
const MOST_K: u64 = 500;
/// The schema of a tool without arguments.
const NO_ARGUMENTS: &str = r#"{"type":"object","properties":{}}"#;
/// The schema of a reply that has to be any JSON object.
const ANY_OBJECT: &str = r#"{"type":"object","additionalProperties":true}"#;
/// What the tool that stands in for a schema is for.
const ANSWERS: &str = "Gives the answer. Call it exactly once, with the answer as its arguments.";

pub(super) fn encode(
    request: &Request<'_>,
    target: &Target<'_>,
    dropped: &mut Dropped,
) -> Result<Sent, Fault> {
    let tools = Tools::plan(request, target, dropped);
    let mut w = Writer::new();
    let mut fault = None;
    w.object(|w| {
        w.text("model", target.model);
        let mut out = Out::new(target, dropped);
        w.key("messages").array(|w| {
            for (index, message) in request.messages.iter().enumerate() {
                if let Err(found) = out.message(w, index, message) {
                    fault.get_or_insert(found);
                }
            }
        });
        let found = std::mem::take(&mut out.documents);
        let given = request.extra.iter().any(|one| one.name == OWN[0]);
        dropped.add_if(given && !found.is_empty(), "documents");
        if !given && !found.is_empty() {
            w.key(OWN[0]).array(|w| found.iter().for_each(|one| document(w, one)));
        }
        tools.write(w, dropped);
        if !tools.answers() {
            output(w, &request.output);
        }
        sampling(w, request, dropped);
        options(w, request, target, dropped);
    });
    let output_tool = tools.answers().then_some(OUTPUT_TOOL);
    match fault {
        Some(fault) => Err(fault),
        None => Ok(Sent { body: w.finish(), headers: Vec::new(), output_tool }),
    }
}

fn document(w: &mut Writer, one: &Document<'_>) {
    w.object(|w| {
        w.key("data").object(|w| {
            w.text_if("title", one.title).text_if("context", one.context);
            w.text("text", &one.text);
        });
    });
}

/// What is declared, and whether something has to be called.
struct Tools<'r> {
    functions: Vec<(usize, &'r Function<'r>)>,
    choice: Option<&'static str>,
    /// The schema of the reply, if a tool stands in for it.
    output: Option<&'r str>,
}

impl<'r> Tools<'r> {
    fn plan(request: &'r Request<'r>, target: &Target<'_>, dropped: &mut Dropped) -> Self {
        let mut functions = Vec::with_capacity(request.tools.len());
        for (index, tool) in request.tools.iter().enumerate() {
            match tool {
                Tool::Function(one) if is_allowed(&one.name, request.tool_choice.as_ref()) => {
                    functions.push((index, one));
                }
                Tool::Function(_) => {}
                Tool::Hosted { kind, .. } => dropped.add(format!("tools[{index}] ({kind})")),
            }
        }
        let several = request.parallel_tool_calls == Some(false) && !functions.is_empty();
        dropped.add_if(several, "parallel_tool_calls");
        // Cohere has no format of the reply beside tools or documents.
        let beside = !functions.is_empty() || has_documents(request);
        let output = match &request.output {
            Output::Schema(one) if beside || !target.native_schema => Some(&*one.schema),
            Output::Json if beside => Some(ANY_OBJECT),
            _ => None,
        };
        let forbidden = request.tool_choice == Some(ToolChoice::None);
        if forbidden && output.is_some() {
            functions.clear();
        }
        let forced = match &request.tool_choice {
            Some(ToolChoice::Required | ToolChoice::Function(_)) => true,
            Some(ToolChoice::Allowed { required, .. }) => *required,
            _ => false,
        };
        let choice = match (functions.is_empty(), output) {
            (_, Some(_)) => Some("REQUIRED"),
            (true, None) => None,
            (false, None) if forbidden => Some("NONE"),
            (false, None) => forced.then_some("REQUIRED"),
        };
        dropped.add_if(forced && functions.is_empty(), "tool_choice");
        Tools { functions, choice, output }
    }

    /// Whether a tool stands in for the schema of the reply.
    fn answers(&self) -> bool {
        self.output.is_some()
    }

    fn write(&self, w: &mut Writer, dropped: &mut Dropped) {
        if self.functions.is_empty() && self.output.is_none() {
            return;
        }
        w.key("tools").array(|w| {
            for (index, one) in &self.functions {
                if one.cache.is_some() {
                    dropped.add(format!("tools[{index}].cache_control"));
                }
                let schema = one.parameters.as_deref().unwrap_or(NO_ARGUMENTS);
                function(w, &one.name, one.description.as_deref(), schema);
            }
            if let Some(schema) = self.output {
                function(w, OUTPUT_TOOL, Some(ANSWERS), schema);
            }
        });
        w.text_if("tool_choice", self.choice);
        let is_strict = |one: &Function<'_>| one.strict == Some(true);
        if self.functions.iter().all(|(_, one)| is_strict(one)) && !self.functions.is_empty() {
            w.flag("strict_tools", true);
        } else {
            // All of them are strict, or none.
            for (index, _) in self.functions.iter().filter(|(_, one)| is_strict(one)) {
                dropped.add(format!("tools[{index}].strict"));
            }
        }
    }
}

fn has_documents(request: &Request<'_>) -> bool {
    let mut blocks = request.messages.iter().flat_map(|message| &message.blocks);
    blocks.any(|block| matches!(block, Block::Document { .. }))
        || request.extra.iter().any(|one| one.name == OWN[0])
}

/// Cohere cannot be told which tools to choose from, so only these are declared.
fn is_allowed(name: &Text<'_>, choice: Option<&ToolChoice<'_>>) -> bool {
    match choice {
        Some(ToolChoice::Function(only)) => name == only,
        Some(ToolChoice::Allowed { names, .. }) => names.contains(name),
        _ => true,
    }
}

fn function(w: &mut Writer, name: &str, description: Option<&str>, schema: &str) {
    w.object(|w| {
        w.text("type", "function").key("function").object(|w| {
            w.text("name", name).text_if("description", description);
            w.member("parameters", schema);
        });
    });
}

fn output(w: &mut Writer, output: &Output<'_>) {
    let schema = match output {
        Output::Text => return,
        Output::Json => None,
        Output::Schema(schema) => Some(&*schema.schema),
    };
    w.key("response_format").object(|w| {
        w.text("type", "json_object").member_if("json_schema", schema);
    });
}

/// A value within Cohere's range.
fn clamped(
    value: Option<f64>,
    range: (f64, f64),
    name: &'static str,
    dropped: &mut Dropped,
) -> Option<f64> {
    let kept = value.map(|value| value.clamp(range.0, range.1));
    dropped.add_if(kept != value, name);
    kept
}

fn sampling(w: &mut Writer, request: &Request<'_>, dropped: &mut Dropped) {
    let temperature = clamped(request.temperature, (0.0, 1.0), "temperature (clamped)", dropped);
    w.float_if("temperature", temperature);
    let top_p = clamped(request.top_p, (0.01, 0.99), "top_p (clamped)", dropped);
    w.float_if("p", top_p);
    dropped.add_if(request.top_k.is_some_and(|k| k > MOST_K), "top_k (clamped)");
    w.count_if("k", request.top_k.map(|k| k.min(MOST_K)));
    let penalties = [
        ("frequency_penalty", request.frequency_penalty, "frequency_penalty (clamped)"),
        ("presence_penalty", request.presence_penalty, "presence_penalty (clamped)"),
    ];
    for (name, value, clamp) in penalties {
        w.float_if(name, clamped(value, (0.0, 1.0), clamp, dropped));
    }
    dropped.add_if(request.seed.is_some_and(|seed| seed < 0), "seed");
    w.count_if("seed", request.seed.and_then(|seed| u64::try_from(seed).ok()));
    dropped.add_if(request.logprobs.is_some_and(|top| top > 0), "logprobs (clamped)");
    w.flag_if("logprobs", request.logprobs.map(|_| true));
    dropped.add_if(request.n.is_some_and(|n| n != 1), "n");
}

fn options(w: &mut Writer, request: &Request<'_>, target: &Target<'_>, dropped: &mut Dropped) {
    let given = request.max_output_tokens;
    let most = given.map(|given| given.min(target.max_output_tokens.unwrap_or(u64::MAX)));
    dropped.add_if(most != given, "max_output_tokens (clamped)");
    w.count_if("max_tokens", most);
    if !request.stop.is_empty() {
        dropped.add_if(request.stop.len() > MOST_STOPS, "stop (clamped)");
        let kept = request.stop.iter().take(MOST_STOPS);
        w.key("stop_sequences").array(|w| kept.for_each(|text| w.string(text)));
    }
    thinking(w, request, target, most, dropped);
    dropped.add_if(request.end_user.is_some(), "end_user");
    dropped
        .add_if(request.service_tier.as_deref().is_some_and(|tier| tier != "auto"), "service_tier");
    dropped.add_if(request.metadata.is_some(), "metadata");
    for one in &request.extra {
        if OWN.contains(&&*one.name) {
            w.member(&one.name, &one.value);
        } else {
            dropped.add(one.name.clone().into_owned());
        }
    }
    if request.stream {
        w.flag("stream", true);
    }
}

fn thinking(
    w: &mut Writer,
    request: &Request<'_>,
    target: &Target<'_>,
    most: Option<u64>,
    dropped: &mut Dropped,
) {
    let Some(reasoning) = &request.reasoning else { return };
    if !target.reasoning {
        let asked = reasoning.budget.is_some()
            || reasoning.effort.is_some_and(|effort| effort != Effort::None);
        return dropped.add_if(asked, "reasoning");
    }
    // Half of the reply is left for what is not thought.
    let at_most = |tokens: u64| Some(tokens.min(most.unwrap_or(u64::MAX) / 2).max(1));
    let budget = reasoning.budget.or(match reasoning.effort {
        Some(Effort::Minimal) => at_most(1024),
        Some(Effort::Low) => at_most(4096),
        Some(Effort::Medium) => at_most(10_000),
        _ => None,
    });
    let off = reasoning.effort == Some(Effort::None) || budget == Some(0);
    if reasoning.effort.is_none() && budget.is_none() {
        return;
    }
    w.key("thinking").object(|w| {
        w.text("type", if off { "disabled" } else { "enabled" });
        w.count_if("token_budget", budget.filter(|_| !off));
    });
}
