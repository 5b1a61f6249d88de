//! The conversation as items, for an upstream.

use super::freetext;
use super::ids::shortened;
use super::items::{is_own_item, role_out};
use super::parts_out::{Manner, fits, write};
use super::tools_in::Tools;
use super::tools_out::Looks;
use crate::chat::{
    Block, FunctionForm, Made, Message, Request, Role, Text, Thinking, Tool, ToolCall,
};
use crate::format::{Dropped, Fault, Kind, Target};
use crate::value::Value;
use crate::writer::Writer;
use std::collections::{HashMap, HashSet};

/// Writes the turns of a request.
pub(super) struct Items<'r, 'd> {
    request: &'r Request<'r>,
    target: &'r Target<'r>,
    looks: Looks<'r>,
    marks: bool,
    dropped: &'d mut Dropped,
    /// Calls whose results are of another type than most, by id.
    forms: HashMap<&'r str, FunctionForm>,
    /// Names of the tools that stand in results of searches.
    pub(super) found: HashSet<Text<'r>>,
}

/// The first message's texts, if it is of the system and nothing but texts, and others follow it.
pub(super) fn instructions(request: &Request<'_>) -> Option<String> {
    let first = request.messages.first().filter(|first| first.role == Role::System)?;
    if request.messages.iter().all(|message| message.role == Role::System) {
        return None;
    }
    let texts: Option<Vec<&str>> = first
        .blocks
        .iter()
        .map(|block| match block {
            Block::Text(text) if text.cache.is_none() => Some(&*text.text),
            _ => None,
        })
        .collect();
    texts.filter(|texts| !texts.is_empty()).map(|texts| texts.join("\n\n"))
}

impl<'r, 'd> Items<'r, 'd> {
    pub(super) fn new(
        request: &'r Request<'r>,
        target: &'r Target<'r>,
        dropped: &'d mut Dropped,
    ) -> Self {
        let marks = request.extra.iter().any(|one| one.name == "prompt_cache_options");
        Items {
            request,
            target,
            looks: Looks::of(&request.tools),
            marks,
            dropped,
            forms: HashMap::new(),
            found: HashSet::new(),
        }
    }

    fn manner(&self, of_model: bool) -> Manner {
        Manner { marks: self.marks, of_model }
    }

    /// Writes the messages after the first `skipped` as items of the open array.
    pub(super) fn write(&mut self, w: &mut Writer, skipped: usize) -> Result<(), Fault> {
        for (index, message) in self.request.messages.iter().enumerate().skip(skipped) {
            if message.name.is_some() {
                self.dropped.add(format!("messages[{index}].name"));
            }
            self.message(w, index, message)?;
        }
        Ok(())
    }

    fn message(
        &mut self,
        w: &mut Writer,
        index: usize,
        message: &'r Message<'r>,
    ) -> Result<(), Fault> {
        let of_model = message.role == Role::Assistant;
        let mut at = 0;
        while at < message.blocks.len() {
            let rest = &message.blocks[at..];
            if self.item(w, index, at, &rest[0]) {
                at += 1;
                continue;
            }
            let phase = phase_of(&rest[0]);
            let is_part = |block: &&Block<'_>| !is_item(block) && phase_of(block) == phase;
            let run = rest.iter().take_while(is_part).count().max(1);
            self.parts(w, index, message.role, at, &rest[..run])?;
            at += run;
        }
        if message.blocks.is_empty() && !of_model {
            // An empty turn says nothing, but its speaker had it.
            w.object(|w| {
                w.text("type", "message").text("role", role_out(message.role));
                w.member("content", "[]");
            });
        }
        Ok(())
    }

    /// Writes a block that is an item of its own, or notes that it is dropped. Whether it is one.
    fn item(&mut self, w: &mut Writer, index: usize, at: usize, block: &'r Block<'r>) -> bool {
        match block {
            Block::Thinking(thought) => self.thought(w, index, at, thought),
            Block::ToolCall(call) => self.call(w, index, at, call),
            Block::ToolResult { .. } => self.result(w, index, at, block),
            Block::Opaque { kind, value } if is_own_item(kind, value) => w.raw(value),
            Block::Image { made: Made { item: Some(item), .. }, .. } => w.raw(item),
            _ => return false,
        }
        true
    }

