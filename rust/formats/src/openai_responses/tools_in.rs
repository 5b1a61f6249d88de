//! A client's tools, and which of them are to be called.

use super::freetext;
use super::ids::shortened;
use super::strict::is_strict;
use crate::chat::{Extra, Function, FunctionForm, Group, Raw, Request, Text, Tool, ToolChoice};
use crate::format::Fault;
use crate::value::Value;
use crate::writer::Writer;
use std::borrow::Cow;

/// The name of the shell's function.
pub(super) const LOCAL_SHELL: &str = "local_shell";

/// What a model has to know of the shell, which OpenAI's models know by themselves.
const SHELL_DESCRIPTION: &str = "Runs a command on the user's machine and returns its output.";

/// The members of a `local_shell_call`'s action.
const SHELL_PARAMETERS: &str = concat!(
    r#"{"type":"object","properties":{"command":{"type":"array","items":{"type":"string"},"#,
    r#""description":"The program and its arguments."},"working_directory":{"type":"string"},"#,
    r#""timeout_ms":{"type":"integer"},"env":{"type":"object","additionalProperties":{"type":"string"}},"#,
    r#""user":{"type":"string"}},"required":["command"]}"#
);

/// The name of the function that searches for tools.
pub(super) const TOOL_SEARCH: &str = "tool_search";

/// Tools, and what is said of them beside what the canonical ones have (`tools[0].defer_loading`).
#[derive(Default)]
pub(super) struct Tools<'a> {
    pub(super) tools: Vec<Tool<'a>>,
    pub(super) extra: Vec<Extra<'a>>,
}

impl<'a> Tools<'a> {
    /// Adds a list of tools; `at` is its path, for faults.
    pub(super) fn add_all(&mut self, value: &Value<'a>, at: &str) -> Result<(), Fault> {
        if !value.is_array() {
            return Err(Fault::of(at, "It must be a list."));
        }
        for (index, one) in value.items().iter().enumerate() {
            self.add(one, None, &|| format!("{at}[{index}]"))?;
        }
        Ok(())
    }

    fn add(
        &mut self,
        tool: &Value<'a>,
        namespace: Option<&Text<'a>>,
        at: &dyn Fn() -> String,
    ) -> Result<(), Fault> {
        let text = |name: &str| tool.get(name).and_then(Value::text);
        let kind = text("type");
        let kind = kind.ok_or_else(|| Fault::of(at() + ".type", "A tool must have a `type`."))?;
        let named = || {
            let name = text("name").filter(|name| !name.is_empty());
            name.ok_or_else(|| Fault::of(at() + ".name", "It must be a string."))
        };
        let is_clients = text("execution").as_deref() == Some("client");
        let function = match &*kind {
            "function" => self.function(tool, named()?),
            "custom" => self.custom(tool, named()?),
            "namespace" if namespace.is_none() => return self.group(tool, &named()?, at),
            LOCAL_SHELL => local_shell(),
            TOOL_SEARCH if is_clients => tool_search(tool),
            _ => {
                self.tools.push(Tool::Hosted { kind, value: Cow::Borrowed(tool.raw()) });
                return Ok(());
            }
        };
        self.tools.push(Tool::Function(match namespace {
            Some(namespace) => grouped(function, namespace),
            None => function,
        }));
        Ok(())
    }

    /// The tools of a group, each on its own: nobody but OpenAI knows groups. What is said of the group is
    /// said of its first tool.
    fn group(
        &mut self,
        group: &Value<'a>,
        namespace: &Text<'a>,
        at: &dyn Fn() -> String,
    ) -> Result<(), Fault> {
        let tools = group.get("tools").map(Value::items).unwrap_or_default();
        if !tools.is_empty() {
            self.unknown(group, &["type", "name", "tools"], "namespace.");
        }
        for (index, one) in tools.iter().enumerate() {
            self.add(one, Some(namespace), &|| format!("{}.tools[{index}]", at()))?;
        }
        Ok(())
    }

    fn function(&mut self, tool: &Value<'a>, name: Text<'a>) -> Function<'a> {
        let parameters = tool.get("parameters");
        let strict = match tool.get("strict").and_then(Value::as_bool) {
            Some(strict) => strict,
            None => parameters.is_some_and(is_strict),
        };
        self.unknown(tool, &["type", "name", "description", "parameters", "strict"], "");
        Function {
            name,
            description: tool.get("description").and_then(Value::text),
            parameters: parameters.map(|schema| Cow::Borrowed(schema.raw())),
            strict: Some(strict),
            ..Function::default()
        }
    }

    fn custom(&mut self, tool: &Value<'a>, name: Text<'a>) -> Function<'a> {
        self.unknown(tool, &["type", "name", "description"], "");
        Function {
            name,
            description: tool.get("description").and_then(Value::text),
            parameters: Some(custom_parameters(tool.get("format"))),
            form: FunctionForm::FreeText,
            ..Function::default()
        }
    }

    /// Keeps what the next tool says beside what is known.
    fn unknown(&mut self, tool: &Value<'a>, known: &[&str], within: &str) {
        for (name, value) in tool.members() {
            if !known.contains(&&**name) && !value.is_null() {
                let name = format!("tools[{}].{within}{name}", self.tools.len()).into();
                self.extra.push(Extra { name, value: Cow::Borrowed(value.raw()) });
            }
        }
    }
}

