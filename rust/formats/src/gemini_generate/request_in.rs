//! A client's request.

use super::calls::Calls;
use super::contents_in::Reader;
use super::names::{
    Place, camel, count, flag, float, get, get_text, integer, list, object, text, texts,
};
use super::words::tier_in;
use super::{schema_in, tools_in};
use crate::chat::{Effort, Extra, Output, OutputSchema, Raw, Reasoning, Request, Role, Text};
use crate::format::{Fault, PathFacts};
use crate::value::Value;
use std::borrow::Cow;

pub(super) fn decode<'a>(body: &'a str, path: PathFacts<'a>) -> Result<Request<'a>, Fault> {
    from_value(&Value::parse(body)?, path)
}

/// Reads a request that has been parsed: the body, or a part of one.
pub(super) fn from_value<'a>(body: &Value<'a>, path: PathFacts<'a>) -> Result<Request<'a>, Fault> {
    let mut request = Request { stream: path.stream, stream_usage: true, ..Request::default() };
    let (mut contents, mut system) = (None, None);
    for (key, value) in body.members().iter().filter(|(_, value)| !value.is_null()) {
        match &*camel(key) {
            "contents" => contents = Some(value),
            "systemInstruction" => system = Some(value),
            "model" => request.model = short(text(&"model", value)?),
            "tools" => request.tools = tools_in::tools(value, &mut request.extra)?,
            "toolConfig" => {
                request.tool_choice = tools_in::tool_config(value, &mut request.extra)?;
            }
            "generationConfig" => generation_config(&mut request, value)?,
            "serviceTier" => request.service_tier = tier_in(text(&"serviceTier", value)?),
            _ => keep(&mut request, "", key, value),
        }
    }
    if let Some(model) = path.model {
        request.model = Cow::Borrowed(model);
    }
    let contents =
        contents.ok_or_else(|| Fault::of("contents", "The field `contents` is missing."))?;
    let mut reader = Reader {
        messages: &mut request.messages,
        extra: &mut request.extra,
        calls: Calls::default(),
    };
    if let Some(system) = system {
        reader.content(Role::System, system, &"systemInstruction")?;
    }
    reader.contents(contents)?;
    Ok(request)
}

/// `models/gemini-…` is how bodies name a model.
fn short(name: Text<'_>) -> Text<'_> {
    match name {
        Cow::Borrowed(name) => Cow::Borrowed(name.strip_prefix("models/").unwrap_or(name)),
        Cow::Owned(name) => {
            Cow::Owned(name.strip_prefix("models/").map(str::to_owned).unwrap_or(name))
        }
    }
}

fn keep<'a>(request: &mut Request<'a>, place: &str, key: &str, value: &Value<'a>) {
    let name = Cow::Owned([place, key].concat());
    request.extra.push(Extra { name, value: Cow::Borrowed(value.raw()) });
}

/// What several members of `generationConfig` say together.
#[derive(Default)]
struct Asked<'v, 'a> {
    logprobs: bool,
    top_logprobs: Option<u64>,
    mime: Option<&'v Value<'a>>,
    schema: Option<(&'v str, &'v Value<'a>, Raw<'a>)>,
}

const PLACE: &str = "generationConfig.";

fn generation_config<'a>(request: &mut Request<'a>, value: &Value<'a>) -> Result<(), Fault> {
    object(&"generationConfig", value)?;
    let mut asked = Asked::default();
    for (key, member) in value.members().iter().filter(|(_, member)| !member.is_null()) {
        let name = camel(key);
        match &*name {
            "responseLogprobs" => {
                asked.logprobs = flag(&"generationConfig.responseLogprobs", member)?;
            }
            "logprobs" => {
                asked.top_logprobs = Some(count(&"generationConfig.logprobs", member)?);
            }
            "responseMimeType" => asked.mime = Some(member),
            "responseSchema" => {
                let schema = schema_in::convert(member);
                asked.schema.get_or_insert((key, member, schema));
            }
            // With an underscore before it in Google's own preview of it. Clients write Gemini's own words
            // here too, Google's CLI among them.
            "responseJsonSchema" | "ResponseJsonSchema" => {
                asked.schema = Some((key, member, schema_in::convert(member)));
            }
            "responseFormat" => {
                if !response_format(request, member) {
                    keep(request, PLACE, key, member);
                }
            }
            "thinkingConfig" => thinking_config(request, member)?,
            // What comes anyway.
            "responseModalities" if is_text_alone(member) => {}
            _ => sampling(request, &name, key, member)?,
        }
    }
    if asked.logprobs {
        request.logprobs = Some(asked.top_logprobs.unwrap_or(0));
    }
    output(request, asked)
}

fn is_text_alone(modalities: &Value<'_>) -> bool {
    matches!(modalities.items(), [one] if one.as_str() == Some("TEXT"))
}

