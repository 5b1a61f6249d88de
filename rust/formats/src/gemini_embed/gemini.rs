//! Gemini's embeddings, and Vertex AI's.

use super::{EmbedRequest, Embeddings, Method};
use crate::chat::{Raw, Text};
use crate::format::{Dropped, Fault};
use crate::gemini_generate::names::{count, get, get_count, get_items, get_text, list};
use crate::value::Value;
use crate::writer::Writer;
use std::borrow::Cow;

/// Reads a client's request, whose path names the model.
///
/// # Errors
/// [`Fault`], naming the field that is missing or of the wrong type. Media are unsupported.
pub fn decode_request<'a>(
    body: &'a str,
    model: &'a str,
    method: Method,
) -> Result<EmbedRequest<'a>, Fault> {
    let body = Value::parse(body)?;
    let mut request = EmbedRequest { model: Cow::Borrowed(model), ..EmbedRequest::default() };
    match method {
        Method::EmbedContent | Method::VertexEmbedContent => one(&mut request, &body, "")?,
        Method::BatchEmbedContents | Method::VertexBatchEmbedContents => {
            let all = needed(&body, "requests")?;
            for (index, each) in list(&"requests", all)?.iter().enumerate() {
                one(&mut request, each, &format!("requests[{index}]."))?;
            }
        }
        Method::Predict => {
            let all = needed(&body, "instances")?;
            for (index, each) in list(&"instances", all)?.iter().enumerate() {
                let at = format!("instances[{index}].content");
                let text = get_text(each, "content");
                let text = text.ok_or_else(|| Fault::of(&*at, "It must be a string."))?;
                request.inputs.push(text);
                settings(&mut request, each, &format!("instances[{index}]."))?;
            }
            if let Some(parameters) = get(&body, "parameters") {
                settings(&mut request, parameters, "parameters.")?;
            }
        }
    }
    if request.inputs.is_empty() {
        return Err(Fault::new("There is no text to embed."));
    }
    Ok(request)
}

fn needed<'v, 'a>(body: &'v Value<'a>, name: &str) -> Result<&'v Value<'a>, Fault> {
    get(body, name).ok_or_else(|| Fault::of(name, format!("The field `{name}` is missing.")))
}

/// A content with its settings, which may stand in `embedContentConfig`.
fn one<'a>(request: &mut EmbedRequest<'a>, value: &Value<'a>, at: &str) -> Result<(), Fault> {
    let at_content = format!("{at}content");
    let content = get(value, "content")
        .ok_or_else(|| Fault::of(&*at_content, format!("The field `{at_content}` is missing.")))?;
    request.inputs.push(text_of(content, &at_content)?);
    settings(request, value, at)?;
    match get(value, "embedContentConfig") {
        Some(config) => settings(request, config, &format!("{at}embedContentConfig.")),
        None => Ok(()),
    }
}

/// The parts of a content make one vector.
fn text_of<'a>(content: &Value<'a>, at: &str) -> Result<Text<'a>, Fault> {
    if let Some(text) = content.text() {
        return Ok(text);
    }
    let parts = get_items(content, "parts");
    let mut texts = Vec::with_capacity(parts.len());
    for part in parts {
        let text = get_text(part, "text");
        texts.push(text.ok_or_else(|| Fault::unsupported(at, "Only texts can be embedded here."))?);
    }
    match texts.len() {
        0 => Err(Fault::of(at, "It needs `parts` with a `text`.")),
        1 => Ok(texts.swap_remove(0)),
        _ => Ok(Cow::Owned(texts.join("\n"))),
    }
}

/// What several requests of a batch say must be one thing: the last one counts.
fn settings<'a>(request: &mut EmbedRequest<'a>, value: &Value<'a>, at: &str) -> Result<(), Fault> {
    if let Some(given) = get(value, "outputDimensionality") {
        request.dimensions = Some(count(&format_args!("{at}outputDimensionality"), given)?);
    }
    request.task = get_text(value, "taskType").or(request.task.take());
    request.title = get_text(value, "title").or(request.title.take());
    let truncate = get(value, "autoTruncate").and_then(Value::as_bool);
    request.truncate = truncate.or(request.truncate);
    Ok(())
}

/// Writes the request for an upstream.
///
/// # Errors
/// [`Fault`] if the method takes one text and there are several.
pub fn encode_request(
    request: &EmbedRequest<'_>,
    model: &str,
    method: Method,
    dropped: &mut Dropped,
) -> Result<Vec<u8>, Fault> {
    let single = matches!(method, Method::EmbedContent | Method::VertexEmbedContent);
    if single && request.inputs.len() != 1 {
        return Err(Fault::unsupported("input", "This model embeds one text in a request."));
    }
    let gemini = matches!(method, Method::EmbedContent | Method::BatchEmbedContents);
    dropped.add_if(request.end_user.is_some(), "end_user");
    dropped.add_if(gemini && request.truncate.is_some(), "autoTruncate");
    let mut w = Writer::new();
    w.object(|w| match method {
        Method::Predict => predict(w, request),
        Method::BatchEmbedContents => w.key("requests").array(|w| {
            for text in &request.inputs {
                w.object(|w| flat(w, request, text, model));
            }
        }),
        Method::EmbedContent => {
            request.inputs.iter().for_each(|text| flat(w, request, text, model));
        }
        Method::VertexEmbedContent => {
            request.inputs.iter().for_each(|text| nested(w, request, text));
        }
        Method::VertexBatchEmbedContents => w.key("requests").array(|w| {
            for text in &request.inputs {
                w.object(|w| nested(w, request, text));
            }
        }),
    });
    Ok(w.finish())
}

