//! Token counting for Python: `count_tokens`, `token_family`, `is_exact_family`.

use llmgw_core::tokens::{self, Family};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Texts from this size on, in bytes, take longer to count than the GIL takes to hand over.
const DETACH_FROM: usize = 8192;

#[pyfunction]
#[pyo3(signature = (text, family = "o200k"))]
fn count_tokens(py: Python<'_>, text: &str, family: &str) -> PyResult<usize> {
    let family = named(family)?;
    if text.len() < DETACH_FROM {
        return Ok(tokens::count(family, text));
    }
    Ok(py.detach(|| tokens::count(family, text)))
}

#[pyfunction]
fn token_family(model: &str) -> &'static str {
    Family::for_model(model).name()
}

#[pyfunction]
fn is_exact_family(name: &str) -> PyResult<bool> {
    named(name).map(Family::is_exact)
}

fn named(name: &str) -> PyResult<Family> {
    Family::from_name(name).ok_or_else(|| {
        let known = Family::ALL.map(Family::name).join(", ");
        PyValueError::new_err(format!("no token family {name:?}; the known ones are {known}"))
    })
}

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(count_tokens, m)?)?;
    m.add_function(wrap_pyfunction!(token_family, m)?)?;
    m.add_function(wrap_pyfunction!(is_exact_family, m)?)
}
