//! What a request says: its texts, unescaped and apart from the structure around them.
//!
//! Token counting and guardrails read the same slots, so both see every text once.

use crate::json::{self, Object, Token};
use crate::snapshot::Operation;
use std::ops::Range;

/// Tokens an image counts for before the provider has said: OpenAI's high detail at 1024 × 1024.
const IMAGE_TOKENS: u64 = 765;
/// Chat framing, as published for OpenAI's chat models: each message costs 3 and its role 1, the reply's start 3.
const MESSAGE_TOKENS: u64 = 4;
const REPLY_TOKENS: u64 = 3;

/// Keys whose strings are structure, not text that the model reads.
const STRUCTURE: [&[u8]; 23] = [
    b"role",
    b"type",
    b"id",
    b"call_id",
    b"tool_call_id",
    b"detail",
    b"format",
    b"url",
    b"data",
    b"image_url",
    b"file_id",
    b"encrypted_content",
    b"media_type",
    b"tool_use_id",
    b"signature",
    b"ttl",
    b"mimeType",
    b"mime_type",
    b"fileUri",
    b"file_uri",
    b"thoughtSignature",
    b"thought_signature",
    b"bytes",
];
/// Keys under which a picture, a sound or a document stands.
const MEDIA: [&[u8]; 7] = [
    b"image_url",
    b"input_audio",
    b"source",
    b"inlineData",
    b"inline_data",
    b"fileData",
    b"file_data",
];

/// Keys of objects that a model has written, or a tool: what stands in them is text, whatever its key.
const ARGUMENTS: [&[u8]; 5] = [b"input", b"args", b"response", b"arguments", b"action"];

/// An object that may be a document's source, whose data is a text (Anthropic's plain text documents).
#[derive(Default)]
struct Source<'a> {
    data: Option<&'a [u8]>,
    is_text: bool,
}

impl<'a> Source<'a> {
    fn note(&mut self, key: &[u8], raw: &'a [u8]) {
        match key {
            b"data" => self.data = Some(raw),
            b"type" => self.is_text |= raw == b"text",
            b"media_type" => self.is_text |= raw.starts_with(b"text/"),
            _ => {}
        }
    }

    /// The text, if it is one.
    fn text(self) -> Option<&'a [u8]> {
        self.data.filter(|_| self.is_text)
    }
}

/// The texts of one request; reused between requests.
#[derive(Debug, Default)]
pub struct Prompt {
    text: Vec<u8>,
    slots: Vec<Range<usize>>,
    messages: u64,
    images: u64,
    token_ids: u64,
}

impl Prompt {
    /// Reads the texts of a validated body.
    pub fn read(&mut self, operation: Operation, body: &[u8], object: &Object) {
        self.text.clear();
        self.slots.clear();
        (self.messages, self.images, self.token_ids) = (0, 0, 0);
        let fields: &[&str] = match operation {
            Operation::ChatCompletions => &[
                "messages",
                "tools",
                "functions",
                "response_format",
                "prediction",
                "user",
                "metadata",
            ],
            Operation::Completions => &["prompt", "suffix"],
            Operation::Embeddings | Operation::Moderations => &["input"],
            Operation::Responses => {
                &["instructions", "input", "tools", "text", "prompt", "user", "metadata"]
            }
            Operation::Messages | Operation::CountMessageTokens | Operation::Converse => {
                &["system", "messages", "tools", "metadata"]
            }
            Operation::GenerateContent | Operation::CountContentTokens => &[
                "systemInstruction",
                "system_instruction",
                "contents",
                "tools",
                "labels",
                "generateContentRequest",
                "generate_content_request",
            ],
            Operation::EmbedContent | Operation::VertexEmbedContent => &["content"],
            Operation::BatchEmbedContents | Operation::VertexBatchEmbedContents => &["requests"],
            Operation::Predict => &["instances"],
            Operation::CohereChat => &["messages", "tools", "documents"],
            Operation::ImagesGenerations | Operation::ImagesEdits => &["prompt", "user"],
            Operation::AudioSpeech => &["input", "instructions"],
            Operation::Rerank => &["query", "documents"],
            Operation::Batches => &["metadata"],
            // Their bodies are no prompts: forms, lists of files, frames.
            Operation::AudioTranscriptions
            | Operation::AudioTranslations
            | Operation::Files
            | Operation::Realtime => &[],
        };
        for field in &object.fields {
            if let Some(name) = json::name_among(&body[field.key.clone()], fields) {
                self.read_field(name, &body[field.value.clone()]);
            }
        }
    }

