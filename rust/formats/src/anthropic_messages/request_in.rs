//! A client's request.

use super::blocks_in::{cache, content};
use super::strangers::of_tool;
use super::thinking;
use crate::chat::{
    Extra, Function, Message, Output, OutputSchema, Request, Role, Text, Tool, ToolChoice,
};
use crate::format::{Fault, PathFacts};
use crate::strangers::note;
use crate::value::Value;
use std::borrow::Cow;

pub(super) fn decode<'a>(body: &'a str, path: PathFacts<'a>) -> Result<Request<'a>, Fault> {
    let body = Value::parse(body)?;
    // Streams of this format always tell their usage.
    let mut request = Request { stream: path.stream, stream_usage: true, ..Request::default() };
    if let Some(system) = body.get("system") {
        let mut blocks = Vec::new();
        let extras = &mut Some(&mut request.extra);
        content(Some(system), &|| "system".to_owned(), &mut blocks, extras)?;
        if !blocks.is_empty() {
            request.messages.push(Message { role: Role::System, name: None, blocks });
        }
    }
    for (name, value) in body.members() {
        if !value.is_null() {
            member(&mut request, name, value)?;
        }
    }
    if let Some(model) = path.model {
        request.model = Cow::Borrowed(model);
    }
    request.reasoning = thinking::read(body.get("thinking"), body.get("output_config"));
    if body.get("messages").is_none() {
        return Err(Fault::of("messages", "messages: Field required"));
    }
    Ok(request)
}

fn member<'a>(request: &mut Request<'a>, name: &str, value: &Value<'a>) -> Result<(), Fault> {
    match name {
        "model" => request.model = text(name, value)?,
        "messages" => messages(request, value)?,
        "max_tokens" => request.max_output_tokens = Some(count(name, value)?),
        "stop_sequences" => request.stop = stops(value)?,
        "stream" => request.stream = value.as_bool().ok_or_else(|| wrong(name, "true or false"))?,
        "temperature" => request.temperature = Some(float(name, value)?),
        "top_p" => request.top_p = Some(float(name, value)?),
        "top_k" => request.top_k = Some(count(name, value)?),
        "tools" => request.tools = tools(value, &mut request.extra)?,
        "tool_choice" => {
            let known = ["type", "name", "disable_parallel_tool_use"];
            note(value, &known, &|| name.to_owned(), &mut request.extra);
            tool_choice(request, value)?;
        }
        "metadata" => metadata(request, value),
        "service_tier" => {
            request.service_tier = value.text().map(|tier| match &*tier {
                "standard_only" => "default".into(),
                _ => tier,
            });
        }
        "output_config" => output_config(request, value),
        "output_format" => request.output = output(value),
        "system" => {}
        "thinking" => {
            let known = ["type", "budget_tokens", "display"];
            note(value, &known, &|| name.to_owned(), &mut request.extra);
        }
        _ => request.extra.push(extra(name, value)),
    }
    Ok(())
}

fn extra<'a>(name: impl Into<String>, value: &Value<'a>) -> Extra<'a> {
    Extra { name: Cow::Owned(name.into()), value: Cow::Borrowed(value.raw()) }
}

fn wrong(name: &str, what: &str) -> Fault {
    Fault::of(name, format!("{name}: Input should be {what}"))
}

fn text<'a>(name: &str, value: &Value<'a>) -> Result<Text<'a>, Fault> {
    value.text().ok_or_else(|| wrong(name, "a valid string"))
}

fn count(name: &str, value: &Value<'_>) -> Result<u64, Fault> {
    value.as_u64().ok_or_else(|| wrong(name, "a whole number that is not negative"))
}

fn float(name: &str, value: &Value<'_>) -> Result<f64, Fault> {
    value.as_f64().ok_or_else(|| wrong(name, "a valid number"))
}

fn stops<'a>(value: &Value<'a>) -> Result<Vec<Text<'a>>, Fault> {
    let not_texts = || wrong("stop_sequences", "a list of strings");
    if !value.is_array() {
        return Err(not_texts());
    }
    value.items().iter().map(|one| one.text().ok_or_else(not_texts)).collect()
}

