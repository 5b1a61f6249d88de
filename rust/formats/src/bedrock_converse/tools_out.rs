//! The tools of a request for an upstream.

use super::models::{Family, Model};
use super::turns::Plan;
use crate::chat::{Function, Output, Request, Text, Tool, ToolChoice};
use crate::format::{Dropped, OUTPUT_TOOL, Target};
use crate::value::Value;
use crate::writer::Writer;

/// The schema of a tool without arguments.
const NO_ARGUMENTS: &str = r#"{"type":"object","properties":{}}"#;
/// The schema of a reply that has to be any JSON object.
const ANY_OBJECT: &str = r#"{"type":"object","additionalProperties":true}"#;
/// What the tool that stands in for a schema is for.
const ANSWERS: &str = "Gives the answer. Call it exactly once, with the answer as its arguments.";

/// What is declared, and what has to be called.
pub(super) struct Tools<'r> {
    declared: Vec<Declared<'r>>,
    choice: Choice<'r>,
    /// The schema of the reply, if a tool stands in for it.
    output: Option<&'r str>,
}

enum Declared<'r> {
    /// A function, and its place among the client's tools.
    Function(usize, &'r Function<'r>),
    /// One of Bedrock's own, as it stands.
    Own(&'r str),
    /// One that was called before and is not among the client's tools any more.
    Former(&'r str),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Choice<'r> {
    Auto,
    Any,
    Tool(&'r str),
}

impl<'r> Tools<'r> {
    pub(super) fn plan(
        request: &'r Request<'r>,
        plan: &Plan<'r>,
        model: Model,
        target: &Target<'_>,
        dropped: &mut Dropped,
    ) -> Self {
        let output = match &request.output {
            Output::Schema(schema) if !target.native_schema => Some(&*schema.schema),
            Output::Json => Some(ANY_OBJECT),
            _ => None,
        };
        let mut tools = Tools { declared: Vec::new(), choice: Choice::Auto, output };
        if request.tool_choice == Some(ToolChoice::None) {
            // Converse cannot forbid calls; not to declare tools is the same, where it is allowed.
            if plan.has_calls() && output.is_none() {
                dropped.add("tool_choice");
                tools.declare(request, dropped);
            }
        } else {
            tools.declare(request, dropped);
        }
        if tools.declared.is_empty() && output.is_none() && plan.has_calls() {
            tools.declared = plan.called().into_iter().map(Declared::Former).collect();
            if tools.declared.is_empty() {
                tools.declared.push(Declared::Former("unknown"));
            }
        } else {
            tools.choose(request.tool_choice.as_ref(), model, dropped);
        }
        let several = request.parallel_tool_calls == Some(false) && !tools.declared.is_empty();
        dropped.add_if(several, "parallel_tool_calls");
        tools
    }

    fn declare(&mut self, request: &'r Request<'r>, dropped: &mut Dropped) {
        let allowed: Option<&[Text<'_>]> = match &request.tool_choice {
            Some(ToolChoice::Allowed { names, .. }) => Some(names),
            _ => None,
        };
        for (index, tool) in request.tools.iter().enumerate() {
            match tool {
                Tool::Function(one) if allowed.is_none_or(|names| names.contains(&one.name)) => {
                    self.declared.push(Declared::Function(index, one));
                }
                Tool::Function(_) => {}
                Tool::Hosted { kind, value } if is_own(kind, value) => {
                    self.declared.push(Declared::Own(value));
                }
                Tool::Hosted { kind, .. } => dropped.add(format!("tools[{index}] ({kind})")),
            }
        }
    }

    fn choose(&mut self, wanted: Option<&'r ToolChoice<'r>>, model: Model, dropped: &mut Dropped) {
        let wanted = match wanted {
            Some(ToolChoice::Required | ToolChoice::Allowed { required: true, .. }) => Choice::Any,
            Some(ToolChoice::Function(name)) => Choice::Tool(name),
            _ => Choice::Auto,
        };
        let choice = match (self.output, self.declared.is_empty()) {
            (None, true) => {
                dropped.add_if(wanted != Choice::Auto, "tool_choice");
                return;
            }
            (None, false) => wanted,
            (Some(_), true) => Choice::Tool(OUTPUT_TOOL),
            // Either a tool of the client's or the answer: in both cases a call.
            (Some(_), false) if wanted == Choice::Auto => Choice::Any,
            (Some(_), false) => wanted,
        };
        if model.family == Family::Unforced && choice != Choice::Auto {
            let lost = if wanted == Choice::Auto { "response_format" } else { "tool_choice" };
            return dropped.add(lost);
        }
        let alone = self.declared.len() + usize::from(self.output.is_some()) == 1;
        let by_name = model.family.is_claude() || model.family.is_nova();
        self.choice = match choice {
            // Fewer models can be told which tool to call than that they have to call one.
            Choice::Tool(_) if alone && !by_name => Choice::Any,
            other => other,
        };
    }

    /// Whether a call is forced: Claude does not think then.
    pub(super) fn forced(&self) -> bool {
        self.choice != Choice::Auto
    }

    /// Whether a tool stands in for the schema of the reply.
    pub(super) fn answers(&self) -> bool {
        self.output.is_some()
    }

    pub(super) fn write(
        &self,
        w: &mut Writer,
        model: Model,
        target: &Target<'_>,
        dropped: &mut Dropped,
    ) {
        if self.declared.is_empty() && self.output.is_none() {
            return;
        }
        w.key("toolConfig").object(|w| {
            w.key("tools").array(|w| {
                for one in &self.declared {
                    match one {
                        Declared::Function(index, one) => {
                            function(w, *index, one, model, target, dropped);
                        }
                        Declared::Own(raw) => w.raw(raw),
                        Declared::Former(name) => spec(w, name, None, NO_ARGUMENTS, None),
                    }
                }
                if let Some(schema) = self.output {
                    spec(w, OUTPUT_TOOL, Some(ANSWERS), &with_type(schema), None);
                }
            });
            match self.choice {
                Choice::Auto => {}
                Choice::Any => {
                    w.member("toolChoice", "{\"any\":{}}");
                }
                Choice::Tool(name) => w.key("toolChoice").object(|w| {
                    w.key("tool").object(|w| {
                        w.text("name", name);
                    });
                }),
            }
        });
    }
}

/// Tools that Bedrock runs, and marks in the list of tools.
fn is_own(kind: &str, value: &str) -> bool {
    matches!(kind, "systemTool" | "cachePoint")
        && Value::parse(value).is_ok_and(|value| value.get(kind).is_some_and(Value::is_object))
}

fn function(
    w: &mut Writer,
    index: usize,
    one: &Function<'_>,
    model: Model,
    target: &Target<'_>,
    dropped: &mut Dropped,
) {
    // The same models keep to a tool's schema as to one of the reply.
    let strict = one.strict.filter(|strict| *strict && target.native_schema);
    if one.strict == Some(true) && strict.is_none() {
        dropped.add(format!("tools[{index}].strict"));
    }
    let schema = one.parameters.as_deref().unwrap_or(NO_ARGUMENTS);
    spec(w, &one.name, one.description.as_deref(), &with_type(schema), strict);
    match &one.cache {
        // Nova caches messages and system prompts only.
        Some(cache) if model.caches && model.family.is_claude() => {
            super::blocks_out::cache_point(w, cache);
        }
        Some(_) => dropped.add(format!("tools[{index}].cache_control")),
        None => {}
    }
}

fn spec(w: &mut Writer, name: &str, description: Option<&str>, schema: &str, strict: Option<bool>) {
    w.object(|w| {
        w.key("toolSpec").object(|w| {
            w.text("name", name);
            w.text_if("description", description.filter(|text| !text.trim().is_empty()));
            w.key("inputSchema").object(|w| {
                w.member("json", schema);
            });
            w.flag_if("strict", strict);
        });
    });
}

/// A schema whose type is an object, as Converse wants to see it said.
fn with_type(schema: &str) -> Text<'_> {
    match Value::parse(schema) {
        Ok(value) if value.get("type").is_some() => schema.into(),
        Ok(value) if value.is_object() => {
            let mut w = Writer::new();
            w.object(|w| {
                w.text("type", "object");
                for (name, member) in value.members().iter().filter(|(name, _)| name != "type") {
                    w.member(name, member.raw());
                }
            });
            String::from_utf8(w.finish()).unwrap_or_default().into()
        }
        _ => NO_ARGUMENTS.into(),
    }
}
