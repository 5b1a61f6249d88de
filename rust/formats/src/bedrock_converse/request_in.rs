//! A client's request.

use super::{blocks_in, options_in, tools_in, words};
use crate::chat::{Block, Extra, Message, Request, Role};
use crate::format::{Fault, PathFacts};
use crate::value::{Kind as Json, Value};
use std::borrow::Cow;

pub(super) fn decode<'a>(body: &'a str, path: PathFacts<'a>) -> Result<Request<'a>, Fault> {
    let body = Value::parse(body)?;
    if !body.is_object() {
        return Err(Fault::new("The body must be a JSON object."));
    }
    let mut request = Request {
        model: path.model.map(Cow::Borrowed).unwrap_or_default(),
        stream: path.stream,
        // The last event of a stream tells it always.
        stream_usage: true,
        messages: system(body.get("system"))?,
        ..Request::default()
    };
    for (name, value) in body.members().iter().filter(|(_, value)| !value.is_null()) {
        member(&mut request, name, value)?;
    }
    Ok(request)
}

fn member<'a>(request: &mut Request<'a>, name: &str, value: &Value<'a>) -> Result<(), Fault> {
    match name {
        "system" => {}
        "messages" => messages(request, value)?,
        "inferenceConfig" => options_in::inference(request, value)?,
        "toolConfig" => tools_in::decode(request, value)?,
        "outputConfig" => options_in::output(request, value)?,
        "additionalModelRequestFields" => options_in::additional(request, value),
        "requestMetadata" => request.metadata = Some(Cow::Borrowed(value.raw())),
        "serviceTier" => {
            match value.get("type").filter(|one| one.as_str().is_some_and(words::is_tier)) {
                Some(tier) => request.service_tier = tier.text(),
                None => extra(request, name.to_owned(), value),
            }
        }
        _ => extra(request, name.to_owned(), value),
    }
    Ok(())
}

/// Keeps what has no canonical place.
pub(super) fn extra<'a>(request: &mut Request<'a>, name: String, value: &Value<'a>) {
    request.extra.push(Extra { name: name.into(), value: Cow::Borrowed(value.raw()) });
}

fn system<'a>(value: Option<&Value<'a>>) -> Result<Vec<Message<'a>>, Fault> {
    let blocks = blocks_in::content(value, "system")?;
    Ok(if blocks.is_empty() { Vec::new() } else { vec![message(Role::System, blocks)] })
}

fn message(role: Role, blocks: Vec<Block<'_>>) -> Message<'_> {
    Message { role, name: None, blocks }
}

fn messages<'a>(request: &mut Request<'a>, value: &Value<'a>) -> Result<(), Fault> {
    let Json::Array(list) = value.kind() else {
        return Err(Fault::of("messages", "The field `messages` must be a list."));
    };
    for (index, one) in list.iter().enumerate() {
        let role = match one.get("role").and_then(Value::as_str) {
            Some("user") => Role::User,
            Some("assistant") => Role::Assistant,
            Some("system") => Role::System,
            _ => {
                let at = format!("messages[{index}].role");
                return Err(Fault::of(at, "A role must be `user`, `assistant` or `system`."));
            }
        };
        let blocks = blocks_in::content(one.get("content"), &format!("messages[{index}].content"))?;
        request.messages.push(message(role, blocks));
    }
    Ok(())
}
