//! What a mock reply shall be like, as written in a model's query part or in the `x-mock-script` header.

use std::time::Duration;

/// Bounds, because with the model `mock/*` it is a gateway's client who writes the script.
const LARGEST_TEXT: usize = 16 * 1024 * 1024;
const MOST_PIECES: usize = 65_536;
const LONGEST_WAIT_MS: u64 = 3_600_000;

/// The behaviour asked for: `delay_ms=200&interval_ms=10&chunks=64`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// `delay_ms`: wait before the reply's head.
    pub delay: Duration,
    /// `interval_ms`: wait before each piece of text of a stream. Without it the stream is one write; at 0 each event is a write.
    pub interval: Option<Duration>,
    /// `chunks`: the number of pieces the text of a stream comes in.
    pub chunks: Option<usize>,
    /// `chunk_bytes`: the size of each of these pieces.
    pub chunk_bytes: Option<usize>,
    /// `status`: answer with an error of this status.
    pub status: Option<u16>,
    /// `retry_after`: send this many seconds in `retry-after` with an error.
    pub retry_after: Option<u64>,
    /// `fail_every`: fail only every n-th request of this script.
    pub fail_every: Option<u64>,
    /// `truncate_after`: close the connection after this many events of a stream.
    pub truncate_after: Option<usize>,
    /// `reply_bytes`: the size of the reply's text.
    pub reply_bytes: Option<usize>,
    /// `tokens`: the completion tokens reported, and words said when no size is given.
    pub tokens: Option<usize>,
}

impl Script {
    /// Adds what `text` says to the script; the error names the part that cannot be read, or is too much.
    pub fn apply(&mut self, text: &str) -> Result<(), String> {
        text.split('&').filter(|part| !part.is_empty()).try_for_each(|part| self.set(part))?;
        match self.text_bytes() {
            Some(bytes) if bytes > LARGEST_TEXT => {
                Err(format!("The mock upstream says at most {LARGEST_TEXT} bytes."))
            }
            _ => Ok(()),
        }
    }

    fn set(&mut self, part: &str) -> Result<(), String> {
        let unreadable = || format!("The mock upstream cannot read {part:?} in its script.");
        let (key, value) = part.split_once('=').ok_or_else(unreadable)?;
        let number: u64 = value.parse().map_err(|_| unreadable())?;
        let up_to = |most| at_most(number, most).ok_or_else(unreadable);
        match key {
            "delay_ms" => self.delay = wait(number).ok_or_else(unreadable)?,
            "interval_ms" => self.interval = Some(wait(number).ok_or_else(unreadable)?),
            "chunks" => self.chunks = Some(up_to(MOST_PIECES)?),
            "chunk_bytes" => self.chunk_bytes = Some(up_to(LARGEST_TEXT)?),
            "status" => self.status = Some(status(number).ok_or_else(unreadable)?),
            "retry_after" => self.retry_after = Some(number),
            "fail_every" => self.fail_every = Some(number),
            "truncate_after" => self.truncate_after = Some(up_to(MOST_PIECES)?),
            "reply_bytes" => self.reply_bytes = Some(up_to(LARGEST_TEXT)?),
            "tokens" => self.tokens = Some(up_to(LARGEST_TEXT / 8)?),
            _ => return Err(unreadable()),
        }
        Ok(())
    }

    /// The size of the text, when the script sets one.
    #[must_use]
    pub fn text_bytes(&self) -> Option<usize> {
        let in_chunks = || Some(self.chunks?.saturating_mul(self.chunk_bytes?));
        self.reply_bytes.or_else(in_chunks)
    }
}

fn at_most(number: u64, most: usize) -> Option<usize> {
    usize::try_from(number).ok().filter(|size| *size <= most)
}

fn wait(millis: u64) -> Option<Duration> {
    (millis <= LONGEST_WAIT_MS).then(|| Duration::from_millis(millis))
}

fn status(number: u64) -> Option<u16> {
    u16::try_from(number).ok().filter(|status| (400..600).contains(status))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn later_parts_win_over_earlier_ones() {
        let mut script = Script::default();
        script.apply("delay_ms=200&chunks=3").unwrap();
        script.apply("chunks=4&chunk_bytes=10").unwrap();
        assert_eq!(script.delay, Duration::from_millis(200));
        assert_eq!(script.text_bytes(), Some(40));
    }

    #[test]
    fn an_unknown_or_unreadable_part_is_named() {
        for text in ["speed=3", "chunks=many", "status=200", "chunks"] {
            let error = Script::default().apply(text).unwrap_err();
            assert!(error.contains(text), "{error}");
        }
    }

    #[test]
    fn no_script_can_ask_for_more_than_the_process_can_bear() {
        let greedy = [
            "reply_bytes=18446744073709551615",
            "chunks=1000000",
            "chunks=60000&chunk_bytes=60000",
            "tokens=99999999999",
            "delay_ms=18446744073709551615",
        ];
        for text in greedy {
            assert!(Script::default().apply(text).is_err(), "{text}");
        }
    }
}
