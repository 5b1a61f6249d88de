//! What the fuzzer kept still holds. `make fuzz` goes on from there.

#[path = "../../formats/tests/common/corpus.rs"]
mod corpus;
mod fuzzed;

use corpus::Target;

#[test]
fn every_kept_input_keeps_its_promise() {
    let failed: Vec<String> = fuzzed::targets().iter().flat_map(Target::replay).collect();
    assert!(failed.is_empty(), "{failed:#?}");
}
