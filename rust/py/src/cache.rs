//! `llmgw._native`: `Cache` and `request_key`.

use llmgw_core::cache::{self, CacheKey, Weigh};
use llmgw_core::limiter::monotonic_ns;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Bodies from this size on, in bytes, take longer to hash than the GIL takes to hand over.
const DETACH_FROM: usize = 16 << 10;
/// What a bytes object takes besides its bytes.
const OBJECT: usize = 33;

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

/// A value is kept as the object that was put: getting it copies nothing.
struct Kept {
    value: Py<PyBytes>,
    length: usize,
}

impl Weigh for Kept {
    fn weight(&self) -> usize {
        self.length + OBJECT
    }
}

#[pyclass(frozen, module = "llmgw._native")]
struct Cache {
    cache: Mutex<cache::Cache<Kept>>,
}

impl Cache {
    /// The cache; what a panicking thread left behind is still a cache.
    fn lock(&self) -> MutexGuard<'_, cache::Cache<Kept>> {
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

    fn get(&self, py: Python<'_>, key: &[u8]) -> PyResult<Option<Py<PyBytes>>> {
        let key = cache_key(key)?;
        Ok(self.lock().get(&key, monotonic_ns()).map(|kept| kept.value.clone_ref(py)))
    }

    fn put(&self, key: &[u8], value: &Bound<'_, PyBytes>) -> PyResult<bool> {
        let key = cache_key(key)?;
        let kept = Kept { length: value.as_bytes().len(), value: value.clone().unbind() };
        Ok(self.lock().put(key, kept, monotonic_ns()))
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
