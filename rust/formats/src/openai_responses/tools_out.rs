//! Tools for an upstream, and which of them are to be called.

use super::items::is_own_tool;
use super::tools_in::{LOCAL_SHELL, TOOL_SEARCH};
use crate::chat::{
    Extra, Function, FunctionForm, Output, OutputSchema, Request, Text, Tool, ToolChoice,
};
use crate::format::{Dropped, OUTPUT_TOOL};
use crate::value::Value;
use crate::writer::Writer;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// What is said of the tool whose arguments are the reply.
const OUTPUT_DESCRIPTION: &str =
    "Gives the answer. Call it exactly once, with the answer as its arguments.";

/// What a group of tools says of itself; kept with its first tool.
const GROUP_DESCRIPTION: &str = "namespace.description";

/// Members of tools that only this format has.
const TOOL_MEMBERS: [&str; 4] = ["async", "format", GROUP_DESCRIPTION, "output_schema"];

/// What calls of a function look like.
#[derive(Debug, Clone, Default)]
pub(super) struct Look {
    pub(super) form: FunctionForm,
    /// The function's group, and its name there.
    pub(super) group: Option<(String, String)>,
}

/// The functions whose calls are not just their name and arguments, by name.
#[derive(Debug, Default)]
pub(super) struct Looks<'r>(HashMap<Cow<'r, str>, Look>);

impl<'r> Looks<'r> {
    pub(super) fn of(tools: &'r [Tool<'_>]) -> Self {
        let uncommon = tools.iter().filter_map(|tool| match tool {
            Tool::Function(one) if one.form != FunctionForm::Arguments || one.group.is_some() => {
                let group = one.group.as_ref();
                let group = group.map(|one| (one.namespace.to_string(), one.name.to_string()));
                Some((Cow::Borrowed(&*one.name), Look { form: one.form, group }))
            }
            _ => None,
        });
        Looks(uncommon.collect())
    }

    /// What calls of the function of that name look like.
    pub(super) fn get(&self, name: &str) -> Look {
        self.0.get(name).cloned().unwrap_or_default()
    }

    /// The same, for longer than the request lives.
    pub(super) fn into_owned(self) -> Looks<'static> {
        let owned = self.0.into_iter().map(|(name, look)| (name.into_owned().into(), look));
        Looks(owned.collect())
    }
}

/// Writes `tools`, `tool_choice` and `parallel_tool_calls`. With `forced`, the reply comes as the
/// arguments of a tool. Tools that were `found` stand in the conversation.
pub(super) fn write(
    w: &mut Writer,
    request: &Request<'_>,
    forced: bool,
    found: &HashSet<Text<'_>>,
    dropped: &mut Dropped,
) {
    for (index, one) in request.tools.iter().enumerate() {
        note(one, index, dropped);
    }
    let is_carried = |tool: &Tool<'_>| match tool {
        Tool::Hosted { kind, .. } => is_own_tool(kind),
        Tool::Function(function) => !found.contains(&function.name),
    };
    let has_tools = request.tools.iter().any(is_carried);
    if forced || has_tools {
        let extras = extras(request);
        w.key("tools").array(|w| {
            let tools = request.tools.iter().enumerate().filter(|(_, one)| is_carried(one));
            list(w, &tools.collect::<Vec<_>>(), &extras);
            if let (true, Output::Schema(schema)) = (forced, &request.output) {
                output_tool(w, schema);
            }
        });
    }
    if forced && !has_tools {
        w.key("tool_choice");
        named(w, "function", OUTPUT_TOOL);
    } else if forced {
        // Either a tool of the client's or the answer: in both cases a call.
        w.text("tool_choice", "required");
    } else {
        tool_choice(w, request, has_tools, dropped);
    }
    if let Some(parallel) = request.parallel_tool_calls {
        w.flag("parallel_tool_calls", parallel);
    }
}

/// Notes what of a tool is lost.
fn note(tool: &Tool<'_>, index: usize, dropped: &mut Dropped) {
    match tool {
        Tool::Hosted { kind, .. } if !is_own_tool(kind) => {
            dropped.add(format!("tools[{index}] ({kind})"));
        }
        Tool::Function(function) if function.cache.is_some() => {
            dropped.add(format!("tools[{index}].cache_control"));
        }
        _ => {}
    }
}

/// Writes tools with their indexes; neighbours of one group are written as the group.
fn list(w: &mut Writer, tools: &[(usize, &Tool<'_>)], extras: &[Of<'_>]) {
    for run in
        tools.chunk_by(|one, next| group_of(one.1).is_some() && group_of(one.1) == group_of(next.1))
    {
        let each = |w: &mut Writer| run.iter().for_each(|(at, one)| tool(w, one, *at, extras));
        let Some(namespace) = run.first().and_then(|(_, one)| group_of(one)) else {
            each(w);
            continue;
        };
        let of_group = of(extras, run[0].0).iter().find(|(_, name, _)| *name == GROUP_DESCRIPTION);
        w.object(|w| {
            w.text("type", "namespace").text("name", namespace);
            w.member("description", of_group.map_or("\"\"", |(.., text)| text));
            w.key("tools").array(each);
        });
    }
}

fn group_of<'t>(tool: &'t Tool<'_>) -> Option<&'t str> {
    match tool {
        Tool::Function(function) => function.group.as_ref().map(|group| &*group.namespace),
        Tool::Hosted { .. } => None,
    }
}

fn tool(w: &mut Writer, tool: &Tool<'_>, index: usize, extras: &[Of<'_>]) {
    match tool {
        Tool::Hosted { value, .. } => w.raw(value),
        Tool::Function(one) => w.object(|w| {
            function(w, one);
            for (_, name, value) in
                of(extras, index).iter().filter(|one| one.1 != GROUP_DESCRIPTION)
            {
                w.member(name, value);
            }
        }),
    }
}

