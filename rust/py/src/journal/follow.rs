//! `llmgw._native`: `JournalFollower`.

use super::{Told, positions, told};
use llmgw_core::journal::{Batch, Follower};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// The writer, the sequence, and the payload.
type Record<'py> = (String, u64, Bound<'py, PyBytes>);

#[pyclass(frozen, module = "llmgw._native")]
pub(super) struct JournalFollower {
    follower: Mutex<Follower>,
}

#[pymethods]
impl JournalFollower {
    #[new]
    #[pyo3(signature = (folder, positions = None))]
    fn new(folder: PathBuf, positions: Option<BTreeMap<String, u64>>) -> PyResult<Self> {
        let positions = self::positions(positions)?;
        Ok(JournalFollower { follower: Mutex::new(Follower::new(&folder, positions)) })
    }

    fn read<'py>(&self, py: Python<'py>, most: usize) -> PyResult<FollowedBatch<'py>> {
        let batch = py.detach(|| self.lock().read(most))?;
        Ok(FollowedBatch::of(py, batch))
    }

    #[getter]
    fn ended(&self) -> Vec<String> {
        self.lock().ended().iter().map(ToString::to_string).collect()
    }
}

impl JournalFollower {
    fn lock(&self) -> std::sync::MutexGuard<'_, Follower> {
        self.follower.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What `read` returns: records, findings, whether there is more, and what could not be read.
#[derive(IntoPyObject)]
struct FollowedBatch<'py>(Vec<Record<'py>>, Vec<Told>, bool, Option<String>);

impl<'py> FollowedBatch<'py> {
    fn of(py: Python<'py>, batch: Batch) -> Self {
        let records = batch.records.into_iter().map(|(writer, sequence, payload)| {
            (writer.to_string(), sequence, PyBytes::new(py, &payload))
        });
        let findings = batch.findings.into_iter().map(told).collect();
        let failure = batch.failure.map(|error| error.to_string());
        FollowedBatch(records.collect(), findings, batch.is_full, failure)
    }
}
