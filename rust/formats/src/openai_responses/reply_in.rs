//! An upstream's whole reply.

use super::freetext;
use super::input_in::{reasoning, set_phase};
use super::parts_in::citations;
use super::tools_in::{LOCAL_SHELL, TOOL_SEARCH, called_name};
use crate::chat::{
    Block, Choice, Finish, Logprob, Made, Reply, Source, Text, TextBlock, Thinking, ToolCall, Usage,
};
use crate::format::{Fault, Sent};
use crate::openai_chat::words::logprob_in;
use crate::openai_errors;
use crate::value::Value;
use std::borrow::Cow;

pub(super) fn decode<'a>(body: &'a str, sent: &Sent) -> Result<Reply<'a>, Fault> {
    let body = Value::parse(body)?;
    let output = body.get("output").filter(|output| output.is_array());
    let status = body.get("status").and_then(Value::as_str).unwrap_or("completed");
    if output.is_none() || !matches!(status, "completed" | "incomplete" | "failed") {
        return Err(Fault::new("The provider's reply is not a finished response."));
    }
    let mut answer = Answer { output_tool: sent.output_tool, ..Answer::default() };
    output.map(Value::items).unwrap_or_default().iter().for_each(|item| answer.item(item));
    if status == "failed" && answer.blocks.is_empty() {
        let failure = openai_errors::decode_value(0, &body);
        return Err(Fault::new(format!("The provider failed: {}", failure.message)));
    }
    let finish = finish(&body, answer.ends);
    let choice =
        Choice { blocks: answer.blocks, finish, stop_sequence: None, logprobs: answer.logprobs };
    Ok(Reply {
        id: body.get("id").and_then(Value::text).unwrap_or_default(),
        model: body.get("model").and_then(Value::text).unwrap_or_default(),
        created: body.get("created_at").and_then(created),
        choices: vec![choice],
        usage: usage(&body),
        service_tier: body.get("service_tier").and_then(Value::text),
    })
}

/// Unix seconds; some hosts tell fractions of them.
pub(super) fn created(value: &Value<'_>) -> Option<u64> {
    value.as_u64().or_else(|| value.as_f64().filter(|time| *time > 0.0).map(|time| time as u64))
}

/// What the output holds, for how the answer ended.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Ends {
    /// Tools of the client's are called.
    pub(super) calls: bool,
    /// The model declined.
    pub(super) refusal: bool,
}

/// Why the answer ended, by the status of the response.
pub(super) fn finish(response: &Value<'_>, ends: Ends) -> Finish {
    let reason = response.get("incomplete_details").and_then(|details| details.get("reason"));
    match response.get("status").and_then(Value::as_str) {
        Some("incomplete") => match reason.and_then(Value::as_str) {
            Some("content_filter") => Finish::ContentFilter,
            Some("steered") => Finish::Pause,
            _ => Finish::Length,
        },
        Some("failed" | "cancelled") => Finish::Error,
        _ if ends.calls => Finish::ToolCalls,
        _ if ends.refusal => Finish::Refusal,
        _ => Finish::Stop,
    }
}

/// The usage of a response, and how it was served.
pub(super) fn usage(response: &Value<'_>) -> Option<Usage> {
    let value = response.get("usage")?;
    let detail = |group: &str, name: &str| {
        let count = value.get(group).and_then(|group| group.get(name)).and_then(Value::as_u64);
        count.unwrap_or(0)
    };
    let usage = Usage {
        input: value.get("input_tokens")?.as_u64()?,
        output: value.get("output_tokens").and_then(Value::as_u64).unwrap_or(0),
        cache_read: detail("input_tokens_details", "cached_tokens"),
        cache_write: detail("input_tokens_details", "cache_write_tokens"),
        reasoning: detail("output_tokens_details", "reasoning_tokens"),
        audio_input: detail("input_tokens_details", "audio_tokens"),
        audio_output: detail("output_tokens_details", "audio_tokens"),
        image_input: detail("input_tokens_details", "image_tokens"),
        image_output: detail("output_tokens_details", "image_tokens"),
        ..Usage::default()
    };
    let usage = usage.adding_up_to(value.get("total_tokens").and_then(Value::as_u64));
    Some(usage.served_by(response.get("service_tier").and_then(Value::as_str)))
}

