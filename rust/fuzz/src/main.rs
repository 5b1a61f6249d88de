//! libFuzzer at one of the targets: the one that `LLMGW_FUZZ_TARGET` names.
//!
//! One program for all of them, since they share what takes long to build. `make fuzz` runs it.
#![no_main]

#[path = "../../formats/tests/common/mod.rs"]
mod common;
#[path = "../../core/tests/fuzzed/mod.rs"]
mod core;
#[path = "../../formats/tests/fuzzed/mod.rs"]
mod formats;

mod mutate;
mod words;

use common::corpus::{self, Target};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use std::sync::OnceLock;

static TARGET: OnceLock<Target> = OnceLock::new();

fn target() -> &'static Target {
    TARGET.get_or_init(|| {
        let name = std::env::var("LLMGW_FUZZ_TARGET").unwrap_or_default();
        let mut all = formats::targets();
        all.extend(core::targets());
        let names: Vec<String> = all.iter().map(|target| target.name.clone()).collect();
        all.into_iter()
            .find(|target| target.name == name)
            .unwrap_or_else(|| panic!("LLMGW_FUZZ_TARGET must be one of: {}", names.join(" ")))
    })
}

fuzz_target!(|data: &[u8]| target().check(data));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate::mutate(&target().name, data, size, max_size, seed)
});