fn metadata<'a>(request: &mut Request<'a>, value: &Value<'a>) {
    for (name, value) in value.members() {
        match (&**name, value.text()) {
            ("user_id", Some(id)) => request.end_user = Some(id),
            _ => request.extra.push(extra(format!("metadata.{name}"), value)),
        }
    }
}

fn output_config<'a>(request: &mut Request<'a>, value: &Value<'a>) {
    for (name, value) in value.members() {
        match &**name {
            "effort" if value.as_str().and_then(thinking::effort_in).is_some() => {}
            "effort" if value.is_null() => {}
            "format" if !value.is_null() => {
                let at = || "output_config.format".to_owned();
                note(value, &["type", "schema"], &at, &mut request.extra);
                request.output = output(value);
            }
            "format" => {}
            _ => request.extra.push(extra(format!("output_config.{name}"), value)),
        }
    }
}

fn output<'a>(value: &Value<'a>) -> Output<'a> {
    match value.get("schema") {
        Some(schema) => Output::Schema(OutputSchema {
            name: "output".into(),
            schema: Cow::Borrowed(schema.raw()),
            ..OutputSchema::default()
        }),
        None => Output::Text,
    }
}

fn messages<'a>(request: &mut Request<'a>, value: &Value<'a>) -> Result<(), Fault> {
    if !value.is_array() {
        return Err(wrong("messages", "a list"));
    }
    for (index, one) in value.items().iter().enumerate() {
        let role = match one.get("role").and_then(Value::as_str) {
            Some("user") => Role::User,
            Some("assistant") => Role::Assistant,
            Some("system") => Role::System,
            _ => {
                let at = format!("messages[{index}].role");
                return Err(Fault::of(at, "A message's role must be user, assistant or system."));
            }
        };
        let mut blocks = Vec::new();
        let at = || format!("messages[{index}]");
        note(one, &["role", "content"], &at, &mut request.extra);
        let at = || format!("messages[{index}].content");
        content(one.get("content"), &at, &mut blocks, &mut Some(&mut request.extra))?;
        request.messages.push(Message { role, name: None, blocks });
    }
    Ok(())
}

fn tools<'a>(value: &Value<'a>, extras: &mut Vec<Extra<'a>>) -> Result<Vec<Tool<'a>>, Fault> {
    if !value.is_array() {
        return Err(wrong("tools", "a list"));
    }
    value.items().iter().enumerate().map(|(index, one)| tool(one, index, extras)).collect()
}

fn tool<'a>(
    value: &Value<'a>,
    index: usize,
    extras: &mut Vec<Extra<'a>>,
) -> Result<Tool<'a>, Fault> {
    let kind = value.get("type").and_then(Value::text).unwrap_or("custom".into());
    if kind != "custom" {
        return Ok(Tool::Hosted { kind, value: Cow::Borrowed(value.raw()) });
    }
    of_tool(value, &|| format!("tools[{index}]"), extras);
    let name = value.get("name").and_then(Value::text);
    Ok(Tool::Function(Function {
        name: name
            .ok_or_else(|| Fault::of(format!("tools[{index}].name"), "A tool needs a `name`."))?,
        description: value.get("description").and_then(Value::text),
        parameters: value.get("input_schema").map(|schema| Cow::Borrowed(schema.raw())),
        strict: value.get("strict").and_then(Value::as_bool),
        cache: cache(value),
        ..Function::default()
    }))
}

fn tool_choice<'a>(request: &mut Request<'a>, value: &Value<'a>) -> Result<(), Fault> {
    let not_known = || wrong("tool_choice", "of type auto, any, tool or none");
    request.tool_choice = Some(match value.get("type").and_then(Value::as_str) {
        Some("auto") => ToolChoice::Auto,
        Some("any") => ToolChoice::Required,
        Some("none") => ToolChoice::None,
        Some("tool") => {
            let name = value.get("name").and_then(Value::text);
            ToolChoice::Function(
                name.ok_or_else(|| wrong("tool_choice.name", "the name of a tool"))?,
            )
        }
        _ => return Err(not_known()),
    });
    if let Some(one_by_one) = value.get("disable_parallel_tool_use").and_then(Value::as_bool) {
        request.parallel_tool_calls = Some(!one_by_one);
    }
    Ok(())
}
