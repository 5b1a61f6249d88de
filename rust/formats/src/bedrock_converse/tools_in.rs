//! A client's `toolConfig`.

use super::blocks_in;
use crate::chat::{Function, Request, Tool, ToolChoice};
use crate::format::Fault;
use crate::value::Value;
use std::borrow::Cow;

pub(super) fn decode<'a>(request: &mut Request<'a>, config: &Value<'a>) -> Result<(), Fault> {
    for (index, one) in config.get("tools").map(Value::items).unwrap_or_default().iter().enumerate()
    {
        if let Some(spec) = one.get("toolSpec") {
            let function = function(spec).ok_or_else(|| {
                Fault::of(
                    format!("toolConfig.tools[{index}].toolSpec.name"),
                    "A tool needs a name.",
                )
            })?;
            request.tools.push(Tool::Function(function));
            continue;
        }
        if let (Some(point), Some(Tool::Function(last))) =
            (one.get("cachePoint"), request.tools.last_mut())
        {
            last.cache = Some(blocks_in::cache(point));
            continue;
        }
        let kind = one.members().first().map(|(name, _)| name.clone()).unwrap_or_default();
        request.tools.push(Tool::Hosted { kind, value: Cow::Borrowed(one.raw()) });
    }
    request.tool_choice = config.get("toolChoice").and_then(choice);
    Ok(())
}

fn function<'a>(spec: &Value<'a>) -> Option<Function<'a>> {
    Some(Function {
        name: spec.get("name")?.text()?,
        description: spec.get("description").and_then(Value::text),
        parameters: spec
            .get("inputSchema")
            .and_then(|schema| schema.get("json"))
            .map(|schema| Cow::Borrowed(schema.raw())),
        strict: spec.get("strict").and_then(Value::as_bool),
        ..Function::default()
    })
}

fn choice<'a>(value: &Value<'a>) -> Option<ToolChoice<'a>> {
    let (name, inner) = value.members().iter().find(|(_, inner)| !inner.is_null())?;
    Some(match &**name {
        "any" => ToolChoice::Required,
        "tool" => ToolChoice::Function(inner.get("name")?.text()?),
        _ => ToolChoice::Auto,
    })
}
