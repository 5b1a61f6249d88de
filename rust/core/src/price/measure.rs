//! What is served beside tokens, measured off a request and its reply.

use super::Served;
use crate::json::{self, Token};
use crate::snapshot::Operation;

impl Served {
    /// Of a request and, if it is at hand, its whole reply. What cannot be measured stays unknown.
    #[must_use]
    pub fn of(operation: Operation, request: &[u8], reply: Option<&[u8]>) -> Self {
        let none = Served::default();
        match operation {
            Operation::ImagesGenerations | Operation::ImagesEdits => {
                Served { images: reply.and_then(|reply| length(within(reply, &["data"])?)), ..none }
            }
            Operation::AudioTranscriptions | Operation::AudioTranslations => {
                Served { milliseconds_heard: reply.and_then(heard), ..none }
            }
            Operation::AudioSpeech => Served { characters: spoken(request), ..none },
            Operation::Rerank => Served { queries: reply.and_then(searches), ..none },
            _ => none,
        }
    }
}

/// The seconds of sound that transcriptions tell, as usage or as the length of the recording.
fn heard(reply: &[u8]) -> Option<u64> {
    let places = [&["usage", "seconds"][..], &["usage", "prompt_audio_seconds"], &["duration"]];
    let seconds = places.iter().find_map(|place| within(reply, place))?;
    thousandths(seconds)
}

/// The characters of the text to speak.
fn spoken(request: &[u8]) -> Option<u64> {
    let text: String = serde_json::from_slice(within(request, &["input"])?).ok()?;
    u64::try_from(text.chars().count()).ok()
}

/// The searches that Cohere bills.
fn searches(reply: &[u8]) -> Option<u64> {
    let units = within(reply, &["meta", "billed_units", "search_units"])?;
    Some(thousandths(units)?.div_ceil(1000))
}

/// The value at the end of a path of members.
fn within<'t>(text: &'t [u8], path: &[&str]) -> Option<&'t [u8]> {
    path.iter().try_fold(text, |value, name| Some(&value[json::find_member(value, name)?.value]))
}

/// How many things a list holds.
fn length(list: &[u8]) -> Option<u64> {
    let (mut depth, mut count) = (0_usize, 0);
    json::walk(list, |token| match token {
        Token::Open(_) => {
            count += u64::from(depth == 1);
            depth += 1;
        }
        Token::Close => depth = depth.saturating_sub(1),
        Token::Text(_) | Token::Plain(_) => count += u64::from(depth == 1),
        Token::Key(_) => {}
    });
    list.starts_with(b"[").then_some(count)
}

/// Thousandths of a number as it is written (`12`, `12.5`), rounded up; without going by way of a fraction.
fn thousandths(number: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(number).ok()?.trim_matches('"');
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    if !rest.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let digits = rest.bytes().chain(std::iter::repeat(b'0')).take(3);
    let of_rest = digits.fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'));
    let more = rest.bytes().skip(3).any(|digit| digit != b'0');
    whole.parse::<u64>().ok()?.checked_mul(1000)?.checked_add(of_rest + u64::from(more))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_counted_in_the_reply() {
        let reply = br#"{"created":1,"data":[{"url":"a","x":[{}]},{"url":"b"}]}"#;
        let served = Served::of(Operation::ImagesGenerations, b"{}", Some(reply));
        assert_eq!(served.images, Some(2));
    }

    #[test]
    fn seconds_are_told_as_usage_or_as_the_recordings_length() {
        let heard = |reply: &[u8]| {
            Served::of(Operation::AudioTranscriptions, b"", Some(reply)).milliseconds_heard
        };
        assert_eq!(heard(br#"{"usage":{"type":"duration","seconds":3}}"#), Some(3000));
        assert_eq!(heard(br#"{"duration":8.4700003,"text":"Hi"}"#), Some(8471));
        assert_eq!(heard(br#"{"text":"Hi"}"#), None);
        assert_eq!(heard(br#"{"duration":-1}"#), None);
        assert_eq!(heard(br#"{"duration":1e3}"#), None);
    }

    #[test]
    fn characters_are_those_that_are_read_and_not_their_bytes() {
        let request = r#"{"model":"tts","input":"\u00e9a\n"}"#.as_bytes();
        assert_eq!(Served::of(Operation::AudioSpeech, request, None).characters, Some(3));
    }

    #[test]
    fn searches_are_what_is_billed() {
        let reply = br#"{"results":[],"meta":{"billed_units":{"search_units":2.0}}}"#;
        assert_eq!(Served::of(Operation::Rerank, b"{}", Some(reply)).queries, Some(2));
        assert_eq!(Served::of(Operation::Rerank, b"{}", Some(b"{}")).queries, None);
    }
}
