//! `llmgw._native`: the list of what crosses from Rust to Python.

use pyo3::prelude::*;

mod bench;
mod budget;
mod cache;
mod directory;
mod gateway;
mod journal;
mod limiter;
mod metrics;
mod price;
mod scan;
mod tokens;

/// Short-lived buffers of many sizes: cheaper than the system's allocator, and what is free goes back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[pymodule]
fn _native(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add("__version__", env!("CARGO_PKG_VERSION"))?;
    m.add("DEBUG_BUILD", cfg!(debug_assertions))?;
    tokens::register(m)?;
    scan::register(m)?;
    cache::register(m)?;
    limiter::register(m)?;
    journal::register(m)?;
    metrics::register(m)?;
    price::register(m)?;
    directory::register(m)?;
    gateway::register(m)?;
    budget::register(m)?;
    bench::register(m)
}
