//! The messages of a request for an upstream.

use super::parts::signature_out;
use crate::chat::{Block, Cache, Message, Role, Source, ToolCall};
use crate::format::{Dropped, Kind, Target};
use crate::writer::Writer;

/// One message on its way out.
pub(super) struct Turn<'a> {
    pub(super) target: &'a Target<'a>,
    /// Its place in the request.
    pub(super) index: usize,
    pub(super) dropped: &'a mut Dropped,
}

impl Turn<'_> {
    pub(super) fn write(&mut self, w: &mut Writer, message: &Message<'_>) {
        match message.role {
            Role::System | Role::Developer => {
                self.plain(w, message, self.system_word(message.role))
            }
            Role::User => self.user(w, message),
            Role::Assistant => self.assistant(w, message),
        }
    }

    fn system_word(&self, role: Role) -> &'static str {
        if role == Role::Developer && self.target.original { "developer" } else { "system" }
    }

    fn drop(&mut self, block: usize, what: &str) {
        self.dropped.add(format!("messages[{}].content[{block}]{what}", self.index));
    }

    /// OpenAI and those who follow it cache by themselves.
    fn uncache(&mut self, block: usize, cache: Option<&Cache<'_>>) {
        if cache.is_some() {
            self.drop(block, ".cache_control");
        }
    }

    fn plain(&mut self, w: &mut Writer, message: &Message<'_>, role: &str) {
        let blocks = &message.blocks;
        if !blocks.is_empty() && !blocks.iter().any(|block| self.fits(block)) {
            (0..blocks.len()).for_each(|number| self.drop(number, ""));
            return;
        }
        w.object(|w| {
            w.text("role", role);
            w.text_if("name", message.name.as_deref());
            w.key("content");
            self.content(w, message.blocks.iter().enumerate());
        });
    }

    /// Tool results become messages of their own; their pictures follow with the user's words.
    fn user(&mut self, w: &mut Writer, message: &Message<'_>) {
        let mut rest: Vec<(usize, &Block<'_>)> = Vec::with_capacity(message.blocks.len());
        for (number, block) in message.blocks.iter().enumerate() {
            if let Block::ToolResult { call_id, blocks, is_error, cache, .. } = block {
                self.uncache(number, cache.as_ref());
                if *is_error {
                    self.drop(number, ".is_error");
                }
                let (texts, others): (Vec<_>, Vec<_>) = blocks
                    .iter()
                    .map(|one| (number, one))
                    .partition(|(_, one)| matches!(one, Block::Text(_)));
                w.object(|w| {
                    w.text("role", "tool").text("tool_call_id", call_id).key("content");
                    self.content(w, texts.into_iter());
                });
                rest.extend(others);
            } else {
                rest.push((number, block));
            }
        }
        let only_results = rest.is_empty() && !message.blocks.is_empty();
        if !only_results {
            w.object(|w| {
                w.text("role", "user").text_if("name", message.name.as_deref()).key("content");
                self.content(w, rest.into_iter());
            });
        }
    }

    /// A string where one text is all there is, else parts.
    fn content<'b>(
        &mut self,
        w: &mut Writer,
        blocks: impl ExactSizeIterator<Item = (usize, &'b Block<'b>)> + Clone,
    ) {
        if !blocks.clone().any(|(_, block)| self.fits(block)) {
            blocks.for_each(|(number, _)| self.drop(number, ""));
            w.string("");
            return;
        }
        let mut blocks = blocks.peekable();
        match (blocks.len(), blocks.peek()) {
            (1, Some((number, Block::Text(text)))) => {
                self.uncache(*number, text.cache.as_ref());
                w.string(&text.text);
            }
            _ => w.array(|w| blocks.for_each(|(number, block)| self.part(w, number, block))),
        }
    }

    /// Whether something of the block can be said: hosts refuse a list of no parts.
    fn fits(&self, block: &Block<'_>) -> bool {
        match block {
            Block::Text(_) | Block::Refusal(_) => true,
            Block::Image { source, .. } => is_data_or_url(source),
            Block::Video { source } => !self.target.original && is_data_or_url(source),
            Block::Audio { source, .. } => matches!(source, Source::Base64 { .. }),
            Block::Document { source, .. } => !matches!(source, Source::Url { .. }),
            Block::Thinking(_)
            | Block::ToolCall(_)
            | Block::ToolResult { .. }
            | Block::Opaque { .. } => false,
        }
    }

    fn part(&mut self, w: &mut Writer, number: usize, block: &Block<'_>) {
        match block {
            Block::Text(text) => {
                self.uncache(number, text.cache.as_ref());
                text_part(w, &text.text);
            }
            Block::Image { source, detail, cache, .. } => {
                self.uncache(number, cache.as_ref());
                match data_or_url(source) {
                    Some(url) => media_part(w, "image_url", &url, detail.as_deref()),
                    None => self.drop(number, ""),
                }
            }
            Block::Video { source } => match data_or_url(source) {
                Some(url) if !self.target.original => media_part(w, "video_url", &url, None),
                _ => self.drop(number, ""),
            },
            Block::Audio { source, .. } => match source {
                Source::Base64 { media_type, data } => audio_part(w, media_type, data),
                _ => self.drop(number, ""),
            },
            Block::Document { source, title, context, citations, cache } => {
                self.uncache(number, cache.as_ref());
                if context.is_some() {
                    self.drop(number, ".context");
                }
                if *citations {
                    self.drop(number, ".citations");
                }
                if !document_part(w, source, title.as_deref()) {
                    self.drop(number, "");
                }
            }
            Block::Refusal(text) => text_part(w, text),
            Block::Thinking(_)
            | Block::ToolCall(_)
            | Block::ToolResult { .. }
            | Block::Opaque { .. } => {
                self.drop(number, "");
            }
        }
    }

    fn assistant(&mut self, w: &mut Writer, message: &Message<'_>) {
        let calls = message.blocks.iter().any(|block| matches!(block, Block::ToolCall(_)));
        let mut said: Option<String> = None;
        let mut refusal = None;
        for (number, block) in message.blocks.iter().enumerate() {
            match block {
                Block::Text(text) => {
                    self.uncache(number, text.cache.as_ref());
                    self.unsign(number, text.signature.is_some());
                    said.get_or_insert_default().push_str(&text.text);
                }
                Block::Refusal(text) => refusal = Some(text),
                Block::Thinking(_) | Block::ToolCall(_) => {}
                _ => self.drop(number, ""),
            }
        }
        w.object(|w| {
            w.text("role", "assistant").text_if("name", message.name.as_deref());
            if said.is_some() || !calls {
                w.text("content", said.as_deref().unwrap_or_default());
            } else {
                w.member("content", "null");
            }
            w.text_if("refusal", refusal.map(|text| &**text));
            self.thoughts(w, message, calls);
            if calls {
                self.calls(w, message);
            }
        });
    }

    fn unsign(&mut self, number: usize, signed: bool) {
        if signed {
            self.drop(number, ".signature");
        }
    }

    /// Hosts that show their thoughts want them back while tools are being called, and only then; no host
    /// of this format takes proofs, and what somebody else has signed is for nobody here.
    fn thoughts(&mut self, w: &mut Writer, message: &Message<'_>, calls: bool) {
        let mut plain = String::new();
        for (number, block) in message.blocks.iter().enumerate() {
            let Block::Thinking(thinking) = block else { continue };
            let own = thinking.signature.as_ref().is_none_or(|one| one.origin == Kind::OpenaiChat);
            if self.target.original || !calls || !own || thinking.text.is_empty() {
                self.drop(number, if thinking.text.is_empty() { ".signature" } else { "" });
                continue;
            }
            self.unsign(number, thinking.signature.is_some());
            plain.push_str(&thinking.text);
        }
        w.text_if("reasoning_content", (!plain.is_empty()).then_some(&plain));
    }

    fn calls(&mut self, w: &mut Writer, message: &Message<'_>) {
        w.key("tool_calls").array(|w| {
            for (number, block) in message.blocks.iter().enumerate() {
                let Block::ToolCall(call) = block else { continue };
                self.uncache(number, call.cache.as_ref());
                self.unsign(number, call.signature.is_some());
                tool_call(w, call, false);
            }
        });
    }
}

