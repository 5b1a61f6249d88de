//! Vectors asked for as OpenAI or Google has them, served by an upstream that has them in another way.

use super::refused;
use crate::error::{Class, Error};
use crate::plan::Deployment;
use crate::snapshot::Operation;
use crate::usage::Usage;
use llmgw_formats::format::Dropped;
use llmgw_formats::gemini_embed::{
    EmbedRequest, Method, decode_gemini_reply, decode_gemini_request, decode_openai_reply,
    decode_openai_request, encode_gemini_reply, encode_gemini_request, encode_openai_reply,
    encode_openai_request,
};

/// The method of Google's that an operation is; `None` for OpenAI's.
fn method(operation: Operation) -> Option<Method> {
    match operation {
        Operation::EmbedContent => Some(Method::EmbedContent),
        Operation::BatchEmbedContents => Some(Method::BatchEmbedContents),
        Operation::Predict => Some(Method::Predict),
        Operation::VertexEmbedContent => Some(Method::VertexEmbedContent),
        Operation::VertexBatchEmbedContents => Some(Method::VertexBatchEmbedContents),
        _ => None,
    }
}

/// What a client asks for; `named` is the model in its path, if it is there.
///
/// # Errors
/// `InvalidRequest` naming the field, `NotSupported` for what has no vector elsewhere.
pub(super) fn read<'b>(
    operation: Operation,
    named: &'b str,
    body: &'b str,
) -> Result<EmbedRequest<'b>, Error> {
    let request = match method(operation) {
        Some(method) => decode_gemini_request(body, named, method),
        None => decode_openai_request(body),
    };
    request.map_err(refused)
}

/// The operation by which a deployment is asked that serves it as `operation`: several texts may have one
/// of their own.
pub(super) fn suited(
    operation: Operation,
    request: &EmbedRequest<'_>,
    to: &Deployment,
) -> Operation {
    const SEVERAL: Operation = Operation::VertexBatchEmbedContents;
    let is_several = operation == Operation::VertexEmbedContent && request.inputs.len() > 1;
    if is_several && to.serves(SEVERAL) == Some(SEVERAL) { SEVERAL } else { operation }
}

/// The request for an upstream.
///
/// # Errors
/// `NotSupported` if it takes one text and there are several.
pub(super) fn write(
    operation: Operation,
    request: &EmbedRequest<'_>,
    model: &str,
    dropped: &mut Dropped,
) -> Result<Vec<u8>, Error> {
    match method(operation) {
        Some(method) => encode_gemini_request(request, model, method, dropped).map_err(refused),
        None => Ok(encode_openai_request(request, model, dropped)),
    }
}

/// The reply of an upstream that was asked by `upstream`, for the client who asked by `client`; and what it
/// cost.
///
/// # Errors
/// `UpstreamProtocol` if it is no reply, or has not a vector for each text.
pub(super) fn reply(
    upstream: Operation,
    client: Operation,
    request: &EmbedRequest<'_>,
    body: &str,
) -> Result<(Vec<u8>, Option<Usage>), Error> {
    let unreadable = || Error::new(Class::UpstreamProtocol, "The reply could not be read.");
    let decoded = match method(upstream) {
        Some(_) => decode_gemini_reply(body),
        None => decode_openai_reply(body),
    };
    let reply = decoded.map_err(|_| unreadable())?;
    if reply.vectors.len() != request.inputs.len() {
        return Err(unreadable());
    }
    let usage = reply.input_tokens.map(|input| Usage { input, ..Usage::default() });
    let written = match method(client) {
        Some(method) => encode_gemini_reply(&reply, method),
        None => encode_openai_reply(&reply, request),
    };
    Ok((written, usage))
}