#[derive(Default)]
struct Answer<'a> {
    output_tool: Option<&'static str>,
    blocks: Vec<Block<'a>>,
    logprobs: Vec<Logprob<'a>>,
    ends: Ends,
}

impl<'a> Answer<'a> {
    fn item(&mut self, item: &Value<'a>) {
        match item.get("type").and_then(Value::as_str) {
            Some("message") => {
                let parts = item.get("content").map(Value::items).unwrap_or_default();
                let from = self.blocks.len();
                parts.iter().for_each(|part| self.part(part));
                if let Some(phase) = item.get("phase").and_then(Value::text) {
                    self.blocks[from..].iter_mut().for_each(|block| set_phase(block, &phase));
                }
            }
            Some("reasoning") => {
                let thought = reasoning(item);
                if thought != Thinking::default() {
                    self.blocks.push(Block::Thinking(thought));
                }
            }
            Some(kind) => match called(item) {
                Some(call) if self.output_tool == Some(&*call.name) => {
                    self.blocks.push(Block::text(call.arguments));
                }
                Some(call) => {
                    self.ends.calls = true;
                    self.blocks.push(Block::ToolCall(call));
                }
                None => self.blocks.push(whole(kind, item)),
            },
            None => {}
        }
    }

    fn part(&mut self, part: &Value<'a>) {
        if let Some(refusal) = part.get("refusal").and_then(Value::text) {
            self.ends.refusal = true;
            self.blocks.push(Block::Refusal(refusal));
        } else if let Some(text) = part.get("text").and_then(Value::text) {
            self.logprobs.extend(logprobs(part));
            let citations = citations(part);
            self.blocks.push(Block::Text(TextBlock { text, citations, ..TextBlock::default() }));
        }
    }
}

/// An item that comes whole: a picture, or what only this format knows.
pub(super) fn whole<'a>(kind: &str, item: &Value<'a>) -> Block<'a> {
    let raw = Cow::Borrowed(item.raw());
    let picture = item.get("result").and_then(Value::text).filter(|data| !data.is_empty());
    match picture.filter(|_| kind == "image_generation_call") {
        Some(data) => {
            let format = item.get("output_format").and_then(Value::as_str).unwrap_or("png");
            let media_type = Cow::Owned(["image/", format].concat());
            let made = Made { signature: None, item: Some(raw) };
            let source = Source::Base64 { media_type, data };
            Block::Image { source, detail: None, cache: None, made }
        }
        None => Block::Opaque { kind: Cow::Owned(kind.to_owned()), value: raw },
    }
}

/// The `logprobs` of a text or of a piece of it.
pub(super) fn logprobs<'a>(part: &Value<'a>) -> Vec<Logprob<'a>> {
    let list = part.get("logprobs").map(Value::items).unwrap_or_default();
    list.iter().filter_map(logprob_in).collect()
}

/// The call of a client's tool that an item is.
pub(super) fn called<'a>(item: &Value<'a>) -> Option<ToolCall<'a>> {
    let text = |name: &str| item.get(name).and_then(Value::text);
    let (name, arguments): (Text<'a>, Text<'a>) = match item.get("type")?.as_str()? {
        "function_call" => (called_name(item)?, text("arguments").unwrap_or_default()),
        "custom_tool_call" => {
            (called_name(item)?, freetext::wrap(&text("input").unwrap_or_default()).into())
        }
        "local_shell_call" => (LOCAL_SHELL.into(), Cow::Borrowed(item.get("action")?.raw())),
        // One without a call's id is the provider's own search.
        "tool_search_call" if item.get("call_id").is_some() => {
            (TOOL_SEARCH.into(), Cow::Borrowed(item.get("arguments")?.raw()))
        }
        _ => return None,
    };
    let id = text("call_id").or_else(|| text("id")).unwrap_or_default();
    let arguments = if arguments.is_empty() { "{}".into() } else { arguments };
    Some(ToolCall { id, name, arguments, signature: None, cache: None })
}
