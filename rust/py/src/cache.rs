//! `llmgw._native`: `Cache` and `request_key`.

use bytes::Bytes;
use llmgw_core::cache::{self, CacheKey};
use llmgw_core::limiter::monotonic_ns;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Bodies from this size on, in bytes, take longer to hash than the GIL takes to hand over.
const DETACH_FROM: usize = 16 << 10;

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<Cache>()?;
    m.add_function(wrap_pyfunction!(request_key, m)?)
}

#[pyfunction]
fn request_key<'py>(
    py: Python<'py>,
    scope: Vec<Vec<u8>>,
    body: &[u8],
) -> Option<Bound<'py, PyBytes>> {
    let scope: Vec<&[u8]> = scope.iter().map(Vec::as_slice).collect();
    let key = if body.len() < DETACH_FROM {
        cache::request_key(&scope, body)
    } else {
        py.detach(|| cache::request_key(&scope, body))
    };
    key.map(|key| PyBytes::new(py, &key))
}

#[pyclass(frozen, module = "llmgw._native")]
struct Cache {
    cache: Mutex<cache::Cache<Bytes>>,
}

impl Cache {
    /// The cache; what a panicking thread left behind is still a cache.
    fn lock(&self) -> MutexGuard<'_, cache::Cache<Bytes>> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl Cache {
    #[new]
    fn new(max_bytes: usize, ttl: f64) -> PyResult<Self> {
        let lifetime = Duration::try_from_secs_f64(ttl)
            .map_err(|_| PyValueError::new_err(format!("no lifetime of {ttl} seconds")))?;
        Ok(Cache { cache: Mutex::new(cache::Cache::new(max_bytes, lifetime)) })
    }

    fn get<'py>(&self, py: Python<'py>, key: &[u8]) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let key = cache_key(key)?;
        Ok(self.lock().get(&key, monotonic_ns()).map(|value| PyBytes::new(py, value)))
    }

    fn put(&self, key: &[u8], value: &[u8]) -> PyResult<bool> {
        let key = cache_key(key)?;
        Ok(self.lock().put(key, Bytes::copy_from_slice(value), monotonic_ns()))
    }

    fn clear(&self) {
        self.lock().clear();
    }

    #[getter]
    fn held_bytes(&self) -> usize {
        self.lock().bytes()
    }

    fn __len__(&self) -> usize {
        self.lock().len()
    }
}

fn cache_key(key: &[u8]) -> PyResult<CacheKey> {
    key.try_into()
        .map_err(|_| PyValueError::new_err(format!("a key of {} bytes, not 32", key.len())))
}
