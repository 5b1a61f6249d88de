//! OpenAI's embeddings.

use super::{EmbedRequest, Embeddings};
use crate::base64;
use crate::chat::{Raw, Text};
use crate::format::{Dropped, Fault};
use crate::value::{Kind as Json, Value};
use crate::writer::Writer;
use std::borrow::Cow;

/// Reads a client's request.
///
/// # Errors
/// [`Fault`], naming the field that is missing or of the wrong type. Inputs that are tokens are
/// unsupported: they mean nothing to a model of another provider.
pub fn decode_request(body: &str) -> Result<EmbedRequest<'_>, Fault> {
    let body = Value::parse(body)?;
    let text = |name| body.get(name).and_then(Value::text);
    let input =
        body.get("input").ok_or_else(|| Fault::of("input", "The field `input` is missing."))?;
    let base64 = match text("encoding_format").as_deref() {
        None | Some("float") => false,
        Some("base64") => true,
        Some(_) => return Err(Fault::of("encoding_format", "It must be float or base64.")),
    };
    let dimensions = match body.get("dimensions") {
        Some(given) => Some(given.as_u64().ok_or_else(|| {
            Fault::of("dimensions", "The field `dimensions` must be a whole number.")
        })?),
        None => None,
    };
    Ok(EmbedRequest {
        model: text("model").unwrap_or_default(),
        inputs: inputs(input)?,
        dimensions,
        base64,
        // Not OpenAI's, but the only way for its clients to say it.
        task: text("task_type"),
        title: text("title"),
        truncate: None,
        end_user: text("user"),
    })
}

fn inputs<'a>(input: &Value<'a>) -> Result<Vec<Text<'a>>, Fault> {
    if let Some(one) = input.text() {
        return Ok(vec![one]);
    }
    let wrong = || Fault::of("input", "The field `input` must be a string or a list of strings.");
    if input.items().is_empty() {
        return Err(wrong());
    }
    let tokens = |one: &Value<'_>| one.as_u64().is_some() || one.is_array();
    if input.items().iter().any(tokens) {
        return Err(Fault::unsupported("input", "This model takes texts, not tokens."));
    }
    input.items().iter().map(|one| one.text().ok_or_else(wrong)).collect()
}

/// Writes the request for an upstream.
pub fn encode_request(request: &EmbedRequest<'_>, model: &str, dropped: &mut Dropped) -> Vec<u8> {
    let mut w = Writer::new();
    w.object(|w| {
        w.text("model", model);
        w.key("input").array(|w| request.inputs.iter().for_each(|one| w.string(one)));
        w.count_if("dimensions", request.dimensions);
        w.text("encoding_format", "float").text_if("user", request.end_user.as_deref());
    });
    dropped.add_if(request.task.is_some(), "taskType");
    dropped.add_if(request.title.is_some(), "title");
    dropped.add_if(request.truncate.is_some(), "autoTruncate");
    w.finish()
}

/// Reads an upstream's reply.
///
/// # Errors
/// [`Fault`] if it has no vectors.
pub fn decode_reply(body: &str) -> Result<Embeddings<'_>, Fault> {
    let body = Value::parse(body)?;
    let data = body.get("data").filter(|data| data.is_array());
    let data = data.ok_or_else(|| Fault::new("The provider's reply has no `data`."))?;
    let mut found = Vec::with_capacity(data.items().len());
    for (at, one) in data.items().iter().enumerate() {
        let index = one.get("index").and_then(Value::as_u64).unwrap_or(at as u64);
        let vector = one.get("embedding").and_then(vector);
        found.push((index, vector.ok_or_else(|| Fault::new("A vector cannot be read."))?));
    }
    found.sort_by_key(|(index, _)| *index);
    Ok(Embeddings {
        model: body.get("model").and_then(Value::text),
        vectors: found.into_iter().map(|(_, vector)| vector).collect(),
        input_tokens: body
            .get("usage")
            .and_then(|usage| usage.get("prompt_tokens"))
            .and_then(Value::as_u64),
    })
}

fn vector<'a>(value: &Value<'a>) -> Option<Raw<'a>> {
    match value.kind() {
        Json::Array(_) => Some(Cow::Borrowed(value.raw())),
        Json::String(text) => from_base64(text).map(Cow::Owned),
        _ => None,
    }
}

fn from_base64(text: &str) -> Option<String> {
    let bytes = base64::decode(text)?;
    let (floats, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() {
        return None;
    }
    let mut w = Writer::new();
    // By way of their text: the nearest 64-bit float would have digits that say nothing.
    w.array(|w| floats.iter().for_each(|four| w.raw(&f32::from_le_bytes(*four).to_string())));
    String::from_utf8(w.finish()).ok()
}

/// Writes a reply for a client, who asked with `request`.
#[must_use]
pub fn encode_reply(reply: &Embeddings<'_>, request: &EmbedRequest<'_>) -> Vec<u8> {
    let tokens = reply.input_tokens.unwrap_or(0);
    let mut w = Writer::new();
    w.object(|w| {
        w.text("object", "list").key("data").array(|w| {
            for (index, vector) in reply.vectors.iter().enumerate() {
                w.object(|w| {
                    w.text("object", "embedding").count("index", index as u64);
                    match request.base64.then(|| to_base64(vector)).flatten() {
                        Some(text) => w.text("embedding", &text),
                        None => w.member("embedding", vector),
                    };
                });
            }
        });
        w.text("model", reply.model.as_deref().unwrap_or(&request.model));
        w.key("usage").object(|w| {
            w.count("prompt_tokens", tokens).count("total_tokens", tokens);
        });
    });
    w.finish()
}

fn to_base64(vector: &str) -> Option<String> {
    let vector = Value::parse(vector).ok()?;
    let mut bytes = Vec::with_capacity(vector.items().len() * 4);
    for one in vector.items() {
        bytes.extend_from_slice(&one.raw().parse::<f32>().ok()?.to_le_bytes());
    }
    Some(base64::encode(&bytes))
}
