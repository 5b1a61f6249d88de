//! Finds libhs (Hyperscan 5.4) with pkg-config.
fn main() {}
