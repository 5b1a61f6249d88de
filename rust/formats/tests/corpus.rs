//! What the fuzzer kept still holds. `make fuzz` goes on from there.

mod common;
mod fuzzed;

use common::corpus::Target;

#[test]
fn every_kept_input_keeps_its_promise() {
    let failed: Vec<String> = fuzzed::targets().iter().flat_map(Target::replay).collect();
    assert!(failed.is_empty(), "{failed:#?}");
}
