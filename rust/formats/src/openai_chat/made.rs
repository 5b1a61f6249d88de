//! Pictures and sounds that a model made, in replies.
//!
//! OpenAI has `audio`. Pictures stand in `images`, as OpenRouter and LiteLLM have them.

use super::parts::{signature_in, signature_out, url_in};
use crate::chat::{Block, Made, Source, Spoken};
use crate::lost::Lost;
use crate::modalities::{self, is_bare, wav};
use crate::value::Value;
use crate::writer::Writer;

/// The entries of `images`.
pub(super) fn images_in<'v, 'a>(message: &'v Value<'a>) -> impl Iterator<Item = Block<'a>> + 'v {
    let images = message.get("images").map(Value::items).unwrap_or_default();
    images.iter().filter_map(|image| {
        let given = image.get("image_url")?;
        let url = given.text().or_else(|| given.get("url")?.text())?;
        let made = Made { signature: signature_in(image), item: None };
        Some(Block::Image { source: url_in(url), detail: None, cache: None, made })
    })
}

/// `audio` of a message, or a piece of it. Streams have bare samples.
pub(super) fn audio_in<'a>(message: &Value<'a>, streamed: bool) -> Option<Block<'a>> {
    let audio = message.get("audio")?;
    let text = |name: &str| audio.get(name).and_then(Value::text);
    let data = text("data").unwrap_or_default();
    let media_type = modalities::media_type(if streamed { "" } else { &data });
    Some(Block::Audio {
        source: Source::Base64 { media_type, data },
        spoken: Spoken {
            id: text("id"),
            expires_at: audio.get("expires_at").and_then(Value::as_u64),
            transcript: text("transcript"),
        },
    })
}

/// What a message has beside its texts, thoughts and calls.
#[derive(Default)]
pub(super) struct Beside<'b> {
    images: Vec<&'b Block<'b>>,
    audio: Option<&'b Block<'b>>,
}

impl<'b> Beside<'b> {
    /// Takes a block that stands beside the others; notes one that has no place.
    pub(super) fn take(&mut self, block: &'b Block<'b>, lost: &mut Lost) {
        match block {
            Block::Image { source, .. } if has_url(source) => self.images.push(block),
            Block::Audio { source: Source::Base64 { .. }, .. } if self.audio.is_none() => {
                self.audio = Some(block);
            }
            other => lost.block(other),
        }
    }

    /// Writes them. `first` is the number of the first picture, `id` the sound's if it has none; as a `file`
    /// bare samples become one.
    pub(super) fn write(&self, w: &mut Writer, first: u64, id: &str, file: bool) {
        if !self.images.is_empty() {
            w.key("images").array(|w| {
                for (index, block) in (first..).zip(&self.images) {
                    image(w, index, block);
                }
            });
        }
        if let Some(Block::Audio { source: Source::Base64 { media_type, data }, spoken }) =
            self.audio
        {
            let made = (file && is_bare(media_type)).then(|| wav(media_type, data)).flatten();
            let data = made.as_deref().unwrap_or(data);
            w.key("audio").object(|w| {
                w.text("id", spoken.id.as_deref().unwrap_or(id)).text("data", data);
                w.count_if("expires_at", spoken.expires_at);
                w.text_if("transcript", spoken.transcript.as_deref());
            });
        }
    }

    /// How many pictures there are.
    pub(super) fn images(&self) -> u64 {
        self.images.len() as u64
    }

    pub(super) fn is_empty(&self) -> bool {
        self.images.is_empty() && self.audio.is_none()
    }
}

fn has_url(source: &Source<'_>) -> bool {
    matches!(source, Source::Url { .. } | Source::Base64 { .. })
}

fn image(w: &mut Writer, index: u64, block: &Block<'_>) {
    let Block::Image { source, made, .. } = block else { return };
    w.object(|w| {
        w.text("type", "image_url").key("image_url").object(|w| {
            match source {
                Source::Url { url, .. } => w.text("url", url),
                Source::Base64 { media_type, data } => {
                    w.text("url", &["data:", media_type, ";base64,", data].concat())
                }
                Source::File { .. } | Source::Text(_) => w,
            };
        });
        w.count("index", index);
        signature_out(w, made.signature.as_ref());
    });
}
