//! What a request's head says: which endpoint, which credential, which id.

use crate::error::{Class, Error, Result};
use crate::http1::Head;
use crate::plan::Plan;
use crate::snapshot::Operation;
use llmgw_formats::Kind;

/// Headers that may carry the key besides `Authorization`, in the order of their precedence.
const KEY_HEADERS: [&str; 3] = ["x-api-key", "api-key", "x-goog-api-key"];
/// Client headers that upstreams get to see.
///
/// Not `idempotency-key`: two tenants behind one credential could get each other's answers.
const PASSED_ON: [&str; 2] = ["traceparent", "tracestate"];
/// Those of a dialect, for upstreams that speak it.
const OF_OPENAI: [&str; 1] = ["openai-beta"];
const OF_ANTHROPIC: [&str; 2] = ["anthropic-version", "anthropic-beta"];
/// LiteLLM's own header: wins over the others.
const FIRST_HEADER: &str = "x-litellm-api-key";
/// Azure's way of naming a model: in the path.
const AZURE_PREFIX: &str = "/openai/deployments/";
/// Gemini's: in the path, with the method behind a colon.
const GEMINI_MODELS: &str = "/models/";
/// What stands before it at Google's two hosts.
const GEMINI_VERSIONS: [&str; 4] = ["/v1beta", "/v1", "/v1beta1", ""];
const VERTEX_PUBLISHER: &str = "/publishers/google";

/// What a path asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The native endpoint.
    pub operation: Operation,
    /// The model, where the path names it.
    pub model: Option<String>,
    /// The path asks for a stream (Gemini; the others say so in the body).
    pub stream: bool,
    /// The stream is to be one JSON array instead of events (Gemini without `alt=sse`).
    pub array: bool,
}

impl Route {
    fn of_model(operation: Operation, model: &str) -> Option<Self> {
        Some(Route { operation, model: Some(percent_decode(model)?), stream: false, array: false })
    }
}

/// The native endpoint that a request is for.
#[must_use]
pub fn route(plan: &Plan, head: &Head) -> Option<Route> {
    let mut route = of_path(plan, head.path())?;
    let events = head.query().is_some_and(|query| query.split('&').any(|field| field == "alt=sse"));
    route.array = route.stream && !events;
    Some(route)
}

/// The native endpoint that has this path.
#[must_use]
pub fn of_path(plan: &Plan, path: &str) -> Option<Route> {
    if let Some(&operation) = plan.routes.get(path) {
        return Some(Route { operation, model: None, stream: false, array: false });
    }
    azure(path).or_else(|| gemini(path))
}

fn azure(path: &str) -> Option<Route> {
    let (model, rest) = path.strip_prefix(AZURE_PREFIX)?.split_once('/')?;
    let operation = match rest {
        "chat/completions" => Operation::ChatCompletions,
        "completions" => Operation::Completions,
        "embeddings" => Operation::Embeddings,
        "images/generations" => Operation::ImagesGenerations,
        "images/edits" => Operation::ImagesEdits,
        "audio/speech" => Operation::AudioSpeech,
        "audio/transcriptions" => Operation::AudioTranscriptions,
        "audio/translations" => Operation::AudioTranslations,
        _ => return None,
    };
    Route::of_model(operation, model)
}

fn gemini(path: &str) -> Option<Route> {
    let (before, model) = path.split_once(GEMINI_MODELS)?;
    let vertex = before.starts_with("/v1") && before.ends_with(VERTEX_PUBLISHER);
    if !vertex && !GEMINI_VERSIONS.contains(&before) {
        return None;
    }
    let (model, method) = model.rsplit_once(':')?;
    let (operation, stream) = match method {
        "generateContent" => (Operation::GenerateContent, false),
        "streamGenerateContent" => (Operation::GenerateContent, true),
        "countTokens" => (Operation::CountContentTokens, false),
        "embedContent" => (Operation::EmbedContent, false),
        "batchEmbedContents" => (Operation::BatchEmbedContents, false),
        "predict" => (Operation::Predict, false),
        _ => return None,
    };
    Some(Route { stream, ..Route::of_model(operation, model)? })
}

/// The dialect in which a path's clients expect to be answered, also where it leads nowhere.
#[must_use]
pub fn dialect(path: &str) -> Kind {
    let below = |prefix: &str| {
        path.strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
    };
    if below("/v1/messages") || below("/messages") {
        return Kind::AnthropicMessages;
    }
    if below("/v1beta") || below("/v1beta1") || gemini(path).is_some() {
        return Kind::GeminiGenerate;
    }
    Kind::OpenaiChat
}

