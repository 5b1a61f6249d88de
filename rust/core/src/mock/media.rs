//! The mock upstream's images, speech, transcripts and rankings.

use super::connection::Reply;
use super::embeddings::base64;
use super::events::Stream;
use super::form::{self, Part};
use super::replies::{CREATED, filler, tokens};
use super::script::Script;
use super::wire::Request;
use serde::Deserialize;
use serde_json::{Value, json};

/// A white pixel, base64.
const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mP4DwABAQEAHLCMmQAAAABJRU5ErkJggg==";
/// Samples a second of what is spoken, 16 bits each.
const SAMPLE_RATE: u32 = 8000;
/// Samples spoken for each byte of text.
const SAMPLES_PER_BYTE: usize = 400;
/// The most that a request may ask for.
const MOST_IMAGES: usize = 10;

/// The part of a request that shapes the reply, from JSON or from a form.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Ask {
    pub model: String,
    pub stream: bool,
    prompt: String,
    input: String,
    query: String,
    documents: Vec<Value>,
    n: Option<usize>,
    top_n: Option<usize>,
    stream_format: String,
    response_format: String,
    partial_images: usize,
    #[serde(skip)]
    file_bytes: usize,
}

impl Ask {
    /// What the request asks for, if it is for one of these endpoints.
    pub fn read(endpoint: &str, request: &Request) -> Option<Result<Self, String>> {
        let known = endpoint.starts_with("/images/")
            || endpoint.starts_with("/audio/")
            || matches!(endpoint, "/rerank" | "/v2/rerank");
        if !known {
            return None;
        }
        Some(match form::parts(request) {
            Some(parts) => Ok(Self::of_form(&parts)),
            None => serde_json::from_slice(&request.body).map_err(|error| error.to_string()),
        })
    }

