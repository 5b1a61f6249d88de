//! `llmgw._native`: `Limiter`.

use llmgw_core::limiter::{self, Limit, bucket_id, monotonic_ns};
use llmgw_core::shm::Shared;
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<Limiter>()
}

/// The memory at `path`, or memory of this process alone.
pub(crate) fn open_shared(path: Option<PathBuf>) -> PyResult<Arc<Shared>> {
    let shared = match path {
        Some(path) => Shared::open(&path),
        None => Shared::anonymous(),
    };
    shared.map_err(|error| PyOSError::new_err(error.message))
}

#[pyclass(frozen, module = "llmgw._native")]
struct Limiter {
    limiter: limiter::Limiter,
}

#[pymethods]
impl Limiter {
    #[new]
    #[pyo3(signature = (path = None))]
    fn new(py: Python<'_>, path: Option<PathBuf>) -> PyResult<Self> {
        let shared = py.detach(|| open_shared(path))?;
        Ok(Limiter { limiter: limiter::Limiter::new(shared) })
    }

    #[pyo3(signature = (scope, cost, amount, window_seconds, burst = None))]
    fn acquire(
        &self,
        scope: &str,
        cost: u64,
        amount: u64,
        window_seconds: f64,
        burst: Option<u64>,
    ) -> PyResult<(bool, u64, f64)> {
        let limit = limit(amount, window_seconds, burst)?;
        let decision = self.limiter.acquire(bucket_id("", scope), cost, &limit, monotonic_ns());
        Ok((decision.allowed, decision.remaining, decision.retry_after.as_secs_f64()))
    }

    #[pyo3(signature = (scope, delta, amount, window_seconds, burst = None))]
    fn settle(
        &self,
        scope: &str,
        delta: i64,
        amount: u64,
        window_seconds: f64,
        burst: Option<u64>,
    ) -> PyResult<()> {
        let limit = limit(amount, window_seconds, burst)?;
        self.limiter.settle(bucket_id("", scope), delta, &limit, monotonic_ns());
        Ok(())
    }
}

fn limit(amount: u64, window_seconds: f64, burst: Option<u64>) -> PyResult<Limit> {
    let window = Duration::try_from_secs_f64(window_seconds)
        .ok()
        .filter(|window| !window.is_zero())
        .ok_or_else(|| PyValueError::new_err(format!("no window of {window_seconds} seconds")))?;
    Ok(Limit { amount, window, burst: burst.unwrap_or(amount) })
}
