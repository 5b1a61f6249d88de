//! The tools of a client's request, and whether they are to be called.

use super::parts::cache_in;
use crate::chat::{Extra, Function, Tool, ToolChoice};
use crate::format::Fault;
use crate::strangers::note;
use crate::value::Value;
use std::borrow::Cow;

/// Members of a function that have a place.
const FUNCTION: [&str; 5] = ["name", "description", "parameters", "strict", "cache_control"];

/// Reads `tools`.
pub(super) fn tools<'a>(
    value: &Value<'a>,
    extra: &mut Vec<Extra<'a>>,
) -> Result<Vec<Tool<'a>>, Fault> {
    if !value.is_array() {
        return Err(Fault::of("tools", "The field `tools` must be a list."));
    }
    value.items().iter().enumerate().map(|(index, one)| tool(one, index, extra)).collect()
}

fn tool<'a>(
    value: &Value<'a>,
    index: usize,
    extra: &mut Vec<Extra<'a>>,
) -> Result<Tool<'a>, Fault> {
    let kind = value.get("type").and_then(Value::text).unwrap_or("function".into());
    if kind != "function" {
        return Ok(Tool::Hosted { kind, value: Cow::Borrowed(value.raw()) });
    }
    let at = format!("tools[{index}].function");
    let function =
        value.get("function").ok_or_else(|| Fault::of(&at[..], "A tool needs a `function`."))?;
    note(value, &["type", "function", "cache_control"], &|| format!("tools[{index}]"), extra);
    let mut read = self::function(function, &at, extra)?;
    read.cache = cache_in(value).or(read.cache);
    Ok(Tool::Function(read))
}

/// Reads a function, which stands at `at`.
pub(super) fn function<'a>(
    value: &Value<'a>,
    at: &str,
    extra: &mut Vec<Extra<'a>>,
) -> Result<Function<'a>, Fault> {
    note(value, &FUNCTION, &|| at.to_owned(), extra);
    let name = value.get("name").and_then(Value::text);
    Ok(Function {
        name: name.ok_or_else(|| Fault::of(format!("{at}.name"), "A function needs a `name`."))?,
        description: value.get("description").and_then(Value::text),
        parameters: value.get("parameters").map(|schema| Cow::Borrowed(schema.raw())),
        strict: value.get("strict").and_then(Value::as_bool),
        cache: cache_in(value),
        ..Function::default()
    })
}

/// Reads `tool_choice`.
pub(super) fn tool_choice<'a>(value: &Value<'a>) -> Result<ToolChoice<'a>, Fault> {
    let wrong = || {
        Fault::of("tool_choice", "It must be auto, none, required, a function or allowed tools.")
    };
    let name = |one: &Value<'a>| one.get("function")?.get("name")?.text();
    Ok(match value.as_str() {
        Some("auto") => ToolChoice::Auto,
        Some("none") => ToolChoice::None,
        Some("required" | "any") => ToolChoice::Required,
        Some(_) => return Err(wrong()),
        None => match value.get("allowed_tools") {
            None => ToolChoice::Function(name(value).ok_or_else(wrong)?),
            Some(allowed) => ToolChoice::Allowed {
                names: allowed
                    .get("tools")
                    .map(Value::items)
                    .unwrap_or_default()
                    .iter()
                    .filter_map(name)
                    .collect(),
                required: allowed.get("mode").and_then(Value::as_str) == Some("required"),
            },
        },
    })
}