fn grouped<'a>(function: Function<'a>, namespace: &Text<'a>) -> Function<'a> {
    let name = flat_name(namespace, &function.name).into();
    let group = Group { namespace: namespace.clone(), name: function.name };
    Function { name, group: Some(group), ..function }
}

/// The name of a group's tool, in letters and a length that everybody takes.
pub(super) fn flat_name(namespace: &str, name: &str) -> String {
    let border = if namespace.ends_with("__") { "" } else { "__" };
    let joint = [namespace, border, name].concat();
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let plain: String = joint.chars().map(|c| if allowed(c) { c } else { '_' }).collect();
    shortened(&plain).into_owned()
}

/// The name of the tool that a call or a choice means.
pub(super) fn called_name<'a>(value: &Value<'a>) -> Option<Text<'a>> {
    let name = value.get("name")?.text()?;
    match value.get("namespace").and_then(Value::as_str).filter(|group| !group.is_empty()) {
        Some(namespace) => Some(flat_name(namespace, &name).into()),
        None => Some(name),
    }
}

fn tool_search<'a>(tool: &Value<'a>) -> Function<'a> {
    Function {
        name: TOOL_SEARCH.into(),
        description: tool.get("description").and_then(Value::text),
        parameters: tool.get("parameters").map(|schema| Cow::Borrowed(schema.raw())),
        form: FunctionForm::ToolSearch,
        ..Function::default()
    }
}

/// The schema of the one argument; a model that is not held to the grammar at least reads it.
fn custom_parameters(format: Option<&Value<'_>>) -> Raw<'static> {
    let text = |name: &str| format.and_then(|format| format.get(name)).and_then(Value::as_str);
    let mut w = Writer::new();
    w.object(|w| {
        w.text("type", "object").key("properties").object(|w| {
            w.key(freetext::INPUT).object(|w| {
                w.text("type", "string");
                if let Some(definition) = text("definition") {
                    let syntax = text("syntax").unwrap_or("lark");
                    let words = format!("A text that fits this {syntax} grammar:\n{definition}");
                    w.text("description", &words);
                }
            });
        });
        w.key("required").array(|w| w.string(freetext::INPUT));
        w.flag("additionalProperties", false);
    });
    Cow::Owned(String::from_utf8(w.finish()).unwrap_or_default())
}

fn local_shell() -> Function<'static> {
    Function {
        name: LOCAL_SHELL.into(),
        description: Some(SHELL_DESCRIPTION.into()),
        parameters: Some(SHELL_PARAMETERS.into()),
        form: FunctionForm::LocalShell,
        ..Function::default()
    }
}

pub(super) fn tool_choice<'a>(value: &Value<'a>, request: &mut Request<'a>) -> Result<(), Fault> {
    let name = called_name(value);
    let kind = value.as_str().or_else(|| value.get("type").and_then(Value::as_str));
    request.tool_choice = Some(match (kind, name) {
        (Some("auto"), _) => ToolChoice::Auto,
        (Some("none"), _) => ToolChoice::None,
        (Some("required"), _) => ToolChoice::Required,
        (Some("function" | "custom"), Some(name)) => ToolChoice::Function(name),
        (Some("function" | "custom"), None) => {
            return Err(Fault::of("tool_choice.name", "It must be a string."));
        }
        (Some(LOCAL_SHELL), _) => ToolChoice::Function(LOCAL_SHELL.into()),
        (Some(TOOL_SEARCH), _) => ToolChoice::Function(TOOL_SEARCH.into()),
        (Some(kind), _) if value.is_object() => {
            let choice = if kind == "allowed_tools" { allowed(value) } else { None };
            if choice.is_none() {
                // A hosted tool, which only OpenAI can choose.
                let value = Cow::Borrowed(value.raw());
                request.extra.push(Extra { name: "tool_choice".into(), value });
            }
            request.tool_choice = choice;
            return Ok(());
        }
        _ => return Err(Fault::of("tool_choice", "It must be auto, none, required or a tool.")),
    });
    Ok(())
}

/// The choice among tools, if all of them are functions.
fn allowed<'a>(value: &Value<'a>) -> Option<ToolChoice<'a>> {
    let names = value.get("tools")?.items().iter().map(|tool| {
        let kind = tool.get("type").and_then(Value::as_str)?;
        match kind {
            "function" | "custom" => called_name(tool),
            LOCAL_SHELL => Some(LOCAL_SHELL.into()),
            _ => None,
        }
    });
    let required = value.get("mode").and_then(Value::as_str) == Some("required");
    Some(ToolChoice::Allowed { names: names.collect::<Option<_>>()?, required })
}
