//! Embeddings asked for as Gemini has them, served by an upstream that has OpenAI's.

use super::refused;
use crate::error::{Class, Error};
use crate::snapshot::Operation;
use crate::usage::Usage;
use llmgw_formats::format::Dropped;
use llmgw_formats::gemini_embed::{
    Method, decode_gemini_request, decode_openai_reply, encode_gemini_reply, encode_openai_request,
};

/// The method that an operation is.
pub(super) fn method(operation: Operation) -> Option<Method> {
    match operation {
        Operation::EmbedContent => Some(Method::EmbedContent),
        Operation::BatchEmbedContents => Some(Method::BatchEmbedContents),
        _ => None,
    }
}

/// The request for an upstream.
///
/// # Errors
/// `InvalidRequest` naming the field, `NotSupported` for what has no vector there.
pub(super) fn request(
    body: &str,
    method: Method,
    asked: &str,
    model: &str,
    dropped: &mut Dropped,
) -> Result<Vec<u8>, Error> {
    let request = decode_gemini_request(body, asked, method).map_err(refused)?;
    Ok(encode_openai_request(&request, model, dropped))
}

/// The reply for the client, and what it cost.
///
/// # Errors
/// `UpstreamProtocol` if it is not a reply of OpenAI's.
pub(super) fn reply(body: &str, method: Method) -> Result<(Vec<u8>, Option<Usage>), Error> {
    let unreadable = |_| Error::new(Class::UpstreamProtocol, "The reply could not be read.");
    let reply = decode_openai_reply(body).map_err(unreadable)?;
    let usage = reply.input_tokens.map(|input| Usage { input, ..Usage::default() });
    Ok((encode_gemini_reply(&reply, method), usage))
}
