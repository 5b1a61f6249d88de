//! Tools, whether they have to be called, and the tool that stands in for a schema of the reply.

use super::blocks_out::cache;
use super::models::Model;
use super::own::is_own_tool;
use super::schema;
use crate::chat::{Function, Output, Request, Tool, ToolChoice};
use crate::format::{Dropped, OUTPUT_TOOL, Target};
use crate::writer::Writer;
use std::borrow::Cow;

const ANY_OBJECT: &str = "{\"type\":\"object\"}";

/// How the reply is made to be JSON.
#[derive(Default)]
pub(super) struct Answer<'a> {
    /// A schema that the model takes as it is.
    pub(super) schema: Option<Cow<'a, str>>,
    /// The schema of a tool that the model has to call instead.
    pub(super) tool: Option<&'a str>,
}

impl<'a> Answer<'a> {
    pub(super) fn new(
        request: &'a Request<'_>,
        target: &Target<'_>,
        model: Model,
        dropped: &mut Dropped,
    ) -> Self {
        let wanted = match &request.output {
            Output::Text => return Answer::default(),
            Output::Json => ANY_OBJECT,
            Output::Schema(one) => {
                if target.native_schema
                    && let Some(taken) = schema::taken(&one.schema)
                {
                    dropped.add_if(taken.loosened, "response_format (loosened)");
                    return Answer { schema: Some(taken.text), tool: None };
                }
                &one.schema
            }
        };
        let tool = Some(wanted).filter(|_| model.can_be_forced());
        dropped.add_if(tool.is_none(), "response_format");
        Answer { schema: None, tool }
    }

    /// Whether a tool has to be called: for the reply's sake, or because the client wants it.
    pub(super) fn forces(&self, request: &Request<'_>, model: Model) -> bool {
        let wanted = match &request.tool_choice {
            Some(ToolChoice::Required | ToolChoice::Function(_)) => true,
            Some(ToolChoice::Allowed { required, .. }) => *required,
            Some(ToolChoice::Auto | ToolChoice::None) | None => false,
        };
        let callable = wanted && model.can_be_forced() && request.tools.iter().any(is_carried);
        self.tool.is_some() || callable
    }
}

fn is_carried(tool: &Tool<'_>) -> bool {
    match tool {
        Tool::Function(_) => true,
        Tool::Hosted { kind, .. } => is_own_tool(kind),
    }
}

/// Writes `tools` and `tool_choice`.
pub(super) fn write(
    w: &mut Writer,
    request: &Request<'_>,
    answer: &Answer<'_>,
    target: &Target<'_>,
    model: Model,
    dropped: &mut Dropped,
) {
    let mut carried = Vec::with_capacity(request.tools.len());
    for (index, one) in request.tools.iter().enumerate() {
        match one {
            Tool::Hosted { kind, .. } if !is_carried(one) => {
                dropped.add(format!("tools[{index}] ({kind})"));
            }
            _ => carried.push((index, one)),
        }
    }
    if carried.is_empty() && answer.tool.is_none() {
        let unasked =
            matches!(request.tool_choice, None | Some(ToolChoice::Auto | ToolChoice::None));
        dropped.add_if(!unasked, "tool_choice");
        return;
    }
    w.key("tools").array(|w| {
        for (index, one) in &carried {
            match one {
                Tool::Function(one) => function(w, one, *index, target, dropped),
                Tool::Hosted { value, .. } => w.raw(value),
            }
        }
        if let Some(schema) = answer.tool {
            output_tool(w, schema);
        }
    });
    match answer.tool {
        Some(_) if carried.is_empty() => choice(w, "tool", Some(OUTPUT_TOOL), None),
        Some(_) => choice(w, "any", None, None),
        None => tool_choice(w, request, model, dropped),
    }
}

fn output_tool(w: &mut Writer, schema: &str) {
    w.object(|w| {
        let what = "Gives the answer. Call it exactly once, with the answer as its input.";
        w.text("name", OUTPUT_TOOL).text("description", what).member("input_schema", schema);
    });
}

fn tool_choice(w: &mut Writer, request: &Request<'_>, model: Model, dropped: &mut Dropped) {
    let parallel = request.parallel_tool_calls;
    match &request.tool_choice {
        None if parallel == Some(false) => choice(w, "auto", None, parallel),
        None => {}
        Some(ToolChoice::Auto) => choice(w, "auto", None, parallel),
        Some(ToolChoice::None) => choice(w, "none", None, None),
        Some(ToolChoice::Required) => force(w, None, parallel, model, dropped),
        Some(ToolChoice::Function(name)) => force(w, Some(name), parallel, model, dropped),
        Some(ToolChoice::Allowed { required, .. }) => {
            dropped.add("tool_choice.allowed_tools");
            if *required {
                force(w, None, parallel, model, dropped);
            } else {
                choice(w, "auto", None, parallel);
            }
        }
    }
}

/// Has a tool called: the one of that name, or any.
fn force(
    w: &mut Writer,
    name: Option<&str>,
    parallel: Option<bool>,
    model: Model,
    dropped: &mut Dropped,
) {
    if model.can_be_forced() {
        choice(w, if name.is_some() { "tool" } else { "any" }, name, parallel);
    } else {
        dropped.add("tool_choice");
        choice(w, "auto", None, parallel);
    }
}

fn choice(w: &mut Writer, kind: &str, name: Option<&str>, parallel: Option<bool>) {
    w.key("tool_choice").object(|w| {
        w.text("type", kind).text_if("name", name);
        w.flag_if("disable_parallel_tool_use", parallel.map(|parallel| !parallel));
    });
}

fn function(
    w: &mut Writer,
    function: &Function<'_>,
    index: usize,
    target: &Target<'_>,
    dropped: &mut Dropped,
) {
    let given = function.parameters.as_deref().unwrap_or(ANY_OBJECT);
    let wanted = function.strict == Some(true);
    // Strictness is refused of a schema that could not be the reply's.
    let strict = Some(given).filter(|_| wanted && target.native_schema).and_then(schema::taken);
    let strict = strict.filter(|taken| !taken.loosened);
    if wanted && strict.is_none() {
        dropped.add(format!("tools[{index}].strict"));
    }
    w.object(|w| {
        w.text("name", &function.name).text_if("description", function.description.as_deref());
        w.member("input_schema", strict.as_ref().map_or(given, |taken| &taken.text));
        w.flag_if("strict", strict.is_some().then_some(true));
        cache(w, function.cache.as_ref());
    });
}