    fn of_form(parts: &[Part<'_>]) -> Self {
        let mut ask = Ask::default();
        for part in parts {
            if part.filename.is_some() {
                ask.file_bytes += part.value.len();
                continue;
            }
            let value = String::from_utf8_lossy(part.value).into_owned();
            match part.name {
                "model" => ask.model = value,
                "prompt" => ask.prompt = value,
                "response_format" => ask.response_format = value,
                "stream" => ask.stream = value == "true",
                "n" => ask.n = value.parse().ok(),
                "partial_images" => ask.partial_images = value.parse().unwrap_or(0),
                _ => {}
            }
        }
        ask
    }

    /// The reply of an endpoint; `None` if there is no such endpoint.
    pub fn answer(&self, endpoint: &str, script: &Script, number: u64) -> Option<Reply> {
        Some(match endpoint {
            "/images/generations" if self.stream => self.image_stream("image_generation"),
            "/images/edits" if self.stream => self.image_stream("image_edit"),
            "/images/generations" | "/images/edits" => self.images(),
            "/audio/speech" if self.stream_format == "sse" => self.speech_events(script),
            "/audio/speech" => self.speech(script),
            "/audio/transcriptions" | "/audio/translations" => self.transcript(script),
            "/rerank" | "/v2/rerank" => self.ranking(number),
            _ => return None,
        })
    }

    fn image_usage(&self, images: usize) -> Value {
        let (input, output) = (tokens(&self.prompt), images * 16);
        json!({"input_tokens": input, "output_tokens": output, "total_tokens": input + output,
               "input_tokens_details": {"text_tokens": input, "image_tokens": 0}})
    }

    fn images(&self) -> Reply {
        let count = self.n.unwrap_or(1).clamp(1, MOST_IMAGES);
        let data = vec![json!({"b64_json": PNG}); count];
        Reply::json(&json!({"created": CREATED, "data": data, "usage": self.image_usage(count)}))
    }

    fn image_stream(&self, kind: &str) -> Reply {
        let mut stream = Stream::default();
        let shape = json!({"b64_json": PNG, "created_at": CREATED, "size": "1024x1024",
                           "quality": "low", "background": "opaque", "output_format": "png"});
        let mut event = |name: &str, more: Value| {
            let name = format!("{kind}.{name}");
            let mut data = shape.clone();
            if let (Value::Object(data), Value::Object(more)) = (&mut data, more) {
                data.insert("type".into(), name.clone().into());
                data.extend(more);
            }
            stream.named(&name, &data.to_string());
        };
        for index in 0..self.partial_images.min(3) {
            event("partial_image", json!({"partial_image_index": index}));
        }
        event("completed", json!({"usage": self.image_usage(1)}));
        stream.text = 0..stream.ends.len();
        Reply::Stream(stream)
    }

    /// Silence as long as the text, or as large as the script says.
    fn sound(&self, script: &Script) -> Vec<u8> {
        let samples = match script.text_bytes() {
            Some(bytes) => bytes / 2,
            None => self.input.len().min(4096) * SAMPLES_PER_BYTE,
        };
        wav(samples)
    }

    fn speech(&self, script: &Script) -> Reply {
        let sound = self.sound(script);
        let size = sound.len().div_ceil(script.chunks.unwrap_or(1).max(1)).max(1);
        let mut stream = Stream::of_sound();
        sound.chunks(size).for_each(|chunk| stream.event(&[chunk]));
        stream.text = 0..stream.ends.len();
        Reply::Stream(stream)
    }

    fn speech_events(&self, script: &Script) -> Reply {
        let sound = self.sound(script);
        let size = sound.len().div_ceil(script.chunks.unwrap_or(2).max(1)).max(1);
        let mut stream = Stream::default();
        for chunk in sound.chunks(size) {
            let delta = json!({"type": "speech.audio.delta", "audio": base64(chunk)});
            stream.data(&delta.to_string());
        }
        stream.text = 0..stream.ends.len();
        let (input, output) = (tokens(&self.input), 16);
        let usage =
            json!({"input_tokens": input, "output_tokens": output, "total_tokens": input + output});
        stream.data(&json!({"type": "speech.audio.done", "usage": usage}).to_string());
        Reply::Stream(stream)
    }

    fn transcript(&self, script: &Script) -> Reply {
        let text = match script.text_bytes() {
            Some(bytes) => filler(bytes),
            None => format!("The mock upstream heard {} bytes.", self.file_bytes),
        };
        let (input, output) = (self.file_bytes / 1000 + 1, tokens(&text));
        let usage = json!({"type": "tokens", "input_tokens": input, "output_tokens": output,
                           "total_tokens": input + output});
        if self.stream {
            let mut stream = Stream::default();
            for piece in text.split_inclusive(' ') {
                let delta = json!({"type": "transcript.text.delta", "delta": piece});
                stream.data(&delta.to_string());
            }
            stream.text = 0..stream.ends.len();
            let done = json!({"type": "transcript.text.done", "text": text, "usage": usage});
            stream.data(&done.to_string());
            return Reply::Stream(stream);
        }
        if matches!(&self.response_format[..], "text" | "srt" | "vtt") {
            return Reply::Body("text/plain; charset=utf-8", text.into_bytes());
        }
        Reply::json(&json!({"text": text, "usage": usage}))
    }

    /// Ranks by the share of the query's words that a document has.
    fn ranking(&self, number: u64) -> Reply {
        let words: Vec<&str> = self.query.split_whitespace().collect();
        let texts = self.documents.iter().map(document_text);
        let mut results: Vec<(usize, f64)> = texts
            .map(|text| words.iter().filter(|word| text.contains(**word)).count())
            .map(|found| found as f64 / words.len().max(1) as f64)
            .enumerate()
            .collect();
        results.sort_by(|one, other| other.1.total_cmp(&one.1));
        results.truncate(self.top_n.unwrap_or(usize::MAX));
        let results: Vec<Value> = results
            .iter()
            .map(|(index, score)| json!({"index": index, "relevance_score": score}))
            .collect();
        let total = tokens(&self.query)
            + self.documents.iter().map(|one| tokens(document_text(one))).sum::<usize>();
        Reply::json(&json!({
            "id": format!("rerank-mock-{number}"), "model": self.model.split('?').next(),
            "results": results, "usage": {"total_tokens": total},
            "meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}},
        }))
    }
}

fn document_text(document: &Value) -> &str {
    document.as_str().or_else(|| document["text"].as_str()).unwrap_or_default()
}

/// A sound file of silence.
fn wav(samples: usize) -> Vec<u8> {
    let size = (samples * 2) as u32;
    let mut file = Vec::with_capacity(44 + samples * 2);
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&(36 + size).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend_from_slice(&SAMPLE_RATE.to_le_bytes());
    file.extend_from_slice(&(SAMPLE_RATE * 2).to_le_bytes());
    file.extend_from_slice(b"\x02\0\x10\0data");
    file.extend_from_slice(&size.to_le_bytes());
    file.resize(44 + samples * 2, 0);
    file
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn body(endpoint: &str, ask: &str) -> Value {
        let ask: Ask = serde_json::from_str(ask).unwrap();
        match ask.answer(endpoint, &Script::default(), 1) {
            Some(Reply::Body(_, body)) => serde_json::from_slice(&body).unwrap(),
            _ => panic!("no whole reply"),
        }
    }

    #[test]
    fn documents_are_ranked_by_the_words_they_share_with_the_query() {
        let ask =
            r#"{"query":"red fox","top_n":2,"documents":["a dog","the red fox",{"text":"a fox"}]}"#;
        let results = &body("/rerank", ask)["results"];
        assert_eq!(results.as_array().unwrap().len(), 2);
        assert_eq!(
            (&results[0]["index"], &results[0]["relevance_score"]),
            (&json!(1), &json!(1.0))
        );
        assert_eq!(results[1]["index"], 2);
    }

    #[test]
    fn as_many_images_come_as_were_asked_for() {
        let reply = body("/images/generations", r#"{"prompt":"a cat","n":3}"#);
        assert_eq!(reply["data"].as_array().unwrap().len(), 3);
        assert_eq!(reply["usage"]["output_tokens"], 48);
    }

    #[test]
    fn a_sound_file_says_how_long_it_is() {
        let file = wav(100);
        assert_eq!(file.len(), 244);
        assert_eq!(file[40..44], 200_u32.to_le_bytes());
    }
}
