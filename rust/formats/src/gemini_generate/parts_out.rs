//! Parts of contents for an upstream, once it is known which there are.

use super::parts::{Family, is_youtube, media_type_of};
use crate::base64;
use crate::chat::Source;
use crate::value::Value;
use crate::writer::{Writer, quote};
use std::borrow::Cow;

/// A part in the making.
pub(super) enum Part<'r> {
    /// Text, or a thought.
    Text { text: Cow<'r, str>, thought: bool, proof: Option<Cow<'r, str>> },
    /// A picture, a sound, a film or a document.
    Media { source: &'r Source<'r>, family: Family, proof: Option<Cow<'r, str>> },
    /// A call of a function.
    Call { id: &'r str, name: &'r str, args: Cow<'r, str>, proof: Option<Cow<'r, str>> },
    /// Its answer.
    Response { id: &'r str, name: &'r str, response: String, media: Vec<(&'r Source<'r>, Family)> },
    /// One that only Gemini knows.
    Raw(&'r str),
}

/// What a function said, as an object: its own, or under the name that Google gives to answers and
/// errors.
pub(super) fn response(text: &str, is_error: bool) -> String {
    let value = text.trim_start().starts_with('{').then(|| Value::parse(text).ok()).flatten();
    let object = value.filter(|value| {
        let taken = |name| value.get(name).is_some();
        value.is_object() && !taken("output") && !taken("error") && !value.members().is_empty()
    });
    match (object, is_error) {
        (Some(object), false) => object.raw().to_owned(),
        (Some(object), true) => ["{\"error\":", object.raw(), "}"].concat(),
        (None, false) => ["{\"output\":", &quote(text), "}"].concat(),
        (None, true) => ["{\"error\":", &quote(text), "}"].concat(),
    }
}

/// Writes `parts`.
pub(super) fn parts(w: &mut Writer, parts: &[Part<'_>]) {
    w.key("parts").array(|w| parts.iter().for_each(|one| part(w, one)));
}

fn part(w: &mut Writer, part: &Part<'_>) {
    if let Part::Raw(value) = part {
        return w.raw(value);
    }
    w.object(|w| {
        let proof = match part {
            Part::Text { text, thought, proof } => {
                w.text("text", text).flag_if("thought", thought.then_some(true));
                proof
            }
            Part::Media { source, family, proof } => {
                media(w, source, *family);
                proof
            }
            Part::Call { id, name, args, proof } => {
                w.key("functionCall").object(|w| {
                    w.text_if("id", Some(*id).filter(|id| !id.is_empty())).text("name", name);
                    w.member("args", args);
                });
                proof
            }
            Part::Response { id, name, response, media } => {
                answer(w, (id, name, response), media);
                return;
            }
            Part::Raw(_) => return,
        };
        w.text_if("thoughtSignature", proof.as_deref());
    });
}

fn answer(w: &mut Writer, (id, name, response): (&str, &str, &str), all: &[(&Source<'_>, Family)]) {
    w.key("functionResponse").object(|w| {
        w.text_if("id", Some(id).filter(|id| !id.is_empty())).text("name", name);
        w.member("response", response);
        if !all.is_empty() {
            w.key("parts").array(|w| {
                for (source, family) in all {
                    w.object(|w| media(w, source, *family));
                }
            });
        }
    });
}

fn media(w: &mut Writer, source: &Source<'_>, family: Family) {
    match source {
        Source::Base64 { media_type, data } => inline(w, media_type, data),
        Source::Text(text) => inline(w, "text/plain", &base64::encode(text.as_bytes())),
        Source::File { id } => file(w, None, id),
        Source::Url { url, media_type } => {
            let likely = || media_type_of(url).unwrap_or_else(|| family.likeliest());
            let told = media_type.as_deref().filter(|told| !told.is_empty());
            // Films at YouTube are known by their address.
            let known = told.or_else(|| (!is_youtube(url)).then(likely));
            file(w, known, url);
        }
    }
}

/// A media type and base64 data.
pub(super) fn inline(w: &mut Writer, media_type: &str, data: &str) {
    w.key("inlineData").object(|w| {
        w.text("mimeType", media_type).text("data", data);
    });
}

fn file(w: &mut Writer, media_type: Option<&str>, uri: &str) {
    w.key("fileData").object(|w| {
        w.text_if("mimeType", media_type).text("fileUri", uri);
    });
}
