//! `llmgw._native`: who shows a key, and the directory that keys are read from.

use llmgw_core::directory::{Published, State};
use llmgw_core::plan::{Key, NodeKind};
use pyo3::prelude::*;
use std::sync::Arc;

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<KeyHolder>()?;
    m.add_class::<DirectoryState>()
}

#[pyclass(frozen, module = "llmgw._native")]
pub(crate) struct KeyHolder {
    pub(crate) key: Arc<Key>,
}

impl KeyHolder {
    fn node(&self, kind: NodeKind) -> Option<&str> {
        self.key.nodes.id(kind)
    }
}

#[pymethods]
impl KeyHolder {
    #[getter]
    fn id(&self) -> &str {
        self.key.id()
    }

    #[getter]
    fn alias(&self) -> &str {
        &self.key.alias
    }

    #[getter]
    fn admin(&self) -> bool {
        self.key.admin
    }

    #[getter]
    fn organisation(&self) -> Option<&str> {
        self.node(NodeKind::Organisation)
    }

    #[getter]
    fn team(&self) -> Option<&str> {
        self.node(NodeKind::Team)
    }

    #[getter]
    fn project(&self) -> Option<&str> {
        self.node(NodeKind::Project)
    }

    #[getter]
    fn user(&self) -> Option<&str> {
        self.node(NodeKind::User)
    }

    #[getter]
    fn service_account(&self) -> Option<&str> {
        self.node(NodeKind::ServiceAccount)
    }

    fn __repr__(&self) -> String {
        format!("KeyHolder(id={:?}, admin={})", self.key.id(), self.key.admin)
    }
}

#[pyclass(frozen, get_all, module = "llmgw._native")]
pub(crate) struct DirectoryState {
    file: u64,
    sequence: u64,
    keys: usize,
    nodes: usize,
    error: Option<String>,
    age: Option<f64>,
}

impl From<State> for DirectoryState {
    fn from(state: State) -> Self {
        let age = state.age().map(|age| age.as_secs_f64());
        let State { file, sequence, keys, nodes, error, .. } = state;
        DirectoryState { file, sequence, keys, nodes, error, age }
    }
}

/// What was published, as Python has it.
pub(crate) fn as_tuple(published: Published) -> (u64, u64) {
    (published.file, published.length)
}
