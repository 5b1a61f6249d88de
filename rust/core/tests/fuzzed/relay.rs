//! Streams that are passed on: the client gets the same, and as much is known of it, whatever the chunks.

use bytes::Bytes;
use llmgw_core::sse::{Grammar, Relay};
use llmgw_core::usage::Usage;

const GRAMMARS: [Grammar; 5] =
    [Grammar::Chat, Grammar::Responses, Grammar::Messages, Grammar::Content, Grammar::Media];

/// Bytes of an input that are looked at: more of them make a fuzzer slow and no wiser.
const ENOUGH: usize = 2048;

pub fn check(data: &[u8]) {
    let data = &data[..data.len().min(ENOUGH)];
    for grammar in GRAMMARS {
        for hide_usage in [false, true] {
            let whole = Passed::of(grammar, hide_usage, data, data.len().max(1));
            if !hide_usage {
                assert_eq!(whole.bytes, data, "{grammar:?}");
            }
            for size in [1, 3, 7, data.len().div_ceil(2).max(1)] {
                let cut = Passed::of(grammar, hide_usage, data, size);
                assert_eq!(cut, whole, "{grammar:?} in chunks of {size}");
            }
        }
    }
}

/// What came of a stream.
#[derive(Debug, PartialEq)]
struct Passed {
    bytes: Vec<u8>,
    usage: Option<Usage>,
    finished: bool,
    failed: bool,
}

impl Passed {
    fn of(grammar: Grammar, hide_usage: bool, data: &[u8], size: usize) -> Self {
        let mut relay = Relay::new(grammar, hide_usage);
        let mut bytes = Vec::new();
        for chunk in data.chunks(size) {
            bytes.extend_from_slice(&relay.push(Bytes::copy_from_slice(chunk)));
        }
        bytes.extend_from_slice(&relay.finish());
        Passed {
            bytes,
            usage: relay.usage(),
            finished: relay.is_finished(),
            failed: relay.has_failed(),
        }
    }
}
