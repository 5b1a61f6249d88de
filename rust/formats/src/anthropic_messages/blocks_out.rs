//! Content blocks, as both requests and replies have them.

use super::own::is_own_citation;
use super::words::tool_id;
use crate::base64;
use crate::chat::{Cache, Citation, Signature, Source, Thinking, ToolCall};
use crate::format::Kind;
use crate::signature;
use crate::value::Value;
use crate::writer::{Writer, quote};
use std::borrow::Cow;

pub(super) fn cache(w: &mut Writer, cache: Option<&Cache<'_>>) {
    if let Some(cache) = cache {
        w.key("cache_control").object(|w| {
            w.text("type", "ephemeral").text_if("ttl", cache.ttl.as_deref());
        });
    }
}

/// The text of a document that came in base64: Anthropic takes it as a text alone.
pub(super) fn document_text(source: &Source<'_>) -> Option<Source<'static>> {
    let Source::Base64 { media_type, data } = source else { return None };
    if !media_type.starts_with("text/") {
        return None;
    }
    let text = String::from_utf8(base64::decode(data)?).ok()?;
    Some(Source::Text(text.into()))
}

/// A block that only this format knows.
pub(super) fn opaque(w: &mut Writer, value: &str) {
    w.raw(value);
}

pub(super) fn source(w: &mut Writer, source: &Source<'_>) {
    w.key("source").object(|w| {
        match source {
            Source::Base64 { media_type, data } => {
                w.text("type", "base64").text("media_type", media_type).text("data", data)
            }
            Source::Url { url, .. } => w.text("type", "url").text("url", url),
            Source::File { id } => w.text("type", "file").text("file_id", id),
            Source::Text(text) => {
                w.text("type", "text").text("media_type", "text/plain").text("data", text)
            }
        };
    });
}

/// The arguments as the object that they have to be; what a model wrote that is none is kept beside.
pub(super) fn input(arguments: &str) -> String {
    match Value::parse(arguments) {
        Ok(value) if value.is_object() => arguments.trim().to_owned(),
        _ if arguments.trim().is_empty() => "{}".to_owned(),
        _ => ["{\"arguments\":", &quote(arguments), "}"].concat(),
    }
}

pub(super) fn tool_use(w: &mut Writer, call: &ToolCall<'_>) {
    w.object(|w| {
        w.text("type", "tool_use").text("id", &tool_id(&call.id)).text("name", &call.name);
        w.member("input", &input(&call.arguments));
        cache(w, call.cache.as_ref());
    });
}

/// The proof of a thought for a client. Where the provider gave none, the seal itself says so: the
/// thought comes back with it, and is not shown to Anthropic, who would refuse it.
pub(super) fn proof(signature: Option<&Signature<'_>>) -> String {
    match signature {
        Some(signature) => signature::write(Kind::AnthropicMessages, signature).into_owned(),
        None => {
            let value = Cow::Borrowed("");
            signature::seal(&Signature { origin: Kind::OpenaiChat, id: None, value })
        }
    }
}

/// The thought; another format's proof is sealed.
pub(super) fn thinking(w: &mut Writer, thinking: &Thinking<'_>) {
    let proof = &proof(thinking.signature.as_ref());
    w.object(|w| {
        if thinking.redacted {
            w.text("type", "redacted_thinking").text("data", proof);
        } else {
            w.text("type", "thinking").text("thinking", &thinking.text).text("signature", proof);
        }
    });
}

/// A proof that has no place of its own here: an empty thought before what it belongs to.
pub(super) fn loose(signature: &Signature<'_>) -> Thinking<'static> {
    let value = signature::seal(signature);
    let signature = signature::read(Kind::AnthropicMessages, value.into());
    Thinking { signature: Some(signature), ..Thinking::default() }
}

/// Whether the citation says what it cites.
pub(super) fn is_citable(citation: &Citation<'_>) -> bool {
    citation.url.is_some() || citation.document.is_some() || is_own(citation)
}

fn is_own(citation: &Citation<'_>) -> bool {
    citation.raw.as_deref().is_some_and(is_own_citation)
}

/// A citation: as it came if it is of this format, otherwise as its SDKs know one of a page of the web or
/// of a document. Where in the document others do not tell: the words count from its beginning.
pub(super) fn citation(w: &mut Writer, citation: &Citation<'_>) {
    if let Some(raw) = citation.raw.as_deref().filter(|_| is_own(citation)) {
        return w.raw(raw);
    }
    w.object(|w| {
        let quoted = citation.quoted.as_deref().unwrap_or_default();
        if let (None, Some(document)) = (&citation.url, citation.document) {
            w.text("type", "char_location").text("cited_text", quoted);
            w.count("document_index", document);
            w.text_or_null("document_title", citation.title.as_deref());
            w.count("start_char_index", 0).count("end_char_index", quoted.chars().count() as u64);
            return;
        }
        w.text("type", "web_search_result_location").text("cited_text", quoted);
        w.text("url", citation.url.as_deref().unwrap_or_default());
        w.text_or_null("title", citation.title.as_deref()).text("encrypted_index", "");
    });
}
