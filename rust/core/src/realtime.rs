//! Realtime sessions: a WebSocket of the client's and one to its model's upstream, and frames that pass between.
//!
//! How a session is let in and opened: `session/realtime.rs`. Why frames pass and not messages:
//! docs/decisions/0015.

pub mod events;
pub mod frame;
pub mod handshake;
pub mod policy;
pub mod relay;

use crate::access;
use crate::error::{Class, Error, Result};
use crate::http1::Head;
use crate::metrics::{Gauge, GaugeGuard, Metrics};
use crate::plan::seconds;
use crate::snapshot::RealtimeSettings;
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

/// Where sessions are opened: at OpenAI's paths and at Azure's two.
const PATHS: [&str; 4] = ["/v1/realtime", "/realtime", "/openai/v1/realtime", "/openai/realtime"];
/// What the query calls the model: OpenAI's word, and that of Azure's dated API.
const MODEL: [&str; 2] = ["model", "deployment"];

/// Whether a request asks for a session.
#[must_use]
pub fn is_wanted(head: &Head) -> bool {
    head.method() == "GET" && PATHS.contains(&head.path())
}

/// The model that a session is for.
///
/// # Errors
/// `InvalidRequest`, when the query names none.
pub fn model(head: &Head) -> Result<String> {
    let fields = || head.query().unwrap_or_default().split('&').filter_map(|f| f.split_once('='));
    let value = MODEL.iter().find_map(|name| fields().find(|(field, _)| field == name));
    let model = value.and_then(|(_, value)| access::percent_decode(value));
    model.filter(|model| !model.is_empty()).ok_or_else(|| {
        let message = "The query must name the model: `?model=…`.";
        Error::new(Class::InvalidRequest, message).with_param("model")
    })
}

/// What a worker allows its sessions, and how many there are.
pub struct Realtime {
    /// Bytes of a message.
    pub max_message_bytes: usize,
    /// Without a message from either side.
    pub idle_timeout: Duration,
    /// A whole session.
    pub max_duration: Duration,
    max_sessions: usize,
    open: Rc<Cell<usize>>,
}

/// Holds a session's place until it is dropped.
pub struct Place {
    open: Rc<Cell<usize>>,
    _gauge: GaugeGuard,
}

impl Realtime {
    /// As it was written; no session is open.
    #[must_use]
    pub fn new(settings: &RealtimeSettings) -> Self {
        Realtime {
            max_message_bytes: settings.max_message_bytes,
            idle_timeout: seconds(settings.idle_timeout),
            max_duration: seconds(settings.max_duration),
            max_sessions: settings.max_sessions,
            open: Rc::default(),
        }
    }

    /// A place for one more session.
    ///
    /// # Errors
    /// `RateLimited`, when all are taken.
    pub fn take(&self, metrics: &Metrics) -> Result<Place> {
        let open = self.open.get();
        if open >= self.max_sessions {
            let message =
                "As many realtime sessions are open as the gateway allows; try again later.";
            return Err(Error::new(Class::RateLimited, message).with_retry_after(1.0));
        }
        self.open.set(open + 1);
        Ok(Place { open: self.open.clone(), _gauge: metrics.hold(Gauge::Realtime) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.open.set(self.open.get() - 1);
    }
}