    /// Reads texts that stand alone, as the fields of a form.
    pub fn read_texts<'a>(&mut self, texts: impl Iterator<Item = &'a [u8]>) {
        self.text.clear();
        self.slots.clear();
        (self.messages, self.images, self.token_ids) = (0, 0, 0);
        for text in texts {
            let start = self.text.len();
            self.text.extend_from_slice(text);
            self.slots.push(start..self.text.len());
            self.text.push(b'\n');
        }
    }

    /// Reads every key and every text of a validated body, whatever it is for.
    pub fn read_everything(&mut self, body: &[u8]) {
        self.text.clear();
        self.slots.clear();
        (self.messages, self.images, self.token_ids) = (0, 0, 0);
        json::walk(body, |token| {
            if let Token::Key(raw) | Token::Text(raw) = token {
                self.add(raw);
            }
        });
    }

    fn read_field(&mut self, name: &str, value: &[u8]) {
        let definitions = matches!(name, "tools" | "functions" | "response_format" | "text");
        let labels = matches!(name, "metadata" | "labels");
        let counts_ids = matches!(name, "prompt" | "input");
        let mut key: &[u8] = b"";
        let mut depth = 0_usize;
        // How deep an object lies whose keys are nobody's but the model's, its tools' or the client's.
        let mut free: Option<usize> = labels.then_some(0);
        let mut source = Source::default();
        json::walk(value, |token| match token {
            Token::Key(name) => {
                key = name;
                if definitions || free.is_some() {
                    self.add(name);
                } else if MEDIA.contains(&name) {
                    self.images += 1;
                }
            }
            Token::Text(raw) => {
                if definitions || free.is_some() || !STRUCTURE.contains(&key) {
                    return self.add(raw);
                }
                if key == b"role" {
                    self.messages += 1;
                }
                source.note(key, raw);
            }
            Token::Plain(_) if counts_ids && depth > 0 => self.token_ids += 1,
            Token::Open(_) => {
                if free.is_none() && ARGUMENTS.contains(&key) {
                    free = Some(depth);
                }
                depth += 1;
                key = b"";
                source = Source::default();
            }
            Token::Close => {
                depth = depth.saturating_sub(1);
                if free == Some(depth) {
                    free = None;
                }
                if let Some(text) = std::mem::take(&mut source).text() {
                    self.images = self.images.saturating_sub(1);
                    self.add(text);
                }
                key = b"";
            }
            Token::Plain(_) => {}
        });
    }

    fn add(&mut self, raw: &[u8]) {
        let start = self.text.len();
        json::unescape(raw, &mut self.text);
        self.slots.push(start..self.text.len());
        // Keeps two texts from reading as one.
        self.text.push(b'\n');
    }

    /// All texts, each followed by a line feed.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// The texts one by one.
    pub fn slots(&self) -> impl Iterator<Item = &str> {
        // The body was checked to be UTF-8 and escapes decode to whole characters.
        self.slots.iter().filter_map(|slot| std::str::from_utf8(&self.text[slot.clone()]).ok())
    }

    /// Input tokens, given a counter for one text.
    pub fn tokens(&self, operation: Operation, mut count: impl FnMut(&str) -> usize) -> u64 {
        let texts: u64 = self.slots().map(|text| count(text) as u64).sum();
        let chats = operation.is_chat() || operation.counts();
        let framing = if chats { self.messages * MESSAGE_TOKENS + REPLY_TOKENS } else { 0 };
        texts + framing + self.images * IMAGE_TOKENS + self.token_ids
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(operation: Operation, body: &str) -> Prompt {
        let mut prompt = Prompt::default();
        prompt.read(operation, body.as_bytes(), &json::parse_object(body.as_bytes()).unwrap());
        prompt
    }

    #[test]
    fn the_texts_of_a_chat_are_its_contents_names_and_arguments() {
        let prompt = read(
            Operation::ChatCompletions,
            r#"{"model":"m","messages":[
                {"role":"system","content":"Be \u0022kind\u0022."},
                {"role":"user","name":"ann","content":[{"type":"text","text":"look"},
                    {"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]},
                {"role":"assistant","tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]},
                {"role":"tool","tool_call_id":"c1","content":"done"}]}"#,
        );
        let texts: Vec<&str> = prompt.slots().collect();
        assert_eq!(texts, ["Be \"kind\".", "ann", "look", "f", "{\"a\":1}", "done"]);
        assert_eq!(prompt.tokens(Operation::ChatCompletions, |_| 1), 6 + 4 * 4 + 3 + 765);
    }

    #[test]
    fn what_a_tool_is_called_with_and_answers_is_text_whatever_its_keys() {
        let anthropic = read(
            Operation::Messages,
            r#"{"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"f",
                "input":{"id":"one","nested":{"url":"two","role":"three"}}}]},
                {"role":"user","content":"four"}]}"#,
        );
        let texts: Vec<&str> = anthropic.slots().collect();
        assert_eq!(texts, ["f", "id", "one", "nested", "url", "two", "role", "three", "four"]);
        assert_eq!(anthropic.messages, 2);
        let gemini = read(
            Operation::GenerateContent,
            r#"{"contents":[{"role":"user","parts":[{"functionResponse":
                {"id":"c1","name":"f","response":{"data":"one"}}}]}],"labels":{"id":"two"}}"#,
        );
        assert_eq!(gemini.slots().collect::<Vec<_>>(), ["f", "data", "one", "id", "two"]);
    }

    #[test]
    fn a_documents_plain_text_is_text_and_no_picture() {
        let read = |source: &str| {
            let document = format!(r#"{{"type":"document","source":{source}}}"#);
            let body = format!(r#"{{"messages":[{{"role":"user","content":[{document}]}}]}}"#);
            let prompt = read(Operation::Messages, &body);
            (prompt.slots().map(str::to_owned).collect::<Vec<_>>(), prompt.images)
        };
        for source in [
            r#"{"type":"text","media_type":"text/plain","data":"secret"}"#,
            r#"{"data":"secret","media_type":"text/plain","type":"text"}"#,
        ] {
            assert_eq!(read(source), (vec!["secret".to_owned()], 0), "{source}");
        }
        let pdf = r#"{"type":"base64","media_type":"application/pdf","data":"AAAA"}"#;
        assert_eq!(read(pdf), (vec![], 1));
    }

    #[test]
    fn prompts_and_inputs_may_be_texts_or_token_ids() {
        let texts = read(Operation::Embeddings, r#"{"input":["one","two"]}"#);
        assert_eq!(texts.tokens(Operation::Embeddings, str::len), 6);
        let ids = read(Operation::Completions, r#"{"prompt":[[1,2,3],[4]],"max_tokens":7}"#);
        assert_eq!(ids.tokens(Operation::Completions, str::len), 4);
    }

    #[test]
    fn a_text_beside_an_object_is_not_taken_for_structure() {
        let prompt = read(
            Operation::ChatCompletions,
            r#"{"messages":[{"role":"user","content":[{"text":"hi","type":"text"},"secret"]}]}"#,
        );
        assert_eq!(prompt.slots().collect::<Vec<_>>(), ["hi", "secret"]);
    }

    #[test]
    fn tool_definitions_count_with_their_keys() {
        let prompt = read(
            Operation::Responses,
            r#"{"input":"hi","tools":[{"type":"function","name":"f","parameters":{"type":"object"}}]}"#,
        );
        assert_eq!(prompt.slots().count(), 1 + 4 + 3);
    }
}