fn function(w: &mut Writer, function: &Function<'_>) {
    let name = function.group.as_ref().map_or(&function.name, |group| &group.name);
    let described = |w: &mut Writer, kind: &str| {
        w.text("type", kind).text("name", name);
        w.text_if("description", function.description.as_deref());
    };
    let parameters = function.parameters.as_deref().unwrap_or("null");
    match function.form {
        FunctionForm::Arguments => {
            described(w, "function");
            // Without a word OpenAI would make it strict.
            w.member("parameters", parameters).flag("strict", function.strict.unwrap_or(false));
        }
        FunctionForm::FreeText => described(w, "custom"),
        FunctionForm::LocalShell => {
            w.text("type", LOCAL_SHELL);
        }
        FunctionForm::ToolSearch => {
            w.text("type", TOOL_SEARCH).text("execution", "client");
            w.text_if("description", function.description.as_deref());
            w.member("parameters", parameters);
        }
    }
}

/// What is said of the tool at `index`.
fn of<'e, 'r>(extras: &'e [Of<'r>], index: usize) -> &'e [Of<'r>] {
    let first = extras.partition_point(|(of, ..)| *of < index);
    let last = extras.partition_point(|(of, ..)| *of <= index);
    &extras[first..last]
}

/// What the client said of a tool beside what the canonical one has: which tool, member, value.
type Of<'r> = (usize, &'r str, &'r str);

/// All of those, by tool.
fn extras<'r>(request: &'r Request<'_>) -> Vec<Of<'r>> {
    let found = request
        .extra
        .iter()
        .filter_map(|one| of_tool(request, one).map(|(index, name)| (index, name, &*one.value)));
    let mut found: Vec<_> = found.collect();
    found.sort_by_key(|(index, ..)| *index);
    found
}

/// Whether an extra is one of a tool's, and can be said of it: the tool's index, and the member's name.
pub(super) fn of_tool<'e>(request: &Request<'_>, extra: &'e Extra<'_>) -> Option<(usize, &'e str)> {
    let (index, member) = extra.name.strip_prefix("tools[")?.split_once("].")?;
    let index = index.parse().ok().filter(|index| *index < request.tools.len())?;
    let can_be_said = match member {
        // What is not loaded has to be found.
        "defer_loading" => request.tools.iter().any(is_search),
        "allowed_callers" => is_callers(&extra.value),
        _ => TOOL_MEMBERS.contains(&member),
    };
    can_be_said.then_some((index, member))
}

fn is_search(tool: &Tool<'_>) -> bool {
    match tool {
        Tool::Function(function) => function.form == FunctionForm::ToolSearch,
        Tool::Hosted { kind, .. } => kind == TOOL_SEARCH,
    }
}

/// Whether they are OpenAI's callers; Anthropic has others under the same name.
fn is_callers(value: &str) -> bool {
    let Ok(callers) = Value::parse(value) else { return false };
    callers.items().iter().all(|one| matches!(one.as_str(), Some("direct" | "programmatic")))
}

fn output_tool(w: &mut Writer, schema: &OutputSchema<'_>) {
    w.object(|w| {
        w.text("type", "function").text("name", OUTPUT_TOOL);
        w.text("description", schema.description.as_deref().unwrap_or(OUTPUT_DESCRIPTION));
        w.member("parameters", &schema.schema).flag("strict", false);
    });
}

fn named(w: &mut Writer, kind: &str, name: &str) {
    w.object(|w| {
        w.text("type", kind).text("name", name);
    });
}

fn function_named(w: &mut Writer, looks: &Looks<'_>, name: &str) {
    let look = looks.get(name);
    let kind = match look.form {
        FunctionForm::Arguments => "function",
        FunctionForm::FreeText => "custom",
        FunctionForm::LocalShell => LOCAL_SHELL,
        FunctionForm::ToolSearch => TOOL_SEARCH,
    };
    w.object(|w| {
        w.text("type", kind);
        match look.group {
            Some((namespace, name)) => w.text("name", &name).text("namespace", &namespace),
            None if matches!(look.form, FunctionForm::LocalShell | FunctionForm::ToolSearch) => w,
            None => w.text("name", name),
        };
    });
}

fn tool_choice(w: &mut Writer, request: &Request<'_>, has_tools: bool, dropped: &mut Dropped) {
    let hosted = request.extra.iter().find(|one| is_hosted_choice(&one.name, &one.value));
    if let (Some(hosted), true) = (hosted, has_tools) {
        w.member("tool_choice", &hosted.value);
        return;
    }
    let Some(choice) = &request.tool_choice else { return };
    if !has_tools {
        // OpenAI refuses a choice among nothing.
        dropped.add_if(!matches!(choice, ToolChoice::Auto | ToolChoice::None), "tool_choice");
        return;
    }
    let looks = Looks::of(&request.tools);
    w.key("tool_choice");
    match choice {
        ToolChoice::Auto => w.string("auto"),
        ToolChoice::None => w.string("none"),
        ToolChoice::Required => w.string("required"),
        ToolChoice::Function(name) => function_named(w, &looks, name),
        ToolChoice::Allowed { names, required } => w.object(|w| {
            w.text("type", "allowed_tools");
            w.text("mode", if *required { "required" } else { "auto" });
            w.key("tools").array(|w| {
                names.iter().for_each(|name| function_named(w, &looks, name));
            });
        }),
    }
}

/// Whether an extra is a choice of a tool that OpenAI runs.
pub(super) fn is_hosted_choice(name: &str, value: &str) -> bool {
    name == "tool_choice" && value.starts_with('{')
}
