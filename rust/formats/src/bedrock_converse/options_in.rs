//! A client's settings: `inferenceConfig`, `outputConfig`, `additionalModelRequestFields`.

use super::request_in::extra;
use super::words::effort_in;
use crate::chat::{Effort, Output, OutputSchema, Reasoning, Request};
use crate::format::Fault;
use crate::value::Value;

pub(super) fn inference<'a>(request: &mut Request<'a>, config: &Value<'a>) -> Result<(), Fault> {
    let wrong = |name: &str| {
        Fault::of(format!("inferenceConfig.{name}"), format!("`{name}` is of the wrong type."))
    };
    for (name, value) in config.members().iter().filter(|(_, value)| !value.is_null()) {
        let wrong = || wrong(name);
        match &**name {
            "maxTokens" => {
                request.max_output_tokens = Some(value.as_u64().ok_or_else(wrong)?);
            }
            "temperature" => request.temperature = Some(value.as_f64().ok_or_else(wrong)?),
            "topP" => request.top_p = Some(value.as_f64().ok_or_else(wrong)?),
            "stopSequences" => {
                let texts = value.items().iter().map(|text| text.text().ok_or_else(wrong));
                request.stop = texts.collect::<Result<_, _>>()?;
            }
            _ => extra(request, format!("inferenceConfig.{name}"), value),
        }
    }
    Ok(())
}

pub(super) fn output<'a>(request: &mut Request<'a>, config: &Value<'a>) -> Result<(), Fault> {
    for (name, value) in config.members().iter().filter(|(_, value)| !value.is_null()) {
        match &**name {
            "effort" => effort(request, value, "outputConfig.effort"),
            "textFormat" => {
                request.output = Output::Schema(schema(value).ok_or_else(|| {
                    let at = "outputConfig.textFormat.structure.jsonSchema.schema";
                    Fault::of(at, "The schema must be a string that holds JSON.")
                })?)
            }
            _ => extra(request, format!("outputConfig.{name}"), value),
        }
    }
    Ok(())
}

/// The schema is JSON within a string.
fn schema<'a>(format: &Value<'a>) -> Option<OutputSchema<'a>> {
    let told = format.get("structure")?.get("jsonSchema")?;
    let schema = told.get("schema")?.text()?;
    Value::parse(&schema).ok()?;
    Some(OutputSchema {
        name: told.get("name").and_then(Value::text).unwrap_or("output".into()),
        description: told.get("description").and_then(Value::text),
        schema,
        strict: None,
    })
}

/// The models' own words for what is canonical; the rest is kept.
pub(super) fn additional<'a>(request: &mut Request<'a>, fields: &Value<'a>) {
    for (name, value) in fields.members().iter().filter(|(_, value)| !value.is_null()) {
        let at = format!("additionalModelRequestFields.{name}");
        match &**name {
            "top_k" | "k" if value.as_u64().is_some() => request.top_k = value.as_u64(),
            "thinking" | "reasoning_config" | "reasoningConfig" => thinking(request, value),
            "reasoning_effort" => effort(request, value, &at),
            "reasoning" | "output_config" if only(value, "effort") => {
                if let Some(given) = value.get("effort") {
                    effort(request, given, &at);
                }
            }
            "inferenceConfig" if only(value, "topK") => {
                request.top_k = value.get("topK").and_then(Value::as_u64);
            }
            _ => extra(request, at, value),
        }
    }
}

/// Whether this is an object with that member and no other.
fn only(value: &Value<'_>, name: &str) -> bool {
    value.members().len() == 1 && value.get(name).is_some()
}

fn effort<'a>(request: &mut Request<'a>, value: &Value<'a>, at: &str) {
    match value.as_str().and_then(effort_in) {
        // A budget, or thinking switched off, says more.
        Some(effort) => {
            let reasoning = reasoning(request);
            if reasoning.effort != Some(Effort::None) && reasoning.budget.is_none() {
                reasoning.effort = Some(effort);
            }
        }
        None => extra(request, at.to_owned(), value),
    }
}

fn reasoning<'r, 'a>(request: &'r mut Request<'a>) -> &'r mut Reasoning<'a> {
    request.reasoning.get_or_insert_default()
}

/// Claude's `thinking` (`reasoning_config` is its older name at Bedrock) and Nova's `reasoningConfig`.
fn thinking<'a>(request: &mut Request<'a>, value: &Value<'a>) {
    let word = |name: &str| value.get(name).and_then(Value::as_str);
    let reasoning = reasoning(request);
    reasoning.visible = match word("display") {
        Some("summarized") => Some(true),
        Some("omitted") => Some(false),
        _ => None,
    };
    reasoning.budget = value.get("budget_tokens").and_then(Value::as_u64);
    let told = word("maxReasoningEffort").and_then(effort_in).or(reasoning.effort);
    reasoning.effort = match word("type") {
        Some("disabled") => Some(Effort::None),
        _ if reasoning.budget.is_some() => None,
        // What Claude does unless told otherwise.
        _ => told.or(Some(Effort::High)),
    };
}
