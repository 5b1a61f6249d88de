//! `llmgw._native`: `PriceList`, for what is priced once more.

use llmgw_core::price::{self, Amounts};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<PriceList>()
}

#[pyclass(frozen, module = "llmgw._native")]
struct PriceList {
    list: price::PriceList,
}

#[pymethods]
impl PriceList {
    #[new]
    fn new(price: &[u8]) -> PyResult<Self> {
        let price = price::read(price).map_err(PyValueError::new_err)?;
        Ok(PriceList { list: price::PriceList::new(price) })
    }

    #[getter]
    fn source(&self) -> &str {
        &self.list.source
    }

    #[pyo3(signature = (used, served, tier = None))]
    fn cost(&self, used: Amounts, served: Amounts, tier: Option<&str>) -> (u64, &'static str) {
        let cost = self.list.cost_again(&used, &served, tier);
        (cost.nano_dollars, cost.status.name())
    }
}
