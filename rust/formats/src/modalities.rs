//! What a reply is to be made of beside text: pictures and speech.
//!
//! Two dialects have words for it, which ride in `extra`: OpenAI's chat (`modalities`, `audio`) and Gemini
//! (`generationConfig.responseModalities`, `.speechConfig`). Each of the two reads the other's.

use crate::base64;
use crate::chat::{Request, Text};
use crate::value::Value;
use std::borrow::Cow;

/// The names of what OpenAI's chat asks with.
const CHAT: [&str; 2] = ["modalities", "audio"];
/// The names of what Gemini asks with.
const GEMINI: [&str; 2] = ["generationConfig.responseModalities", "generationConfig.speechConfig"];
/// Bytes of a WAV file's head.
const HEAD: usize = 44;
/// Samples a second of OpenAI's and of Gemini's speech.
const RATE: u32 = 24_000;

/// What is asked for.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Asked<'a> {
    pub(crate) text: bool,
    pub(crate) image: bool,
    pub(crate) audio: bool,
    /// Who speaks.
    pub(crate) voice: Option<Text<'a>>,
    /// OpenAI's name for the format of the speech (`wav`, `pcm16`, …).
    pub(crate) format: Option<Text<'a>>,
}

impl<'a> Asked<'a> {
    /// By a client of OpenAI's chat.
    pub(crate) fn in_chat(request: &'a Request<'_>) -> Option<Self> {
        let mut asked = Asked::listed(&extra(request, CHAT[0])?)?;
        if let Some(audio) = extra(request, CHAT[1]) {
            let name = |one: &Value<'a>| one.text().or_else(|| one.get("id")?.text());
            asked.voice = audio.get("voice").and_then(name);
            asked.format = audio.get("format").and_then(Value::text);
        }
        Some(asked)
    }

    /// By a client of Gemini.
    pub(crate) fn in_gemini(request: &'a Request<'_>) -> Option<Self> {
        Asked::listed(&extra(request, GEMINI[0])?)
    }

    fn listed(list: &Value<'_>) -> Option<Self> {
        let mut asked = Asked::default();
        for one in list.items() {
            match &*one.as_str()?.to_ascii_lowercase() {
                "text" => asked.text = true,
                "image" => asked.image = true,
                "audio" => asked.audio = true,
                _ => return None,
            }
        }
        (asked.image || asked.audio).then_some(asked)
    }
}

fn extra<'a>(request: &'a Request<'_>, name: &str) -> Option<Value<'a>> {
    let found = request.extra.iter().find(|one| one.name == name)?;
    Value::parse(&found.value).ok()
}

/// Whether a member is one of those that OpenAI's chat asks with.
pub(crate) fn is_of_chat(name: &str) -> bool {
    CHAT.contains(&name)
}

/// Whether a member is Gemini's list of what is asked for.
pub(crate) fn is_of_gemini(name: &str) -> bool {
    name == GEMINI[0]
}

/// Whether the media type is that of bare samples, as both send them.
pub(crate) fn is_bare(media_type: &str) -> bool {
    let kind = media_type.split(';').next().unwrap_or_default();
    kind.eq_ignore_ascii_case("audio/l16") || kind.eq_ignore_ascii_case("audio/pcm")
}

/// Bare samples, of 16 bits and one channel, as a WAV file: in base64, both. `None` if they are too many.
pub(crate) fn wav(media_type: &str, data: &str) -> Option<String> {
    let samples = base64::decode(data)?;
    let told = media_type.split(';').find_map(|part| part.trim().strip_prefix("rate="));
    let rate: u32 = told.and_then(|told| told.parse().ok()).unwrap_or(RATE);
    let length = u32::try_from(samples.len()).ok()?;
    let mut file = Vec::with_capacity(HEAD + samples.len());
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&length.checked_add(36)?.to_le_bytes());
    file.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend_from_slice(&rate.to_le_bytes());
    file.extend_from_slice(&rate.checked_mul(2)?.to_le_bytes());
    file.extend_from_slice(b"\x02\0\x10\0data");
    file.extend_from_slice(&length.to_le_bytes());
    file.extend_from_slice(&samples);
    Some(base64::encode(&file))
}

/// The media type of a sound, by how it begins: OpenAI's replies do not tell it. Bare samples have no beginning.
pub(crate) fn media_type(data: &str) -> Text<'static> {
    const BEGINNINGS: [(&str, &str); 4] = [
        ("UklGR", "audio/wav"),
        ("SUQz", "audio/mpeg"),
        ("T2dnUw", "audio/ogg"),
        ("ZkxhQ", "audio/flac"),
    ];
    let found = BEGINNINGS.iter().find(|(begins, _)| data.starts_with(begins));
    Cow::Borrowed(match found {
        Some((_, media_type)) => media_type,
        // A frame of MPEG's without a head.
        None if data.starts_with("//") => "audio/mpeg",
        None => "audio/L16;codec=pcm;rate=24000",
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::chat::Extra;

    fn request(extra: &[(&'static str, &'static str)]) -> Request<'static> {
        let extra =
            extra.iter().map(|&(name, value)| Extra { name: name.into(), value: value.into() });
        Request { extra: extra.collect(), ..Request::default() }
    }

    #[test]
    fn both_dialects_are_read() {
        let audio = r#"{"voice":"Kore","format":"wav"}"#;
        let chat = request(&[("modalities", r#"["text","audio"]"#), ("audio", audio)]);
        let asked = Asked::in_chat(&chat).unwrap();
        assert!(asked.audio && !asked.image);
        assert_eq!((asked.voice.as_deref(), asked.format.as_deref()), (Some("Kore"), Some("wav")));
        let gemini = request(&[(GEMINI[0], r#"["TEXT","IMAGE"]"#)]);
        let asked = Asked::in_gemini(&gemini).unwrap();
        assert!(asked.image && asked.text && !asked.audio);
    }

    #[test]
    fn text_alone_and_unknown_words_are_nothing() {
        assert_eq!(Asked::in_chat(&request(&[("modalities", r#"["text"]"#)])), None);
        assert_eq!(Asked::in_chat(&request(&[("modalities", r#"["smell"]"#)])), None);
        assert_eq!(Asked::in_gemini(&request(&[])), None);
    }

    #[test]
    fn samples_become_a_file() {
        let file =
            base64::decode(&wav("audio/L16;codec=pcm;rate=8000", "AAECAw==").unwrap()).unwrap();
        assert_eq!((&file[..4], &file[8..16]), (&b"RIFF"[..], &b"WAVEfmt "[..]));
        assert_eq!(file[24..28], 8000_u32.to_le_bytes());
        assert_eq!(file[40..], [4, 0, 0, 0, 0, 1, 2, 3]);
        assert_eq!(media_type(&base64::encode(&file)), "audio/wav");
    }
}