/// The first value of a field of the query, decoded.
#[must_use]
pub fn query_field(head: &Head, name: &str) -> Option<String> {
    let fields = head.query()?.split('&');
    let value = fields.filter_map(|field| field.split_once('=')).find(|(key, _)| *key == name)?.1;
    percent_decode(value)
}

/// What a percent-encoded text stands for, if it is one.
#[must_use]
pub fn percent_decode(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let high = (bytes.next()? as char).to_digit(16)?;
            let low = (bytes.next()? as char).to_digit(16)?;
            out.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}

/// The key that the client shows.
///
/// # Errors
/// `InvalidRequest` when two different ones are shown: which of them counts must not be a guess.
pub fn credential(head: &Head) -> Result<Option<&[u8]>> {
    credential_in(head, dialect(head.path()))
}

/// The same for a client of a known dialect.
///
/// # Errors
/// As of [`credential`].
pub fn credential_in(head: &Head, dialect: Kind) -> Result<Option<&[u8]>> {
    if let Some(key) = head.header(FIRST_HEADER) {
        return Ok(Some(bearer(key).unwrap_or(key)));
    }
    let authorization = match head.header("authorization") {
        Some(value) => Some(bearer(value).ok_or_else(|| {
            let message = "The Authorization header must read `Bearer KEY`.";
            Error::new(Class::Unauthenticated, message)
        })?),
        None => None,
    };
    let mut shown = authorization;
    for name in KEY_HEADERS {
        match (shown, head.header(name)) {
            (Some(one), Some(other)) if one != other => {
                let message = "Two different API keys were given; send one.";
                return Err(Error::new(Class::InvalidRequest, message));
            }
            (None, Some(key)) => shown = Some(key),
            _ => {}
        }
    }
    Ok(shown.or_else(|| query_key(head, dialect)))
}

/// Gemini's clients may show the key in the query, and nobody else: queries end up in the logs of whatever
/// stands before us. Ours need no percent-encoding.
fn query_key(head: &Head, dialect: Kind) -> Option<&[u8]> {
    if dialect != Kind::GeminiGenerate {
        return None;
    }
    let fields = head.query()?.split('&');
    let mut keys = fields.filter_map(|field| field.strip_prefix("key="));
    keys.next().filter(|key| !key.is_empty()).map(str::as_bytes)
}

fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, key) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| key.trim_ascii())
}

/// The media type of the body, without its parameters.
#[must_use]
pub fn media_type(head: &Head) -> Option<&[u8]> {
    head.header("content-type").map(|value| {
        let end = value.iter().position(|&byte| byte == b';').unwrap_or(value.len());
        value[..end].trim_ascii()
    })
}

/// Refuses bodies that are not JSON.
///
/// # Errors
/// `UnsupportedMediaType`, saying what to send.
pub fn check_media_type(head: &Head) -> Result<()> {
    match media_type(head) {
        Some(kind) if kind.eq_ignore_ascii_case(b"application/json") => Ok(()),
        _ => {
            let message = "Send the request with `Content-Type: application/json`.";
            Err(Error::new(Class::UnsupportedMediaType, message))
        }
    }
}

/// Whether the client wants neither a cached answer nor its own cached.
#[must_use]
pub fn refuses_cache(head: &Head) -> bool {
    head.header("cache-control").is_some_and(|value| {
        value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii).any(|word| {
            word.eq_ignore_ascii_case(b"no-cache") || word.eq_ignore_ascii_case(b"no-store")
        })
    })
}

/// Whether the client asks for something that is not part of the API yet.
#[must_use]
pub fn asks_for_beta(head: &Head) -> bool {
    head.header("openai-beta").is_some() || head.header("anthropic-beta").is_some()
}

/// Whether the client wants all of its request carried, or an error.
#[must_use]
pub fn is_strict(head: &Head) -> bool {
    head.header("x-llmgw-strict").is_some_and(|value| value.eq_ignore_ascii_case(b"true"))
}

/// The headers of a client that an upstream of its dialect gets to see, and the request's id.
#[must_use]
pub fn passed_on<'a>(
    head: &'a Head,
    request_id: &'a str,
    dialect: Kind,
) -> Vec<(&'static str, &'a [u8])> {
    let own: &[&'static str] = match dialect {
        Kind::OpenaiChat | Kind::OpenaiResponses => &OF_OPENAI,
        Kind::AnthropicMessages => &OF_ANTHROPIC,
        _ => &[],
    };
    let names = PASSED_ON.iter().chain(own).copied();
    let mut extra = Vec::with_capacity(PASSED_ON.len() + own.len() + 1);
    extra.push(("x-request-id", request_id.as_bytes()));
    extra.extend(names.filter_map(|name| Some((name, head.header(name)?))));
    extra
}