fn content(w: &mut Writer, text: &str) {
    w.key("content").object(|w| {
        w.key("parts").array(|w| {
            w.object(|w| {
                w.text("text", text);
            });
        });
    });
}

fn config(w: &mut Writer, request: &EmbedRequest<'_>) {
    w.text_if("taskType", request.task.as_deref()).text_if("title", request.title.as_deref());
    w.count_if("outputDimensionality", request.dimensions);
}

/// A request of the Gemini API; each of a batch names the model again.
fn flat(w: &mut Writer, request: &EmbedRequest<'_>, text: &str, model: &str) {
    if model.starts_with("models/") {
        w.text("model", model);
    } else {
        w.text("model", &["models/", model].concat());
    }
    content(w, text);
    config(w, request);
}

/// A request of Vertex AI's `:embedContent`; its path alone names the model.
fn nested(w: &mut Writer, request: &EmbedRequest<'_>, text: &str) {
    content(w, text);
    w.key("embedContentConfig").object(|w| {
        config(w, request);
        w.flag_if("autoTruncate", request.truncate);
    });
}

fn predict(w: &mut Writer, request: &EmbedRequest<'_>) {
    w.key("instances").array(|w| {
        for text in &request.inputs {
            w.object(|w| {
                w.text("content", text).text_if("task_type", request.task.as_deref());
                w.text_if("title", request.title.as_deref());
            });
        }
    });
    if request.dimensions.is_some() || request.truncate.is_some() {
        w.key("parameters").object(|w| {
            w.count_if("outputDimensionality", request.dimensions);
            w.flag_if("autoTruncate", request.truncate);
        });
    }
}

/// Reads an upstream's reply, of whichever method.
///
/// # Errors
/// [`Fault`] if it has no vectors.
pub fn decode_reply(body: &str) -> Result<Embeddings<'_>, Fault> {
    let body = Value::parse(body)?;
    let mut reply = Embeddings::default();
    let mut tokens = get(&body, "usageMetadata").and_then(|one| get_count(one, "promptTokenCount"));
    let found: Vec<&Value<'_>> = match (get(&body, "embedding"), get(&body, "predictions")) {
        (Some(one), _) => vec![one],
        (None, Some(all)) => all.items().iter().filter_map(|one| get(one, "embeddings")).collect(),
        (None, None) => get_items(&body, "embeddings").iter().collect(),
    };
    for one in found {
        let values = get(one, "values").filter(|values| values.is_array());
        let values = values.ok_or_else(|| Fault::new("A vector cannot be read."))?;
        reply.vectors.push(Raw::Borrowed(values.raw()));
        let counted = get(one, "statistics").and_then(|one| get(one, "tokenCount"));
        if let Some(counted) = counted.and_then(Value::as_f64) {
            tokens = Some(tokens.unwrap_or(0).saturating_add(counted as u64));
        }
    }
    if reply.vectors.is_empty() {
        return Err(Fault::new("The provider's reply has no embeddings."));
    }
    reply.input_tokens = tokens;
    Ok(reply)
}

/// Writes a reply for a client.
#[must_use]
pub fn encode_reply(reply: &Embeddings<'_>, method: Method) -> Vec<u8> {
    let values = |w: &mut Writer, vector: &Raw<'_>| {
        w.object(|w| {
            w.member("values", vector);
        });
    };
    let mut w = Writer::new();
    w.object(|w| {
        match method {
            Method::EmbedContent | Method::VertexEmbedContent => {
                if let Some(first) = reply.vectors.first() {
                    values(w.key("embedding"), first);
                }
            }
            Method::BatchEmbedContents | Method::VertexBatchEmbedContents => w
                .key("embeddings")
                .array(|w| reply.vectors.iter().for_each(|vector| values(w, vector))),
            Method::Predict => return predictions(w, reply),
        }
        if let Some(tokens) = reply.input_tokens {
            w.key("usageMetadata").object(|w| {
                w.count("promptTokenCount", tokens).count("totalTokenCount", tokens);
            });
        }
    });
    w.finish()
}

/// Vertex AI counts the tokens of each text: of several only their sum is known, which stands at the
/// first.
fn predictions(w: &mut Writer, reply: &Embeddings<'_>) {
    w.key("predictions").array(|w| {
        for (index, vector) in reply.vectors.iter().enumerate() {
            let tokens = reply.input_tokens.map(|all| if index == 0 { all } else { 0 });
            w.object(|w| {
                w.key("embeddings").object(|w| {
                    w.member("values", vector);
                    if let Some(tokens) = tokens {
                        w.key("statistics").object(|w| {
                            w.flag("truncated", false).count("token_count", tokens);
                        });
                    }
                });
            });
        }
    });
}
