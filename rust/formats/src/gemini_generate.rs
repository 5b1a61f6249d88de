//! Gemini's generateContent and streamGenerateContent, as the Gemini API and Vertex AI speak them.
//!
//! Reference: "Generating content" of the Gemini API and `GenerateContentRequest` of Vertex AI; the types
//! of Google's `google-genai` SDK. The model and whether to stream stand in the path. Both services have
//! the same body; what only one of them takes is passed on as the client gave it.
//!
//! A stream is of server-sent events if the path's query has `alt=sse`, otherwise it is one JSON array
//! ([`array_encoder`]); upstreams are always asked for events. Requests to count tokens are read by
//! [`decode_count_request`] and answered by [`count_reply`].

mod calls;
mod citations;
mod contents_in;
mod contents_out;
mod errors;
pub(crate) mod names;
mod partial_args;
mod parts;
mod parts_out;
mod proof;
mod reply_in;
mod reply_out;
mod request_in;
mod request_out;
mod schema_in;
mod schema_out;
mod stream_in;
mod stream_out;
mod thinking;
mod tools_in;
mod tools_out;
mod words;

use crate::chat::{Block, Failure, Reply, Request, Source};
use crate::format::{
    Context, Dropped, Fault, Format, Kind, PathFacts, Sent, StreamDecoder, StreamEncoder, Target,
};
use crate::writer::Writer;
use parts::is_googles;
use stream_out::Framing;
use thinking::Model;

pub use errors::retry_delay;

/// The format.
pub struct GeminiGenerate;

impl Format for GeminiGenerate {
    fn kind(&self) -> Kind {
        Kind::GeminiGenerate
    }

    fn decode_request<'a>(&self, body: &'a str, path: PathFacts<'a>) -> Result<Request<'a>, Fault> {
        request_in::decode(body, path)
    }

    fn encode_request(
        &self,
        request: &Request<'_>,
        target: &Target<'_>,
        dropped: &mut Dropped,
    ) -> Result<Sent, Fault> {
        request_out::encode(request, target, dropped)
    }

    fn decode_reply<'a>(&self, body: &'a str, sent: &Sent) -> Result<Reply<'a>, Fault> {
        reply_in::decode(body, sent)
    }

    fn encode_reply(
        &self,
        reply: &Reply<'_>,
        request: &Request<'_>,
        context: &Context<'_>,
    ) -> Vec<u8> {
        reply_out::encode(reply, request, context)
    }

    fn stream_decoder(&self, sent: &Sent) -> Box<dyn StreamDecoder> {
        Box::new(stream_in::Decoder::new(sent))
    }

    fn stream_encoder(
        &self,
        request: &Request<'_>,
        context: &Context<'_>,
    ) -> Box<dyn StreamEncoder> {
        Box::new(stream_out::Encoder::new(Framing::Events, request, context))
    }

    fn decode_error<'a>(&self, status: u16, body: &'a str) -> Failure<'a> {
        errors::decode(status, body)
    }

    fn encode_error(&self, failure: &Failure<'_>, _: &Context<'_>) -> Vec<u8> {
        errors::encode(failure)
    }

    /// Models before 2.5 take Google's own files only (reference: "File input methods").
    fn fetches(&self, target: &Target<'_>) -> bool {
        let version = Model::of(target.known_as()).version;
        target.takes_urls && version.is_none_or(|version| version >= 25)
    }

    /// Google's own files, and films at YouTube, are known by their address.
    fn needs_bytes(&self, block: &Block<'_>, target: &Target<'_>) -> bool {
        let Some(Source::Url { url, .. }) = block.source() else { return false };
        let is_film = matches!(block, Block::Video { .. });
        !is_film && !is_googles(url) && !self.fetches(target)
    }

    fn spelling(&self, field: &'static str) -> &'static str {
        match field {
            "max_output_tokens" => "generationConfig.maxOutputTokens",
            "temperature" => "generationConfig.temperature",
            "top_p" => "generationConfig.topP",
            "top_k" => "generationConfig.topK",
            "frequency_penalty" => "generationConfig.frequencyPenalty",
            "presence_penalty" => "generationConfig.presencePenalty",
            "stop" => "generationConfig.stopSequences",
            "seed" => "generationConfig.seed",
            "n" => "generationConfig.candidateCount",
            "logprobs" => "generationConfig.responseLogprobs",
            "response_format" => "generationConfig.responseJsonSchema",
            "reasoning" => "generationConfig.thinkingConfig",
            "tool_choice" => "toolConfig.functionCallingConfig",
            "service_tier" => "serviceTier",
            other => other,
        }
    }
}

/// Writes a stream as one JSON array (`application/json`), for clients whose query has no `alt=sse`.
#[must_use]
pub fn array_encoder(request: &Request<'_>, context: &Context<'_>) -> Box<dyn StreamEncoder> {
    Box::new(stream_out::Encoder::new(Framing::Array, request, context))
}

/// Reads a client's request to count tokens: `contents` with what belongs to them (Vertex), or
/// `contents` alone or a whole `generateContentRequest` (the Gemini API).
///
/// # Errors
/// [`Fault`], naming the field that is missing or of the wrong type.
pub fn decode_count_request<'a>(body: &'a str, path: PathFacts<'a>) -> Result<Request<'a>, Fault> {
    request_in::decode_count(body, path)
}

/// Writes the answer to a request to count tokens.
#[must_use]
pub fn count_reply(total: u64) -> Vec<u8> {
    let mut w = Writer::new();
    w.object(|w| {
        w.count("totalTokens", total).key("promptTokensDetails").array(|w| {
            w.object(|w| {
                w.text("modality", "TEXT").count("tokenCount", total);
            });
        });
    });
    w.finish()
}

#[cfg(test)]
mod tests;