    fn parts(
        &mut self,
        w: &mut Writer,
        index: usize,
        role: Role,
        first: usize,
        run: &[Block<'_>],
    ) -> Result<(), Fault> {
        let of_model = role == Role::Assistant;
        let manner = self.manner(of_model);
        let fit = run.iter().filter(|block| fits(block, manner)).count();
        for (at, block) in run.iter().enumerate() {
            if !fits(block, manner) {
                self.dropped.add(format!("messages[{index}].content[{}]", first + at));
            } else if let Block::Text(text) = block
                && text.signature.is_some()
            {
                self.dropped.add(format!("messages[{index}].content[{}].signature", first + at));
            }
        }
        if fit == 0 && role == Role::User {
            return Err(Fault::unsupported(
                format!("messages[{index}].content[{first}]"),
                "The model's provider takes texts, images and files only.",
            ));
        }
        if fit == 0 {
            return Ok(());
        }
        let dropped = &mut *self.dropped;
        w.object(|w| {
            w.text("type", "message").text("role", role_out(role));
            w.text_if("phase", run.first().and_then(phase_of));
            w.key("content").array(|w| {
                for (at, block) in run.iter().enumerate().filter(|(_, one)| fits(one, manner)) {
                    let place = || format!("messages[{index}].content[{}]", first + at);
                    write(w, block, manner, &place, dropped);
                }
            });
        });
        Ok(())
    }

    /// A thought goes to nobody but its own provider. Hosts of open models take it without a proof.
    fn thought(&mut self, w: &mut Writer, index: usize, at: usize, thought: &Thinking<'_>) {
        let own = thought.signature.as_ref().filter(|one| one.origin == Kind::OpenaiResponses);
        let unproven = thought.signature.is_none() && !thought.text.is_empty();
        if own.is_none() && (self.target.original || !unproven) {
            let place = format!("messages[{index}].content[{at}]");
            let foreign = thought.signature.is_some();
            self.dropped.add(if foreign { place + ".signature" } else { place });
            return;
        }
        w.object(|w| {
            w.text("type", "reasoning");
            let id = own.and_then(|own| own.id.as_deref());
            w.text_if("id", id.filter(|id| id.starts_with("rs")));
            w.key("summary").array(|w| {
                if own.is_some() && !thought.text.is_empty() {
                    typed_text(w, "summary_text", &thought.text);
                }
            });
            match own {
                Some(own) => w.text("encrypted_content", &own.value),
                None => {
                    w.key("content").array(|w| typed_text(w, "reasoning_text", &thought.text));
                    w
                }
            };
        });
    }

    fn call(&mut self, w: &mut Writer, index: usize, at: usize, call: &'r ToolCall<'r>) {
        if call.signature.is_some() {
            self.dropped.add(format!("messages[{index}].content[{at}].signature"));
        }
        if call.cache.is_some() {
            self.dropped.add(format!("messages[{index}].content[{at}].cache_control"));
        }
        let look = self.looks.get(&call.name);
        if look.form != FunctionForm::Arguments {
            self.forms.insert(&call.id, look.form);
        }
        let id = shortened(&call.id);
        let name = |w: &mut Writer| {
            match &look.group {
                Some((namespace, name)) => w.text("name", name).text("namespace", namespace),
                None => w.text("name", &call.name),
            };
        };
        w.object(|w| match look.form {
            FunctionForm::Arguments => {
                w.text("type", "function_call").text("call_id", &id);
                name(w);
                w.text("arguments", &call.arguments);
            }
            FunctionForm::FreeText => {
                w.text("type", "custom_tool_call").text("call_id", &id);
                name(w);
                w.text("input", &freetext::unwrap(&call.arguments));
            }
            FunctionForm::LocalShell => {
                w.text("type", "local_shell_call").text("call_id", &id);
                w.text("status", "completed").key("action");
                super::output::action(w, &call.arguments);
            }
            FunctionForm::ToolSearch => {
                w.text("type", "tool_search_call").text("call_id", &id);
                w.text("execution", "client").text("status", "completed").key("arguments");
                super::output::object(w, &call.arguments);
            }
        });
    }

    fn result(&mut self, w: &mut Writer, index: usize, at: usize, block: &'r Block<'r>) {
        let Block::ToolResult { call_id: id, blocks, is_error, cache, .. } = block else { return };
        let place = || format!("messages[{index}].content[{at}]");
        if *is_error {
            self.dropped.add(place() + ".is_error");
        }
        if cache.is_some() {
            self.dropped.add(place() + ".cache_control");
        }
        let kind = match self.forms.get(&**id) {
            Some(FunctionForm::ToolSearch) => return self.found(w, id, blocks),
            Some(FunctionForm::FreeText) => "custom_tool_call_output",
            _ => "function_call_output",
        };
        w.object(|w| {
            w.text("type", kind).text("call_id", &shortened(id)).key("output");
            match plain(blocks, self.target.original) {
                Some(text) => w.string(&text),
                None => self.result_parts(w, index, at, blocks),
            }
        });
    }

    /// What a search has found: the tools themselves.
    fn found(&mut self, w: &mut Writer, id: &str, blocks: &'r [Block<'r>]) {
        let text = match blocks {
            [Block::Text(text)] => &*text.text,
            _ => "",
        };
        let list = Value::parse(text).ok().filter(Value::is_array);
        w.object(|w| {
            w.text("type", "tool_search_output").text("call_id", &shortened(id));
            w.text("execution", "client").text("status", "completed");
            w.member("tools", list.as_ref().map_or("[]", Value::raw));
        });
        let mut tools = Tools::default();
        // They were read once already.
        if let Some(list) = &list
            && tools.add_all(list, "tools").is_ok()
        {
            self.found.extend(tools.tools.into_iter().filter_map(|tool| match tool {
                Tool::Function(function) => Some(function.name),
                Tool::Hosted { .. } => None,
            }));
        }
    }

