//! What the mock upstream says, and the JSON bodies it says it in.

use std::borrow::Cow;
use std::fmt::Write;
use std::sync::OnceLock;

use super::ask::Ask;
use super::script::Script;

/// `created` of every reply: fixed, so that two replies differ only in what the request changes.
pub(super) const CREATED: u64 = 1_700_000_000;
const DEFAULT_TEXT: &str = "This is the mock upstream; ask for the model `echo` to hear yourself.";
const FILLER: &str = "The quick brown fox jumps over the lazy dog and trots home again. ";

/// A text about to be said, as one body or as a stream.
#[derive(Debug)]
pub(super) struct Answer<'a> {
    pub number: u64,
    pub model: &'a str,
    pub text: Cow<'a, str>,
    pub prompt_tokens: usize,
    pub completion_tokens: usize,
}

impl<'a> Answer<'a> {
    /// Chooses the text: of the size the script sets, the user's own words for `echo`, else a fixed sentence.
    pub fn compose(ask: &'a Ask<'a>, script: &Script, number: u64) -> Self {
        let (model, _) = ask.model_and_script();
        let said = ask.last_words();
        let text = match (script.text_bytes(), script.tokens) {
            (Some(bytes), _) => Cow::Owned(filler(bytes)),
            _ if model.rsplit('/').next() == Some("echo") => Cow::Borrowed(said),
            (None, Some(words)) => {
                Cow::Owned(FILLER.split_inclusive(' ').cycle().take(words).collect())
            }
            (None, None) => Cow::Borrowed(DEFAULT_TEXT),
        };
        let completion_tokens = script.tokens.unwrap_or_else(|| tokens(&text));
        Answer { number, model, prompt_tokens: tokens(said), completion_tokens, text }
    }

    /// The text in the pieces a stream sends it in: as many or as large as the script sets, else word by word.
    pub fn pieces(&self, script: &Script) -> Vec<&str> {
        let count = match (script.chunks, script.chunk_bytes) {
            (Some(count), _) => count,
            (None, Some(bytes)) => self.text.len().div_ceil(bytes.max(1)),
            (None, None) => return self.text.split_inclusive(' ').collect(),
        };
        cut(&self.text, count)
    }

    /// The body of a chat completion.
    pub fn chat(&self) -> String {
        let (number, model, text) = (self.number, quoted(self.model), quoted(&self.text));
        let usage = self.usage();
        format!(
            r#"{{"id":"chatcmpl-mock-{number}","object":"chat.completion","created":{CREATED},"model":{model},"choices":[{{"index":0,"message":{{"role":"assistant","content":{text},"refusal":null,"annotations":[]}},"logprobs":null,"finish_reason":"stop"}}],"usage":{usage},"service_tier":"default","system_fingerprint":"fp_mock"}}"#
        )
    }

    /// The body of a (legacy) completion.
    pub fn completion(&self) -> String {
        let (number, model, text) = (self.number, quoted(self.model), quoted(&self.text));
        let usage = self.usage();
        format!(
            r#"{{"id":"cmpl-mock-{number}","object":"text_completion","created":{CREATED},"model":{model},"choices":[{{"index":0,"text":{text},"logprobs":null,"finish_reason":"stop"}}],"usage":{usage},"system_fingerprint":"fp_mock"}}"#
        )
    }

    /// The usage object of chat and completions.
    pub fn usage(&self) -> String {
        let (prompt, completion) = (self.prompt_tokens, self.completion_tokens);
        let total = prompt + completion;
        format!(
            r#"{{"prompt_tokens":{prompt},"completion_tokens":{completion},"total_tokens":{total},"prompt_tokens_details":{{"cached_tokens":0,"audio_tokens":0}},"completion_tokens_details":{{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}}}"#
        )
    }

