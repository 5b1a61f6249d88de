//! A whole reply for a client.

use super::ids::Ids;
use super::items::is_own_item;
use super::output::{Body, Call, Item, Part, annotation, call_prefix, own_id, sealed};
use super::response::{Ending, Shell, State, write};
use super::tools_out::Looks;
use crate::chat::{
    Block, Choice, Finish, Reply, Request, Signature, Source, Spoken, TextBlock, Thinking,
};
use crate::format::Context;
use crate::lost::Lost;
use crate::writer::Writer;

pub(super) fn encode(reply: &Reply<'_>, request: &Request<'_>, context: &Context<'_>) -> Vec<u8> {
    let ids = Ids::new(context.request_id);
    let mut shell = Shell::new(request);
    shell.id = ids.response(&reply.id);
    shell.created = reply.created.unwrap_or(context.now);
    if !reply.model.is_empty() {
        shell.model = reply.model.clone().into_owned();
    }
    // This format has one answer.
    let choice = reply.choices.first();
    let state = State::Ended(choice.map_or(Finish::Stop, |choice| choice.finish));
    let mut lost = Lost::default();
    let items = choice.map(|choice| Items::of(choice, request, ids, &mut lost)).unwrap_or_default();
    let mut w = Writer::new();
    let output = |w: &mut Writer| {
        for (index, item) in items.iter().enumerate() {
            let is_last = index + 1 == items.len();
            item.write(w, if is_last { state.item_status() } else { "completed" });
        }
    };
    let ending = Ending {
        usage: reply.usage.as_ref(),
        service_tier: reply.service_tier.as_deref(),
        lost: Some(&lost),
    };
    write(&mut w, &shell, state, output, ending);
    w.finish()
}

struct Items<'r, 'l> {
    ids: Ids,
    looks: Looks<'r>,
    items: Vec<Item<'r>>,
    lost: &'l mut Lost,
}

impl<'r, 'l> Items<'r, 'l> {
    fn of(
        choice: &'r Choice<'_>,
        request: &'r Request<'_>,
        ids: Ids,
        lost: &'l mut Lost,
    ) -> Vec<Item<'r>> {
        let mut items = Items { ids, looks: Looks::of(&request.tools), items: Vec::new(), lost };
        let shown = request.reasoning.as_ref().is_none_or(|one| one.visible != Some(false));
        choice.blocks.iter().for_each(|block| items.add(block, shown));
        let first = items.items.iter_mut().find_map(|item| match &mut item.body {
            Body::Message(parts, _) => parts.iter_mut().find(|part| !part.is_refusal),
            _ => None,
        });
        if let Some(first) = first {
            first.logprobs.clone_from(&choice.logprobs);
        }
        items.items
    }

    fn add(&mut self, block: &'r Block<'_>, shown: bool) {
        match block {
            Block::Text(text) => {
                self.proof(text.signature.as_ref());
                self.part(text_part(text), text.phase.as_deref());
            }
            Block::Refusal(text) => self.part(Part::new(true, (&**text).into()), None),
            Block::Thinking(thought) => self.thought(thought, shown),
            Block::ToolCall(call) => {
                self.proof(call.signature.as_ref());
                let look = self.looks.get(&call.name);
                self.push(
                    call_prefix(look.form),
                    Body::Call(Call {
                        look,
                        call_id: (&*call.id).into(),
                        name: (&*call.name).into(),
                        arguments: (&*call.arguments).into(),
                    }),
                );
            }
            Block::Image { made, .. } if made.item.is_some() => {
                let item = made.item.as_deref().unwrap_or_default();
                self.push("", Body::Verbatim(item.into()));
            }
            Block::Image { source: Source::Base64 { media_type, data }, made, .. } => {
                self.proof(made.signature.as_ref());
                self.push("ig", Body::Image((&**media_type).into(), (&**data).into()));
            }
            Block::Opaque { kind, value } if is_own_item(kind, value) => {
                self.push("", Body::Verbatim((&**value).into()));
            }
            Block::Audio { spoken: Spoken { transcript: Some(words), .. }, .. } => {
                self.lost.block(block);
                self.part(Part::new(false, (&**words).into()), None);
            }
            // No reply of this format has them.
            _ => self.lost.block(block),
        }
    }

    fn push(&mut self, prefix: &str, body: Body<'r>) {
        let id = self.ids.item(prefix, self.items.len());
        self.items.push(Item { id, body });
    }

    /// Neighbouring texts of one phase are parts of one message.
    fn part(&mut self, part: Part<'r>, phase: Option<&'r str>) {
        match self.items.last_mut() {
            Some(Item { body: Body::Message(parts, before), .. }) if before.as_deref() == phase => {
                parts.push(part);
            }
            _ => self.push("msg", Body::Message(vec![part], phase.map(Into::into))),
        }
    }

    fn thought(&mut self, thought: &'r Thinking<'_>, shown: bool) {
        let signature = thought.signature.as_ref();
        let id = signature.and_then(own_id);
        let id = id.unwrap_or_else(|| self.ids.item("rs", self.items.len()));
        let sealed = signature.map(|one| sealed(one, &id, thought.redacted));
        let text = if shown && !thought.redacted { (&*thought.text).into() } else { "".into() };
        self.items.push(Item { id, body: Body::Reasoning { text, sealed } });
    }

    /// A text or a call cannot hold its proof here: a thought without words does, before it.
    fn proof(&mut self, signature: Option<&'r Signature<'_>>) {
        if let Some(signature) = signature {
            let id = self.ids.item("rs", self.items.len());
            let sealed = Some(sealed(signature, &id, false));
            self.items.push(Item { id, body: Body::Reasoning { text: "".into(), sealed } });
        }
    }
}

fn text_part<'r>(text: &'r TextBlock<'_>) -> Part<'r> {
    let mut part = Part::new(false, (&*text.text).into());
    if !text.citations.is_empty() {
        let length = text.text.chars().count();
        part.annotations = text.citations.iter().map(|one| annotation(one, length)).collect();
    }
    part
}
