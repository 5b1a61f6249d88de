//! `llmgw._native`: which row of the budgets is meant, and which window.

use llmgw_core::budget::{self, Budgets, Span};
use llmgw_core::limits;
use llmgw_core::shm::Shared;
use llmgw_core::snapshot::{BudgetWindow, Rules};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::sync::Arc;

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(budget_slot, m)?)?;
    m.add_function(wrap_pyfunction!(budget_window, m)?)?;
    m.add_function(wrap_pyfunction!(check_rules, m)?)
}

#[pyfunction]
fn budget_slot(node_id: &str, name: &str) -> String {
    hex(limits::budget_slot(node_id, name))
}

#[pyfunction]
fn budget_window(rule_window_json: &str, at_us: u64) -> PyResult<(u64, u64, Option<u64>)> {
    let window = BudgetWindow::from_json(rule_window_json).map_err(PyValueError::new_err)?;
    let Span { number, starts, ends } = budget::span(window, at_us);
    let microseconds = |second: u64| second.saturating_mul(1_000_000);
    Ok((number, microseconds(starts), (ends != u64::MAX).then(|| microseconds(ends))))
}

#[pyfunction]
fn check_rules(rules_json: &str) -> PyResult<()> {
    let rules = Rules::from_json(rules_json).map_err(PyValueError::new_err)?;
    limits::Charges::new(&rules).map(drop).map_err(PyValueError::new_err)
}

/// The budgets in shared memory, as the bookkeeper sees them.
pub(crate) fn all(shared: &Arc<Shared>) -> Vec<(String, u64, u64)> {
    let all = Budgets::new(shared.clone()).all();
    all.into_iter().map(|(slot, window, nano)| (hex(slot), window, nano)).collect()
}

/// Adds what was committed before this machine counted.
pub(crate) fn restore(shared: &Arc<Shared>, slot: &str, window: u64, nano: u64) -> PyResult<bool> {
    Ok(Budgets::new(shared.clone()).restore(from_hex(slot)?, window, nano))
}

/// Corrects what is committed in a window; none if that is over.
pub(crate) fn shift(
    shared: &Arc<Shared>,
    slot: &str,
    window: u64,
    delta: i64,
) -> PyResult<Option<u64>> {
    Ok(Budgets::new(shared.clone()).shift(from_hex(slot)?, window, delta))
}

fn hex(slot: u64) -> String {
    format!("{slot:016x}")
}

fn from_hex(text: &str) -> PyResult<u64> {
    let slot = u64::from_str_radix(text, 16).ok().filter(|slot| *slot > 0);
    slot.ok_or_else(|| PyValueError::new_err("a budget's slot is 16 hex digits"))
}