/// The client's `x-request-id` if it is harmless, else a new one.
#[must_use]
pub fn request_id(head: &Head, rng: &mut fastrand::Rng) -> String {
    let harmless = |id: &&[u8]| {
        (1..=128).contains(&id.len())
            && id.iter().all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(b))
    };
    if let Some(id) = head.header("x-request-id").filter(harmless) {
        return String::from_utf8_lossy(id).into_owned();
    }
    new_request_id(rng)
}

/// A new request id.
#[must_use]
pub fn new_request_id(rng: &mut fastrand::Rng) -> String {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let random = rng.u128(..).to_le_bytes();
    let digits =
        random.iter().flat_map(|byte| [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
    b"req_".iter().copied().chain(digits).map(char::from).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::http1::take_head;
    use bytes::BytesMut;

    fn head(lines: &str) -> Head {
        head_of("/v1/x", lines)
    }

    fn head_of(target: &str, lines: &str) -> Head {
        let text = format!("POST {target} HTTP/1.1\r\nHost: a\r\n{lines}\r\n");
        take_head(&mut BytesMut::from(&text[..]), 4096).unwrap().unwrap()
    }

    #[test]
    fn a_key_is_found_in_every_header_that_sdks_use() {
        for line in [
            "Authorization: Bearer k",
            "authorization: bearer k",
            "x-api-key: k",
            "api-key: k",
            "x-litellm-api-key: Bearer k\r\nAuthorization: Bearer other",
            "x-api-key: k\r\nAuthorization: Bearer k",
        ] {
            assert_eq!(
                credential(&head(&format!("{line}\r\n"))).unwrap(),
                Some(&b"k"[..]),
                "{line}"
            );
        }
        assert_eq!(credential(&head("")).unwrap(), None);
    }

    #[test]
    fn two_different_keys_or_another_scheme_are_refused() {
        assert_eq!(
            credential(&head("x-api-key: a\r\napi-key: b\r\n")).unwrap_err().class,
            Class::InvalidRequest
        );
        assert_eq!(
            credential(&head("Authorization: Basic eA==\r\n")).unwrap_err().class,
            Class::Unauthenticated
        );
    }

    #[test]
    fn a_request_id_is_taken_over_only_if_it_is_harmless() {
        let mut rng = fastrand::Rng::with_seed(1);
        assert_eq!(request_id(&head("x-request-id: abc-1\r\n"), &mut rng), "abc-1");
        assert!(request_id(&head("x-request-id: a b\r\n"), &mut rng).starts_with("req_"));
        assert!(
            request_id(&head(&format!("x-request-id: {}\r\n", "a".repeat(200))), &mut rng)
                .starts_with("req_")
        );
    }

    #[test]
    fn geminis_clients_may_show_their_key_in_the_query() {
        let target = "/v1beta/models/m:generateContent?alt=sse&key=k";
        assert_eq!(credential(&head_of(target, "")).unwrap(), Some(&b"k"[..]));
        let both = head_of(target, "x-goog-api-key: h\r\n");
        assert_eq!(credential(&both).unwrap(), Some(&b"h"[..]));
        let other = head_of("/v1/chat/completions?key=k", "");
        assert_eq!(credential(&other).unwrap(), None);
    }

    #[test]
    fn geminis_paths_name_model_and_method() {
        for (path, model, stream) in [
            ("/v1beta/models/gemini-2.5-pro:generateContent", "gemini-2.5-pro", false),
            ("/v1/models/openai/gpt-4o:streamGenerateContent", "openai/gpt-4o", true),
            ("/v1beta/models/a:b:streamGenerateContent", "a:b", true),
            (
                "/v1beta1/projects/p/locations/l/publishers/google/models/g:generateContent",
                "g",
                false,
            ),
        ] {
            let found = gemini(path).unwrap();
            assert_eq!((found.model.as_deref(), found.stream), (Some(model), stream), "{path}");
            assert_eq!(dialect(path), Kind::GeminiGenerate);
        }
        for path in ["/v1beta/models/g", "/v1beta/models/g:delete", "/x/models/g:generateContent"] {
            assert_eq!(gemini(path), None, "{path}");
        }
    }

    #[test]
    fn a_path_tells_its_dialect_even_where_it_leads_nowhere() {
        assert_eq!(dialect("/v1/messages/batches"), Kind::AnthropicMessages);
        assert_eq!(dialect("/v1beta/files"), Kind::GeminiGenerate);
        assert_eq!(dialect("/v1/messagesx"), Kind::OpenaiChat);
    }

    #[test]
    fn a_model_in_the_path_is_decoded() {
        assert_eq!(percent_decode("gpt%2D4%2fo").as_deref(), Some("gpt-4/o"));
        assert_eq!(percent_decode("%zz"), None);
    }
}
