//! OpenAI's Responses, as Codex, the OpenAI SDKs and the Agents SDK speak it.
//!
//! Reference: OpenAI's API reference, "Responses" and "Streaming events", and the types of its SDKs.
//! Where the format and the canonical chat do not meet:
//!
//! * **Items.** A conversation is a flat list of items. Neighbouring items of the model (`message`,
//!   `reasoning`, `function_call`, …) are one canonical turn, and so are neighbouring results. Items that
//!   only OpenAI knows (`web_search_call`, `mcp_call`, …) are opaque blocks.
//! * **`instructions`** are the first message, of the system; going out, a first message of the system
//!   that is nothing but text becomes them.
//! * **Free-text tools.** A `custom` tool (Codex's `apply_patch`) is canonically a function with one string
//!   `input`, whose description holds the tool's grammar; its calls and results are mapped back
//!   ([`crate::chat::FunctionForm::FreeText`]). The `local_shell` tool is a function with the members of its
//!   `action` ([`crate::chat::FunctionForm::LocalShell`]).
//! * **Groups.** The tools of a `namespace` (Codex's way with MCP servers) are canonically functions of
//!   their own, named after both; they and their calls are mapped back.
//! * **`tool_search`** by the client is a function like others; what it has found is among the tools.
//! * **Phases.** Whether a message is commentary or the answer is a mark of its texts. Streams lose it.
//! * **Thoughts.** A reasoning item is a thought: the text of its `content`, or else of its `summary`; its
//!   `encrypted_content` is the proof, together with its `id`. Proofs of other formats ride sealed in
//!   `encrypted_content`. An item that has a proof of Gemini's and no text belongs to the next text or
//!   call, which Gemini had signed.
//! * **`strict`.** Where a function does not say, OpenAI makes its schema strict; canonically it is strict
//!   if its schema is so already. Going out it is always said.
//! * **Effort.** OpenAI's `max` is canonically the highest effort, and kept in `reasoning.effort`. Budgets
//!   of thought become efforts as in chat completions.
//! * **Storing.** Nothing is stored at an upstream unless the client says so. `previous_response_id` and
//!   `item_reference` are answered from the gateway's own store (see [`stored`]) before a request comes
//!   here.

mod conversation;
mod freetext;
mod ids;
mod input_in;
mod input_out;
mod items;
mod output;
mod parts_in;
mod parts_out;
mod reply_in;
mod reply_out;
mod request_in;
mod request_out;
mod response;
pub mod stored;
mod strangers;
mod stream_in;
mod stream_out;
mod strict;
mod tools_in;
mod tools_out;

use crate::chat::{Failure, Reply, Request};
use crate::format::{
    Context, Dropped, Fault, Format, Kind, PathFacts, Sent, StreamDecoder, StreamEncoder, Target,
};
use crate::openai_errors;
pub use stream_out::replay;

/// Members of a request that must not be left out, whoever answers: without them it means something
/// else. They ride in `Request::extra`.
pub const ESSENTIAL: [&str; 4] = ["background", "conversation", "previous_response_id", "prompt"];

/// The format.
pub struct OpenaiResponses;

impl Format for OpenaiResponses {
    fn kind(&self) -> Kind {
        Kind::OpenaiResponses
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
        Box::new(stream_out::Encoder::new(request, context))
    }

    fn decode_error<'a>(&self, status: u16, body: &'a str) -> Failure<'a> {
        openai_errors::decode(status, body)
    }

    fn encode_error(&self, failure: &Failure<'_>, _: &Context<'_>) -> Vec<u8> {
        openai_errors::encode(failure)
    }

    fn spelling(&self, field: &'static str) -> &'static str {
        match field {
            "end_user" => "safety_identifier",
            "logprobs" => "top_logprobs",
            "response_format" => "text.format",
            other => other,
        }
    }
}

#[cfg(test)]
mod tests;