fn sampling<'a>(
    request: &mut Request<'a>,
    name: &str,
    key: &str,
    value: &Value<'a>,
) -> Result<(), Fault> {
    let float = || float(&format_args!("{PLACE}{name}"), value).map(Some);
    let count = || count(&format_args!("{PLACE}{name}"), value).map(Some);
    match name {
        "temperature" => request.temperature = float()?,
        "topP" => request.top_p = float()?,
        "topK" => request.top_k = count()?,
        "frequencyPenalty" => request.frequency_penalty = float()?,
        "presencePenalty" => request.presence_penalty = float()?,
        "seed" => request.seed = Some(integer(&"generationConfig.seed", value)?),
        "candidateCount" => request.n = count()?,
        "maxOutputTokens" => request.max_output_tokens = count()?,
        "stopSequences" => request.stop = texts(&"generationConfig.stopSequences", value)?,
        _ => keep(request, PLACE, key, value),
    }
    Ok(())
}

fn output<'a>(request: &mut Request<'a>, asked: Asked<'_, 'a>) -> Result<(), Fault> {
    let mime = match asked.mime {
        Some(mime) => Some(text(&"generationConfig.responseMimeType", mime)?),
        None => None,
    };
    match (mime.as_deref(), asked.schema) {
        (Some("application/json") | None, Some((_, _, schema))) => {
            request.output = Output::Schema(named(schema));
        }
        (Some("application/json"), None) => request.output = Output::Json,
        (Some("text/plain") | None, None) => {}
        // One of some words (`text/x.enum`), and whatever comes.
        (_, schema) => {
            if let Some(mime) = asked.mime {
                keep(request, PLACE, "responseMimeType", mime);
            }
            if let Some((key, value, _)) = schema {
                keep(request, PLACE, key, value);
            }
        }
    }
    Ok(())
}

fn named(schema: Raw<'_>) -> OutputSchema<'_> {
    OutputSchema { name: "output".into(), schema, ..OutputSchema::default() }
}

/// `responseFormat`, which is to follow the two members above: a list of formats by modality. Whether
/// it asks for nothing but text.
fn response_format<'a>(request: &mut Request<'a>, value: &Value<'a>) -> bool {
    let one = match value.items() {
        [one] => one,
        [] if value.is_object() => value,
        _ => return false,
    };
    let (1, Some(text)) = (one.members().len(), get(one, "text")) else { return false };
    let mime = get_text(text, "mimeType");
    let is_json = mime.is_none_or(|mime| {
        mime.eq_ignore_ascii_case("application/json") || mime == "APPLICATION_JSON"
    });
    match get(text, "schema").filter(|_| is_json) {
        Some(schema) => request.output = Output::Schema(named(Cow::Borrowed(schema.raw()))),
        None if is_json => request.output = Output::Json,
        None => return false,
    }
    true
}

fn thinking_config<'a>(request: &mut Request<'a>, value: &Value<'a>) -> Result<(), Fault> {
    const AT: &str = "generationConfig.thinkingConfig.";
    object(&"generationConfig.thinkingConfig", value)?;
    // Gemini does not show thoughts unless it is asked to.
    let mut reasoning = Reasoning { visible: Some(false), ..Reasoning::default() };
    for (key, member) in value.members().iter().filter(|(_, member)| !member.is_null()) {
        let name = camel(key);
        let at = [AT, &name].concat();
        match &*name {
            "includeThoughts" => reasoning.visible = Some(flag(&at, member)?),
            "thinkingBudget" => match integer(&at, member)? {
                0 => reasoning.effort = Some(Effort::None),
                // -1 leaves it to the model.
                budget => reasoning.budget = u64::try_from(budget).ok(),
            },
            "thinkingLevel" => reasoning.effort = level(&at, member)?.or(reasoning.effort),
            _ => keep(request, AT, key, member),
        }
    }
    request.reasoning = Some(reasoning);
    Ok(())
}

fn level(at: Place<'_>, value: &Value<'_>) -> Result<Option<Effort>, Fault> {
    let word = value.as_str().unwrap_or_default().to_ascii_uppercase();
    Ok(Some(match &*word {
        "THINKING_LEVEL_UNSPECIFIED" => return Ok(None),
        "MINIMAL" => Effort::Minimal,
        "LOW" => Effort::Low,
        "MEDIUM" => Effort::Medium,
        "HIGH" => Effort::High,
        "XHIGH" => Effort::XHigh,
        _ => {
            return Err(Fault::of(
                at.to_string(),
                "It must be MINIMAL, LOW, MEDIUM, HIGH or XHIGH.",
            ));
        }
    }))
}

/// A request to count tokens: `contents` with what belongs to them, or a whole `generateContentRequest`.
pub(super) fn decode_count<'a>(body: &'a str, path: PathFacts<'a>) -> Result<Request<'a>, Fault> {
    let body = Value::parse(body)?;
    match get(&body, "generateContentRequest") {
        Some(whole) => from_value(whole, path),
        None => {
            if let Some(contents) = get(&body, "contents") {
                list(&"contents", contents)?;
            }
            from_value(&body, path)
        }
    }
}
