//! The mock upstream, as the benchmark and the tests start it.

use llmgw_core::mock::Background;
use pyo3::prelude::*;

/// A mock OpenAI-compatible upstream on 127.0.0.1, on a thread of its own.
#[pyclass(frozen, module = "llmgw._native")]
struct MockUpstream(Background);

#[pymethods]
impl MockUpstream {
    #[new]
    #[pyo3(signature = (port=0))]
    fn new(port: u16) -> PyResult<Self> {
        Ok(MockUpstream(Background::start(port)?))
    }

    #[getter]
    fn port(&self) -> u16 {
        self.0.port()
    }

    #[getter]
    fn connections(&self) -> u64 {
        self.0.seen().connections()
    }

    #[getter]
    fn requests(&self) -> u64 {
        self.0.seen().requests()
    }

    #[getter]
    fn abandoned(&self) -> u64 {
        self.0.seen().abandoned()
    }

    fn stop(&self, py: Python<'_>) {
        py.detach(|| self.0.stop());
    }
}

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<MockUpstream>()
}
