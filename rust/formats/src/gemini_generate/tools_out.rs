//! The tools of a request for an upstream.

use super::names::camel;
use super::schema_out;
use super::tools_in::VALIDATED;
use crate::chat::{Function, Output, OutputSchema, Request, Tool, ToolChoice};
use crate::format::{Dropped, OUTPUT_TOOL, Target};
use crate::writer::Writer;

/// Tools that Google runs, by their names in `tools`.
const HOSTED: [&str; 12] = [
    "googleSearch",
    "googleSearchRetrieval",
    "googleMaps",
    "codeExecution",
    "urlContext",
    "fileSearch",
    "computerUse",
    "enterpriseWebSearch",
    "retrieval",
    "parallelAiSearch",
    "exaAiSearch",
    "mcpServers",
];

/// Writes `tools` and `toolConfig`. `forced`: the reply's schema becomes a tool.
pub(super) fn write(
    w: &mut Writer,
    request: &Request<'_>,
    forced: bool,
    target: &Target<'_>,
    dropped: &mut Dropped,
) {
    let mut functions = Vec::new();
    let mut hosted = Vec::new();
    for (index, tool) in request.tools.iter().enumerate() {
        match tool {
            Tool::Function(function) => {
                if function.cache.is_some() {
                    dropped.add(format!("tools[{index}].cache_control"));
                }
                if function.strict == Some(true) {
                    dropped.add(format!("tools[{index}].strict"));
                }
                functions.push(function);
            }
            Tool::Hosted { kind, value } if HOSTED.contains(&&*camel(kind)) => {
                hosted.push(&**value)
            }
            Tool::Hosted { kind, .. } => dropped.add(format!("tools[{index}] ({kind})")),
        }
    }
    let output = match &request.output {
        Output::Schema(schema) if forced => Some(schema),
        _ => None,
    };
    let declares = !functions.is_empty() || output.is_some();
    if declares || !hosted.is_empty() {
        w.key("tools").array(|w| {
            if declares {
                declarations(w, &functions, output, target);
            }
            hosted.iter().for_each(|tool| w.raw(tool));
        });
    }
    config(w, request, functions.is_empty(), output.is_some());
    dropped.add_if(request.parallel_tool_calls == Some(false) && declares, "parallel_tool_calls");
}

fn declarations(
    w: &mut Writer,
    functions: &[&Function<'_>],
    output: Option<&OutputSchema<'_>>,
    target: &Target<'_>,
) {
    w.object(|w| {
        w.key("functionDeclarations").array(|w| {
            for one in functions {
                let description = one.description.as_deref();
                declaration(w, &one.name, description, one.parameters.as_deref(), target);
            }
            if let Some(schema) = output {
                let description =
                    "Gives the answer. Call it exactly once, with the answer as its arguments.";
                declaration(w, OUTPUT_TOOL, Some(description), Some(&schema.schema), target);
            }
        });
    });
}

fn declaration(
    w: &mut Writer,
    name: &str,
    description: Option<&str>,
    parameters: Option<&str>,
    target: &Target<'_>,
) {
    w.object(|w| {
        w.text("name", name).text_if("description", description);
        if target.original {
            w.member_if("parametersJsonSchema", parameters);
        } else {
            w.member_if("parameters", parameters.and_then(schema_out::parameters).as_deref());
        }
    });
}

/// Members of `toolConfig` that came from a client of Gemini's.
fn others<'r>(request: &'r Request<'_>) -> impl Iterator<Item = (&'r str, &'r str)> {
    request.extra.iter().filter_map(|one| {
        let name = one.name.strip_prefix("toolConfig.")?;
        (!name.contains('.')).then_some((name, &*one.value))
    })
}

/// Whether an extra is written here.
pub(super) fn carries(name: &str) -> bool {
    name == VALIDATED || name.strip_prefix("toolConfig.").is_some_and(|rest| !rest.contains('.'))
}

fn config(w: &mut Writer, request: &Request<'_>, alone: bool, forced: bool) {
    let choice = match (forced, alone) {
        (true, true) => Some(ToolChoice::Function(OUTPUT_TOOL.into())),
        // Either a tool of the client's or the answer: in both cases a call.
        (true, false) => Some(ToolChoice::Required),
        (false, true) => None,
        (false, false) => request.tool_choice.clone(),
    };
    if choice.is_none() && others(request).next().is_none() {
        return;
    }
    let validated = request.extra.iter().any(|one| one.name == VALIDATED);
    w.key("toolConfig").object(|w| {
        if let Some(choice) = &choice {
            w.key("functionCallingConfig").object(|w| calling(w, choice, validated));
        }
        for (name, value) in others(request) {
            w.member(name, value);
        }
    });
}

fn calling(w: &mut Writer, choice: &ToolChoice<'_>, validated: bool) {
    let (mode, names) = match choice {
        ToolChoice::Auto if validated => ("VALIDATED", &[][..]),
        ToolChoice::Auto => ("AUTO", &[][..]),
        ToolChoice::None => ("NONE", &[][..]),
        ToolChoice::Required => ("ANY", &[][..]),
        ToolChoice::Function(name) => ("ANY", std::slice::from_ref(name)),
        ToolChoice::Allowed { names, required: true } => ("ANY", &names[..]),
        // The only mode in which a call may be left out and the functions be chosen.
        ToolChoice::Allowed { names, required: false } => ("VALIDATED", &names[..]),
    };
    w.text("mode", mode);
    if !names.is_empty() {
        w.key("allowedFunctionNames").array(|w| names.iter().for_each(|name| w.string(name)));
    }
}
