//! What has to hold whatever the bytes, as in `rust/formats/tests/fuzzed`.
#![allow(dead_code)] // the fuzzer and the replay take different parts

mod journal;
mod jwt;
mod object;
mod relay;

use crate::corpus::Target;

/// All of them.
pub fn targets() -> Vec<Target> {
    vec![
        Target::new("journal", journal::check),
        Target::new("jwt", jwt::check),
        Target::new("object", object::check),
        Target::new("relay", relay::check),
    ]
}