/// A call; `signed` with the proof of its thought, for clients who keep it.
pub(super) fn tool_call(w: &mut Writer, call: &ToolCall<'_>, signed: bool) {
    w.object(|w| {
        w.text("id", &call.id).text("type", "function").key("function").object(|w| {
            w.text("name", &call.name).text("arguments", &call.arguments);
        });
        signature_out(w, call.signature.as_ref().filter(|_| signed));
    });
}

fn text_part(w: &mut Writer, text: &str) {
    w.object(|w| {
        w.text("type", "text").text("text", text);
    });
}

fn media_part(w: &mut Writer, kind: &str, url: &str, detail: Option<&str>) {
    w.object(|w| {
        w.text("type", kind).key(kind).object(|w| {
            w.text("url", url).text_if("detail", detail);
        });
    });
}

fn audio_part(w: &mut Writer, media_type: &str, data: &str) {
    let format = match media_type {
        "audio/mpeg" => "mp3",
        "audio/x-wav" | "audio/wave" => "wav",
        other => other.strip_prefix("audio/").unwrap_or(other),
    };
    w.object(|w| {
        w.text("type", "input_audio").key("input_audio").object(|w| {
            w.text("data", data).text("format", format);
        });
    });
}

/// Whether the document could be written: OpenAI does not fetch documents.
fn document_part(w: &mut Writer, source: &Source<'_>, title: Option<&str>) -> bool {
    match source {
        Source::Text(text) => text_part(w, text),
        Source::Url { .. } => return false,
        Source::Base64 { media_type, data } => w.object(|w| {
            let data = format!("data:{media_type};base64,{data}");
            w.text("type", "file").key("file").object(|w| {
                w.text("filename", title.unwrap_or("document.pdf")).text("file_data", &data);
            });
        }),
        Source::File { id } => w.object(|w| {
            w.text("type", "file").key("file").object(|w| {
                w.text("file_id", id);
            });
        }),
    }
    true
}

fn is_data_or_url(source: &Source<'_>) -> bool {
    matches!(source, Source::Url { .. } | Source::Base64 { .. })
}

fn data_or_url(source: &Source<'_>) -> Option<String> {
    match source {
        Source::Url { url, .. } => Some(url.clone().into_owned()),
        Source::Base64 { media_type, data } => Some(format!("data:{media_type};base64,{data}")),
        Source::File { .. } | Source::Text(_) => None,
    }
}
