//! The mock upstream and the load generator, as the benchmark and the tests use them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use llmgw_core::load::{self, Histogram, Plan, Report, Until};
use llmgw_core::mock::Background;
use pyo3::exceptions::PyValueError;
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

/// Times noted during a load run, in seconds.
#[pyclass(frozen, module = "llmgw._native", name = "LoadTimes")]
struct Times(Histogram);

#[pymethods]
impl Times {
    #[getter]
    fn count(&self) -> u64 {
        self.0.count()
    }

    #[getter]
    fn mean(&self) -> Option<f64> {
        self.0.mean().map(|time| time.as_secs_f64())
    }

    #[getter]
    fn min(&self) -> Option<f64> {
        self.0.min().map(|time| time.as_secs_f64())
    }

    #[getter]
    fn max(&self) -> Option<f64> {
        self.0.max().map(|time| time.as_secs_f64())
    }

    fn percentile(&self, percent: f64) -> Option<f64> {
        self.0.percentile(percent).map(|time| time.as_secs_f64())
    }
}

/// What a load run saw.
#[pyclass(frozen, module = "llmgw._native", name = "LoadReport", get_all)]
struct PyReport {
    seconds: f64,
    requests: u64,
    statuses: BTreeMap<u16, u64>,
    errors: BTreeMap<&'static str, u64>,
    bytes: u64,
    events: u64,
    latency: Py<Times>,
    first_byte: Py<Times>,
    gap: Py<Times>,
    metered: f64,
}

impl PyReport {
    fn wrap(py: Python<'_>, report: Report) -> PyResult<Self> {
        Ok(PyReport {
            seconds: report.seconds,
            requests: report.requests,
            statuses: report.statuses,
            errors: report.errors,
            bytes: report.bytes,
            events: report.events,
            latency: Py::new(py, Times(report.latency))?,
            first_byte: Py::new(py, Times(report.first_byte))?,
            gap: Py::new(py, Times(report.gap))?,
            metered: report.metered,
        })
    }
}

#[pyfunction]
#[pyo3(signature = (host, port, request, *, connections=1, seconds=None, requests=None, warm_up=0.0, rate=None, stamp=None, timeout=30.0, meter=None))]
#[allow(clippy::too_many_arguments)] // named one by one, for the caller's sake
fn run_load(
    py: Python<'_>,
    host: &str,
    port: u16,
    request: Vec<u8>,
    connections: usize,
    seconds: Option<f64>,
    requests: Option<u64>,
    warm_up: f64,
    rate: Option<f64>,
    stamp: Option<usize>,
    timeout: f64,
    meter: Option<Py<PyAny>>,
) -> PyResult<PyReport> {
    let until = match (seconds, requests) {
        (Some(seconds), None) => Until::Elapsed(duration(seconds)?),
        (None, Some(requests)) => Until::Requests(requests),
        _ => return Err(PyValueError::new_err("give either seconds or requests")),
    };
    let host = host.parse().map_err(|_| PyValueError::new_err("the host must be an IP address"))?;
    let plan = Plan {
        address: SocketAddr::new(host, port),
        request,
        stamp,
        connections,
        until,
        warm_up: duration(warm_up)?,
        rate,
        timeout: duration(timeout)?,
    };
    plan.check().map_err(PyValueError::new_err)?;
    let read = || match &meter {
        Some(meter) => Python::attach(|py| meter.call0(py)?.extract(py)),
        None => Ok(0.0),
    };
    let report = py.detach(|| load::run::<PyErr>(plan, read))?;
    PyReport::wrap(py, report)
}

fn duration(seconds: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(seconds).map_err(|error| PyValueError::new_err(error.to_string()))
}

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<MockUpstream>()?;
    m.add_class::<Times>()?;
    m.add_class::<PyReport>()?;
    m.add("LOAD_STAMP_DIGITS", load::STAMP_DIGITS)?;
    m.add_function(wrap_pyfunction!(run_load, m)?)
}
