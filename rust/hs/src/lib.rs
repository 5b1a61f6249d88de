//! A small binding to Hyperscan 5.4 (block and streaming mode).
