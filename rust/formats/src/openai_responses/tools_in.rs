//! A client's tools, and which of them are to be called.

use super::freetext;
use super::strict::is_strict;
use crate::chat::{Extra, Function, FunctionForm, Raw, Request, Text, Tool, ToolChoice};
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

pub(super) fn tools<'a>(value: &Value<'a>, request: &mut Request<'a>) -> Result<(), Fault> {
    if !value.is_array() {
        return Err(Fault::of("tools", "It must be a list."));
    }
    for (index, one) in value.items().iter().enumerate() {
        let kind = one.get("type").and_then(Value::text);
        let kind = kind.ok_or_else(|| {
            Fault::of(format!("tools[{index}].type"), "A tool must have a `type`.")
        })?;
        let tool = match &*kind {
            "function" => Tool::Function(function(one, index, &mut request.extra)?),
            "custom" => Tool::Function(custom(one, index, &mut request.extra)?),
            LOCAL_SHELL => Tool::Function(local_shell()),
            _ => Tool::Hosted { kind, value: Cow::Borrowed(one.raw()) },
        };
        request.tools.push(tool);
    }
    Ok(())
}

fn name_of<'a>(tool: &Value<'a>, index: usize) -> Result<Text<'a>, Fault> {
    let name = tool.get("name").and_then(Value::text).filter(|name| !name.is_empty());
    name.ok_or_else(|| Fault::of(format!("tools[{index}].name"), "It must be a string."))
}

fn function<'a>(
    tool: &Value<'a>,
    index: usize,
    extra: &mut Vec<Extra<'a>>,
) -> Result<Function<'a>, Fault> {
    const KNOWN: [&str; 5] = ["type", "name", "description", "parameters", "strict"];
    let parameters = tool.get("parameters");
    let strict = match tool.get("strict").and_then(Value::as_bool) {
        Some(strict) => strict,
        None => parameters.is_some_and(is_strict),
    };
    unknown(tool, index, &KNOWN, extra);
    Ok(Function {
        name: name_of(tool, index)?,
        description: tool.get("description").and_then(Value::text),
        parameters: parameters.map(|schema| Cow::Borrowed(schema.raw())),
        strict: Some(strict),
        ..Function::default()
    })
}

/// What a tool says beside what the canonical one has: `tools[0].defer_loading`.
fn unknown<'a>(tool: &Value<'a>, index: usize, known: &[&str], extra: &mut Vec<Extra<'a>>) {
    for (name, value) in tool.members() {
        if !known.contains(&&**name) && !value.is_null() {
            let name = format!("tools[{index}].{name}").into();
            extra.push(Extra { name, value: Cow::Borrowed(value.raw()) });
        }
    }
}

fn custom<'a>(
    tool: &Value<'a>,
    index: usize,
    extra: &mut Vec<Extra<'a>>,
) -> Result<Function<'a>, Fault> {
    unknown(tool, index, &["type", "name", "description"], extra);
    Ok(Function {
        name: name_of(tool, index)?,
        description: tool.get("description").and_then(Value::text),
        parameters: Some(custom_parameters(tool.get("format"))),
        form: FunctionForm::FreeText,
        ..Function::default()
    })
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
    let name = value.get("name").and_then(Value::text);
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
            "function" | "custom" => tool.get("name")?.text(),
            LOCAL_SHELL => Some(LOCAL_SHELL.into()),
            _ => None,
        }
    });
    let required = value.get("mode").and_then(Value::as_str) == Some("required");
    Some(ToolChoice::Allowed { names: names.collect::<Option<_>>()?, required })
}
