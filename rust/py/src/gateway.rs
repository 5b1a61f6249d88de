//! `llmgw._native`: `Gateway`, keys, the error table.

use crate::budget;
use crate::directory::{DirectoryState, KeyHolder, as_tuple};
use crate::journal::{JournalHealth, untaken};
use crate::limiter::open_shared;
use llmgw_core::balancer::Balancer;
use llmgw_core::certificate::{Certificate, Sender};
use llmgw_core::directory::{Directory, Published};
use llmgw_core::edge::{self, EdgeHandle};
use llmgw_core::error::{Class, Error};
use llmgw_core::gate::{PlanSlot, Shop, Tokens};
use llmgw_core::json;
use llmgw_core::keys::{self, Digester, Shape};
use llmgw_core::ledger::Ledger;
use llmgw_core::limits::Counters;
use llmgw_core::log::Log;
use llmgw_core::metrics::{self, Metrics};
use llmgw_core::plan::Plan;
use llmgw_core::shm::{Shared, Word};
use llmgw_core::snapshot::{EdgeSettings, Snapshot};
use llmgw_core::tokens;
use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use std::net::{IpAddr, TcpListener};
use std::path::PathBuf;
use std::sync::atomic::Ordering::{AcqRel, Acquire};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

create_exception!(
    llmgw._native,
    Refused,
    PyException,
    "A request is refused: (class name, message)."
);

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add("Refused", m.py().get_type::<Refused>())?;
    m.add_class::<Gateway>()?;
    m.add_class::<SharedState>()?;
    m.add_function(wrap_pyfunction!(check_snapshot, m)?)?;
    m.add_function(wrap_pyfunction!(die_with_parent, m)?)?;
    m.add_function(wrap_pyfunction!(generate_key, m)?)?;
    m.add_function(wrap_pyfunction!(key_digest, m)?)?;
    m.add_function(wrap_pyfunction!(check_key, m)?)?;
    m.add_function(wrap_pyfunction!(check_json, m)?)?;
    m.add_function(wrap_pyfunction!(error_table, m)?)
}

#[pyfunction]
fn check_snapshot(py: Python<'_>, snapshot: &[u8]) -> PyResult<()> {
    let snapshot = Snapshot::from_json(snapshot).map_err(PyValueError::new_err)?;
    py.detach(|| Plan::new(snapshot, 1, None).map(drop)).map_err(PyValueError::new_err)
}

#[pyfunction]
fn die_with_parent() -> PyResult<()> {
    llmgw_core::edge::die_with_parent().map_err(PyErr::from)
}

#[pyfunction]
fn generate_key() -> PyResult<String> {
    keys::generate().map_err(|error| PyOSError::new_err(error.to_string()))
}

#[pyfunction]
fn key_digest(pepper: &str, key: &str) -> PyResult<String> {
    let pepper = keys::from_hex(pepper)
        .ok_or_else(|| PyValueError::new_err("the pepper must be 64 hex digits"))?;
    Ok(keys::to_hex(&Digester::new(&pepper).digest(key.as_bytes())))
}

#[pyfunction]
fn check_key(key: &str) -> Option<bool> {
    match keys::shape(key.as_bytes()) {
        Shape::Valid => Some(true),
        Shape::Mistyped => Some(false),
        Shape::Foreign => None,
    }
}

#[pyfunction]
fn check_json(py: Python<'_>, body: &[u8]) -> PyResult<()> {
    py.detach(|| json::parse_object(body).map(drop))
        .map_err(|error| PyValueError::new_err(error.message))
}

