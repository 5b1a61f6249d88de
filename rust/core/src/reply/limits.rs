//! The head lines that show the state of limits, as OpenAI's and Anthropic's SDKs look for them.

use super::{HeadWriter, push_number};
use crate::budget::date;
use crate::limiter::Decision;
use llmgw_formats::Kind;
use std::time::{Duration, SystemTime};

/// The three headers that show the state of a limit.
struct Names {
    limit: &'static str,
    remaining: &'static str,
    reset: &'static str,
}

/// Of requests and of tokens, as OpenAI names them.
const OPENAI: [Names; 2] = [
    Names {
        limit: "x-ratelimit-limit-requests",
        remaining: "x-ratelimit-remaining-requests",
        reset: "x-ratelimit-reset-requests",
    },
    Names {
        limit: "x-ratelimit-limit-tokens",
        remaining: "x-ratelimit-remaining-tokens",
        reset: "x-ratelimit-reset-tokens",
    },
];

/// The same as Anthropic names them; the reset is a time there, and no duration.
const ANTHROPIC: [Names; 2] = [
    Names {
        limit: "anthropic-ratelimit-requests-limit",
        remaining: "anthropic-ratelimit-requests-remaining",
        reset: "anthropic-ratelimit-requests-reset",
    },
    Names {
        limit: "anthropic-ratelimit-tokens-limit",
        remaining: "anthropic-ratelimit-tokens-remaining",
        reset: "anthropic-ratelimit-tokens-reset",
    },
];

impl HeadWriter {
    /// Adds the state of limits of requests and of tokens: as OpenAI names them, and as Anthropic does if the
    /// client speaks its dialect.
    pub fn rate_limits(&mut self, states: &[Option<Decision>; 2], dialect: Kind) -> &mut Self {
        for (index, state) in states.iter().enumerate() {
            let Some(state) = state else { continue };
            let mut reset = Vec::with_capacity(24);
            push_go_duration(&mut reset, state.reset);
            self.rate_limit(&OPENAI[index], state, &reset);
            if dialect == Kind::AnthropicMessages {
                let at = SystemTime::now() + state.reset;
                self.rate_limit(&ANTHROPIC[index], state, rfc_3339(at).as_bytes());
            }
        }
        self
    }

    fn rate_limit(&mut self, names: &Names, state: &Decision, reset: &[u8]) {
        self.number(names.limit, state.limit);
        self.number(names.remaining, state.remaining);
        self.header(names.reset, reset);
    }
}

/// A time to the second, rounded up.
fn rfc_3339(time: SystemTime) -> String {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let second = since.as_secs() + u64::from(since.subsec_nanos() > 0);
    let (year, month, day) = date(second);
    let (hour, minute) = (second / 3600 % 24, second / 60 % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{:02}Z", second % 60)
}

/// Writes a duration the way Go prints it, as OpenAI's headers do: `12ms`, `1.5s`, `6m0s`.
fn push_go_duration(out: &mut Vec<u8>, duration: Duration) {
    let milliseconds = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    if milliseconds < 1000 {
        push_number(out, milliseconds);
        out.extend_from_slice(b"ms");
        return;
    }
    let seconds = milliseconds / 1000;
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    if hours > 0 {
        push_number(out, hours);
        out.push(b'h');
    }
    if hours > 0 || minutes > 0 {
        push_number(out, minutes);
        out.push(b'm');
    }
    push_number(out, seconds % 60);
    let fraction = milliseconds % 1000;
    if fraction > 0 {
        let digits =
            [fraction / 100, fraction / 10 % 10, fraction % 10].map(|digit| b'0' + digit as u8);
        let used = if fraction % 100 == 0 {
            1
        } else if fraction % 10 == 0 {
            2
        } else {
            3
        };
        out.push(b'.');
        out.extend_from_slice(&digits[..used]);
    }
    out.push(b's');
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn durations_read_as_go_prints_them() {
        for (milliseconds, text) in [
            (0, "0ms"),
            (12, "12ms"),
            (1000, "1s"),
            (1500, "1.5s"),
            (1025, "1.025s"),
            (360_000, "6m0s"),
            (3_661_000, "1h1m1s"),
            (3_600_000, "1h0m0s"),
        ] {
            let mut out = Vec::new();
            push_go_duration(&mut out, Duration::from_millis(milliseconds));
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }

    #[test]
    fn times_are_told_to_the_second_in_utc() {
        let time = |nanos| SystemTime::UNIX_EPOCH + Duration::from_nanos(nanos);
        assert_eq!(rfc_3339(time(1_709_212_455_000_000_000)), "2024-02-29T13:14:15Z");
        assert_eq!(rfc_3339(time(1_709_251_199_000_000_001)), "2024-03-01T00:00:00Z");
    }

    #[test]
    fn a_client_of_anthropic_gets_both_names() {
        let second = Duration::from_secs(1);
        let state = Decision {
            allowed: true,
            limit: 5,
            remaining: 4,
            reset: second,
            retry_after: Duration::ZERO,
        };
        let mut head = HeadWriter::default();
        head.begin(200, "r").rate_limits(&[Some(state), None], Kind::AnthropicMessages);
        let text = String::from_utf8(head.text.clone()).unwrap();
        for line in [
            "x-ratelimit-remaining-requests: 4",
            "x-ratelimit-reset-requests: 1s",
            "anthropic-ratelimit-requests-limit: 5",
            "anthropic-ratelimit-requests-remaining: 4",
            "anthropic-ratelimit-requests-reset: 2",
        ] {
            assert!(text.contains(line), "{line}");
        }
        assert!(!text.contains("tokens"));
    }
}
