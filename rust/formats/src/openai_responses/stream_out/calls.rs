//! The calls of a stream.

use super::Encoder;
use crate::chat::{FunctionForm, Text};
use crate::openai_responses::freetext::Unwrapper;
use crate::openai_responses::output::{Body, Call, Item, call_prefix};
use crate::value::Value;

/// A call that has begun.
pub(super) struct Live {
    block: u64,
    /// Its place in the output.
    item: usize,
    /// Takes the text of a free-text tool out of the arguments.
    unwrapper: Unwrapper,
    /// How much of that text has gone out, in bytes.
    sent: usize,
    /// Its last events are out.
    done: bool,
}

impl Encoder {
    pub(super) fn begin_call(&mut self, block: u64, id: &str, name: &str, out: &mut Vec<u8>) {
        let look = self.looks.get(name);
        let prefix = call_prefix(look.form);
        let call = Call {
            look,
            call_id: Text::Owned(id.to_owned()),
            name: Text::Owned(name.to_owned()),
            arguments: Text::default(),
        };
        self.remembered += id.len() + name.len() + 64;
        let item = self.items.len();
        self.push(prefix, Body::Call(call), out);
        self.calls.push(Live {
            block,
            item,
            unwrapper: Unwrapper::default(),
            sent: 0,
            done: false,
        });
    }

    pub(super) fn arguments(&mut self, block: u64, piece: &str, out: &mut Vec<u8>) {
        // Blocks are numbered in their order.
        let Ok(at) = self.calls.binary_search_by_key(&block, |live| live.block) else { return };
        let live = &mut self.calls[at];
        let Some(Item { id, body: Body::Call(call) }) = self.items.get_mut(live.item) else {
            return;
        };
        self.remembered += piece.len();
        call.arguments.to_mut().push_str(piece);
        live.done = false;
        let of = (&**id, live.item);
        match call.look.form {
            FunctionForm::Arguments => {
                let name = "response.function_call_arguments.delta";
                self.events.of_item(out, name, of, "delta", piece);
            }
            FunctionForm::FreeText => {
                let text = live.unwrapper.push(piece);
                live.sent += text.len();
                if !text.is_empty() {
                    let name = "response.custom_tool_call_input.delta";
                    self.events.of_item(out, name, of, "delta", &text);
                }
            }
            // They have no events of their own.
            FunctionForm::LocalShell | FunctionForm::ToolSearch => {}
        }
    }

    /// Ends a call whose arguments are complete. Others wait for the end of the answer: hosts that write
    /// several calls at once go on with the first after the second has begun.
    pub(super) fn stop_call(&mut self, block: u64, out: &mut Vec<u8>) {
        let Ok(at) = self.calls.binary_search_by_key(&block, |live| live.block) else { return };
        let item = self.items.get(self.calls[at].item);
        if let Some(Item { body: Body::Call(call), .. }) = item
            && Value::parse(&call.arguments).is_ok()
        {
            self.call_done(at, out);
        }
    }

    /// Ends the calls that are not ended.
    pub(super) fn stop_calls(&mut self, out: &mut Vec<u8>) {
        for at in 0..self.calls.len() {
            if !self.calls[at].done {
                self.call_done(at, out);
            }
        }
    }

    fn call_done(&mut self, at: usize, out: &mut Vec<u8>) {
        let live = &mut self.calls[at];
        let index = live.item;
        let Some(Item { id, body: Body::Call(call) }) = self.items.get_mut(index) else { return };
        if call.arguments.is_empty() {
            call.arguments = Text::Borrowed("{}");
        }
        let of = (&**id, index);
        match call.look.form {
            FunctionForm::Arguments => {
                let name = "response.function_call_arguments.done";
                self.events.of_item(out, name, of, "arguments", &call.arguments);
            }
            FunctionForm::FreeText => {
                let input = call.input();
                // What was not known to be the text before.
                if let Some(rest) = input.get(live.sent..).filter(|rest| !rest.is_empty()) {
                    let name = "response.custom_tool_call_input.delta";
                    self.events.of_item(out, name, of, "delta", rest);
                }
                live.sent = input.len();
                let name = "response.custom_tool_call_input.done";
                self.events.of_item(out, name, of, "input", &input);
            }
            FunctionForm::LocalShell | FunctionForm::ToolSearch => {}
        }
        live.done = true;
        self.item_done(index, "completed", out);
    }
}
