//! `llmgw._native`: `Journal`, `JournalReader`, `JournalFollower`, and the upkeep of their folder.

mod follow;

use llmgw_core::journal::{self, Finding, Found, Health, NotDurable, Options, Positions, Refused};
use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

create_exception!(llmgw._native, JournalFull, PyException);

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add("JournalFull", m.py().get_type::<JournalFull>())?;
    m.add_class::<Journal>()?;
    m.add_class::<JournalHealth>()?;
    m.add_class::<JournalReader>()?;
    m.add_class::<follow::JournalFollower>()?;
    m.add_function(wrap_pyfunction!(repair_journal, m)?)?;
    m.add_function(wrap_pyfunction!(remove_journal, m)?)
}

#[pyclass(frozen, module = "llmgw._native")]
struct Journal {
    journal: journal::Journal,
}

#[pymethods]
impl Journal {
    #[new]
    #[pyo3(signature = (folder, segment_bytes = 16_777_216, max_waiting_bytes = 16_777_216, gather = 0.01))]
    fn new(
        py: Python<'_>,
        folder: PathBuf,
        segment_bytes: usize,
        max_waiting_bytes: usize,
        gather: f64,
    ) -> PyResult<Self> {
        let gather = seconds(gather)?;
        let options = Options {
            segment_bytes,
            most_waiting: max_waiting_bytes,
            gather,
            ..Options::default()
        };
        let journal = py.detach(|| journal::Journal::open(&folder, options))?;
        Ok(Journal { journal })
    }

    #[getter]
    fn writer(&self) -> String {
        self.journal.writer().to_string()
    }

    fn append(&self, payload: &[u8]) -> PyResult<u64> {
        self.journal.append(payload).map_err(untaken)
    }

    fn durable(&self) -> u64 {
        self.journal.durable()
    }

    #[pyo3(signature = (sequence, timeout = None))]
    fn wait(&self, py: Python<'_>, sequence: u64, timeout: Option<f64>) -> PyResult<bool> {
        let timeout = timeout.map_or(Ok(Duration::MAX), seconds)?;
        match py.detach(|| self.journal.wait(sequence, timeout)) {
            Ok(()) => Ok(true),
            Err(NotDurable::Late) => Ok(false),
            Err(ended) => Err(PyRuntimeError::new_err(ended.to_string())),
        }
    }

    fn health(&self) -> JournalHealth {
        self.journal.health().into()
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        Ok(py.detach(|| self.journal.close())?)
    }
}

/// Why a record was not taken.
pub(crate) fn untaken(refused: Refused) -> PyErr {
    match refused {
        Refused::TooLarge => PyValueError::new_err(refused.to_string()),
        Refused::Full => JournalFull::new_err(refused.to_string()),
        Refused::Closed | Refused::OtherProcess => PyRuntimeError::new_err(refused.to_string()),
    }
}

fn seconds(seconds: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| PyValueError::new_err(format!("no time of {seconds} seconds")))
}

#[pyclass(frozen, module = "llmgw._native")]
pub(crate) struct JournalHealth {
    health: Health,
}

impl From<Health> for JournalHealth {
    fn from(health: Health) -> Self {
        JournalHealth { health }
    }
}

#[pymethods]
impl JournalHealth {
    #[getter]
    fn taken(&self) -> u64 {
        self.health.taken
    }

    #[getter]
    fn durable(&self) -> u64 {
        self.health.durable
    }

    #[getter]
    fn waiting_bytes(&self) -> usize {
        self.health.waiting
    }

    #[getter]
    fn is_open(&self) -> bool {
        self.health.is_open
    }

    #[getter]
    fn trouble(&self) -> Option<(String, f64, u32)> {
        let trouble = self.health.trouble.as_ref()?;
        let since = trouble.since.duration_since(UNIX_EPOCH).unwrap_or_default();
        Some((trouble.reason.clone(), since.as_secs_f64(), trouble.tries))
    }
}

/// Its kind, the file, the offset in it, and what is wrong.
type Told = (&'static str, PathBuf, u64, String);
/// The writer, the sequence, and the payload.
type Record<'py> = (String, u64, Bound<'py, PyBytes>);

#[pyclass(frozen, module = "llmgw._native")]
struct JournalReader {
    reader: Mutex<journal::Reader>,
    findings: Mutex<Vec<Told>>,
}

#[pymethods]
impl JournalReader {
    #[new]
    #[pyo3(signature = (folder, positions = None))]
    fn new(
        py: Python<'_>,
        folder: PathBuf,
        positions: Option<BTreeMap<String, u64>>,
    ) -> PyResult<Self> {
        let positions = self::positions(positions)?;
        let reader = py.detach(|| journal::read_from(&folder, positions))?;
        Ok(JournalReader { reader: Mutex::new(reader), findings: Mutex::default() })
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Record<'py>>> {
        let record = py.detach(|| self.next_record())?;
        Ok(record.map(|(writer, sequence, payload)| {
            (writer.to_string(), sequence, PyBytes::new(py, &payload))
        }))
    }

    #[getter]
    fn findings(&self) -> Vec<Told> {
        self.findings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl JournalReader {
    /// The next record; what is wrong before it is noted.
    fn next_record(&self) -> std::io::Result<Option<(journal::Writer, u64, Vec<u8>)>> {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        for found in reader.by_ref() {
            match found? {
                Found::Record { writer, sequence, payload } => {
                    return Ok(Some((writer, sequence, payload)));
                }
                Found::Finding(finding) => {
                    let mut findings = self.findings.lock().unwrap_or_else(PoisonError::into_inner);
                    findings.push(told(finding));
                }
            }
        }
        Ok(None)
    }
}

fn told(finding: Finding) -> Told {
    match finding {
        Finding::Torn { file, offset } => {
            ("torn", file, offset, "its writer died before the last group was on the disk".into())
        }
        Finding::Corrupt { file, offset, why } => ("corrupt", file, offset, why),
    }
}

fn positions(named: Option<BTreeMap<String, u64>>) -> PyResult<Positions> {
    let named = named.unwrap_or_default().into_iter();
    named.map(|(name, sequence)| Ok((writer(&name)?, sequence))).collect()
}

fn writer(name: &str) -> PyResult<journal::Writer> {
    journal::Writer::parse(name)
        .ok_or_else(|| PyValueError::new_err(format!("no name of a writer: {name:?}")))
}

#[pyfunction]
fn repair_journal(py: Python<'_>, folder: PathBuf) -> PyResult<Vec<(PathBuf, u64, u64, PathBuf)>> {
    let cuts = py.detach(|| journal::repair(&folder))?;
    Ok(cuts.into_iter().map(|cut| (cut.file, cut.offset, cut.bytes, cut.aside)).collect())
}

#[pyfunction]
#[pyo3(signature = (folder, writer, before, older_than = 0.0))]
fn remove_journal(
    py: Python<'_>,
    folder: PathBuf,
    writer: &str,
    before: u64,
    older_than: f64,
) -> PyResult<usize> {
    let (writer, age) = (self::writer(writer)?, seconds(older_than)?);
    Ok(py.detach(|| journal::remove_older(&folder, writer, before, age))?)
}
