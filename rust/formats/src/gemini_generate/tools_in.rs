//! The tools of a client's request, and whether they have to be called.

use super::names::{Place, camel, get, get_text, list, object, text, texts};
use super::schema_in;
use crate::chat::{Extra, Function, Raw, Tool, ToolChoice};
use crate::format::Fault;
use crate::value::Value;
use crate::writer::quote;
use std::borrow::Cow;

/// `tools`: each entry may declare functions and name tools that Google runs.
pub(super) fn tools<'a>(
    value: &Value<'a>,
    extra: &mut Vec<Extra<'a>>,
) -> Result<Vec<Tool<'a>>, Fault> {
    let mut tools = Vec::new();
    for (index, entry) in list(&"tools", value)?.iter().enumerate() {
        object(&format_args!("tools[{index}]"), entry)?;
        for (key, member) in entry.members().iter().filter(|(_, member)| !member.is_null()) {
            let name = camel(key);
            if name == "functionDeclarations" {
                let at = format!("tools[{index}].functionDeclarations");
                for (number, one) in list(&at, member)?.iter().enumerate() {
                    let function = function(one, &format_args!("{at}[{number}]"), extra)?;
                    tools.push(Tool::Function(function));
                }
            } else {
                tools.push(hosted(entry, key, member, name.into_owned()));
            }
        }
    }
    Ok(tools)
}

fn hosted<'a>(entry: &Value<'a>, key: &str, member: &Value<'a>, kind: String) -> Tool<'a> {
    let value: Raw<'a> = match entry.members() {
        [_] => Cow::Borrowed(entry.raw()),
        _ => Cow::Owned(["{", &quote(key), ":", member.raw(), "}"].concat()),
    };
    Tool::Hosted { kind: kind.into(), value }
}

fn function<'a>(
    value: &Value<'a>,
    at: Place<'_>,
    extra: &mut Vec<Extra<'a>>,
) -> Result<Function<'a>, Fault> {
    object(at, value)?;
    let name = get_text(value, "name").filter(|name| !name.is_empty()).ok_or_else(|| {
        Fault::of(format!("{at}.name"), format!("The field `{at}.name` is missing."))
    })?;
    let mut function = Function { name, ..Function::default() };
    for (key, member) in value.members().iter().filter(|(_, member)| !member.is_null()) {
        match &*camel(key) {
            "name" => {}
            "description" => {
                function.description = Some(text(&format_args!("{at}.description"), member)?);
            }
            "parametersJsonSchema" => {
                object(&format_args!("{at}.parametersJsonSchema"), member)?;
                function.parameters = Some(schema_in::convert(member));
            }
            "parameters" => {
                object(&format_args!("{at}.parameters"), member)?;
                let schema = schema_in::convert(member);
                function.parameters.get_or_insert(schema);
            }
            _ => {
                let name = format!("{at}.{key}").into();
                extra.push(Extra { name, value: Cow::Borrowed(member.raw()) });
            }
        }
    }
    Ok(function)
}

/// The mode that has no name elsewhere: text or calls, and calls fit their schemas.
pub(super) const VALIDATED: &str = "toolConfig.functionCallingConfig.mode";

/// `toolConfig`.
pub(super) fn tool_config<'a>(
    value: &Value<'a>,
    extra: &mut Vec<Extra<'a>>,
) -> Result<Option<ToolChoice<'a>>, Fault> {
    object(&"toolConfig", value)?;
    let mut choice = None;
    for (key, member) in value.members().iter().filter(|(_, member)| !member.is_null()) {
        if camel(key) == "functionCallingConfig" {
            choice = calling(member, extra)?;
        } else {
            let name = format!("toolConfig.{key}").into();
            extra.push(Extra { name, value: Cow::Borrowed(member.raw()) });
        }
    }
    Ok(choice)
}

fn calling<'a>(
    value: &Value<'a>,
    extra: &mut Vec<Extra<'a>>,
) -> Result<Option<ToolChoice<'a>>, Fault> {
    const AT: &str = "toolConfig.functionCallingConfig";
    object(&AT, value)?;
    for (key, member) in value.members() {
        if !matches!(&*camel(key), "mode" | "allowedFunctionNames") && !member.is_null() {
            let name = format!("{AT}.{key}").into();
            extra.push(Extra { name, value: Cow::Borrowed(member.raw()) });
        }
    }
    let names = match get(value, "allowedFunctionNames") {
        Some(names) => texts(&"toolConfig.functionCallingConfig.allowedFunctionNames", names)?,
        None => Vec::new(),
    };
    let Some(mode) = get(value, "mode") else { return Ok(None) };
    let word = mode.as_str().unwrap_or_default().to_ascii_uppercase();
    Ok(Some(match (&*word, names.len()) {
        ("MODE_UNSPECIFIED", _) => return Ok(None),
        ("AUTO", 0) => ToolChoice::Auto,
        ("VALIDATED", 0) => {
            extra.push(Extra { name: VALIDATED.into(), value: Cow::Borrowed(mode.raw()) });
            ToolChoice::Auto
        }
        ("AUTO" | "VALIDATED", _) => ToolChoice::Allowed { names, required: false },
        ("NONE", _) => ToolChoice::None,
        ("ANY", 0) => ToolChoice::Required,
        ("ANY", 1) => ToolChoice::Function(names.into_iter().next().unwrap_or_default()),
        ("ANY", _) => ToolChoice::Allowed { names, required: true },
        _ => return Err(Fault::of(VALIDATED, "It must be AUTO, ANY, NONE or VALIDATED.")),
    }))
}