type ErrorRow = (&'static str, u16, &'static str, &'static str, bool, bool, bool);

#[pyfunction]
fn error_table() -> Vec<ErrorRow> {
    let row = |class: Class| {
        let row = class.row();
        (row.name, row.status, row.kind, row.code, row.retry, row.fall_back, row.cool_down)
    };
    Class::ALL.into_iter().map(row).collect()
}

fn refused(error: &Error) -> PyErr {
    Refused::new_err((error.class.row().name, error.message.clone()))
}

#[pyclass(frozen, module = "llmgw._native")]
struct SharedState {
    shared: Arc<Shared>,
}

#[pymethods]
impl SharedState {
    #[new]
    fn new(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        Ok(SharedState { shared: py.detach(|| open_shared(Some(path)))? })
    }

    #[getter]
    fn generation(&self) -> u64 {
        self.shared.word(Word::ConfigGeneration).load(Acquire)
    }

    #[getter]
    fn wanted_issuer_keys(&self) -> u64 {
        self.shared.word(Word::WantedIssuerKeys).load(Acquire)
    }

    fn next_generation(&self) -> u64 {
        self.shared.word(Word::ConfigGeneration).fetch_add(1, AcqRel) + 1
    }

    #[getter]
    fn directory(&self) -> (u64, u64) {
        as_tuple(Published::load(&self.shared))
    }

    fn publish_directory(&self, file: u64, length: u64) -> PyResult<()> {
        Published { file, length }.store(&self.shared).map_err(PyValueError::new_err)
    }

    #[getter]
    fn damaged_directory(&self) -> u64 {
        Published::damaged(&self.shared)
    }

    fn restore_budget(&self, slot_hex: &str, window: u64, committed: u64) -> PyResult<bool> {
        budget::restore(&self.shared, slot_hex, window, committed)
    }

    fn lose_hold(&self, slot_hex: &str, window: u64, nano: u64) -> PyResult<bool> {
        // Held and spent are one number: what is lost stays in it.
        Ok(budget::shift(&self.shared, slot_hex, window, 0)?.is_some_and(|held| held >= nano))
    }

    fn correct_budget(&self, slot_hex: &str, window: u64, delta: i64) -> PyResult<Option<u64>> {
        budget::shift(&self.shared, slot_hex, window, delta)
    }

    fn budgets(&self, py: Python<'_>) -> Vec<(String, u64, u64)> {
        py.detach(|| budget::all(&self.shared))
    }

    fn note_reload(&self, succeeded: bool) {
        let failed = self.shared.word(Word::ConfigReloadFailed);
        failed.store(u64::from(!succeeded), std::sync::atomic::Ordering::Release);
    }
}

#[pyclass(frozen, module = "llmgw._native")]
struct Gateway {
    shared: Arc<Shared>,
    shop: Arc<Shop>,
    mock_port: u16,
    mock: Mutex<Option<TcpListener>>,
    edge: Mutex<Option<EdgeHandle>>,
}

#[pymethods]
impl Gateway {
    #[new]
    fn new(py: Python<'_>, shared_path: PathBuf, worker: usize) -> PyResult<Self> {
        py.detach(|| {
            let shared = open_shared(Some(shared_path))?;
            let mock = edge::open_mock()?;
            let shop = Shop {
                plan: PlanSlot::empty(),
                directory: Directory::default(),
                tokens: Tokens::new(shared.clone()),
                counters: Counters::new(shared.clone(), worker),
                balancer: Balancer::new(shared.clone()),
                metrics: Metrics::new(shared.clone(), worker),
                log: Log::default(),
                ledger: Ledger::default(),
            };
            Ok(Gateway {
                shared,
                shop: Arc::new(shop),
                mock_port: mock.local_addr()?.port(),
                mock: Mutex::new(Some(mock)),
                edge: Mutex::new(None),
            })
        })
    }

    fn load(&self, py: Python<'_>, snapshot: &[u8]) -> PyResult<()> {
        let snapshot = Snapshot::from_json(snapshot).map_err(PyValueError::new_err)?;
        py.detach(|| {
            let before = self.shop.plan.load_full();
            let plan = Plan::new(snapshot, self.mock_port, before.as_deref())?;
            for group in &plan.groups {
                tokens::warm(group.tokenizer);
            }
            self.shop.plan.store(Some(Arc::new(plan)));
            Ok(())
        })
        .map_err(|message: String| PyValueError::new_err(message))
    }

    fn start(&self, py: Python<'_>, settings: &[u8]) -> PyResult<u16> {
        let settings = EdgeSettings::from_json(settings).map_err(PyValueError::new_err)?;
        let mock = self.mock.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mock = mock.ok_or_else(|| PyRuntimeError::new_err("the gateway was started before"))?;
        let handle = py.detach(|| edge::start(self.shop.clone(), settings, mock))?;
        let port = handle.address.port();
        *self.edge.lock().unwrap_or_else(PoisonError::into_inner) = Some(handle);
        Ok(port)
    }

    fn drain(&self, py: Python<'_>, seconds: f64) -> bool {
        let within = Duration::try_from_secs_f64(seconds).unwrap_or_default();
        py.detach(|| {
            let mut edge = self.edge.lock().unwrap_or_else(PoisonError::into_inner);
            edge.as_mut().is_none_or(|edge| edge.drain(within))
        })
    }

    fn follow_directory(&self, py: Python<'_>, folder: PathBuf) -> bool {
        py.detach(|| {
            let published = Published::load(&self.shared);
            let result = self.shop.directory.follow(&folder, published, &self.shop.log);
            if let Err(refused) = &result
                && refused.is_damage
            {
                published.note_damage(&self.shared);
            }
            result.is_ok_and(|()| published == Published::load(&self.shared))
        })
    }

    fn ledger_health(&self) -> Option<JournalHealth> {
        self.shop.ledger.health().map(JournalHealth::from)
    }

    fn note_event(&self, payload: &[u8]) -> PyResult<Option<u64>> {
        self.shop.ledger.event(payload).map_err(untaken)
    }

    #[getter]
    fn directory(&self) -> DirectoryState {
        self.shop.directory.state().into()
    }

    #[pyo3(signature = (key, client=None, certificate=None))]
    fn authenticate(
        &self,
        key: Option<&[u8]>,
        client: Option<&str>,
        certificate: Option<&str>,
    ) -> PyResult<KeyHolder> {
        let plan = self.shop.plan().map_err(|error| refused(&error))?;
        let address: Option<IpAddr> = client.and_then(|address| address.parse().ok());
        let certificate = certificate.and_then(Certificate::from_text).map(Arc::new);
        let sender = Sender { address, certificate };
        let key = self.shop.authenticate(&plan, key, sender).map_err(|error| refused(&error))?;
        Ok(KeyHolder { key })
    }

    fn read_token(&self, token: &[u8]) -> PyResult<Vec<u8>> {
        let plan = self.shop.plan().map_err(|error| refused(&error))?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        let (verified, _) = self.shop.verify(&plan, token, now).map_err(|error| refused(&error))?;
        // Texts and numbers can always be written.
        Ok(serde_json::to_vec(&verified).unwrap_or_default())
    }

    fn visible_models(&self, holder: &KeyHolder) -> PyResult<Vec<String>> {
        let plan = self.shop.plan().map_err(|error| refused(&error))?;
        Ok(plan.visible_models(&holder.key))
    }

    fn may_use(&self, holder: &KeyHolder, model: &str) -> PyResult<bool> {
        let plan = self.shop.plan().map_err(|error| refused(&error))?;
        Ok(plan.leads(&holder.key, model))
    }

    fn chats(&self, holder: &KeyHolder, model: &str) -> PyResult<bool> {
        let plan = self.shop.plan().map_err(|error| refused(&error))?;
        Ok(plan.chats(&holder.key, model))
    }

    #[getter]
    fn version(&self) -> Option<String> {
        self.shop.plan.load().as_ref().map(|plan| plan.version.clone())
    }

    fn metrics(&self, py: Python<'_>) -> String {
        py.detach(|| metrics::render(&self.shared))
    }
}
