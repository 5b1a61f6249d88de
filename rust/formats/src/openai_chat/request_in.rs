//! A client's request.

use super::functions;
use super::messages_in::messages;
use super::tools_in::{tool_choice, tools};
use super::words::effort_in;
use crate::chat::{Extra, Output, OutputSchema, Reasoning, Request, Text};
use crate::format::{Fault, PathFacts};
use crate::strangers::{note, note_in};
use crate::value::Value;
use std::borrow::Cow;

pub(super) fn decode<'a>(body: &'a str, path: PathFacts<'a>) -> Result<Request<'a>, Fault> {
    let body = Value::parse(body)?;
    let mut request = Request::default();
    let mut asked = Asked::default();
    for (name, value) in body.members() {
        if !value.is_null() {
            member(&mut request, &mut asked, name, value)?;
        }
    }
    if let Some(model) = path.model {
        request.model = Cow::Borrowed(model);
    }
    if asked.logprobs {
        request.logprobs = Some(asked.top_logprobs.unwrap_or(0));
    }
    if !asked.has_messages {
        return Err(Fault::of("messages", "The field `messages` is missing."));
    }
    request.reasoning = asked.reasons.then_some(asked.reasoning);
    Ok(request)
}

/// What two members say together.
#[derive(Default)]
struct Asked<'a> {
    has_messages: bool,
    logprobs: bool,
    top_logprobs: Option<u64>,
    reasoning: Reasoning<'a>,
    reasons: bool,
}

fn member<'a>(
    request: &mut Request<'a>,
    asked: &mut Asked<'a>,
    name: &str,
    value: &Value<'a>,
) -> Result<(), Fault> {
    match name {
        "model" => request.model = text(name, value)?,
        "messages" => {
            asked.has_messages = true;
            request.messages = messages(value, &mut request.extra)?;
        }
        "tools" => request.tools.extend(tools(value, &mut request.extra)?),
        "functions" => functions::ask(request, value)?,
        "tool_choice" => {
            let known = ["type", "function", "allowed_tools"];
            note(value, &known, &|| name.to_owned(), &mut request.extra);
            request.tool_choice = Some(tool_choice(value)?);
        }
        "function_call" => request.tool_choice = Some(functions::choice(value)?),
        "parallel_tool_calls" => request.parallel_tool_calls = Some(flag(name, value)?),
        "max_completion_tokens" => request.max_output_tokens = Some(count(name, value)?),
        "max_tokens" => {
            let tokens = count(name, value)?;
            request.max_output_tokens.get_or_insert(tokens);
        }
        "stop" => request.stop = stop(value)?,
        "response_format" => {
            let known = ["name", "description", "schema", "strict"];
            note(value, &["type", "json_schema"], &|| name.to_owned(), &mut request.extra);
            note_in(value, "json_schema", &known, &|| name.to_owned(), &mut request.extra);
            request.output = output(value)?;
        }
        "stream" => request.stream = flag(name, value)?,
        "stream_options" => stream_options(request, value),
        "user" | "safety_identifier" => request.end_user = Some(text(name, value)?),
        "service_tier" => request.service_tier = Some(text(name, value)?),
        "metadata" => request.metadata = Some(Cow::Borrowed(value.raw())),
        "logprobs" => asked.logprobs = flag(name, value)?,
        "top_logprobs" => asked.top_logprobs = Some(count(name, value)?),
        "reasoning_effort" | "reasoning" | "thinking" => reasoning(asked, name, value)?,
        _ => return sampling(request, name, value),
    }
    Ok(())
}

fn sampling<'a>(request: &mut Request<'a>, name: &str, value: &Value<'a>) -> Result<(), Fault> {
    match name {
        "temperature" => request.temperature = Some(float(name, value)?),
        "top_p" => request.top_p = Some(float(name, value)?),
        "top_k" => request.top_k = Some(count(name, value)?),
        "frequency_penalty" => request.frequency_penalty = Some(float(name, value)?),
        "presence_penalty" => request.presence_penalty = Some(float(name, value)?),
        "seed" => {
            let wrong = || Fault::of(name, "The field `seed` must be a whole number of 64 bits.");
            request.seed = Some(value.as_i64().ok_or_else(wrong)?);
        }
        "n" => request.n = Some(count(name, value)?),
        // What comes anyway.
        "modalities" if is_text_alone(value) => {}
        _ => request.extra.push(extra(name.to_owned(), value)),
    }
    Ok(())
}