    fn result_parts(&mut self, w: &mut Writer, index: usize, at: usize, blocks: &[Block<'_>]) {
        let manner = self.manner(false);
        w.array(|w| {
            for (inner, block) in blocks.iter().enumerate() {
                let place = || format!("messages[{index}].content[{at}].content[{inner}]");
                let fitting =
                    matches!(block, Block::Text(_) | Block::Image { .. } | Block::Document { .. });
                if fitting {
                    write(w, block, manner, &place, self.dropped);
                } else {
                    self.dropped.add(place());
                }
            }
        });
    }
}

/// The result as one string, if it is one text, or texts for a host that knows strings only.
fn plain<'b>(blocks: &'b [Block<'_>], original: bool) -> Option<std::borrow::Cow<'b, str>> {
    let mut texts = blocks.iter().map(|block| match block {
        Block::Text(text) if text.cache.is_none() => Some(&*text.text),
        _ => None,
    });
    match blocks.len() {
        0 => Some("".into()),
        1 => texts.next().flatten().map(Into::into),
        _ if original => None,
        _ => Some(texts.collect::<Option<Vec<_>>>()?.join("\n").into()),
    }
}

/// The phase that a text is said in: texts of several phases are several messages.
pub(super) fn phase_of<'b>(block: &'b Block<'_>) -> Option<&'b str> {
    match block {
        Block::Text(text) => text.phase.as_deref(),
        _ => None,
    }
}

fn is_item(block: &Block<'_>) -> bool {
    match block {
        Block::Thinking(_) | Block::ToolCall(_) | Block::ToolResult { .. } => true,
        Block::Opaque { kind, value } => is_own_item(kind, value),
        Block::Image { made, .. } => made.item.is_some(),
        _ => false,
    }
}

fn typed_text(w: &mut Writer, kind: &str, text: &str) {
    w.object(|w| {
        w.text("type", kind).text("text", text);
    });
}
