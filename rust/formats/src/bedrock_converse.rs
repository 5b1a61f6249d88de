//! Amazon Bedrock's Converse and ConverseStream.
//!
//! Reference: the service model of `bedrock-runtime` (2023-09-30) as AWS's SDKs carry it, and the
//! Bedrock and Nova user guides for what the models behind it take (`models`). The model's id stands
//! in the path. Streams are messages of an AWS event stream (`crate::eventstream`): a frame's name is
//! the event's or the exception's.
//!
//! What has no place in Converse itself goes into `additionalModelRequestFields`, in the words of the
//! model that the id names. How much to think, by OpenAI's efforts:
//!
//! | effort | budget of Claude up to 4.5 | effort of Claude 4.6 / newer | Nova 2 | gpt-oss |
//! |---|---|---|---|---|
//! | minimal | 1024 | low | low | low |
//! | low | 4096 | low | low | low |
//! | medium | 10,000 | medium | medium | medium |
//! | high | 24,000 | high | high | high |
//! | xhigh | 32,000 | max / xhigh | high | high |
//!
//! A budget that follows from an effort takes half of the reply's tokens at most.

mod blocks_in;
mod blocks_out;
mod citations;
mod errors;
mod media;
mod models;
mod options_in;
mod options_out;
mod reply_in;
mod reply_out;
mod request_in;
mod request_out;
mod stream_in;
mod stream_out;
mod thinking;
mod tools_in;
mod tools_out;
mod turns;
mod words;

use crate::chat::{Block, Failure, Reply, Request, Source};
use crate::format::{
    Context, Dropped, Fault, Format, Kind, PathFacts, Sent, StreamDecoder, StreamEncoder, Target,
};

pub use errors::{decode as decode_error_of, name_of as error_name};

/// The format.
pub struct BedrockConverse;

impl Format for BedrockConverse {
    fn kind(&self) -> Kind {
        Kind::BedrockConverse
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

    fn encode_reply(&self, reply: &Reply<'_>, _: &Request<'_>, _: &Context<'_>) -> Vec<u8> {
        reply_out::encode(reply)
    }

    fn stream_decoder(&self, sent: &Sent) -> Box<dyn StreamDecoder> {
        Box::new(stream_in::Decoder::new(sent))
    }

    /// Writes messages of an AWS event stream.
    fn stream_encoder(&self, _: &Request<'_>, _: &Context<'_>) -> Box<dyn StreamEncoder> {
        Box::new(stream_out::Encoder::default())
    }

    fn decode_error<'a>(&self, status: u16, body: &'a str) -> Failure<'a> {
        errors::decode(None, status, body)
    }

    fn encode_error(&self, failure: &Failure<'_>, _: &Context<'_>) -> Vec<u8> {
        errors::encode(failure)
    }

    fn spelling(&self, field: &'static str) -> &'static str {
        match field {
            "max_output_tokens" => "inferenceConfig.maxTokens",
            "temperature" => "inferenceConfig.temperature",
            "top_p" => "inferenceConfig.topP",
            "top_k" => "additionalModelRequestFields.top_k",
            "stop" => "inferenceConfig.stopSequences",
            "tool_choice" => "toolConfig.toolChoice",
            "reasoning" => "additionalModelRequestFields.thinking",
            "response_format" => "outputConfig.textFormat",
            "service_tier" => "serviceTier",
            "metadata" => "requestMetadata",
            other => other,
        }
    }
}

/// Whether something of the conversation lies at a URL that somebody has to fetch: Bedrock itself takes
/// bytes, or an object in S3 that its account may read.
#[must_use]
pub fn needs_fetch(request: &Request<'_>) -> bool {
    request.messages.iter().any(|message| message.blocks.iter().any(lies_elsewhere))
}

fn lies_elsewhere(block: &Block<'_>) -> bool {
    match block {
        Block::Image { source, .. }
        | Block::Document { source, .. }
        | Block::Video { source }
        | Block::Audio { source } => {
            matches!(source, Source::Url { url, .. } if !url.starts_with(media::S3))
        }
        Block::ToolResult { blocks, .. } => blocks.iter().any(lies_elsewhere),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
