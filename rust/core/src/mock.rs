//! A mock OpenAI-compatible upstream: scripted replies over HTTP/1.1, for the `mock/*` provider, tests and the benchmark.
//!
//! It shares the machine with what is measured, so it is cheap: one task per connection, replies
//! assembled by copying, one write per reply. It reads HTTP with code of its own, so that a fault in
//! the gateway's parser cannot hide by being on both sides.

mod ask;
mod connection;
mod embeddings;
mod events;
mod failure;
mod files;
mod form;
mod media;
mod replies;
mod script;
mod thread;
mod wire;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;

pub use script::Script;
pub use thread::Background;

/// How long to rest when the system refuses another connection (out of descriptors).
const ACCEPT_REST: Duration = Duration::from_millis(10);
/// Scripts with `fail_every` whose requests are counted; when there are more, counting begins anew.
const MOST_SCRIPTS: usize = 1024;

/// What one mock upstream has seen so far.
#[derive(Debug, Default)]
pub struct Seen {
    connections: AtomicU64,
    requests: AtomicU64,
    abandoned: AtomicU64,
    failing: Mutex<HashMap<String, u64>>,
    cabinet: Mutex<files::Cabinet>,
}

impl Seen {
    /// Connections accepted.
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    /// Requests read to their end.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Requests whose client left before the reply was complete.
    pub fn abandoned(&self) -> u64 {
        self.abandoned.load(Ordering::Relaxed)
    }

    /// Counts a request and returns its number, from 1.
    fn count_request(&self) -> u64 {
        self.requests.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn count_abandoned(&self) {
        self.abandoned.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether this request is the n-th of its script; each script has its own count.
    fn is_nth(&self, script: &str, n: u64) -> bool {
        let mut failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        if failing.len() >= MOST_SCRIPTS {
            failing.clear();
        }
        let count = failing.entry(script.to_owned()).or_default();
        *count += 1;
        count.is_multiple_of(n.max(1))
    }
}

/// Serves the mock upstream on this listener until the future is dropped; must run within a tokio runtime.
pub async fn serve(listener: TcpListener) {
    serve_counted(listener, Arc::default()).await;
}

/// As [`serve`], counting into `seen`.
pub async fn serve_counted(listener: TcpListener, seen: Arc<Seen>) {
    loop {
        match listener.accept().await {
            Ok((socket, _)) => {
                seen.connections.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(connection::converse(socket, Arc::clone(&seen)));
            }
            Err(_) => tokio::time::sleep(ACCEPT_REST).await,
        }
    }
}
