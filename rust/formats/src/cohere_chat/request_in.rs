//! A client's request.

use super::messages_in::message;
use crate::chat::{
    Effort, Extra, Function, Output, OutputSchema, Reasoning, Request, Tool, ToolChoice,
};
use crate::format::{Fault, PathFacts};
use crate::value::Value;
use std::borrow::Cow;

pub(super) fn decode<'a>(body: &'a str, path: PathFacts<'a>) -> Result<Request<'a>, Fault> {
    let body = Value::parse(body)?;
    // The last event of a stream tells the usage always.
    let mut request = Request { stream_usage: true, ..Request::default() };
    if body.get("messages").is_none() {
        return Err(Fault::of("messages", "The field `messages` is missing."));
    }
    for (name, value) in body.members().iter().filter(|(_, value)| !value.is_null()) {
        member(&mut request, name, value)?;
    }
    if body.get("strict_tools").and_then(Value::as_bool) == Some(true) {
        for tool in &mut request.tools {
            if let Tool::Function(function) = tool {
                function.strict = Some(true);
            }
        }
    }
    if let Some(model) = path.model {
        request.model = Cow::Borrowed(model);
    }
    Ok(request)
}

fn member<'a>(request: &mut Request<'a>, name: &str, value: &Value<'a>) -> Result<(), Fault> {
    let wrong = || Fault::of(name, format!("`{name}` is of the wrong type."));
    let count = || value.as_u64().ok_or_else(wrong);
    let float = || value.as_f64().ok_or_else(wrong);
    let flag = || value.as_bool().ok_or_else(wrong);
    match name {
        "strict_tools" => {}
        "model" => request.model = value.text().ok_or_else(wrong)?,
        "messages" if value.is_array() => {
            let all = value.items().iter().enumerate();
            request.messages = all.map(|(at, one)| message(one, at)).collect::<Result<_, _>>()?;
        }
        "messages" => return Err(wrong()),
        "tools" => request.tools = value.items().iter().map(tool).collect(),
        "tool_choice" => match value.as_str() {
            Some("REQUIRED") => request.tool_choice = Some(ToolChoice::Required),
            Some("NONE") => request.tool_choice = Some(ToolChoice::None),
            _ => return Err(wrong()),
        },
        "response_format" => request.output = output(value),
        "max_tokens" => request.max_output_tokens = Some(count()?),
        "stop_sequences" => {
            let texts = value.items().iter().map(|text| text.text().ok_or_else(wrong));
            request.stop = texts.collect::<Result<_, _>>()?;
        }
        "temperature" => request.temperature = Some(float()?),
        "p" => request.top_p = Some(float()?),
        "k" => request.top_k = Some(count()?),
        "frequency_penalty" => request.frequency_penalty = Some(float()?),
        "presence_penalty" => request.presence_penalty = Some(float()?),
        "seed" => request.seed = Some(value.as_i64().ok_or_else(wrong)?),
        "logprobs" => request.logprobs = flag()?.then_some(0),
        "stream" => request.stream = flag()?,
        "thinking" => request.reasoning = Some(thinking(value)),
        _ => {
            let value = Cow::Borrowed(value.raw());
            request.extra.push(Extra { name: name.to_owned().into(), value });
        }
    }
    Ok(())
}

fn tool<'a>(value: &Value<'a>) -> Tool<'a> {
    let function = value.get("function");
    let text = |name: &str| function.and_then(|one| one.get(name)).and_then(Value::text);
    match text("name") {
        Some(name) => Tool::Function(Function {
            name,
            description: text("description"),
            parameters: function
                .and_then(|one| one.get("parameters"))
                .map(|schema| Cow::Borrowed(schema.raw())),
            ..Function::default()
        }),
        None => Tool::Hosted {
            kind: value.get("type").and_then(Value::text).unwrap_or_default(),
            value: Cow::Borrowed(value.raw()),
        },
    }
}

fn output<'a>(value: &Value<'a>) -> Output<'a> {
    if value.get("type").and_then(Value::as_str) != Some("json_object") {
        return Output::Text;
    }
    // `schema` is the older name.
    let schema = value.get("json_schema").or_else(|| value.get("schema"));
    schema.map_or(Output::Json, |schema| {
        let (name, schema) = ("output".into(), Cow::Borrowed(schema.raw()));
        Output::Schema(OutputSchema { name, schema, ..OutputSchema::default() })
    })
}

fn thinking<'a>(value: &Value<'a>) -> Reasoning<'a> {
    let budget = value.get("token_budget").and_then(Value::as_u64);
    let effort = match value.get("type").and_then(Value::as_str) {
        Some("disabled") => Some(Effort::None),
        _ => budget.is_none().then_some(Effort::High),
    };
    Reasoning { effort, budget, ..Reasoning::default() }
}