fn is_text_alone(modalities: &Value<'_>) -> bool {
    matches!(modalities.items(), [one] if one.as_str() == Some("text"))
}

fn extra<'a>(name: String, value: &Value<'a>) -> Extra<'a> {
    Extra { name: Cow::Owned(name), value: Cow::Borrowed(value.raw()) }
}

fn stream_options<'a>(request: &mut Request<'a>, value: &Value<'a>) {
    request.stream_usage = value.get("include_usage").and_then(Value::as_bool).unwrap_or(false);
    // Translated streams are never padded.
    let padded = value.get("include_obfuscation").and_then(Value::as_bool) == Some(true);
    let known: &[&str] =
        if padded { &["include_usage"] } else { &["include_usage", "include_obfuscation"] };
    note(value, known, &|| "stream_options".to_owned(), &mut request.extra);
}

fn text<'a>(name: &str, value: &Value<'a>) -> Result<Text<'a>, Fault> {
    value.text().ok_or_else(|| Fault::of(name, format!("The field `{name}` must be a string.")))
}

fn flag(name: &str, value: &Value<'_>) -> Result<bool, Fault> {
    value
        .as_bool()
        .ok_or_else(|| Fault::of(name, format!("The field `{name}` must be true or false.")))
}

fn count(name: &str, value: &Value<'_>) -> Result<u64, Fault> {
    value
        .as_u64()
        .ok_or_else(|| Fault::of(name, format!("The field `{name}` must be a whole number.")))
}

fn float(name: &str, value: &Value<'_>) -> Result<f64, Fault> {
    value.as_f64().ok_or_else(|| Fault::of(name, format!("The field `{name}` must be a number.")))
}

fn stop<'a>(value: &Value<'a>) -> Result<Vec<Text<'a>>, Fault> {
    if let Some(one) = value.text() {
        return Ok(vec![one]);
    }
    let wrong = || Fault::of("stop", "The field `stop` must be a string or a list of strings.");
    if !value.is_array() {
        return Err(wrong());
    }
    value.items().iter().map(|one| one.text().ok_or_else(wrong)).collect()
}

/// `reasoning_effort`; OpenRouter's `reasoning`; Anthropic's `thinking`, which LiteLLM's clients send.
fn reasoning<'a>(asked: &mut Asked<'a>, name: &str, value: &Value<'a>) -> Result<(), Fault> {
    asked.reasons = true;
    let effort = |value: &Value<'_>| {
        let known = value.as_str().and_then(effort_in);
        known.ok_or_else(|| {
            Fault::of(name, "The effort must be none, minimal, low, medium, high or xhigh.")
        })
    };
    match name {
        "reasoning_effort" => asked.reasoning.effort = Some(effort(value)?),
        "reasoning" => {
            if let Some(given) = value.get("effort") {
                asked.reasoning.effort = Some(effort(given)?);
            }
            asked.reasoning.budget = value.get("max_tokens").and_then(Value::as_u64);
            asked.reasoning.visible =
                value.get("exclude").and_then(Value::as_bool).map(|hide| !hide);
        }
        _ => {
            asked.reasoning.budget = value.get("budget_tokens").and_then(Value::as_u64);
            if value.get("type").and_then(Value::as_str) == Some("disabled") {
                asked.reasoning.effort = Some(crate::chat::Effort::None);
            }
        }
    }
    Ok(())
}

fn output<'a>(value: &Value<'a>) -> Result<Output<'a>, Fault> {
    match value.get("type").and_then(Value::as_str) {
        Some("text") => Ok(Output::Text),
        Some("json_object") => Ok(Output::Json),
        Some("json_schema") => {
            let missing = |what: &str| {
                Fault::of(format!("response_format.json_schema{what}"), "It is missing.")
            };
            let given = value.get("json_schema").ok_or_else(|| missing(""))?;
            Ok(Output::Schema(OutputSchema {
                name: given.get("name").and_then(Value::text).unwrap_or("output".into()),
                description: given.get("description").and_then(Value::text),
                schema: Cow::Borrowed(given.get("schema").ok_or_else(|| missing(".schema"))?.raw()),
                strict: given.get("strict").and_then(Value::as_bool),
            }))
        }
        _ => Err(Fault::of("response_format.type", "It must be text, json_object or json_schema.")),
    }
}
