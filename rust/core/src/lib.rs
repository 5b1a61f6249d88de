//! The native core of llmgw.
//!
//! Pure modules first (bytes in, bytes out), then the state that workers share, then the path of one
//! request: `edge` accepts, `gate` admits, `dispatch` attempts, `upstream` sends, `relay` passes the
//! reply on. Nothing in here knows Python.

pub mod error;

pub mod json;
pub mod pii;
pub mod scan;
pub mod sse;
pub mod tokens;
pub mod usage;

pub mod balancer;
pub mod cache;
pub mod limiter;
pub mod metrics;
pub mod shm;

pub mod gate;
pub mod keys;
pub mod snapshot;

pub mod dispatch;
pub mod edge;
pub mod egress;
pub mod http1;
pub mod relay;
pub mod upstream;

pub mod bench;