    /// A response object: finished, with its text, or just begun.
    pub fn response(&self, finished: bool) -> String {
        let (number, model, serial) = (self.number, quoted(self.model), serial());
        let mut body = format!(
            r#"{{"id":"resp_mock_{serial:x}_{number}","object":"response","created_at":{CREATED},"error":null,"incomplete_details":null,"instructions":null,"max_output_tokens":null,"model":{model},"parallel_tool_calls":true,"previous_response_id":null,"reasoning":{{"effort":null,"summary":null}},"store":false,"temperature":1.0,"text":{{"format":{{"type":"text"}}}},"tool_choice":"auto","tools":[],"top_p":1.0,"truncation":"disabled","user":null,"metadata":{{}},"#
        );
        // Writing to a String cannot fail.
        let _ = if finished {
            let (item, usage) = (self.message_item(), self.response_usage());
            write!(body, r#""status":"completed","output":[{item}],"usage":{usage}}}"#)
        } else {
            write!(body, r#""status":"in_progress","output":[],"usage":null}}"#)
        };
        body
    }

    /// The one output item of a finished response.
    pub fn message_item(&self) -> String {
        let (number, part) = (self.number, self.text_part());
        format!(
            r#"{{"id":"msg_mock_{number}","type":"message","status":"completed","role":"assistant","content":[{part}]}}"#
        )
    }

    /// The text part of a finished response.
    pub fn text_part(&self) -> String {
        let text = quoted(&self.text);
        format!(r#"{{"type":"output_text","text":{text},"annotations":[],"logprobs":[]}}"#)
    }

    fn response_usage(&self) -> String {
        let (input, output) = (self.prompt_tokens, self.completion_tokens);
        let total = input + output;
        format!(
            r#"{{"input_tokens":{input},"input_tokens_details":{{"cached_tokens":0}},"output_tokens":{output},"output_tokens_details":{{"reasoning_tokens":0}},"total_tokens":{total}}}"#
        )
    }
}

/// Tells the numbers of this process from those of others: responses are found again by their ids.
fn serial() -> u64 {
    static SERIAL: OnceLock<u64> = OnceLock::new();
    *SERIAL.get_or_init(|| fastrand::u64(..))
}

/// The body of a moderation that finds nothing.
pub(super) fn moderation(number: u64, model: &str) -> String {
    const CATEGORIES: [&str; 13] = [
        "harassment",
        "harassment/threatening",
        "hate",
        "hate/threatening",
        "illicit",
        "illicit/violent",
        "self-harm",
        "self-harm/instructions",
        "self-harm/intent",
        "sexual",
        "sexual/minors",
        "violence",
        "violence/graphic",
    ];
    let each = |value: &str| CATEGORIES.map(|name| format!(r#""{name}":{value}"#)).join(",");
    let (model, flags, scores, inputs) = (quoted(model), each("false"), each("0.0001"), each("[]"));
    format!(
        r#"{{"id":"modr-mock-{number}","model":{model},"results":[{{"flagged":false,"categories":{{{flags}}},"category_scores":{{{scores}}},"category_applied_input_types":{{{inputs}}}}}]}}"#
    )
}

/// The body of the model list.
pub(super) fn models() -> String {
    let one = |name| {
        format!(r#"{{"id":"{name}","object":"model","created":{CREATED},"owned_by":"mock"}}"#)
    };
    format!(r#"{{"object":"list","data":[{},{}]}}"#, one("echo"), one("bench"))
}

/// A string as JSON, quotes included.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The mock upstream's token: four bytes, the last one rounded up.
pub(super) fn tokens(text: &str) -> usize {
    text.len().div_ceil(4)
}

/// Text of that many bytes.
pub(super) fn filler(bytes: usize) -> String {
    let mut text = FILLER.repeat(bytes.div_ceil(FILLER.len()));
    text.truncate(bytes);
    text
}

/// Cuts a text into `count` pieces of nearly equal size, never within a character.
fn cut(text: &str, count: usize) -> Vec<&str> {
    let edge = |index: usize| {
        let aim = text.len() * index / count;
        (0..=aim).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
    };
    (0..count).map(|index| &text[edge(index)..edge(index + 1)]).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn script(text: &str) -> Script {
        let mut script = Script::default();
        script.apply(text).unwrap();
        script
    }

    fn ask(body: &str) -> Ask<'_> {
        serde_json::from_str(body).unwrap()
    }

    #[test]
    fn echo_says_the_users_words_and_a_size_overrides_them() {
        let ask = ask(r#"{"model":"mock/echo","prompt":"hello there"}"#);
        assert_eq!(Answer::compose(&ask, &Script::default(), 1).text, "hello there");
        assert_eq!(Answer::compose(&ask, &script("reply_bytes=1000"), 1).text.len(), 1000);
    }

    #[test]
    fn tokens_set_the_usage_and_the_number_of_words() {
        let ask = ask(r#"{"model":"bench"}"#);
        let answer = Answer::compose(&ask, &script("tokens=12"), 1);
        assert_eq!(answer.completion_tokens, 12);
        assert_eq!(answer.text.split_whitespace().count(), 12);
    }

    #[test]
    fn pieces_join_to_the_text_and_never_split_a_character() {
        let text = "naïve café, 東京";
        for count in 1..30 {
            let pieces = cut(text, count);
            assert_eq!((pieces.len(), pieces.concat().as_str()), (count, text));
        }
    }

    #[test]
    fn every_body_is_json() {
        let ask = ask(r#"{"model":"echo","prompt":"say \"hi\"\n"}"#);
        let answer = Answer::compose(&ask, &Script::default(), 3);
        let bodies = [
            answer.chat(),
            answer.completion(),
            answer.response(true),
            answer.response(false),
            moderation(1, "echo"),
            models(),
        ];
        for body in bodies {
            serde_json::from_str::<serde_json::Value>(&body).expect(&body);
        }
    }
}
