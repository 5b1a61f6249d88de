//! The contents of a client's request.

use super::calls::Calls;
use super::names::{camel, get, get_items, get_text, list, object};
use super::parts::{self, Data, Part};
use crate::chat::{Block, Extra, Message, Role, Text, Thinking};
use crate::format::Fault;
use crate::value::Value;
use std::borrow::Cow;

/// Reads contents in order; neighbours of one role become one message.
pub(super) struct Reader<'a, 'r> {
    pub(super) messages: &'r mut Vec<Message<'a>>,
    pub(super) extra: &'r mut Vec<Extra<'a>>,
    pub(super) calls: Calls<'a>,
}

impl<'a> Reader<'a, '_> {
    /// `contents`.
    pub(super) fn contents(&mut self, value: &Value<'a>) -> Result<(), Fault> {
        for (index, one) in list("contents", value)?.iter().enumerate() {
            let at = format!("contents[{index}]");
            object(&at, one)?;
            let role = match get(one, "role").map(|role| role.as_str().unwrap_or("?")) {
                None | Some("" | "user" | "function") => Role::User,
                Some("model") => Role::Assistant,
                Some(_) => {
                    let words = "The role must be user or model; a system prompt goes into \
                                 `systemInstruction`.";
                    return Err(Fault::of(format!("{at}.role"), words));
                }
            };
            self.content(role, one, &at)?;
        }
        Ok(())
    }

    /// A content: some clients give its text alone, or its parts.
    pub(super) fn content(&mut self, role: Role, value: &Value<'a>, at: &str) -> Result<(), Fault> {
        let mut blocks = Vec::new();
        if let Some(text) = value.text() {
            blocks.push(Block::text(text));
        } else if let Some(parts) = get(value, "parts") {
            let at = format!("{at}.parts");
            let goes_on = self.messages.last().is_some_and(|last| last.role == role);
            if role == Role::Assistant && !goes_on {
                self.calls.turn();
            }
            // A single part without its list is read, too, as by Google's own SDKs.
            let parts =
                if parts.is_object() { std::slice::from_ref(parts) } else { list(&at, parts)? };
            for (index, part) in parts.iter().enumerate() {
                self.part(part, &format!("{at}[{index}]"), &mut blocks)?;
            }
        }
        for (key, member) in value.members() {
            if !matches!(&**key, "role" | "parts") && !member.is_null() {
                self.keep(format!("{at}.{key}"), member);
            }
        }
        match self.messages.last_mut() {
            Some(last) if last.role == role => last.blocks.append(&mut blocks),
            _ if blocks.is_empty() => {}
            _ => self.messages.push(Message { role, name: None, blocks }),
        }
        Ok(())
    }

    fn keep(&mut self, name: String, value: &Value<'a>) {
        self.extra.push(Extra { name: name.into(), value: Cow::Borrowed(value.raw()) });
    }

    fn part(
        &mut self,
        value: &Value<'a>,
        at: &str,
        blocks: &mut Vec<Block<'a>>,
    ) -> Result<(), Fault> {
        object(at, value)?;
        let mut part = Part::read(value);
        for (key, member) in std::mem::take(&mut part.other) {
            self.keep(format!("{at}.{key}"), member);
        }
        match part.data {
            Data::Text(ref text) => {
                let text = text.clone();
                blocks.push(part.say(text));
            }
            // A proof may come without a text.
            Data::None if part.signature.is_some() => blocks.push(part.say(Text::default())),
            Data::None => {
                let words = "A part needs text, inlineData, fileData, functionCall or \
                             functionResponse.";
                return Err(Fault::of(at, words));
            }
            Data::Inline(media) => {
                let block = parts::inline(media);
                media_part(
                    part,
                    block,
                    &format!("{at}.inlineData"),
                    "`mimeType` and `data`",
                    blocks,
                )?;
            }
            Data::File(media) => {
                let block = parts::file(media);
                media_part(part, block, &format!("{at}.fileData"), "`fileUri`", blocks)?;
            }
            Data::Call(call) => {
                let block = self.call(call, part, at)?;
                blocks.push(block);
            }
            Data::Response(response) => {
                let block = self.response(response, at)?;
                blocks.push(block);
            }
            Data::Opaque(kind) => {
                blocks.push(Block::Opaque { kind: kind.into(), value: Cow::Borrowed(value.raw()) })
            }
        }
        Ok(())
    }

    fn call(&mut self, call: &Value<'a>, part: Part<'_, 'a>, at: &str) -> Result<Block<'a>, Fault> {
        let at = format!("{at}.functionCall");
        let name = name_of(call, &at)?;
        if let Some(args) = get(call, "args") {
            object(&format!("{at}.args"), args)?;
        }
        self.rest(call, &["id", "name", "args"], &at);
        let id = self.calls.call(get_text(call, "id"), &name);
        Ok(Block::ToolCall(parts::call(call, id, name, part.signature)))
    }

    fn response(&mut self, value: &Value<'a>, at: &str) -> Result<Block<'a>, Fault> {
        let at = format!("{at}.functionResponse");
        let name = name_of(value, &at)?;
        self.rest(value, &["id", "name", "response", "parts"], &at);
        let call_id = self.calls.answer(get_text(value, "id"), &name);
        let (mut blocks, is_error) = match get(value, "response") {
            Some(response) => {
                object(&format!("{at}.response"), response)?;
                said(response)
            }
            None => (Vec::new(), false),
        };
        for (index, part) in get_items(value, "parts").iter().enumerate() {
            let at = format!("{at}.parts[{index}]");
            self.part(part, &at, &mut blocks)?;
        }
        Ok(Block::ToolResult { call_id, name: Some(name), blocks, is_error, cache: None })
    }

    fn rest(&mut self, value: &Value<'a>, known: &[&str], at: &str) {
        for (key, member) in value.members() {
            if !known.contains(&&*camel(key)) && !member.is_null() {
                self.keep(format!("{at}.{key}"), member);
            }
        }
    }
}

fn name_of<'a>(value: &Value<'a>, at: &str) -> Result<Text<'a>, Fault> {
    get_text(value, "name").filter(|name| !name.is_empty()).ok_or_else(|| {
        let at = format!("{at}.name");
        let words = format!("The field `{at}` is missing.");
        Fault::of(at, words)
    })
}

/// Media have no place for a proof: it stands before them in an empty thought.
fn media_part<'a>(
    part: Part<'_, 'a>,
    block: Option<Block<'a>>,
    at: &str,
    needed: &str,
    blocks: &mut Vec<Block<'a>>,
) -> Result<(), Fault> {
    let block = block.ok_or_else(|| Fault::of(at, format!("It needs {needed}.")))?;
    if part.signature.is_some() {
        blocks.push(Block::Thinking(Thinking { signature: part.signature, ..Thinking::default() }));
    }
    blocks.push(block);
    Ok(())
}

/// What a function said. By Google's convention `output` is the answer and `error` an error; without
/// them the whole object is the answer.
fn said<'a>(response: &Value<'a>) -> (Vec<Block<'a>>, bool) {
    let text = |value: &Value<'a>| match value.text() {
        Some(text) => Block::text(text),
        None => Block::text(value.raw()),
    };
    match response.members() {
        [] => (Vec::new(), false),
        [(key, output)] if key == "output" => (vec![text(output)], false),
        [(key, error)] if key == "error" => (vec![text(error)], true),
        _ => (vec![Block::text(response.raw())], false),
    }
}
