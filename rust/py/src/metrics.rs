//! `llmgw._native`: `Metrics`.

use crate::limiter::open_shared;
use llmgw_core::metrics::{self, Labels, Sample};
use llmgw_core::shm::Shared;
use pyo3::prelude::*;
use std::path::PathBuf;
use std::sync::Arc;

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<Metrics>()?;
    m.add_class::<WorkerMetrics>()
}

#[pyclass(frozen, module = "llmgw._native")]
struct Metrics {
    shared: Arc<Shared>,
}

#[pymethods]
impl Metrics {
    #[new]
    #[pyo3(signature = (path = None))]
    fn new(py: Python<'_>, path: Option<PathBuf>) -> PyResult<Self> {
        Ok(Metrics { shared: py.detach(|| open_shared(path))? })
    }

    fn render(&self, py: Python<'_>) -> String {
        py.detach(|| metrics::render(&self.shared))
    }

    fn worker(&self, index: usize) -> WorkerMetrics {
        WorkerMetrics { metrics: metrics::Metrics::new(Arc::clone(&self.shared), index) }
    }
}

#[pyclass(frozen, module = "llmgw._native")]
struct WorkerMetrics {
    metrics: metrics::Metrics,
}

#[pymethods]
impl WorkerMetrics {
    fn enter(&self) {
        self.metrics.enter();
    }

    fn leave(&self) {
        self.metrics.leave();
    }

    fn record(&self, endpoint: &str, model: &str, key: &str, status: u16, total_ns: u64) {
        let labels = Labels { endpoint, model, provider: "", deployment: "", key, status };
        self.metrics.record(&labels, &Sample { total_ns, ..Sample::default() });
    }
}
