//! A client's request.

use super::made::images_in;
use super::parts::{cache_in, content_in, sign_text, signature_in, thinking_in};
use super::strangers;
use super::words::effort_in;
use crate::chat::{
    Block, Extra, Function, Message, Output, OutputSchema, Reasoning, Request, Role, Text,
    Thinking, Tool, ToolCall, ToolChoice,
};
use crate::format::{Fault, PathFacts};
use crate::strangers::{note, note_in};
use crate::value::{Kind as Json, Value};
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
        "tools" => request.tools = tools(value, &mut request.extra)?,
        "tool_choice" => {
            let known = ["type", "function", "allowed_tools"];
            note(value, &known, &|| name.to_owned(), &mut request.extra);
            request.tool_choice = Some(tool_choice(value)?);
        }
        "functions" | "function_call" => {
            return Err(Fault::unsupported(name, "Use `tools` and `tool_choice` instead."));
        }
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
        _ => request.extra.push(extra(name.to_owned(), value)),
    }
    Ok(())
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

fn messages<'a>(value: &Value<'a>, extra: &mut Vec<Extra<'a>>) -> Result<Vec<Message<'a>>, Fault> {
    if !value.is_array() {
        return Err(Fault::of("messages", "The field `messages` must be a list."));
    }
    let mut messages: Vec<Message<'a>> = Vec::with_capacity(value.items().len());
    // Whether the last message holds tool results alone, so that the next one joins it.
    let mut results = false;
    for (index, one) in value.items().iter().enumerate() {
        strangers::message(one, &|| format!("messages[{index}]"), extra);
        let role = one.get("role").and_then(Value::as_str);
        if role == Some("tool") {
            let block = tool_result(one, index)?;
            match messages.last_mut().filter(|_| results) {
                Some(last) => last.blocks.push(block),
                None => {
                    messages.push(Message { role: Role::User, name: None, blocks: vec![block] })
                }
            }
            results = true;
            continue;
        }
        results = false;
        messages.push(message(one, role, index)?);
    }
    Ok(messages)
}

fn message<'a>(value: &Value<'a>, role: Option<&str>, index: usize) -> Result<Message<'a>, Fault> {
    let role = match role {
        Some("system") => Role::System,
        Some("developer") => Role::Developer,
        Some("user") => Role::User,
        Some("assistant") => Role::Assistant,
        _ => {
            let known = "system, developer, user, assistant or tool";
            return Err(Fault::of(
                format!("messages[{index}].role"),
                format!("The role must be {known}."),
            ));
        }
    };
    let mut blocks = Vec::new();
    let at = || format!("messages[{index}].content");
    if role == Role::Assistant {
        assistant(value, index, &mut blocks)?;
    } else {
        content_in(value.get("content"), &at(), &mut blocks)?;
    }
    mark_last(&mut blocks, value);
    Ok(Message { role, name: value.get("name").and_then(Value::text), blocks })
}

/// A cache mark on a message as a whole is one on its last block.
fn mark_last<'a>(blocks: &mut [Block<'a>], message: &Value<'a>) {
    if let (Some(mark), Some(Block::Text(last))) = (cache_in(message), blocks.last_mut()) {
        last.cache.get_or_insert(mark);
    }
}

fn assistant<'a>(
    value: &Value<'a>,
    index: usize,
    blocks: &mut Vec<Block<'a>>,
) -> Result<(), Fault> {
    thoughts(value, blocks);
    let first_text = blocks.len();
    content_in(value.get("content"), &format!("messages[{index}].content"), blocks)?;
    sign_text(value, first_text, blocks);
    blocks.extend(images_in(value));
    if let Some(refusal) = value.get("refusal").and_then(Value::text) {
        blocks.push(Block::Refusal(refusal));
    }
    let calls = value.get("tool_calls").map(Value::items).unwrap_or_default();
    for (number, call) in calls.iter().enumerate() {
        let at = || format!("messages[{index}].tool_calls[{number}]");
        blocks.push(tool_call(call).ok_or_else(|| {
            Fault::of(
                at(),
                "A tool call needs an `id` and a `function` with `name` and `arguments`.",
            )
        })?);
    }
    Ok(())
}

/// The thoughts of a message; where they are told twice, with signatures counts.
pub(super) fn thoughts<'a>(message: &Value<'a>, blocks: &mut Vec<Block<'a>>) {
    let signed = message.get("thinking_blocks").map(Value::items).unwrap_or_default();
    if !signed.is_empty() {
        blocks.extend(signed.iter().map(|one| Block::Thinking(thinking_in(one))));
        return;
    }
    let plain = message.get("reasoning_content").or_else(|| message.get("reasoning"));
    if let Some(text) = plain.and_then(Value::text).filter(|text| !text.is_empty()) {
        blocks.push(Block::Thinking(Thinking { text, ..Thinking::default() }));
    }
}

/// An entry of `tool_calls`.
pub(super) fn tool_call<'a>(call: &Value<'a>) -> Option<Block<'a>> {
    if let Some(custom) = call.get("custom") {
        let kind = custom.get("name").and_then(Value::text).unwrap_or("custom".into());
        return Some(Block::Opaque { kind, value: Cow::Borrowed(call.raw()) });
    }
    let function = call.get("function")?;
    let arguments = match function.get("arguments") {
        None => Cow::Borrowed("{}"),
        Some(given) => match given.kind() {
            Json::String(text) if text.trim().is_empty() => Cow::Borrowed("{}"),
            Json::String(text) => text.clone(),
            // Some hosts give the object itself.
            _ => Cow::Borrowed(given.raw()),
        },
    };
    Some(Block::ToolCall(ToolCall {
        id: call.get("id")?.text()?,
        name: function.get("name")?.text()?,
        arguments,
        signature: signature_in(call),
        cache: cache_in(call),
    }))
}

fn tool_result<'a>(value: &Value<'a>, index: usize) -> Result<Block<'a>, Fault> {
    let at = || format!("messages[{index}].tool_call_id");
    let call_id = value.get("tool_call_id").and_then(Value::text);
    let mut blocks = Vec::new();
    content_in(value.get("content"), &format!("messages[{index}].content"), &mut blocks)?;
    Ok(Block::ToolResult {
        call_id: call_id
            .ok_or_else(|| Fault::of(at(), "A tool's message needs a `tool_call_id`."))?,
        name: value.get("name").and_then(Value::text),
        blocks,
        is_error: false,
        cache: cache_in(value),
    })
}

/// Members of a function that have a place.
const FUNCTION: [&str; 5] = ["name", "description", "parameters", "strict", "cache_control"];

fn tools<'a>(value: &Value<'a>, extra: &mut Vec<Extra<'a>>) -> Result<Vec<Tool<'a>>, Fault> {
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
    note(function, &FUNCTION, &|| at.clone(), extra);
    let name = function.get("name").and_then(Value::text);
    Ok(Tool::Function(Function {
        name: name.ok_or_else(|| Fault::of(format!("{at}.name"), "A function needs a `name`."))?,
        description: function.get("description").and_then(Value::text),
        parameters: function.get("parameters").map(|schema| Cow::Borrowed(schema.raw())),
        strict: function.get("strict").and_then(Value::as_bool),
        cache: cache_in(value).or_else(|| cache_in(function)),
        ..Function::default()
    }))
}

fn tool_choice<'a>(value: &Value<'a>) -> Result<ToolChoice<'a>, Fault> {
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
