//! `llmgw._native`: `PatternSet`, `PatternStream` and `PiiScanner`.

use llmgw_core::pii::Scanner;
use llmgw_core::scan::{self, Choice, Pattern, ScanError};
use pyo3::exceptions::{PyOverflowError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use std::sync::{Mutex, PoisonError};

/// Inputs longer than this are scanned without the GIL: below, letting go costs more than scanning.
const DETACH_BYTES: usize = 4096;

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<PatternSet>()?;
    m.add_class::<PatternStream>()?;
    m.add_class::<PiiScanner>()
}

fn to_python(error: ScanError) -> PyErr {
    let message = error.to_string();
    match error {
        ScanError::Pattern { .. } | ScanError::Engine(_) => PyValueError::new_err(message),
        ScanError::TooManyMatches | ScanError::TooLong => PyOverflowError::new_err(message),
    }
}

fn choice(name: &str) -> PyResult<Choice> {
    Choice::from_name(name).ok_or_else(|| {
        PyValueError::new_err(format!("engine {name:?}: say 'auto', 'hyperscan' or 'rust'"))
    })
}

/// Runs `f` over `data`, without the GIL if that takes long.
fn over<R: Send>(
    py: Python<'_>,
    data: &[u8],
    f: impl FnOnce() -> Result<R, ScanError> + Send,
) -> PyResult<R> {
    let outcome = if data.len() > DETACH_BYTES { py.detach(f) } else { f() };
    outcome.map_err(to_python)
}

#[pyclass(frozen, module = "llmgw._native")]
struct PatternSet {
    set: scan::PatternSet,
}

#[pymethods]
impl PatternSet {
    #[new]
    #[pyo3(signature = (patterns, engine = "auto"))]
    fn new(py: Python<'_>, patterns: Vec<(u32, String)>, engine: &str) -> PyResult<Self> {
        let choice = choice(engine)?;
        let patterns: Vec<Pattern> =
            patterns.into_iter().map(|(id, expression)| Pattern::new(id, expression)).collect();
        let set = py.detach(|| scan::PatternSet::compile(&patterns, choice)).map_err(to_python)?;
        Ok(PatternSet { set })
    }

    #[getter]
    fn engine(&self) -> &'static str {
        self.set.engine()
    }

    fn scan(&self, py: Python<'_>, data: &[u8]) -> PyResult<Vec<(u32, usize, usize)>> {
        let spans = over(py, data, || {
            let mut spans = Vec::new();
            self.set.spans(data, &mut spans).map(|()| spans)
        })?;
        Ok(spans.into_iter().map(|span| (span.id, span.start, span.end)).collect())
    }

    fn stream(&self, py: Python<'_>) -> PyResult<PatternStream> {
        let stream = py.detach(|| self.set.open()).map_err(to_python)?;
        Ok(PatternStream { stream: Mutex::new(Some(stream)) })
    }
}

#[pyclass(frozen, module = "llmgw._native")]
struct PatternStream {
    stream: Mutex<Option<scan::Stream>>,
}

#[pymethods]
impl PatternStream {
    fn feed(&self, py: Python<'_>, data: &[u8]) -> PyResult<Vec<(u32, u64)>> {
        // Taken out while it scans: a failed stream stays closed, and no lock is held over the GIL.
        let mut stream = self.take()?;
        let (stream, ends) = over(py, data, move || {
            let mut ends = Vec::new();
            stream.feed(data, &mut ends).map(|()| (stream, ends))
        })?;
        *self.stream.lock().unwrap_or_else(PoisonError::into_inner) = Some(stream);
        Ok(ends.into_iter().map(|end| (end.pattern, end.offset)).collect())
    }

    fn close(&self) -> PyResult<Vec<(u32, u64)>> {
        let mut ends = Vec::new();
        self.take()?.close(&mut ends).map_err(to_python)?;
        Ok(ends.into_iter().map(|end| (end.pattern, end.offset)).collect())
    }
}

impl PatternStream {
    fn take(&self) -> PyResult<scan::Stream> {
        let stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner).take();
        stream.ok_or_else(|| PyRuntimeError::new_err("the stream is closed, failed or in use"))
    }
}

#[pyclass(frozen, module = "llmgw._native")]
struct PiiScanner {
    scanner: Scanner,
}

#[pymethods]
impl PiiScanner {
    #[new]
    #[pyo3(signature = (engine = "auto"))]
    fn new(py: Python<'_>, engine: &str) -> PyResult<Self> {
        let choice = choice(engine)?;
        let scanner = py.detach(|| Scanner::new(choice)).map_err(to_python)?;
        Ok(PiiScanner { scanner })
    }

    #[getter]
    fn engine(&self) -> &'static str {
        self.scanner.engine()
    }

    fn scan(&self, py: Python<'_>, text: &[u8]) -> PyResult<Vec<(&'static str, u32, u32, f32)>> {
        let findings = over(py, text, || {
            let mut findings = Vec::new();
            self.scanner.scan(text, &mut findings).map(|()| findings)
        })?;
        Ok(findings.into_iter().map(|f| (f.kind, f.start, f.end, f.score)).collect())
    }
}
