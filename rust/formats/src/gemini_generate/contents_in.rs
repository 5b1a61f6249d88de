//! The contents of a client's request.

use super::calls::Calls;
use super::names::{Place, camel, get, get_text, list, object};
use super::parts::{self, Data, Part};
use crate::chat::{Block, Extra, Message, Role, Text};
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
        for (index, one) in list(&"contents", value)?.iter().enumerate() {
            let role = role(one, &format_args!("contents[{index}]"))?;
            self.content(role, one, &format_args!("contents[{index}]"))?;
        }
        Ok(())
    }

    /// A content: some clients give its text alone, or its parts.
    pub(super) fn content(
        &mut self,
        role: Role,
        value: &Value<'a>,
        at: Place<'_>,
    ) -> Result<(), Fault> {
        let last = self.messages.last_mut().filter(|last| last.role == role);
        let goes_on = last.is_some();
        let mut blocks = last.map(|last| std::mem::take(&mut last.blocks)).unwrap_or_default();
        if let Some(text) = value.text() {
            blocks.push(Block::text(text));
        } else if let Some(parts) = get(value, "parts") {
            if role == Role::Assistant && !goes_on {
                self.calls.turn();
            }
            self.parts(role, parts, &format_args!("{at}.parts"), &mut blocks)?;
        }
        for (key, member) in value.members() {
            if !matches!(&**key, "role" | "parts") && !member.is_null() {
                self.keep(format!("{at}.{key}"), member);
            }
        }
        match self.messages.last_mut() {
            Some(last) if goes_on => last.blocks = blocks,
            _ if blocks.is_empty() => {}
            _ => self.messages.push(Message { role, name: None, blocks }),
        }
        Ok(())
    }

    fn parts(
        &mut self,
        role: Role,
        parts: &Value<'a>,
        at: Place<'_>,
        blocks: &mut Vec<Block<'a>>,
    ) -> Result<(), Fault> {
        // A single part without its list is read, too, as by Google's own SDKs.
        let parts = if parts.is_object() { std::slice::from_ref(parts) } else { list(at, parts)? };
        for (index, value) in parts.iter().enumerate() {
            self.one(role, value, &format_args!("{at}[{index}]"), blocks)?;
        }
        Ok(())
    }

    fn one(
        &mut self,
        role: Role,
        value: &Value<'a>,
        at: Place<'_>,
        blocks: &mut Vec<Block<'a>>,
    ) -> Result<(), Fault> {
        object(at, value)?;
        let mut part = Part::read(value);
        for (key, member) in std::mem::take(&mut part.other) {
            self.keep(format!("{at}.{key}"), member);
        }
        match part.data {
            // What the model says stands in pieces if the client heard it as a stream.
            Data::Text(text) if role == Role::Assistant => {
                part.data = Data::None;
                part.go_on(text, blocks);
                Ok(())
            }
            _ => self.part(value, part, at, blocks),
        }
    }

    fn keep(&mut self, name: String, value: &Value<'a>) {
        self.extra.push(Extra { name: name.into(), value: Cow::Borrowed(value.raw()) });
    }

    fn part(
        &mut self,
        value: &Value<'a>,
        mut part: Part<'_, 'a>,
        at: Place<'_>,
        blocks: &mut Vec<Block<'a>>,
    ) -> Result<(), Fault> {
        match part.data {
            Data::Text(ref mut text) => {
                let text = std::mem::take(text);
                blocks.push(part.say(text));
            }
            // A proof may come without a text.
            Data::None if part.signature.is_some() => blocks.push(part.say(Text::default())),
            Data::None => {
                let words = "A part needs text, inlineData, fileData, functionCall or \
                             functionResponse.";
                return Err(Fault::of(at.to_string(), words));
            }
            Data::Inline(media) => {
                let block = parts::inline(media);
                media_part(
                    part,
                    block,
                    &format_args!("{at}.inlineData"),
                    "`mimeType` and `data`",
                    blocks,
                )?;
            }
            Data::File(media) => {
                let block = parts::file(media);
                media_part(part, block, &format_args!("{at}.fileData"), "`fileUri`", blocks)?;
            }
            Data::Call(call) => {
                let block = self.call(call, part, &format_args!("{at}.functionCall"))?;
                blocks.push(block);
            }
            Data::Response(response) => {
                let block = self.response(response, &format_args!("{at}.functionResponse"))?;
                blocks.push(block);
            }
            Data::Opaque(kind) => {
                blocks.push(Block::Opaque { kind: kind.into(), value: Cow::Borrowed(value.raw()) })
            }
        }
        Ok(())
    }

    fn call(
        &mut self,
        call: &Value<'a>,
        part: Part<'_, 'a>,
        at: Place<'_>,
    ) -> Result<Block<'a>, Fault> {
        let name = name_of(call, at)?;
        if let Some(args) = get(call, "args") {
            object(&format_args!("{at}.args"), args)?;
        }
        self.rest(call, &["id", "name", "args"], at);
        let id = self.calls.call(get_text(call, "id"), &name);
        Ok(Block::ToolCall(parts::call(call, id, name, part.signature)))
    }

    fn response(&mut self, value: &Value<'a>, at: Place<'_>) -> Result<Block<'a>, Fault> {
        let name = name_of(value, at)?;
        self.rest(value, &["id", "name", "response", "parts"], at);
        let call_id = self.calls.answer(get_text(value, "id"), &name);
        let (mut blocks, is_error) = match get(value, "response") {
            Some(response) => {
                object(&format_args!("{at}.response"), response)?;
                said(response)
            }
            None => (Vec::new(), false),
        };
        if let Some(parts) = get(value, "parts") {
            self.parts(Role::User, parts, &format_args!("{at}.parts"), &mut blocks)?;
        }
        Ok(Block::ToolResult { call_id, name: Some(name), blocks, is_error, cache: None })
    }

    fn rest(&mut self, value: &Value<'a>, known: &[&str], at: Place<'_>) {
        for (key, member) in value.members() {
            if !known.contains(&&*camel(key)) && !member.is_null() {
                self.keep(format!("{at}.{key}"), member);
            }
        }
    }
}

fn role(content: &Value<'_>, at: Place<'_>) -> Result<Role, Fault> {
    object(at, content)?;
    match get(content, "role").map(|role| role.as_str().unwrap_or("?")) {
        None | Some("" | "user" | "function") => Ok(Role::User),
        Some("model") => Ok(Role::Assistant),
        Some(_) => {
            let words =
                "The role must be user or model; a system prompt goes into `systemInstruction`.";
            Err(Fault::of(format!("{at}.role"), words))
        }
    }
}

fn name_of<'a>(value: &Value<'a>, at: Place<'_>) -> Result<Text<'a>, Fault> {
    get_text(value, "name").filter(|name| !name.is_empty()).ok_or_else(|| {
        let at = format!("{at}.name");
        let words = format!("The field `{at}` is missing.");
        Fault::of(at, words)
    })
}

/// Not all media have a place for a proof: it stands before them in an empty thought then.
fn media_part<'a>(
    part: Part<'_, 'a>,
    block: Option<Block<'a>>,
    at: Place<'_>,
    needed: &str,
    blocks: &mut Vec<Block<'a>>,
) -> Result<(), Fault> {
    let block = block.ok_or_else(|| Fault::of(at.to_string(), format!("It needs {needed}.")))?;
    let (proof, block) = part.media(block);
    blocks.extend(proof);
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
