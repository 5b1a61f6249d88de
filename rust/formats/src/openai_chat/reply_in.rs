//! An upstream's whole reply.

use super::made::{audio_in, images_in};
use super::messages_in::{thoughts, tool_call};
use super::parts::{citation_in, content_in, sign_text};

use super::words::{finish_in, logprobs_in, usage_of};
use crate::answer;
use crate::chat::{Block, Choice, Finish, Reply};
use crate::format::{Fault, Sent};
use crate::value::Value;

pub(super) fn decode<'a>(body: &'a str, sent: &Sent) -> Result<Reply<'a>, Fault> {
    let body = Value::parse(body)?;
    let choices = body.get("choices").filter(|choices| choices.is_array());
    let choices = choices.ok_or_else(|| Fault::of("choices", "The reply has no `choices`."))?;
    Ok(Reply {
        id: body.get("id").and_then(Value::text).unwrap_or_default(),
        model: body.get("model").and_then(Value::text).unwrap_or_default(),
        created: body.get("created").and_then(Value::as_u64),
        choices: choices.items().iter().map(|one| choice(one, sent)).collect::<Result<_, _>>()?,
        usage: usage_of(&body),
        service_tier: body.get("service_tier").and_then(Value::text),
    })
}

fn choice<'a>(value: &Value<'a>, sent: &Sent) -> Result<Choice<'a>, Fault> {
    let mut blocks = Vec::new();
    let message =
        value.get("message").ok_or_else(|| Fault::of("message", "A choice has no `message`."))?;
    thoughts(message, &mut blocks);
    let first_text = blocks.len();
    content_in(message.get("content"), "message.content", &mut blocks)?;
    if let Some(Block::Text(text)) = blocks.get_mut(first_text) {
        let annotations = message.get("annotations").map(Value::items).unwrap_or_default();
        text.citations = annotations.iter().filter_map(citation_in).collect();
    }
    sign_text(message, first_text, &mut blocks);
    if let Some(refusal) = message.get("refusal").and_then(Value::text) {
        blocks.push(Block::Refusal(refusal));
    }
    blocks.extend(images_in(message));
    blocks.extend(audio_in(message, false));
    let calls = message.get("tool_calls").map(Value::items).unwrap_or_default();
    blocks.extend(calls.iter().filter_map(tool_call));
    let finish = value.get("finish_reason").and_then(Value::as_str).map_or(Finish::Stop, finish_in);
    let calls = answer::unwrap(&mut blocks, sent);
    let finish = ending(finish, calls, sent);
    Ok(Choice {
        finish,
        blocks,
        stop_sequence: None,
        logprobs: value.get("logprobs").map(logprobs_in).unwrap_or_default(),
    })
}

/// Some hosts end with `stop` though tools are called.
fn ending(finish: Finish, calls: bool, sent: &Sent) -> Finish {
    match finish {
        Finish::Stop if calls => Finish::ToolCalls,
        Finish::ToolCalls if !calls && sent.output_tool.is_some() => Finish::Stop,
        other => other,
    }
}
