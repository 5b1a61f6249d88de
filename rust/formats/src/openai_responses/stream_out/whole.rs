//! Items of a stream that come whole: pictures, and what hosted tools did.

use super::Encoder;
use crate::chat::{Block, Source, Spoken, Text};
use crate::openai_responses::items::is_own_item;
use crate::openai_responses::output::{Body, Item};

impl Encoder {
    /// A block that is complete as it begins.
    pub(super) fn whole(&mut self, block: u64, whole: &Block<'_>, out: &mut Vec<u8>) {
        match whole {
            Block::Opaque { kind, value } if is_own_item(kind, value) => self.verbatim(value, out),
            Block::Image { made, source, .. } => match (&made.item, source) {
                (Some(item), _) => self.verbatim(item, out),
                (None, Source::Base64 { media_type, data }) => {
                    self.close_message("completed", out);
                    if let Some(proof) = &made.signature {
                        self.proof(proof, false, out);
                    }
                    self.picture(media_type, data, out);
                }
                _ => self.lost.block(whole),
            },
            // What was said can be read at least.
            Block::Audio { spoken: Spoken { transcript: Some(words), .. }, .. } => {
                self.lost.block(whole);
                self.begin_part(block, false, None, out);
                self.text(words, out);
            }
            _ => self.lost.block(whole),
        }
    }

    /// An item as it stands.
    fn verbatim(&mut self, item: &str, out: &mut Vec<u8>) {
        self.close_message("completed", out);
        self.remembered += item.len();
        let body = Body::Verbatim(Text::Owned(item.to_owned()));
        self.push("", body, out);
        self.item_done(self.items.len() - 1, "completed", out);
    }

    /// A picture: announced without its data, as OpenAI does it.
    fn picture(&mut self, media_type: &str, data: &str, out: &mut Vec<u8>) {
        self.remembered += data.len();
        let index = self.items.len();
        let media_type = Text::Owned(media_type.to_owned());
        self.push("ig", Body::Image(media_type, Text::default()), out);
        let Some(Item { id, body: Body::Image(_, made) }) = self.items.get_mut(index) else {
            return;
        };
        *made = Text::Owned(data.to_owned());
        for state in ["in_progress", "generating", "completed"] {
            let name = ["response.image_generation_call.", state].concat();
            self.events.bare(out, &name, (id, index));
        }
        self.item_done(index, "completed", out);
    }
}
