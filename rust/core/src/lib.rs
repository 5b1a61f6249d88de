//! The native core of llmgw.
//!
//! Pure modules first (bytes in, bytes out), then the state that workers share, then what a
//! configuration compiles to, then the path of one request: `edge` accepts, `session` reads and
//! answers, `gate` admits, `dispatch` attempts, `upstream` sends, `stream` passes the reply on.
//! Nothing in here knows Python.

pub mod error;

pub mod certificate;
pub mod headers;
pub mod http1;
pub mod json;
pub mod jwt;
pub mod keys;
pub mod log;
pub mod multipart;
pub mod pii;
pub mod prompt;
pub mod scan;
pub mod sign;
pub mod sse;
pub mod tokens;
pub mod usage;

pub mod balancer;
pub mod budget;
pub mod cache;
pub mod cluster;
pub mod journal;
pub mod limiter;
pub mod limits;
pub mod metrics;
pub mod shm;

pub mod dial;
pub mod egress;
pub mod fetch;
pub mod h1;
pub mod ledger;
pub mod places;
pub mod plan;
pub mod price;
pub mod snapshot;
pub mod upstream;

pub mod access;
pub mod answers;
pub mod call;
pub mod caller;
pub mod connection;
pub mod control;
pub mod dialect;
pub mod directory;
pub mod dispatch;
pub mod edge;
pub mod files;
pub mod gate;
pub mod realtime;
pub mod relay;
pub mod reply;
pub mod responses;
pub mod session;
pub mod store;
pub mod stream;
pub mod through;
pub mod tls;
pub mod translate;
pub mod upload;
pub mod visit;

pub mod load;
pub mod mock;
pub mod model_map;

#[cfg(test)]
mod testing;
