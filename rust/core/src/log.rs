//! What operators should hear of from the core: one JSON object a line on standard error, as Python logs.

use serde_json::{Map, Value};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::SystemTime;

/// Lines a second; what a storm of failures says beyond that is counted, not written.
const MOST_A_SECOND: u64 = 20;

/// Writes lines, and fewer of them in a storm.
#[derive(Default)]
pub struct Log {
    second: AtomicU64,
    written: AtomicU64,
    dropped: AtomicU64,
}

impl Log {
    /// Writes a warning. Values must hold neither keys nor prompts.
    pub fn warn(&self, event: &str, fields: &[(&str, &str)]) {
        let now = SystemTime::now();
        let second = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs());
        if let Some(dropped) = self.admit(second) {
            let line = line(event, fields, dropped, now);
            // Nobody is left to be told if standard error is gone.
            let _ = std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes());
        }
    }

    /// Whether a line may be written in this second, and how many were not since the last one.
    fn admit(&self, second: u64) -> Option<u64> {
        if self.second.swap(second, Relaxed) != second {
            self.written.store(0, Relaxed);
        }
        if self.written.fetch_add(1, Relaxed) >= MOST_A_SECOND {
            self.dropped.fetch_add(1, Relaxed);
            return None;
        }
        Some(self.dropped.swap(0, Relaxed))
    }
}

fn line(event: &str, fields: &[(&str, &str)], dropped: u64, now: SystemTime) -> String {
    let mut object = Map::new();
    object.insert("event".into(), event.into());
    object.insert("level".into(), "warning".into());
    object.extend(fields.iter().map(|&(name, value)| (name.to_owned(), Value::from(value))));
    if dropped > 0 {
        object.insert("dropped_before".into(), dropped.into());
    }
    object.insert("timestamp".into(), httpdate::fmt_http_date(now).into());
    format!("{}\n", Value::Object(object))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storm_is_thinned_and_what_was_left_out_is_counted() {
        let log = Log::default();
        let written = (0..100).filter(|_| log.admit(7).is_some()).count() as u64;
        assert_eq!(written, MOST_A_SECOND);
        assert_eq!(log.admit(8), Some(100 - MOST_A_SECOND));
        assert_eq!(log.admit(8), Some(0));
    }

    #[test]
    fn a_value_cannot_break_out_of_its_line() {
        let text = line("x", &[("reason", "a\n\"b\u{1b}")], 0, SystemTime::UNIX_EPOCH);
        assert_eq!(text.matches('\n').count(), 1);
        assert!(text.contains(r#""reason":"a\n\"b\u001b""#), "{text}");
    }
}
